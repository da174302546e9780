"""A thousand images to list: in a store of ours, and in a Docker Engine."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

from jupyimg.model.codec import encode
from jupyimg.model.documents import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST
from jupyimg.model.reference import Reference
from jupyimg.store import Entry, Store
from tests.places.memory import MemoryPlace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services.daemons import Daemon

WARM = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "jupyimg")
times = []
for _ in range(11):
    began = time.perf_counter()
    frame = shell.run_line_magic("image", "images")
    data, _ = shell.display_formatter.format(frame)
    times.append(time.perf_counter() - began)
assert len(frame) == {count} and "<table" in data["text/html"]
print(sorted(times[1:])[5])
"""
"""Lists in a warm kernel and shows it too (HTML and text); prints the median of ten, the first not counted."""


SPACE = """
import sys, time
from pathlib import Path
from jupyimg.engines import open_engine
from jupyimg.model.settings import Settings
def timed(ask):
    began = time.perf_counter()
    ask(engine)
    return time.perf_counter() - began
settings, asked = Settings(home=Path(sys.argv[1])), eval(sys.argv[2])
list_images = lambda engine: engine.images()
for warm in (False, True):
    engine, pairs = open_engine(settings), []
    timed(list_images), timed(asked)
    for _ in range(11):
        pair = []
        for ask in (asked, list_images):
            engine = engine if warm else open_engine(settings)
            pair.append(timed(ask))
        pairs.append(pair)
    print(*(sorted(values)[5] for values in zip(*pairs)), sorted(ours / theirs for ours, theirs in pairs)[5])
"""
"""Asks an engine something and for its images, in turn, each time as a new engine and then as one that knows all."""


def _config(number: int) -> bytes:
    return encode(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": f"2026-01-01T00:{number // 60 % 60:02}:{number % 60:02}Z",
            "config": {"Labels": {"number": str(number)}, "Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(_LAYER).hexdigest()]},
            "history": [{"created_by": f"RUN step {number}"}],
        }
    )


def _layer() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("file")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"bytes"))
    return out.getvalue()


_LAYER = _layer()


def fill_store(root: Path, count: int) -> None:
    """A store that holds so many images."""
    place = MemoryPlace(1 << 20)
    layer = place.put(_LAYER, OCI_LAYER)
    with Store(root).writer() as sink:
        for number in range(count):
            config = place.put(_config(number), OCI_CONFIG)
            body = encode({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]})
            manifest = place.put(body, OCI_MANIFEST)
            for content in (layer, config, manifest):
                if not sink.has(content):
                    sink.write(content, lambda offset, content=content: place.read(content, offset))
            sink.publish(Reference.parse(f"bench/app{number // 10}:{number % 10}"), manifest, (manifest,))


def fill_sharing(root: Path, count: int, layers: int, each: int = 10) -> None:
    """A store that holds so many images, each of ten of so many layers, most of which several images share."""
    place = MemoryPlace(1 << 20)
    pool = [place.put(b"layer %d" % number, OCI_LAYER) for number in range(layers)]
    entries = []
    with Store(root).writer() as sink:
        for number in range(count):
            config = place.put(_config(number), OCI_CONFIG)
            chosen = [pool[(number * layers // count + step * 7) % layers] for step in range(each)]
            body = encode({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": chosen})
            manifest = place.put(body, OCI_MANIFEST)
            for content in (*chosen, config, manifest):
                path = Store(root).blob_path(content.digest)
                if not path.exists():
                    sink.write(content, lambda offset, content=content: place.read(content, offset))
            entries.append(Entry(Reference.parse(f"bench/app{number // 10}:{number % 10}"), None, manifest))
    Store(root).change(lambda _: tuple(entries))


def fill_docker(docker: Daemon, archive: Path, count: int) -> None:
    """A Docker Engine that holds the same images."""
    listed = []
    with tarfile.open(archive, "w") as out:

        def add(name: str, data: bytes) -> None:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))

        add("layer.tar", _LAYER)
        for number in range(count):
            add(f"{number}.json", _config(number))
            listed.append(
                {
                    "Config": f"{number}.json",
                    "RepoTags": [f"bench/app{number // 10}:{number % 10}"],
                    "Layers": ["layer.tar"],
                }
            )
        add("manifest.json", json.dumps(listed).encode())
    docker.run("load", "-i", str(archive))
    held = len(docker.lines("images", "-q"))
    assert held == count, f"{held} images were loaded"
