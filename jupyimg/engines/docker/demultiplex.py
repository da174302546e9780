"""A container's log as it comes over the wire, read into lines.

Theory. A daemon sends *messages*: what a container wrote up to a newline, or a piece of a longer line (Docker: 16 KiB).
Each begins with the time that it was asked for. Without a terminal, every message is a frame with a header that names
its stream and its length; the streams are put together apart, since one may write into the middle of another's line.
With a terminal there is one stream and no frame, so a message is known by the newline before it.

Reads may end anywhere: in a header, in a time, in a character. So bytes are kept until a frame or a line is whole, and
only whole lines are decoded. Nothing is kept for longer than `LONGEST`, whatever a container or a daemon sends.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jupyimg.errors import EngineError
from jupyimg.model.running import LogRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 4 << 20
"""Bytes of one line; what is longer becomes several."""
_HEADER = 8
_STREAMS = {0: "stdout", 1: "stdout", 2: "stderr"}
_SYSTEM = 3
_ODD = 16
"""Bytes that a message may be longer than where it was cut: Docker writes half a character as a longer mark."""
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ")
_STAMP_SIZE = 36
_RETURNS = re.compile(rb"\r+")


class Lines:
    """One stream: messages in, lines out.

    Attributes:
        cuts_at: see `Dialect`.
    """

    def __init__(self, stream: str, cuts_at: int = 0) -> None:
        self.stream = stream
        self.cuts_at = cuts_at
        self._held = bytearray()
        self._stamp: tuple[datetime | None, int] = (None, 0)

    def message(self, data: bytes, *, fresh: bool = True) -> Iterator[LogRecord]:
        """Take a frame's payload in; ``fresh`` is False where it goes on with the one before."""
        stamp = _STAMP.match(data) if fresh else None
        if fresh and not self._held:
            self._stamp = _moment(stamp)
        text = data[stamp.end() :] if stamp else data
        self._held += text
        yield from self._whole()
        if stamp and len(text) < self.cuts_at:
            yield from self.end()  # no newline, and not cut: whoever wrote it has ended

    def end(self) -> Iterator[LogRecord]:
        """What is left when nothing more comes: a line without its end."""
        if self._held:
            yield from self._line(bytes(self._held))
            self._held.clear()

    def _whole(self) -> Iterator[LogRecord]:
        begin = 0
        while True:
            end = self._held.find(b"\n", begin, begin + LONGEST + 1)
            if end < 0 and len(self._held) - begin <= LONGEST:
                break
            after = end + 1
            if end < 0:
                end = after = _border(self._held, begin + LONGEST)
            yield from self._line(bytes(self._held[begin:end]))
            begin = after
        del self._held[:begin]

    def _line(self, data: bytes) -> Iterator[LogRecord]:
        moment, nanosecond = self._stamp
        data = data.rstrip(b"\r")
        if b"\r" not in data:
            yield LogRecord(moment, self.stream, data.decode(errors="replace"), nanosecond)
            return
        # A carriage return begins a line anew, as progress bars do: each state of it was a line for who looked on.
        for piece in [piece for piece in _RETURNS.split(data) if piece] or [b""]:
            yield LogRecord(moment, self.stream, piece.decode(errors="replace"), nanosecond)


class TerminalLines(Lines):
    """The one stream of a container with a terminal: every line begins with a time."""

    def __init__(self, cuts_at: int = 0) -> None:
        super().__init__("stdout", cuts_at)

    def _line(self, data: bytes) -> Iterator[LogRecord]:
        stamp = _STAMP.match(data)
        if stamp:
            self._stamp = _moment(stamp)
            data = data[stamp.end() :]
        return super()._line(_rejoined(data, self.cuts_at))


class Frames:
    """The whole log of a container without a terminal: bytes in, lines of both streams out."""

    def __init__(self, cuts_at: int = 0) -> None:
        self._streams = {stream: Lines(stream, cuts_at) for stream in ("stdout", "stderr")}
        self._held = bytearray()
        self._left = 0
        """Bytes that are still to come of a frame that was too long to be kept whole."""
        self._kind = 0

    def feed(self, data: bytes) -> Iterator[LogRecord]:
        """Take bytes in as they came.

        Raises:
            EngineError: they are no frames, or the daemon reports an error.
        """
        self._held += data
        begin = 0
        while True:
            fresh = not self._left
            if fresh:
                if len(self._held) - begin < _HEADER:
                    break
                self._kind, length = _header(self._held[begin : begin + _HEADER])
                size, start = min(length, LONGEST), begin + _HEADER
            else:
                length, size, start = self._left, min(self._left, LONGEST), begin
            if len(self._held) - start < size:
                break
            payload = bytes(self._held[start : start + size])
            begin, self._left = start + size, length - size
            yield from self._message(payload, fresh=fresh)
        del self._held[:begin]

    def end(self) -> Iterator[LogRecord]:
        """What is left of both streams."""
        for lines in self._streams.values():
            yield from lines.end()

    def _message(self, payload: bytes, *, fresh: bool) -> Iterator[LogRecord]:
        if self._kind == _SYSTEM:
            raise EngineError(f"the daemon could not read on: {payload.decode(errors='replace').strip()}")
        return self._streams[_STREAMS[self._kind]].message(payload, fresh=fresh)


class Raw:
    """The whole log of a container with a terminal."""

    def __init__(self, cuts_at: int = 0) -> None:
        self._lines = TerminalLines(cuts_at)

    def feed(self, data: bytes) -> Iterator[LogRecord]:
        """Take bytes in as they came."""
        return self._lines.message(data, fresh=False)

    def end(self) -> Iterator[LogRecord]:
        """What is left."""
        return self._lines.end()


def _header(header: bytes | bytearray) -> tuple[int, int]:
    """Which stream a frame is of, and its length.

    Raises:
        EngineError: it is no header.
    """
    if header[0] > _SYSTEM or header[1:4] != b"\0\0\0":
        raise EngineError("the daemon sent a log that cannot be taken apart into its streams")
    return header[0], int.from_bytes(header[4:], "big")


def _moment(stamp: re.Match[bytes] | None) -> tuple[datetime | None, int]:
    """A time to the microsecond, and the nanoseconds that are left."""
    if stamp is None:
        return None, 0
    clock, fraction, zone = (part.decode() for part in stamp.groups(b""))
    fraction = f"{fraction:0<9}"
    try:
        moment = datetime.fromisoformat(f"{clock}.{fraction[:6]}{'+00:00' if zone == 'Z' else zone}")
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None, 0
    return (None, 0) if moment.year <= 1 else (moment, int(fraction[6:]))


def _rejoined(line: bytes, cuts_at: int) -> bytes:
    """A line of a terminal that was cut into messages, without the times that stand where it was cut."""
    if not cuts_at or len(line) <= cuts_at:
        return line
    pieces, at = [], 0
    while (stamp := _STAMP.search(line, at + cuts_at, at + cuts_at + _ODD + _STAMP_SIZE)) is not None:
        pieces.append(line[at : stamp.start()])
        at = stamp.end()
    return b"".join([*pieces, line[at:]])


def _border(data: bytearray, at: int) -> int:
    """The last place up to there that is not inside a UTF-8 character."""
    for back in range(4):
        if data[at - back] & 0xC0 != 0x80:  # noqa: PLR2004 - 10xxxxxx goes on with a character
            return at - back
    return at
