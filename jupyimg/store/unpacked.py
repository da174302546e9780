"""Unpacked: how many bytes a layer's files take, as Docker counts them, found once and remembered by digest.

Docker adds up what lies in the folder it unpacked the layer to: the bytes of regular files and the lengths of symbolic
links; a hard link counts once, a path that stands twice counts as it was written last, a whiteout counts nothing.
One walk over the tar headers gives the same number without unpacking. (The size that a gzip file states at its end is
not used: it is that of the last of several members, modulo 4 GiB.)

What is found goes as a line of JSON to ``unpacked.jsonl``, which only grows, is read once, and may be deleted.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING, cast

import msgspec
from isal import igzip, igzip_lib

from jupyimg.errors import BadManifest, ContentError, DigestMismatch, StoreError
from jupyimg.model.codec import decode, encode
from jupyimg.model.content import CHUNK
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor
from jupyimg.store.hashing import Hashing
from jupyimg.store.layout import Layout, disk
from jupyimg.store.tarstream import Member, members

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from jupyimg.store.tarstream import Readable

    _Look = tuple[int, int, int]

_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
LAYER_TYPES = frozenset(
    {*(OCI_LAYER + kind for kind in ("", "+gzip", "+zstd")), *(_DOCKER_LAYER + kind for kind in ("", ".gzip", ".zstd"))}
)
"""The media types of layers that are a tar; what only its vendor gives out is not among them."""

_LOOK_AGAIN = 0.2  # seconds until lines of other processes are looked for again
_ROOM, _RATIO = 4 << 30, 200
_GZIP, _ZSTD, _ZSTD_SKIPPED = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x2a\x4d\x18"
_UNREADABLE = (OSError, EOFError, zstd.ZstdError, cast("type[Exception]", igzip_lib.IsalError))


class Found(msgspec.Struct, frozen=True):
    """What a walk of a layer found: bytes of its files, and its diff ID where that was asked for."""

    layer: Digest
    unpacked: int
    diff_id: Digest | None = None


class _Counted:
    """A stream that counts, and hashes where asked to; a bomb ends it."""

    def __init__(self, stream: Readable, limit: int, hashing: Hashing | None) -> None:
        self._stream = stream
        self._left = limit
        self._hashing = hashing

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise ContentError("the layer unpacks to far more than it should")
        if self._hashing:
            self._hashing.update(data)
        return data


def walk_layer(path: Path, digest: Digest, *, prove: Digest | None = None) -> Found:
    """Walk one layer file, of whatever compression its first bytes say, once and in little memory.

    A layer may unpack to 4 GiB, and beyond that to 200 times its size; what is more is a bomb.

    Args:
        path: the layer.
        digest: its digest, for the answer.
        prove: its diff ID, to be proven on the way.

    Raises:
        ContentError: it is missing, damaged, no tar, or a bomb.
        DigestMismatch: it is not what its diff ID says.
        StoreError: the system could not read it, which says nothing about it.
    """
    try:
        with path.open("rb", buffering=CHUNK) as file, Hashing(prove or digest) as hashing:
            limit = max(_ROOM, _RATIO * os.fstat(file.fileno()).st_size)
            stream = _Counted(_decompressed(file), limit, hashing if prove else None)
            total = files_size(members(stream))
            while stream.read(CHUNK):  # to the end, for its checksum and the diff ID
                pass
            found = hashing.hexdigest()
    except _UNREADABLE as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.ENOENT):  # gzip's own errors have no number
            with disk(f"read layer {digest.short}"):
                raise
        raise ContentError(f"layer {digest.short} cannot be unpacked: {error}") from error
    if prove and found != prove.encoded:
        raise DigestMismatch(f"layer {digest.short} unpacks to something else than its diff ID {prove.short} says")
    return Found(digest, total, prove)


def files_size(entries: Iterable[Member]) -> int:
    """Bytes of regular files and lengths of symbolic links; of a path that stands twice, the last."""
    sizes: dict[int, int] = {}  # by the hash of the path: a layer may hold a million of them
    total = 0
    for entry in entries:
        size = len(entry.target) if entry.kind == "2" else entry.size
        path = hash(entry.path.removeprefix(b"./").strip(b"/"))
        if entry.path.rpartition(b"/")[2].startswith(b".wh."):
            size = 0
        before = sizes.pop(path, 0) if entry.kind != "5" else 0
        if size:
            sizes[path] = size
        total += size - before
    return total


def _decompressed(file: IO[bytes]) -> Readable:
    start = file.read(4)
    file.seek(0)
    if start.startswith(_GZIP):
        return cast("Readable", igzip.open(file, "rb"))  # type: ignore[no-untyped-call] # isal has no types here
    if start == _ZSTD or (start[1:] == _ZSTD_SKIPPED and start[0] & 0xF0 == 0x50):  # noqa: PLR2004 - RFC 8878, 3.1.2
        return cast("Readable", zstd.ZstdFile(file))
    return file


class Unpacked:
    """The sizes that were found, of any process. Safe to use from several threads."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._path = layout.own / "unpacked.jsonl"
        self._found: dict[Digest, Found] = {}
        self._failed: dict[Digest, _Look] = {}
        self._read = 0
        self._looked = 0.0
        self._guard = threading.Lock()

    def known(self, layer: Descriptor) -> int | None:
        """Bytes of a layer's files, if they have been found before."""
        found = self._lookup(layer.digest)
        return found.unpacked if found else None

    def measure(self, layers: Iterable[Descriptor], diff_ids: Iterable[Digest] | None = None) -> list[int | None]:
        """See `Store.measure`."""
        if diff_ids is None:
            return [self._measure(layer) for layer in layers]
        return [self.prove(layer, diff_id) for layer, diff_id in zip(layers, diff_ids, strict=True)]

    def prove(self, layer: Descriptor, diff_id: Digest, path: Path | None = None) -> int | None:
        """Bytes of a layer's files, once it is known to unpack to what its diff ID says; None for what is no tar.

        Args:
            layer: which.
            diff_id: the digest of its uncompressed bytes.
            path: where its bytes lie, if not yet in their place.

        Raises:
            DigestMismatch: it unpacks to something else.
            ContentError: it cannot be unpacked.
            StoreError: it cannot be read.
        """
        if layer.media_type not in LAYER_TYPES:
            return None
        found = self._lookup(layer.digest)
        if found is None or found.diff_id != diff_id:
            found = walk_layer(path or self._layout.blob(layer.digest), layer.digest, prove=diff_id)
            self._remember(found)
        return found.unpacked

    def forget(self) -> None:
        """Delete what was written down, for room; it is found again."""
        with suppress(OSError):
            self._path.unlink()

    def _measure(self, layer: Descriptor) -> int | None:
        found = self._lookup(layer.digest)
        if found is None and layer.media_type in LAYER_TYPES:
            found = self._tried(self._layout.blob(layer.digest), layer.digest)
        return found.unpacked if found else None

    def _tried(self, path: Path, digest: Digest) -> Found | None:
        """What a walk finds; a file that was damaged is not walked again, but one that came in its place is."""
        look = _look(path)
        if look is None or self._failed.get(digest) == look:
            return None
        try:
            found = walk_layer(path, digest)
        except ContentError:
            self._failed[digest] = look
        except StoreError:
            pass  # it may be read the next time
        else:
            self._remember(found)
            return found
        return None

    def _lookup(self, digest: Digest) -> Found | None:
        if digest not in self._found and time.monotonic() - self._looked > _LOOK_AGAIN:
            self._load()
            self._looked = time.monotonic()
        return self._found.get(digest)

    def _load(self) -> None:
        """Read the lines that have been added since the last time; half a line is left for the next time."""
        with self._guard, suppress(OSError):
            size = self._path.stat().st_size
            if size == self._read:
                return
            self._read = self._read if size > self._read else 0  # it was deleted and begun again
            with self._path.open("rb") as file:
                file.seek(self._read)
                whole, _, _ = file.read().rpartition(b"\n")
            self._read += len(whole) + 1 if whole else 0
            for line in whole.splitlines():
                with suppress(BadManifest):  # torn by a crash
                    found = decode(line, Found, own=True)
                    self._found[found.layer] = found

    def _remember(self, found: Found) -> None:
        """Add a line, behind a line break of its own in case the last writer died in the middle of one."""
        self._found[found.layer] = found
        with suppress(StoreError), disk("note a size"):  # what cannot be kept is found again
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
            try:
                os.write(fd, b"\n" + encode(found) + b"\n")
            finally:
                os.close(fd)


def _look(path: Path) -> _Look | None:
    """What tells a file from one that takes its place; None where there is none to be read."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
