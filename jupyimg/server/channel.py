"""Channel: one connection's bytes in and out, each with a deadline, so that a slow peer holds nothing for long.

A head must be whole within seconds. A body, in either direction, may be slow but not slower than a floor rate, and
never silent for long: `Pace` says how long the next byte may take.
"""

from __future__ import annotations

import os
import re
import select
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import BinaryIO

from jupyimg.server.message import HEAD_LIMIT

BLOCK = 256 << 10
"""Bytes taken from a socket at a time."""

_BEGIN = re.compile(rb"[A-Z\r]")
_SEND = 8 << 20
_LINGER = 64 << 20
_CAN_SEND_FILES = hasattr(os, "sendfile")


class Gone(Exception):
    """The peer has closed the connection, broken it, or been too slow."""


class NoHead(Exception):
    """What came is no head of a request, or larger than one may be.

    Attributes:
        status: what it is answered with.
    """

    def __init__(self, message: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long peers are waited for, in seconds.

    Attributes:
        idle: between two requests.
        head: for a whole head, from its first byte.
        silence: for the next byte of a body, in either direction.
        grace: time given beyond what the floor rate allows.
        rate: bytes per second that a body must reach, the grace aside.
        linger: for a peer to take note of an answer that ends the connection.
    """

    idle: float = 60.0
    head: float = 15.0
    silence: float = 60.0
    grace: float = 60.0
    rate: float = 1024.0
    linger: float = 3.0


class Channel:
    """A connection, used by one thread; `close` may be called by any.

    Attributes:
        waiting_since: when it began to wait for a request (`time.monotonic`); None while one is answered.
        peer: the address at its other end.
        came, went: bytes of bodies and answers so far, in and out.
    """

    def __init__(self, sock: socket.socket, patience: Patience) -> None:
        self.waiting_since: float | None = time.monotonic()
        self.came = self.went = 0
        self.peer = ""
        with suppress(OSError):  # it has gone already
            self.peer = str(sock.getpeername()[0])
        self._sock = sock
        self._patience = patience
        self._buffer = bytearray()
        self._began = time.monotonic()
        self._moved = 0
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def rate(self) -> float:
        """Bytes per second of the request under way; infinite while it is young."""
        age = time.monotonic() - self._began
        return self._moved / age if age > self._patience.silence / 2 else float("inf")

    def head(self) -> bytes:
        """The next request's head, without the empty line at its end.

        Raises:
            Gone: no request came.
            NoHead: it is not one, or larger than one may be.
        """
        self.waiting_since = time.monotonic()
        deadline = self.waiting_since + (self._patience.head if self._buffer else self._patience.idle)
        while (end := self._end_of_head()) < 0:
            began = bool(self._buffer)
            self._buffer += self._recv(HEAD_LIMIT, deadline)
            if not began:
                deadline = time.monotonic() + self._patience.head
        raw = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        self.waiting_since, self._began, self._moved = None, time.monotonic(), 0
        return raw

    def _end_of_head(self) -> int:
        """Where the head in the buffer ends, or -1 while it does not."""
        while self._buffer.startswith(b"\r\n"):  # some clients end a body with one more
            del self._buffer[:2]
        if self._buffer and not _BEGIN.match(self._buffer):
            raise NoHead("this server speaks plain HTTP")  # who tries TLS first waits for an answer before HTTP
        end = self._buffer.find(b"\r\n\r\n", 0, HEAD_LIMIT)
        if end < 0 and len(self._buffer) >= HEAD_LIMIT:
            raise NoHead("the headers are too large", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        return end

    def take(self, view: memoryview) -> int:
        """Fill a part of the view with the next bytes; at least one.

        Raises:
            Gone: none came in time.
        """
        if self._buffer:
            size = min(len(view), len(self._buffer))
            self.came += size
            view[:size] = self._buffer[:size]
            del self._buffer[:size]
            return size
        self._sock.settimeout(self._time_left())
        try:
            size = self._sock.recv_into(view)
        except OSError as error:
            raise Gone(str(error)) from None
        if not size:
            raise Gone("it closed the connection in the middle of a body")
        self._moved += size
        self.came += size
        return size

    def give_back(self, data: bytes | memoryview) -> None:
        """Put bytes that belong to the next request back."""
        self._buffer[:0] = data
        self.came -= len(data)

    def send(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            Gone: the peer did not take it.
        """
        view = memoryview(data)
        try:
            while view:
                self._sock.settimeout(self._time_left())
                size = self._sock.send(view[:_SEND])
                self._moved += size
                self.went += size
                view = view[size:]
        except OSError as error:
            raise Gone(str(error)) from None

    def send_file(self, file: BinaryIO, offset: int, count: int) -> None:
        """Send a stretch of a file, from the kernel's cache to the socket where the system can do that.

        Raises:
            Gone: the peer did not take it, or the file ended early.
        """
        if not _CAN_SEND_FILES:
            file.seek(offset)
            while count and (data := file.read(min(BLOCK, count))):
                self.send(data)
                count -= len(data)
        while count:
            size = self._send_file(file.fileno(), offset, min(_SEND, count))
            offset, count = offset + size, count - size
            self._moved += size
            self.went += size

    def _send_file(self, fd: int, offset: int, count: int) -> int:
        self._sock.settimeout(self._time_left())  # which also means: do not block inside sendfile
        try:
            size = os.sendfile(self._sock.fileno(), fd, offset, count)
        except BlockingIOError:
            self._wait_until_writable()
            return 0
        except OSError as error:
            raise Gone(str(error)) from None
        if not size:
            raise Gone("the file is shorter than it was")
        return size

    def _wait_until_writable(self) -> None:
        poll = select.poll()
        try:
            poll.register(self._sock, select.POLLOUT)
        except ValueError:  # closed by another thread
            raise Gone("it was closed") from None
        if not poll.poll(self._time_left() * 1000):
            raise Gone("it stopped reading")

    def turn(self) -> None:
        """Begin to answer: what the work in between took is not the peer's fault."""
        self._began, self._moved = time.monotonic(), 0

    def linger(self) -> None:
        """Say that nothing more will be sent, and let the peer read that before the connection is torn down.

        Closing a socket with unread bytes resets it, and the peer may lose the answer that it has not read yet.
        """
        deadline, block, left = time.monotonic() + self._patience.linger, memoryview(bytearray(BLOCK)), _LINGER
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
            while left > 0 and (wait := deadline - time.monotonic()) > 0:
                self._sock.settimeout(wait)
                size = self._sock.recv_into(block)
                if not size:
                    break
                left -= size

    def hang_up(self) -> None:
        """Wake and end whatever is under way, from any thread."""
        with suppress(OSError):  # it has ended by itself
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back; only by the thread that uses it."""
        self._sock.close()

    def _recv(self, size: int, deadline: float) -> bytes:
        wait = deadline - time.monotonic()
        if wait <= 0:
            raise Gone("no whole request came in time")
        self._sock.settimeout(wait)
        try:
            data = self._sock.recv(size)
        except OSError as error:
            raise Gone(str(error)) from None
        if not data:
            raise Gone("it closed the connection")
        return data

    def _time_left(self) -> float:
        allowed = self._patience.grace + self._moved / self._patience.rate
        left = allowed - (time.monotonic() - self._began)
        if left <= 0:
            raise Gone("it is too slow")
        return min(left, self._patience.silence)
