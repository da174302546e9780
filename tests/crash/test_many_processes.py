"""Four processes pull, tag, remove and clean up in one store at once: no lost name, no missing blob."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

from tests.bench import images
from tests.store.checker import verify_store

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = float(os.environ.get("JUPYIMG_CAMPAIGN_SECONDS", "30"))

WORKER = """
import json, random, sys, time
import jupyimg
from jupyimg.errors import ImageNotFound

host, me, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
chance, engine, mine, done = random.Random(int(me)), jupyimg.connect(), {}, 0
remote = [f"{host}/app{n}:1" for n in range(4)]
end = time.monotonic() + seconds
while time.monotonic() < end or done <= 50:
    name, done = chance.choice(remote), done + 1
    try:
        match chance.randrange(5):
            case 0 | 1:
                engine.pull(name)
            case 2:
                own = f"own{me}/app:{chance.randrange(30)}"
                mine[own] = str(engine.tag(name, own).image_id)
            case 3 if mine:
                own = chance.choice(list(mine))
                del mine[own]
                engine.remove([own])
            case 3 | 4 if chance.random() < 0.7:
                engine.remove([name])
            case _:
                engine.store.collect()
    except ImageNotFound:
        pass  # another process removed it
print(json.dumps([mine, done]))
"""


def reader(store: Path, end: float) -> int:
    """Look again and again whether all that is listed is here; what was missing in a list that has changed is nothing."""
    looks = 0
    while time.monotonic() < end or looks <= 50:
        looks += 1
        state, listed = index(store)
        missing = [
            (entry, digest)
            for entry in listed
            for digest in needed(store, entry)
            if not (store / "blobs" / digest.replace(":", "/")).exists()
        ]
        assert not missing or index(store)[0] != state, f"{missing} while index.json did not change"
    return looks


def index(store: Path) -> tuple[object, list[dict]]:
    """What is listed, and what tells this state of index.json from every other: each is a new file."""
    try:
        with (store / "index.json").open() as file:
            stat = os.fstat(file.fileno())
            return (stat.st_ino, stat.st_mtime_ns), json.load(file)["manifests"]
    except FileNotFoundError:
        return None, []


def needed(store: Path, entry: dict) -> list[str]:
    try:
        manifest = json.loads((store / "blobs" / entry["digest"].replace(":", "/")).read_text())
    except FileNotFoundError:
        return [entry["digest"]]
    return [entry["digest"], manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]


def test_four_processes_in_one_store_lose_no_name_and_no_blob(registry, skopeo, tmp_path):
    for number in range(4):
        images.push(registry, f"app{number}", "1", layers=3, size=20_000)
    env = {**os.environ, "JUPYIMG_HOME": str(tmp_path / "jupyimg")}
    code = textwrap.dedent(WORKER)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", code, registry.host, str(me), str(SECONDS)],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for me in range(4)
    ]
    store = tmp_path / "jupyimg" / "store"
    looks = reader(store, time.monotonic() + SECONDS)
    said = [worker.communicate(timeout=120) for worker in workers]
    assert [err for _, err in said if err] == []
    names: dict[str, str] = {}
    for out, _ in said:
        mine, done = json.loads(out)
        assert done > 50, "too little was done to prove anything"
        names |= mine
    listed = verify_store(store, skopeo.inspect)
    held = {
        entry["annotations"]["org.opencontainers.image.ref.name"]: entry["digest"]
        for entry in listed
        if "annotations" in entry and "org.opencontainers.image.ref.name" in entry["annotations"]
    }
    for name, image_id in names.items():
        digest = held[f"docker.io/{name}"]
        manifest = json.loads((store / "blobs" / digest.replace(":", "/")).read_text())
        assert manifest["config"]["digest"] == image_id
    assert looks > 50
