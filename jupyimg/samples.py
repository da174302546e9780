"""The teaching images, made by code: small, the same to the byte everywhere, and needing nothing but Python.

They are a place (a `Source`), so they are pulled, pushed and served like any others. What each is for:

=====================  ================================================================================
sample/base:1.0        something to stand on: two layers that the next ones share
sample/web:1.0         a web server on it: labels, environment, a port, a build history, two platforms
sample/web:1.1, latest the next release: the same base, another top; ``latest`` is the tag that moved
sample/hello:latest    the smallest: one layer, three platforms, and an attestation in its index
sample/waste:latest    a file added, changed and deleted in three layers, and still in all of them
=====================  ================================================================================

Bytes depend on nothing outside: times are fixed, archives are USTAR, and gzip members hold *stored* blocks, since
two builds of zlib compress the same bytes differently. So their digests are constants, and tests hold them.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jupyimg.errors import RemoteNotFound
from jupyimg.model.codec import encode
from jupyimg.model.content import CHUNK
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, Descriptor
from jupyimg.model.platform import Platform
from jupyimg.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAY = 1_767_225_600  # 2026-01-01T00:00:00Z; every file and build step counts from here
_STORED = 0xFFFF  # the most bytes that a stored deflate block holds (RFC 1951, 3.2.4)
_LABELS = {
    "org.opencontainers.image.source": "https://example.org/samples",
    "org.opencontainers.image.licenses": "CC0-1.0",
    "org.example.note.zh": "教学用的小镜像",
}


@dataclass(frozen=True, slots=True)
class _Step:
    """One line of a build: the files it adds (none for a step that only changes the config), and what it says."""

    says: str
    files: tuple[tuple[str, bytes], ...] = ()
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class _Recipe:
    """One sample: its tags, for which platforms, and how it is built; ``{arch}`` in a file is the platform's."""

    path: str
    tags: tuple[str, ...]
    steps: tuple[_Step, ...]
    config: dict[str, Any]
    day: int
    architectures: tuple[str, ...] = ("amd64", "arm64")
    attested: bool = False


_BASE = (
    _Step(
        "ADD rootfs / # buildkit",
        (
            ("etc/os-release", b'NAME="Sample Linux"\nID=sample\nVERSION_ID=1.0\n'),
            ("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nweb:x:101:101::/srv:/bin/false\n"),
            ("bin/sh", b"not a shell, but it takes the place of one on {arch}\n" * 400),
        ),
    ),
    _Step("RUN install libraries", (("usr/lib/libsample.so.1", b"a library for {arch}\n" * 1200),)),
    _Step('CMD ["/bin/sh"]'),
)
_WEB = (
    *_BASE,
    _Step("ENV WEB_PORT=8080"),
    _Step("RUN install web server", (("usr/bin/web", b"a web server for {arch}\n" * 900),)),
    _Step("EXPOSE map[8080/tcp:{}]"),
)
_WEB_CONFIG = {
    "Env": ["PATH=/usr/bin:/bin", "WEB_PORT=8080"],
    "Cmd": ["web", "--root", "/srv"],
    "ExposedPorts": {"8080/tcp": {}},
    "WorkingDir": "/srv",
    "User": "web",
    "StopSignal": "SIGQUIT",
}
_BIG = b"".join(b"line %05d of a log that nobody needs\n" % number for number in range(1500))

RECIPES = (
    _Recipe("sample/base", ("1.0",), _BASE, {"Cmd": ["/bin/sh"], "Labels": {**_LABELS, "version": "1.0"}}, 0),
    _Recipe(
        "sample/web",
        ("1.0",),
        (*_WEB, _Step("COPY page /srv # buildkit", (("srv/index.html", b"<h1>Hello</h1>\n"),))),
        {**_WEB_CONFIG, "Labels": {**_LABELS, "version": "1.0"}},
        10,
    ),
    _Recipe(
        "sample/web",
        (),  # had latest once
        (*_WEB, _Step("COPY page /srv # buildkit", (("srv/index.html", b"<h1>Hello, world</h1>\n"),))),
        {**_WEB_CONFIG, "Labels": {**_LABELS, "version": "1.1-rc1"}},
        35,
    ),
    _Recipe(
        "sample/web",
        ("1.1", "latest"),
        (*_WEB, _Step("COPY page /srv # buildkit", (("srv/index.html", "<h1>Hello, 世界</h1>\n".encode()),))),
        {**_WEB_CONFIG, "Labels": {**_LABELS, "version": "1.1"}},
        40,
    ),
    _Recipe(
        "sample/hello",
        ("latest",),
        (_Step("COPY hello / # buildkit", (("hello", b"Hello from a container image for {arch}!\n"),), 0o755),),
        {"Cmd": ["/hello"], "Labels": _LABELS},
        50,
        ("amd64", "arm64", "arm/v7"),
        attested=True,
    ),
    _Recipe(
        "sample/waste",
        ("latest",),
        (
            *_BASE,
            _Step("COPY big.log /var/log # buildkit", (("var/log/big.log", _BIG),)),
            _Step("RUN chmod 600 /var/log/big.log", (("var/log/big.log", _BIG),), 0o600),
            _Step("RUN rm /var/log/big.log", (("var/log/.wh.big.log", b""),)),
        ),
        {"Cmd": ["/bin/sh"], "Labels": {**_LABELS, "org.example.lesson": "a deleted file is still there"}},
        60,
    ),
)
MOVED = Reference("docker.io", "sample/web", "latest")
"""The tag that moved, from a release candidate that has no name any more."""


class Samples:
    """All teaching images as a place to copy from; built in memory at first use (about 0.5 MB)."""

    @cached_property
    def _content(self) -> tuple[dict[Digest, bytes], dict[Reference, Descriptor]]:
        blobs: dict[Digest, bytes] = {}
        names: dict[Reference, Descriptor] = {}
        for recipe in RECIPES:
            root = _index(recipe, blobs)
            bare = Reference("docker.io", recipe.path)
            names[bare.with_digest(root.digest)] = root
            names.update({bare.with_tag(tag): root for tag in recipe.tags})
        return blobs, names

    def references(self) -> list[Reference]:
        """The names of all samples, in the order of a lesson."""
        return [name for name in self._content[1] if name.tag]

    def story(self) -> list[tuple[Reference, Reference]]:
        """What to copy, to which name, in which order, so that a tag has moved: the same names, one of them twice."""
        names = self._content[1]
        former = next(name for name, root in names.items() if name.digest and root not in self._named())
        return [(former, MOVED), *((name, name) for name in self.references())]

    def _named(self) -> list[Descriptor]:
        return [root for name, root in self._content[1].items() if name.tag]

    def resolve(self, reference: Reference) -> Descriptor:
        """What a sample's name points at: its index.

        Raises:
            RemoteNotFound: there is no such sample.
        """
        wanted = reference.with_digest(reference.digest) if reference.digest else reference
        root = self._content[1].get(wanted)
        if root is not None:
            return root
        there = ", ".join(name.familiar for name in self.references())
        raise RemoteNotFound(f"there is no sample {reference.familiar}", hint=f"there are {there}")

    def read(self, descriptor: Descriptor, offset: int = 0) -> Iterator[bytes]:
        """The bytes of a sample's blob or manifest.

        Raises:
            RemoteNotFound: it belongs to no sample.
        """
        data = self._content[0].get(descriptor.digest)
        if data is None:
            raise RemoteNotFound(f"{descriptor.digest} belongs to no sample")
        for at in range(offset, len(data), CHUNK):
            yield data[at : at + CHUNK]

    def interrupt(self) -> None:
        """Memory does not stall."""


def _index(recipe: _Recipe, blobs: dict[Digest, bytes]) -> Descriptor:
    manifests = [_image(recipe, architecture, blobs) for architecture in recipe.architectures]
    if recipe.attested:
        manifests.append(_attestation(manifests[0], blobs))
    body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}
    return _keep(encode(body), OCI_INDEX, blobs)


def _image(recipe: _Recipe, architecture: str, blobs: dict[Digest, bytes]) -> Descriptor:
    platform = Platform.parse(f"linux/{architecture}")
    layers: list[Descriptor] = []
    diff_ids: list[str] = []
    history: list[dict[str, Any]] = []
    for minute, step in enumerate(recipe.steps):
        entry: dict[str, Any] = {"created": _time(recipe.day, minute), "created_by": step.says}
        if step.files:
            tar = _tar(step, architecture)
            diff_ids.append(Digest.of(tar))
            layers.append(_keep(_gzip(tar), f"{OCI_LAYER}+gzip", blobs))
        else:
            entry["empty_layer"] = True
        history.append(entry)
    config = {
        "created": _time(recipe.day, len(recipe.steps)),
        "author": "jupyimg samples",
        "architecture": platform.architecture,
        "os": platform.os,
        **({"variant": platform.variant} if platform.variant else {}),
        "config": recipe.config,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": history,
    }
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _keep(encode(config), OCI_CONFIG, blobs),
        "layers": layers,
    }
    return _keep(encode(body), OCI_MANIFEST, blobs, platform=platform)


def _attestation(of: Descriptor, blobs: dict[Digest, bytes]) -> Descriptor:
    """What BuildKit adds to an index: a statement about an image, under a platform that is none."""
    statement = encode({"_type": "https://in-toto.io/Statement/v0.1", "predicate": {"builder": "samples"}})
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _keep(encode({"architecture": "unknown", "os": "unknown"}), OCI_CONFIG, blobs),
        "layers": [_keep(statement, "application/vnd.in-toto+json", blobs)],
    }
    annotations = {
        "vnd.docker.reference.digest": str(of.digest),
        "vnd.docker.reference.type": "attestation-manifest",
    }
    return _keep(encode(body), OCI_MANIFEST, blobs, platform=Platform("unknown", "unknown"), annotations=annotations)


def _keep(
    data: bytes,
    media_type: str,
    blobs: dict[Digest, bytes],
    *,
    platform: Platform | None = None,
    annotations: dict[str, str] | None = None,
) -> Descriptor:
    digest = Digest.of(data)
    blobs[digest] = data
    return Descriptor(media_type=media_type, digest=digest, size=len(data), platform=platform, annotations=annotations)


def _time(day: int, minute: int) -> str:
    month, rest = divmod(day, 28)
    return f"2026-{month + 1:02}-{rest + 1:02}T08:{minute:02}:00Z"


def _tar(step: _Step, architecture: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, text in step.files:
            data = text.replace(b"{arch}", architecture.encode())
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(data), step.mode, _DAY
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _gzip(data: bytes) -> bytes:
    """A gzip member (RFC 1952) of stored blocks: header without time or name, blocks, CRC and length."""
    pieces = [data[at : at + _STORED] for at in range(0, len(data), _STORED)] or [b""]
    blocks = [
        struct.pack("<BHH", at == len(pieces) - 1, len(piece), len(piece) ^ _STORED) + piece
        for at, piece in enumerate(pieces)
    ]
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return head + b"".join(blocks) + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
