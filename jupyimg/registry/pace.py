"""Pace: how fast a place must send while there is another to ask.

A mirror that trickles is worse than one that is down: it answers, so no time-out ends it, and a pull hangs for hours.
The rule is that of curl's and git's low speed: less than so much a second, on average over some seconds. What counts is

- only what we wait for: a disk or a reader of ours that is slow makes no mirror slow;
- all that the place sends us, over all connections of one operation: six layers that share a narrow line are one flow;
- only an answer that has begun and is not whole: a mirror may think before it speaks, which is a time-out's business.

It is measured where the bytes come in, beneath everything that waits for a whole line or a whole chunk. Once a place
is too slow, its answers end where they are, like those of a connection that broke, and `check` says why.
"""

from __future__ import annotations

import http.client
import io
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

SLOWEST = 16 << 10
"""Bytes a second; less is too slow. Thirty students who share 10 Mbit/s get 40 KiB a second each."""
OVER = 10.0
"""Seconds of waiting over which it is averaged."""


class TooSlow(httpx.ReadTimeout):
    """A place that sends, but too slowly, while there is another to ask."""


class Pace:
    """What one place sends to one operation; may be used from several threads at once.

    Attributes:
        came: bytes so far.
        slow: whether it was found too slow.
    """

    def __init__(self) -> None:
        self.came = 0
        self.slow = False
        self._demanded = True
        self._lock = threading.Lock()

    def relax(self) -> None:
        """From now on take what comes: there is nobody else to ask."""
        self._demanded = self.slow = False

    def add(self, count: int) -> int:
        """Count bytes that came; gives how many there have been."""
        with self._lock:
            self.came += count
            return self.came

    def judge(self, count: int) -> None:
        """Less than enough came while somebody waited for `OVER` seconds, or enough."""
        self.slow = self.slow or (self._demanded and count < SLOWEST * OVER)

    def check(self) -> None:
        """Go on, unless the place is too slow.

        Raises:
            TooSlow: it is.
        """
        if self.slow:
            raise TooSlow("too slow")


class _Metered(io.RawIOBase):
    """What comes over a socket for one answer."""

    def __init__(self, raw: io.RawIOBase, pace: Pace) -> None:
        self._raw = raw
        self._pace = pace
        self._begun = False
        self._waited = 0.0
        self._mark = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._pace.slow:
            return 0
        since = time.monotonic()
        count = self._raw.readinto(buffer)
        came = self._pace.add(count or 0)
        if not self._begun:
            self._begun, self._mark = True, came
            return count
        self._waited += time.monotonic() - since
        if self._waited >= OVER:
            self._pace.judge(came - self._mark)
            self._waited, self._mark = 0.0, came
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Socket:
    """The little of a socket that an answer is read from."""

    def __init__(self, sock: socket.socket, pace: Pace) -> None:
        self._sock = sock
        self._pace = pace

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Metered(self._sock.makefile("rb", buffering=0), self._pace))


def answering(pace: Pace | None) -> Callable[..., http.client.HTTPResponse]:
    """What reads an answer off a socket (`http.client.HTTPConnection.response_class`), minding the pace."""
    if pace is None:
        return http.client.HTTPResponse

    def answer(sock: socket.socket, *more: Any, **how: Any) -> http.client.HTTPResponse:
        return http.client.HTTPResponse(_Socket(sock, pace), *more, **how)  # type: ignore[arg-type]

    return answer
