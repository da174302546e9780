"""A tar stream, header by header: what it holds, without extracting anything.

The reader follows Go's archive/tar, with which Docker and containerd unpack layers: USTAR, PAX (path, linkpath, size,
sparse 0.0, 0.1 and 1.0), GNU long names and old GNU sparse files; global PAX headers are passed over. Python's tarfile
was not taken because it reads PAX headers of any size into memory, ends silently at a damaged header instead of
failing, and takes three times as long per header.
"""

from __future__ import annotations

import re
import struct
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from jupyimg.errors import ContentError
from jupyimg.model.content import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Skip = Callable[[int], object]

    Notes = dict[bytes, bytes]
    """What PAX records and GNU long names say of the entry that follows them."""

_BLOCK = 512
_ZERO = bytes(_BLOCK)
_SPECIAL_LIMIT = 1 << 20  # bytes of one PAX header or long name, as in Go
_HEADER = struct.Struct("100s24x12s12x8sc100s6s82x155s12x")  # name, size, checksum, type, link, magic, prefix
_CHECKSUM = slice(148, 156)
_SPARSE_MORE, _SPARSE_SIZE, _SPARSE_NEXT = 482, slice(483, 495), 504  # old GNU sparse headers
_RECORD = re.compile(rb"([0-9]{1,7}) ([^=\n]+)=")
_NAMES = {b"L": b"path", b"K": b"linkpath"}


class Member(NamedTuple):
    """One entry of a tar.

    Attributes:
        path: as it is written, in bytes.
        kind: the type flag: ``0`` a file, ``1`` a hard link, ``2`` a symbolic link, ``5`` a directory, and so on.
        size: bytes of a file's content once unpacked, the holes of a sparse file included; 0 for all else.
        target: where a link points, in bytes.
        offset: where its content begins in the archive.
        stored: bytes of its content in the archive, which for a sparse file are fewer than ``size``.
    """

    path: bytes
    kind: str
    size: int
    target: bytes
    offset: int = 0
    stored: int = 0


class Readable(Protocol):
    """A stream: what is read is as long as was asked for, or the end."""

    def read(self, size: int, /) -> bytes:
        """The next bytes."""
        ...


def members(stream: Readable, skip: Skip | None = None) -> Iterator[Member]:
    """The entries of a tar, in order; afterwards the stream stands behind the end mark.

    Args:
        stream: the archive.
        skip: passes over so many bytes of the stream; reads them by default. One that seeks finds no cut.

    Raises:
        ContentError: it is not a tar, or damaged, or cut off.
    """
    notes: Notes = {}
    skip = skip or partial(_skip, stream)
    at = 0
    while block := _header(stream):
        at += _BLOCK
        name, size_field, _, kind, link, magic, prefix = _HEADER.unpack(block)
        stored = _number(size_field)
        if kind in b"xgLK":
            said = _special(stream, stored)
            if kind == b"x":
                notes |= _records(said)
            elif kind in _NAMES:
                notes[_NAMES[kind]] = said.partition(b"\0")[0]
            at += stored + -stored % _BLOCK
            continue
        path = (
            notes.get(b"GNU.sparse.name") or notes.get(b"path") or _joined(prefix if magic == b"ustar\0" else b"", name)
        )
        stored = _decimal(notes[b"size"]) if b"size" in notes else stored
        if kind in b"123456":  # whatever a size says there, no content follows
            stored = 0
        elif kind in b"\0" and path.endswith(b"/"):  # how tars of before 1988 write a directory
            kind = b"5"
        is_file = kind in b"\x007S0"
        if kind == b"S":
            at += _pass_map(stream, block)
        yield Member(
            path=path,
            kind="0" if is_file else kind.decode("latin-1"),
            size=_logical(kind, block, notes, stored) if is_file else 0,
            target=notes.get(b"linkpath") or link.partition(b"\0")[0],
            offset=at,
            stored=stored,
        )
        skip(stored + -stored % _BLOCK)
        at += stored + -stored % _BLOCK
        notes = {}


def _header(stream: Readable) -> bytes:
    """The next header, or nothing at the end of the archive."""
    block = stream.read(_BLOCK)
    if block == _ZERO:
        if stream.read(_BLOCK).strip(b"\0"):
            raise ContentError("not a valid tar: something stands behind half an end mark")
        return b""
    if not block:
        return b""
    if len(block) < _BLOCK:
        raise _cut_off()
    field = block[_CHECKSUM]
    unsigned = sum(block) - sum(field) + 8 * ord(" ")
    if (said := _number(field)) != unsigned:
        high = sum(byte > 127 for byte in block) - sum(byte > 127 for byte in field)  # noqa: PLR2004 - a signed byte
        if said != unsigned - 256 * high:
            raise ContentError("not a valid tar: the checksum of a header is wrong")
    return block


def _number(field: bytes) -> int:
    """A numeric field: octal, or with its highest bit set big-endian binary."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big") - (1 << (8 * len(field) - 1))
        if field[0] & 0x40:
            raise ContentError("not a valid tar: a size is negative")
        return value
    try:
        return int(field.partition(b"\0")[0].strip(b" ") or b"0", 8)
    except ValueError:
        raise ContentError("not a valid tar: a size is no number") from None


def _decimal(text: bytes) -> int:
    if not (text.isdigit() and len(text) <= 19):  # noqa: PLR2004 - what 63 bits hold
        raise ContentError("not a valid tar: a size is no number")
    return int(text)


def _special(stream: Readable, size: int) -> bytes:
    if size > _SPECIAL_LIMIT:
        raise ContentError(f"not a valid tar: a header has {size} bytes, which nobody needs")
    body = stream.read(size)
    if len(body) < size:
        raise _cut_off()
    _skip(stream, -size % _BLOCK)
    return body


def _records(body: bytes) -> Notes:
    """PAX records: a length that counts itself, a space, ``KEY=VALUE`` and a line break."""
    notes, at = {}, 0
    while at < len(body):
        match = _RECORD.match(body, at)
        end = at + int(match[1]) if match else 0
        if match is None or not match.end() < end <= len(body) or body[end - 1 : end] != b"\n":
            raise ContentError("not a valid tar: a PAX record is malformed")
        notes[match[2]] = body[match.end() : end - 1]
        at = end
    return notes


def _joined(prefix: bytes, name: bytes) -> bytes:
    name, prefix = name.partition(b"\0")[0], prefix.partition(b"\0")[0]
    return prefix + b"/" + name if prefix else name


def _pass_map(stream: Readable, block: bytes) -> int:
    """Pass over the headers in which an old GNU sparse file goes on to tell its map; the bytes that they took."""
    passed, more = 0, block[_SPARSE_MORE]
    while more:
        extension = stream.read(_BLOCK)
        if len(extension) < _BLOCK:
            raise _cut_off()
        passed += _BLOCK
        more = extension[_SPARSE_NEXT]
    return passed


def _logical(kind: bytes, block: bytes, notes: Notes, stored: int) -> int:
    """The size of a file once unpacked."""
    if kind == b"S":
        return _number(block[_SPARSE_SIZE])
    real = notes.get(b"GNU.sparse.realsize") or notes.get(b"GNU.sparse.size")
    return _decimal(real) if real else stored


def _skip(stream: Readable, left: int) -> None:
    while left:
        passed = len(stream.read(min(left, CHUNK)))
        if not passed:
            raise _cut_off()
        left -= passed


def _cut_off() -> ContentError:
    return ContentError("not a valid tar: it is cut off")
