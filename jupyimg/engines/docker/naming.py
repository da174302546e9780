"""Naming: an archive on its way into a daemon that takes a name without a host for one of this machine.

Podman reads ``nginx:9``, as Docker Engine writes it into archives, as ``localhost/nginx:9``; everywhere else it means
Docker Hub's. So the one list of names, ``manifest.json``, is written anew with full names while the archive passes;
everything else passes as it is, and a name that has a host keeps it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jupyimg.engines.docker.answers import reference_of
from jupyimg.store.archives.forms import LISTING_LIMIT
from jupyimg.store.tarstream import BLOCK, Member, members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SIZE, _CHECKSUM = slice(124, 136), slice(148, 156)


def fully_named(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """An archive, with the names in its list in full.

    Raises:
        ContentError: it is no tar. One that is cut off passes as it is, for the daemon to refuse.
    """
    stream = _Stream(pieces)
    for member in members(stream, lambda _: None):
        header = stream.taken()
        if _is_list(member):
            raw = stream.exactly(member.stored)
            stream.exactly(-member.stored % BLOCK)
            listed = _named(raw)
            yield _sized(header, len(listed))
            yield listed + bytes(-len(listed) % BLOCK)
        else:
            yield header
            yield from stream.passing(member.stored + -member.stored % BLOCK)
    yield stream.taken()
    yield from stream.rest()


def _is_list(member: Member) -> bool:
    return member.path.removeprefix(b"./") == b"manifest.json" and member.kind == "0" and member.stored <= LISTING_LIMIT


def _named(raw: bytes) -> bytes:
    """The list with full names; as it came where there is none to change, or where it is none."""
    try:
        images = json.loads(raw)
    except (ValueError, RecursionError):
        return raw
    changed = False
    for image in images if isinstance(images, list) else ():
        tags = image.get("RepoTags") if isinstance(image, dict) else None
        if isinstance(tags, list):
            image["RepoTags"] = [_full(tag) for tag in tags]
            changed = changed or image["RepoTags"] != tags
    return json.dumps(images, separators=(",", ":")).encode() if changed else raw


def _full(tag: object) -> object:
    reference = reference_of(tag) if isinstance(tag, str) else None
    return str(reference) if reference else tag


def _sized(header: bytes, size: int) -> bytes:
    """A header, and those that belong to it before it, for another size."""
    before, last = header[:-BLOCK], bytearray(header[-BLOCK:])
    last[_SIZE] = b"%011o\0" % size
    last[_CHECKSUM] = b" " * 8
    last[_CHECKSUM] = b"%06o\0 " % sum(last)
    return before + bytes(last)


class _Stream:
    """Pieces to read from, which keeps what was read by `read` until it is `taken`."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = b""
        self._read = bytearray()

    def read(self, size: int, /) -> bytes:
        """So many bytes, fewer at the end only."""
        found = self.exactly(size)
        self._read += found
        return found

    def taken(self) -> bytes:
        """What was read since this was last asked."""
        found, self._read = bytes(self._read), bytearray()
        return found

    def exactly(self, size: int) -> bytes:
        """So many bytes, fewer at the end only, which are not kept."""
        return b"".join(self.passing(size))

    def passing(self, size: int) -> Iterator[bytes]:
        """So many bytes, piece by piece."""
        while size and (piece := self._left or next(self._pieces, b"")):
            yield piece[:size]
            self._left = piece[size:]
            size -= min(size, len(piece))

    def rest(self) -> Iterator[bytes]:
        """What is left."""
        if self._left:
            yield self._left
        yield from self._pieces
