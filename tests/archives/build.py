"""Archives made in Python, good ones and hostile ones, with nothing of jupyimg's."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.services.synthetic import TYPES, Made, make_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FULL_NAME, REF_NAME = "io.containerd.image.name", "org.opencontainers.image.ref.name"
MARK = b'{"imageLayoutVersion":"1.0.0"}'


@dataclass(frozen=True)
class Odd:
    """An entry of a tar that is no file: its type flag, and what a link points at."""

    kind: bytes
    target: str = ""


def as_json(document: Any) -> bytes:
    return json.dumps(document).encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def pack(files: Mapping[str, bytes | Odd] | Iterable[tuple[str, bytes | Odd]], *, ended: bool = True) -> bytes:
    """A tar of these entries; pairs may name one twice."""
    out = io.BytesIO()
    pairs = files.items() if hasattr(files, "items") else files
    for name, content in pairs:
        info = tarfile.TarInfo(name)
        if isinstance(content, Odd):
            info.type, info.linkname = content.kind, content.target
            out.write(info.tobuf(tarfile.GNU_FORMAT))
        else:
            info.size = len(content)
            out.write(info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512))
    return out.getvalue() + (bytes(1024) if ended else b"")


def blobs_of(*images: Made) -> dict[str, bytes]:
    """All of an image, as the files of a layout."""
    everything = [blob for made in images for blob in (*made.blobs, *made.manifests, made.root)]
    return {f"blobs/{blob.digest.replace(':', '/')}": blob.read() for blob in everything}


def line(made: Made, name: str = "", **more: Any) -> dict[str, Any]:
    """One line of index.json."""
    notes = {FULL_NAME: name, REF_NAME: name.rpartition(":")[2]} if name else {}
    notes |= more.pop("annotations", {})
    return made.root.descriptor(**more, **({"annotations": notes} if notes else {}))


def index_of(*lines: Any) -> bytes:
    return as_json({"schemaVersion": 2, "mediaType": TYPES["oci"]["index"], "manifests": list(lines)})


def layout(named: Mapping[str, Made]) -> dict[str, bytes]:
    """The files of an OCI image layout, as containerd names its images."""
    lines = [line(made, name) for name, made in named.items()]
    return {"oci-layout": MARK, "index.json": index_of(*lines), **blobs_of(*named.values())}


def docker_save(made: Made | None = None, tags: Iterable[str] | None = ("app:1",), **row: Any) -> dict[str, bytes]:
    """The files of `docker save`'s old form, layers as they are; ``row`` changes what manifest.json says."""
    made = made or make_image()
    config = made.blobs[-1].read()
    layers = {f"{number}/layer.tar": layer.read() for number, layer in enumerate(made.blobs[:-1])}
    said = {"Config": f"{sha256(config)}.json", "RepoTags": list(tags) if tags else None, "Layers": list(layers), **row}
    return {f"{sha256(config)}.json": config, **layers, "manifest.json": as_json([said])}


def write(path: Path, files: Mapping[str, bytes | Odd] | Iterable[tuple[str, bytes | Odd]]) -> Path:
    path.write_bytes(pack(files))
    return path


def spread(folder: Path, files: Mapping[str, bytes]) -> Path:
    """The same as a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def header(name=b"x", *, size=b"00000000000", kind=b"0", magic=b"ustar\x0000"):
    """One raw header with a right checksum."""
    block = bytearray(512)
    block[:100] = name.ljust(100, b"\0")
    block[124:136] = size.ljust(12, b"\0")
    block[156:157], block[257:265] = kind, magic
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def pax(**records):
    body = b""
    for key, value in records.items():
        record = b" %s=%s\n" % (key.replace("_", ".").encode(), value)
        length = len(record) + 1
        while len(b"%d" % length) + len(record) != length:
            length = len(b"%d" % length) + len(record)
        body += b"%d" % length + record
    return header(b"pax", size=b"%011o" % len(body), kind=b"x") + body + bytes(-len(body) % 512)
