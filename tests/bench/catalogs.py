"""A registry of many repositories to describe, and curl asking the same URLs."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from jupyimg.model.content import drain
from jupyimg.model.reference import Reference
from jupyimg.model.settings import Settings
from jupyimg.registry import Registries
from jupyimg.transfer import copying
from tests.bench.images import CONFIG, LAYER, MANIFEST
from tests.places.memory import MemoryPlace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.services.registry import Access

ACCEPT = f"{MANIFEST}, application/vnd.oci.image.index.v1+json, */*"


def fill(host: str, repositories: int, tags: int) -> None:
    """So many repositories with so many tags each; every tag is an image of its own over one layer."""
    registries = Registries(Settings(home=Path("nowhere")))
    place = MemoryPlace(1 << 20)
    layer = place.put(bytes(1000), LAYER)

    def one(number: int) -> None:
        for tag in range(tags):
            config = json.dumps({"architecture": "amd64", "os": "linux", "created": f"2026-01-{tag + 1:02}T00:00:00Z",
                                 "config": {"Labels": {"number": f"{number}-{tag}"}, "Env": ["PATH=/bin"]},
                                 "rootfs": {"type": "layers", "diff_ids": [layer.digest]}}).encode()  # fmt: skip
            listed = {"mediaType": LAYER, "digest": layer.digest, "size": layer.size}
            own = place.put(config, CONFIG)
            body = {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {"mediaType": CONFIG, "digest": own.digest, "size": own.size},
                "layers": [listed],
            }
            root = place.put(json.dumps(body).encode(), MANIFEST)
            reference = Reference.parse(f"{host}/bench/app{number:03}:1.{tag}")
            place.names[str(reference)] = root
            drain(copying(place, registries.repository(reference), reference, workers=1))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(repositories)))
    registries.close()


def curl_config(path: Path, url: str, asked: Iterable[Access]) -> Path:
    """A file that makes curl ask what was asked, each answer thrown away."""
    lines = [f'header = "Accept: {ACCEPT}"', "silent", "fail"]
    for access in asked:
        lines += [f'url = "{url}{access.path}"', "output = /dev/null"]
    path.write_text("\n".join(lines) + "\n")
    return path
