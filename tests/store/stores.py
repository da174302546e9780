"""Random stores, written straight to the disk: images that share layers, indexes, signatures, garbage, partial downloads."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from jupyimg.model.codec import encode
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, Descriptor
from jupyimg.model.platform import Platform
from jupyimg.model.reference import Reference
from jupyimg.store import Entry, Store, by_user

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis.strategies import DrawFn

REPOSITORIES = ("docker.io/library/app", "docker.io/lab/tool", "ghcr.io/a/b")
OLD = 25 * 3600.0


@dataclass
class Filling:
    """What is written into a store, and what is to be known of it."""

    root: Path
    blobs: dict[Digest, bytes] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    pins: dict[str, dict[Digest, float]] = field(default_factory=dict)
    partials: dict[str, tuple[bytes, float]] = field(default_factory=dict)

    def put(self, data: bytes, media_type: str, platform: Platform | None = None) -> Descriptor:
        digest = Digest.of(data)
        self.blobs[digest] = data
        return Descriptor(media_type=media_type, digest=digest, size=len(data), platform=platform)

    def image(self, config: dict[str, object], layers: list[int], subject: Descriptor | None = None) -> Descriptor:
        body = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.put(encode(config), OCI_CONFIG),
            "layers": [self.put(b"%d" % number * (number * 37 + 1), OCI_LAYER) for number in layers],
            **({"subject": Descriptor(subject.media_type, subject.digest, subject.size)} if subject else {}),
        }
        platform = Platform(str(config.get("architecture", "unknown")), str(config.get("os", "unknown")))
        return self.put(encode(body), OCI_MANIFEST, None if subject else platform)

    def index(self, children: list[Descriptor]) -> Descriptor:
        return self.put(encode({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children}), OCI_INDEX)

    def write(self) -> Store:
        store = Store(self.root)
        store.change(lambda _: tuple(self.entries))
        for digest, data in self.blobs.items():
            store.blob_path(digest).write_bytes(data)
        for owner, kept in self.pins.items():
            store.pin(owner, lambda _, kept=kept: kept)
        for name, (data, age) in self.partials.items():
            path = self.root / ".jupyimg" / "ingest" / name
            path.write_bytes(data)
            os.utime(path, (time.time() - age,) * 2)
        return store


@st.composite
def fillings(draw: DrawFn, root: Path) -> Filling:
    made = Filling(root)
    layers = st.lists(st.integers(0, 9), max_size=4)
    for number in range(draw(st.integers(0, 7))):
        image = made.image(_config(draw, number), draw(layers))
        whole = draw(st.sampled_from(["image", "image", "part", "whole"]))
        descriptor, index = image, None
        if whole != "image":
            other = made.image({**_config(draw, number), "architecture": "arm64"}, draw(layers))
            attestation = made.image({"attestation": number}, [number % 3])
            descriptor = made.index([image, other, attestation])
            if whole == "part":
                descriptor, index = image, descriptor
                del made.blobs[other.digest]  # its content is garbage now, or shared
        _list(draw, made, number, descriptor, index)
        if draw(st.integers(0, 4)) == 0:
            made.image({"signature": number}, [draw(st.integers(0, 9))], subject=image)
        if draw(st.integers(0, 9)) == 0:
            made.blobs[image.digest] = made.blobs[image.digest][:-1]  # damaged
        if draw(st.integers(0, 9)) == 0:
            made.pins.setdefault(REPOSITORIES[0], {})[image.digest] = 0.0
    for number in range(draw(st.integers(0, 3))):
        made.put(b"garbage %d" % number, "a/b")
    for number in range(draw(st.integers(0, 3))):
        name = f"sha256-{number:064x}" if number % 2 else f"{number:032x}"
        made.partials[name] = (b"x" * (number + 5), draw(st.sampled_from([10.0, OLD])))
    return made


def _config(draw: DrawFn, number: int) -> dict[str, object]:
    labels = draw(st.dictionaries(st.sampled_from(["keep", "stage"]), st.sampled_from(["a", "b"]), max_size=2))
    day = draw(st.sampled_from([None, "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"]))
    config = {"architecture": "amd64", "os": "linux", "number": number, "config": {"Labels": labels}}
    return config | ({"created": day} if day else {})


def _list(draw: DrawFn, made: Filling, number: int, descriptor: Descriptor, index: Descriptor | None) -> None:
    """Give an image some names, or leave it dangling or unlisted; some are pinned."""
    for at in range(draw(st.integers(0, 2))):
        repository = draw(st.sampled_from(REPOSITORIES))
        name = Reference.parse(f"{repository}:{number}.{at}")
        made.entries.append(Entry(name, None, descriptor, index))
        if draw(st.integers(0, 4)) == 0:
            made.pins[by_user(name)] = {descriptor.digest: 0.0}
    if draw(st.integers(0, 2)) == 0:
        made.entries.append(Entry(None, draw(st.sampled_from(REPOSITORIES)), descriptor, index))
        if draw(st.integers(0, 4)) == 0:
            made.pins.setdefault(by_user(), {})[descriptor.digest] = 0.0


def sizes(root: Path) -> dict[str, int]:
    """Every file of content and of partial downloads, and its bytes."""
    files = [*root.glob("blobs/*/*"), *root.glob(".jupyimg/ingest/*")]
    return {path.name: path.stat().st_size for path in files}


def du(root: Path) -> int:
    """Apparent bytes of all of them."""
    return sum(sizes(root).values())
