"""kill -9 at random moments: the store always opens, and what had arrived is not fetched again."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.bench import images
from tests.crash.relay import relayed
from tests.services.waiting import until
from tests.store.checker import verify_store

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 30
LAYERS, LAYER = 6, 2_500_000
RATE = 6 << 20
OVERHEAD = 64 << 10
"""Bytes of heads, manifests and errors that one attempt may cost besides layers."""


def jupyimg(home: Path, *words: str) -> subprocess.Popen[bytes]:
    env = {**os.environ, "JUPYIMG_HOME": str(home)}
    return subprocess.Popen(
        [sys.executable, "-m", "jupyimg", *words], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def on_disk(store: Path) -> int:
    """Bytes of the image's layers that are here, whole or begun."""
    files = [*(store / "blobs").glob("sha256/*"), *(store / ".jupyimg" / "ingest").glob("*")]
    return sum(path.stat().st_size for path in files if path.stat().st_size > OVERHEAD)


def test_a_pull_that_is_killed_thirty_times_goes_on_where_it_was(registry, skopeo, tmp_path):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")  # shown when it fails
    chance = random.Random(seed)
    images.push(registry, "big", "1", layers=LAYERS, size=LAYER)
    images.push(registry, "other", "1", layers=2, size=100_000)
    home = tmp_path / "jupyimg"
    store = home / "store"
    assert jupyimg(home, "pull", registry.reference("other:1")).wait() == 0
    base = on_disk(store)
    size = LAYERS * LAYER
    with relayed(registry.host, RATE) as relay:
        name = f"{relay.host}/big:1"
        kills = finished = 0
        longest = 0.4 + LAYER / RATE + 0.4  # Python's start, the layers side by side, and the end
        while kills < KILLS:
            missing, before = size - (on_disk(store) - base), relay.sent
            process = jupyimg(home, "pull", name)
            try:
                assert process.wait(chance.uniform(0.15, longest)) == 0
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                kills += 1
            until(lambda: not relay.open)  # what it was sending has failed by now
            assert relay.sent - before <= missing + OVERHEAD, "something that was here came again"
            listed = verify_store(store, skopeo.inspect if kills % 6 == 0 else None)
            if len(listed) == 2:
                finished += 1
                assert jupyimg(home, "rmi", name).wait() == 0
        print(f"{kills} kills, {finished} pulls came to their end")
        assert jupyimg(home, "pull", name).wait() == 0
    assert len(verify_store(store, skopeo.inspect)) == 2


def test_a_tag_push_or_removal_that_is_killed_leaves_a_valid_store(registry, skopeo, tmp_path):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    images.push(registry, "app", "1", layers=3, size=300_000)
    home, name = tmp_path / "jupyimg", registry.reference("app:1")
    for number in range(10):
        assert jupyimg(home, "pull", name).wait() == 0
        for words in (
            ("tag", name, f"mine/app:{number}"),
            ("tag", name, registry.reference(f"copy/app{number}:1")),
            ("push", registry.reference(f"copy/app{number}:1")),
            ("rmi", "-f", f"mine/app:{number}", registry.reference(f"copy/app{number}:1"), name),
        ):
            process = jupyimg(home, *words)
            try:
                process.wait(chance.uniform(0.12, 0.5))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            verify_store(home / "store")
    verify_store(home / "store", skopeo.inspect)
