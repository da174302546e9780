"""An image of true layers to save and load: tars of this machine's own libraries, compressed as real ones are."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isal import igzip

if TYPE_CHECKING:
    from collections.abc import Iterator

OCI = "application/vnd.oci.image."
NAME = "docker.io/library/gigabyte:1"


def _files() -> Iterator[Path]:
    """Programs and libraries, over and over."""
    found = sorted(path for path in Path("/usr/lib").rglob("*") if path.is_file() and not path.is_symlink())
    return itertools.cycle(found)


class _Tee:
    """Takes a tar in: hashes it and compresses it into a file, whose hash and size it knows as well."""

    def __init__(self, path: Path) -> None:
        self.plain, self.packed, self.size = hashlib.sha256(), hashlib.sha256(), 0
        self.raw = path.open("wb")
        self.gzip = igzip.IGzipFile(filename="", mode="wb", compresslevel=2, fileobj=self, mtime=0)

    def write(self, data: bytes) -> int:
        """What the compressor gives."""
        self.packed.update(data)
        self.size += len(data)
        return self.raw.write(data)

    def add(self, data: bytes) -> None:
        """What the tar is made of."""
        self.plain.update(data)
        self.gzip.write(data)

    def flush(self) -> None:
        """The compressor asks for it."""


def _layer(blobs: Path, files: Iterator[Path], size: int, number: int) -> tuple[dict[str, Any], str]:
    tee = _Tee(blobs / f"new-{number}")
    at = 0
    while tee.size < size:
        data = next(files).read_bytes()
        info = tarfile.TarInfo(f"layer{number}/file{at}")
        info.size, at = len(data), at + 1
        tee.add(info.tobuf() + data + bytes(-len(data) % 512))
    tee.add(bytes(1024))
    tee.gzip.close()
    tee.raw.close()
    digest = tee.packed.hexdigest()
    Path(tee.raw.name).rename(blobs / digest)
    descriptor = {"mediaType": f"{OCI}layer.v1.tar+gzip", "digest": f"sha256:{digest}", "size": tee.size}
    return descriptor, f"sha256:{tee.plain.hexdigest()}"


def write_layout(folder: Path, *, layers: int, size: int) -> None:
    """An OCI layout with one image of so many layers, each of about so many bytes compressed."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    files = _files()
    made = [_layer(blobs, files, size, number) for number in range(layers)]
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z",
        "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in made]},
    }).encode()  # fmt: skip
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": f"{OCI}manifest.v1+json",
        "config": _put(blobs, config, f"{OCI}config.v1+json"), "layers": [layer for layer, _ in made],
    }).encode()  # fmt: skip
    entry = {
        **_put(blobs, manifest, f"{OCI}manifest.v1+json"),
        "annotations": {"org.opencontainers.image.ref.name": NAME, "io.containerd.image.name": NAME},
    }
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    os.sync()


def _put(blobs: Path, content: bytes, media_type: str) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}
