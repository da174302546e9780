"""Listener: accepts connections, each in a thread of its own; past a limit the least useful one makes room."""

from __future__ import annotations

import errno
import logging
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from jupyimg.errors import Conflict, Misuse
from jupyimg.server.channel import Channel, Patience
from jupyimg.server.connection import serve

if TYPE_CHECKING:
    from jupyimg.server.connection import Respond
    from jupyimg.server.traffic import Traffic

_log = logging.getLogger(__name__)

_BACKLOG = 512
_TICK = 1.0
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def bind(host: str, port: int) -> socket.socket:
    """Open the port to listen on.

    Raises:
        Conflict: the port is taken.
        Misuse: there is no such address on this machine, or the port may not be opened.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OverflowError:
        raise Misuse(f"{port} is not a port", hint="a port is a number from 1 to 65535; 0 takes any free one") from None
    except OSError as error:
        raise _not_bound(host, port, error) from None
    except ValueError:  # of a name that is too long or no text: a UnicodeError
        raise _no_address(host, "no such name can be") from None


def _not_bound(host: str, port: int, error: OSError) -> Conflict | Misuse:
    if error.errno == errno.EADDRINUSE:
        return Conflict(
            f"port {port} is taken on {host}", hint="choose another with --port; --port 0 takes any free one"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return Misuse(f"port {port} may not be opened by this user", hint="choose one above 1023 with --port")
    return _no_address(host, str(error.strerror))


def _no_address(host: str, why: str) -> Misuse:
    return Misuse(
        f"{host} is not an address of this machine: {why}",
        hint="--host 127.0.0.1 serves this machine alone, --host 0.0.0.0 every network that it is in",
    )


class Listener:
    """An open port and the connections that came to it.

    Args:
        port: an open one (`bind`); it is closed with the listener.
        respond: called in many threads at once.
        limit: connections at a time.
        patience: how long peers are waited for.
        traffic: where it is written down who asks for what.
    """

    def __init__(
        self, port: socket.socket, respond: Respond, *, limit: int, patience: Patience, traffic: Traffic
    ) -> None:
        self._port = port
        self._port.settimeout(_TICK)  # where shutdown() does not wake accept(), time does
        self._respond = respond
        self._limit = limit
        self._patience = patience
        self._traffic = traffic
        self._open: dict[Channel, threading.Thread] = {}
        self._guard = threading.Lock()
        self._stopped = False

    def run(self) -> None:
        """Accept until `stop`."""
        while not self._stopped:
            try:
                sock, _ = self._port.accept()
            except TimeoutError:
                continue
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM) and not self._stopped:
                    _log.info("cannot accept a connection: %s", error.strerror)
                    time.sleep(0.01 if self._make_room() else 0.1)
                continue
            self._begin(sock)

    def stop(self) -> None:
        """Close the port and every connection, and wait a moment for their threads."""
        self._stopped = True
        with suppress(OSError):  # what waits in accept() wakes up from this, not from close()
            self._port.shutdown(socket.SHUT_RDWR)
        self._port.close()
        with self._guard:
            threads = list(self._open.values())
            for channel in self._open:
                channel.hang_up()
        for thread in threads:
            thread.join(2)

    def _begin(self, sock: socket.socket) -> None:
        """Serve a connection in a thread of its own, or turn it away; whatever fails here, the next one is accepted."""
        if len(self._open) >= self._limit and not self._make_room():
            _turn_away(sock)
            return
        try:
            channel = Channel(sock, self._patience)
            thread = threading.Thread(target=self._serve, args=(channel,), name="jupyimg-connection", daemon=True)
            with self._guard:  # so that `stop` finds every thread that has begun, and none that has not
                if self._stopped:
                    sock.close()
                    return
                thread.start()
                self._open[channel] = thread
        except (OSError, RuntimeError, MemoryError) as error:  # the peer has gone, or there can be no more threads
            _log.warning("cannot serve a connection: %s", error)
            _turn_away(sock)

    def _serve(self, channel: Channel) -> None:
        try:
            serve(channel, self._respond, self._traffic)
        finally:
            with self._guard:
                self._open.pop(channel, None)

    def _make_room(self) -> bool:
        """Hang up on the peer that has waited longest without asking, else on the slowest of the long ones."""
        with self._guard:
            waiting = [(since, channel) for channel in self._open if (since := channel.waiting_since) is not None]
            slow = [(rate, channel) for channel in self._open if (rate := channel.rate) < float("inf")]
            victim = min(waiting or slow, key=lambda pair: pair[0], default=None)
            if victim is None:
                return False
            self._open.pop(victim[1])
        victim[1].hang_up()
        return True


def _turn_away(sock: socket.socket) -> None:
    with suppress(OSError), sock:
        sock.settimeout(0)
        sock.send(_BUSY)
