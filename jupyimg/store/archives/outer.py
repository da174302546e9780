"""Outer: what an archive of images is wrapped in, from the file or stream that a user gives to a tar to look into.

A plain tar on a disk is used where it lies. What is compressed or comes through a pipe is written to a file without a
name first, since names are looked up in any order; a bomb ends that.
"""

from __future__ import annotations

import bz2
import io
import lzma
import sys
from typing import IO, TYPE_CHECKING, cast

from isal import igzip, igzip_lib

from jupyimg.errors import ContentError, Unsupported
from jupyimg.model.content import CHUNK
from jupyimg.store.layout import disk

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    from jupyimg.store.tarstream import Readable

    Opener = Callable[[IO[bytes]], Readable]

OPENERS: dict[bytes, Opener] = {
    b"\x1f\x8b": lambda file: cast("Readable", igzip.IGzipFile(fileobj=file, mode="rb")),  # type: ignore[no-untyped-call]
    b"BZh": lambda file: cast("Readable", bz2.BZ2File(file)),
    b"\xfd7zXZ\x00": lambda file: _Xz(file),  # noqa: PLW0108 - it is made below
    b"\x28\xb5\x2f\xfd": lambda file: cast("Readable", zstd.ZstdFile(file)),
}
"""How each compression begins (`docker load` takes these four), and what reads it."""

_XZ_MEMORY = 100 << 20
"""Bytes that unpacking xz may take: its own greatest preset takes 65 MiB, its format allows 4 GiB."""
_LONGEST = max(map(len, OPENERS))
_ROOM, _RATIO = 1 << 30, 200
DAMAGED = (OSError, EOFError, lzma.LZMAError, zstd.ZstdError, cast("type[Exception]", igzip_lib.IsalError))


class Counted(io.RawIOBase):
    """A stream whose first bytes were looked at, and which counts what was read of it."""

    def __init__(self, file: IO[bytes], head: bytes) -> None:
        super().__init__()
        self._file = file
        self._head = head
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._head[: len(view)] or self._file.read(len(view))
        self._head = self._head[len(data) :]
        view[: len(data)] = data
        self.taken += len(data)
        return len(data)


class _Xz:
    """What xz packed, in bounded memory, one stream after the other."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._unpacked = self._fresh()

    def read(self, size: int, /) -> bytes:
        while True:
            if self._unpacked.eof:
                rest = self._unpacked.unused_data.lstrip(b"\0") or self._more().lstrip(b"\0")  # padding may follow
                if not rest:
                    return b""
                self._unpacked = self._fresh()
            else:
                rest = self._more() if self._unpacked.needs_input else b""
                if self._unpacked.needs_input and not rest:
                    raise EOFError("it is cut off")
            if data := self._unpacked.decompress(rest, size):
                return data

    def _more(self) -> bytes:
        return self._file.read(CHUNK)

    @staticmethod
    def _fresh() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(memlimit=_XZ_MEMORY)


def plain(
    file: IO[bytes], shown: str, spool: Callable[[], IO[bytes]], check: Callable[[], None], told: Callable[[int], None]
) -> IO[bytes]:
    """A tar to look into: the file itself where it can be, else a copy that is closed with all it took.

    Args:
        file: what the user gave.
        shown: what to call it.
        spool: makes a file without a name for the copy.
        check: called for each piece; raises when it is to end.
        told: called with the bytes of ``file`` that have been read.

    Raises:
        ContentError: it is empty, damaged, or unpacks to far more than it should.
        StoreError: it cannot be read, or the copy cannot be written.
    """
    with disk(f"read {shown}"):
        at_start = file.seekable() and file.tell() == 0
        head = _begun(file)
    if not head:
        raise ContentError(f"{shown} is empty", hint="save the image again, or look whether the path is right")
    opener = next((made for magic, made in OPENERS.items() if head.startswith(magic)), None)
    if opener is None and at_start:
        with disk(f"read {shown}"):
            file.seek(0)
        return file
    source = Counted(file, head)
    copy = spool()
    try:
        unwrapped: Readable = opener(cast("IO[bytes]", source)) if opener else source
        _copied(unwrapped, copy, source, shown, check, told)
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    return copy


def wrapped(name: str) -> Callable[[IO[bytes]], IO[bytes]]:
    """How to write into a file of that name, by its suffix; the same bytes give the same file.

    Raises:
        Unsupported: a compression that is not written.
    """
    suffix = name.lower().rpartition(".")[2]
    if suffix in {"gz", "tgz"}:
        return lambda file: cast("IO[bytes]", igzip.IGzipFile(filename="", mode="wb", fileobj=file, mtime=0))  # type: ignore[no-untyped-call]
    if suffix in {"zst", "tzst"}:
        return lambda file: cast("IO[bytes]", zstd.ZstdFile(file, "wb"))
    if suffix in {"bz2", "xz", "tbz2", "txz", "zip", "7z"}:
        raise Unsupported(f"an archive is not written as .{suffix}", hint="save it as .tar, .tar.gz or .tar.zst")
    return lambda file: file


def _begun(file: IO[bytes]) -> bytes:
    """The first bytes, of which a pipe may give one after the other."""
    head = b""
    while len(head) < _LONGEST and (more := file.read(_LONGEST - len(head))):
        head += more
    return head


def _copied(
    unwrapped: Readable,
    copy: IO[bytes],
    source: Counted,
    shown: str,
    check: Callable[[], None],
    told: Callable[[int], None],
) -> None:
    size = 0
    while True:
        check()
        try:
            chunk = unwrapped.read(CHUNK)
        except DAMAGED as error:
            hint = "bring the archive over again; nothing was loaded from it"
            raise ContentError(f"{shown} cannot be unpacked: {error}", hint=hint) from None
        if not chunk:
            return
        size += len(chunk)
        if size > max(_ROOM, _RATIO * source.taken):
            raise ContentError(f"{shown} unpacks to far more than it should", hint="do not trust where it came from")
        with disk("unpack the archive"):
            copy.write(chunk)
        told(source.taken)
