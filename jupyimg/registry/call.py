"""Call: one call on a place, and how another thread cuts it off.

A thread that waits for a server sits in a system call that no flag can reach, so a call keeps the sockets it is using
and cutting it shuts them down: the read, write, connect or handshake under way ends at once. From then on everything
the call tries raises `Interrupted`. A call that begins later knows nothing of it, so the place stays usable, and a
socket goes back to the pool only after its call has let go of it, so nobody else's work is cut.

What is waited for may be no socket but a program (a credential helper). Whoever starts one, far from who made the call,
finds the call by the thread that it works in (`current`) and says how to end it (`Call.ending`).
"""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from weakref import WeakSet

from jupyimg.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_here = threading.local()


class Call:
    """One call: may be cut off from any thread, works in one."""

    __slots__ = ("__weakref__", "_cut", "_ends", "_lock", "_sockets")

    def __init__(self) -> None:
        self._cut = threading.Event()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._ends: list[Callable[[], None]] = []

    def check(self) -> None:
        """Go on, unless it was cut off.

        Raises:
            Interrupted: it was.
        """
        if self._cut.is_set():
            raise Interrupted

    def wait(self, seconds: float) -> None:
        """Sleep, but no longer than until it is cut off.

        Raises:
            Interrupted: it was.
        """
        if seconds > 0:
            self._cut.wait(seconds)
        self.check()

    def watch(self, sock: socket.socket) -> None:
        """Count a socket as this call's, from before it connects.

        Raises:
            Interrupted: it was cut off already.
        """
        with self._lock:
            self.check()
            self._sockets.add(sock)

    def let_go(self, sock: socket.socket) -> None:
        """The socket is this call's no longer."""
        with self._lock:
            self._sockets.discard(sock)

    @contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        """Have this done where the call is cut off meanwhile, in the thread that does so; it must be quick.

        Raises:
            Interrupted: it was cut off already.
        """
        with self._lock:
            self.check()
            self._ends.append(end)
        try:
            yield
        finally:
            with self._lock:
                self._ends.remove(end)

    @contextmanager
    def here(self) -> Iterator[None]:
        """Be what this thread is in (`current`)."""
        before = getattr(_here, "call", None)
        _here.call = self
        try:
            yield
        finally:
            _here.call = before

    def cut(self) -> None:
        """End whatever this call is doing."""
        with self._lock:
            self._cut.set()
            for end in self._ends:
                end()
            for sock in self._sockets:
                with suppress(OSError):  # not connected yet, or closed
                    # past SSLSocket.shutdown, which would take the TLS layer from under a thread that is reading
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


def current() -> Call:
    """The call that this thread is in; one that nobody cuts off where it is in none."""
    call: Call | None = getattr(_here, "call", None)
    return call or Call()


class Calls:
    """The calls under way in one place."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live: WeakSet[Call] = WeakSet()

    def begin(self) -> Call:
        """A new call; it counts for as long as anybody holds it."""
        call = Call()
        with self._lock:
            self._live.add(call)
        return call

    def cut(self) -> None:
        """Cut off all calls that have begun and not ended."""
        with self._lock:
            live = list(self._live)
        for call in live:
            call.cut()
