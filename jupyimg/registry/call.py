"""Call: one call on a place, and how another thread cuts it off.

A thread that waits for a server sits in a system call that no flag can reach, so a call keeps the sockets it is using
and cutting it shuts them down: the read, write, connect or handshake under way ends at once. From then on everything
the call tries raises `Interrupted`. A call that begins later knows nothing of it, so the place stays usable, and a
socket goes back to the pool only after its call has let go of it, so nobody else's work is cut.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from weakref import WeakSet

from jupyimg.errors import Interrupted


class Call:
    """One call: may be cut off from any thread, works in one."""

    __slots__ = ("__weakref__", "_cut", "_lock", "_sockets")

    def __init__(self) -> None:
        self._cut = threading.Event()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()

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

    def cut(self) -> None:
        """End whatever this call is doing."""
        with self._lock:
            self._cut.set()
            for sock in self._sockets:
                with suppress(OSError):  # not connected yet, or closed
                    # past SSLSocket.shutdown, which would take the TLS layer from under a thread that is reading
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


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
