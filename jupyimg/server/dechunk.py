"""Dechunker: takes the framing out of a chunked body (RFC 9112, section 7.1), in place and without a copy of its own.

Clients stream layers in chunks of 32 KiB. Handing each one on by itself would cost more than hashing it, so a block of
many chunks is compacted within its own buffer and goes on as one piece.
"""

from __future__ import annotations

import re

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(;[^\x00-\x08\x0a-\x1f\x7f]*)?\r\n")
_LINE_LIMIT = 1024
_TRAILER_LIMIT = 8192


class BadChunk(Exception):
    """The framing is broken, so nothing after it can be understood."""


class Dechunker:
    """The state between two blocks.

    Attributes:
        done: whether the body has ended.
    """

    def __init__(self) -> None:
        self.done = False
        self._left = 0  # payload still to come of the chunk that is open
        self._line = bytearray()  # what is there of a line that is not whole yet
        self._expect = self._size
        self._trailer = 0

    def feed(self, block: bytearray, filled: int) -> tuple[int, int]:
        """Compact the payload in the first ``filled`` bytes of a block to its beginning.

        Returns:
            how many bytes of payload stand there now, and how many bytes were consumed; fewer than ``filled``
            only where the body has ended, and what follows is the next request.

        Raises:
            BadChunk: this is no chunked body, or a line in it is absurdly long.
        """
        view, payload, at = memoryview(block), 0, 0
        while at < filled and not self.done:
            if self._left:
                size = min(self._left, filled - at)
                view[payload : payload + size] = view[at : at + size]
                self._left -= size
                payload, at = payload + size, at + size
                continue
            end = block.find(b"\n", at, filled) + 1
            self._line += view[at : end or filled]
            at = end or filled
            if len(self._line) > _LINE_LIMIT:
                raise BadChunk("a line between the chunks is too long")
            if end:
                line, self._line = bytes(self._line), bytearray()
                self._expect(line)
        return payload, at

    def _size(self, line: bytes) -> None:
        match = _SIZE.fullmatch(line)
        if match is None:
            raise BadChunk("a chunk has no size")
        self._left = int(match[1], 16)
        self._expect = self._end_of_chunk if self._left else self._end_of_body

    def _end_of_chunk(self, line: bytes) -> None:
        if line != b"\r\n":
            raise BadChunk("a chunk is longer than its size")
        self._expect = self._size

    def _end_of_body(self, line: bytes) -> None:
        self._trailer += len(line)
        if self._trailer > _TRAILER_LIMIT:
            raise BadChunk("the trailer is too long")
        self.done = line == b"\r\n"
