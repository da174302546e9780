"""A relay in front of a server: slows its answers down, and counts the bytes that it sent."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 16 << 10


class Relay:
    """Bytes from here to there and back.

    Attributes:
        host: ``127.0.0.1:PORT``.
        sent: bytes of answers so far.
        open: connections that it has not done with.
        rate: bytes a second and connection, from now on; 0 is as fast as it goes. It may be changed while bytes flow.
        free: bytes of answers of each connection that go as fast as they can before that.
        piece: the most bytes that are passed on at once; few make a trickle.
        taken: bytes of requests so far; stall: after how many of them nothing of a request is passed on any more.
    """

    stall: float = float("inf")

    def __init__(self, upstream: tuple[str, int], rate: int, free: int, piece: int) -> None:
        self.upstream, self.rate, self.free, self.piece, self.sent = upstream, rate, free, piece, 0
        self.taken = self.open = 0
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._over.set()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self.upstream)
                with self._lock:
                    self.open += 2  # each way counts
                threading.Thread(target=self._pump, args=(client, server), daemon=True).start()
                threading.Thread(
                    target=self._pump, args=(server, client), kwargs={"answers": True}, daemon=True
                ).start()

    def _pump(self, source: socket.socket, sink: socket.socket, *, answers: bool = False) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(self._most(passed) if answers else CHUNK):
                passed += len(data)
                with self._lock:
                    self.sent += len(data) if answers else 0
                    self.taken += 0 if answers else len(data)
                while not answers and self.taken > self.stall and not self._over.wait(0.05):
                    pass
                sink.sendall(data)
                if answers and passed > self.free and (rate := self.rate):
                    time.sleep(len(data) / rate)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self.open -= 1

    def _most(self, passed: int) -> int:
        if not self.rate:
            return CHUNK
        return min(CHUNK, self.free - passed) if passed < self.free else self.piece


@contextmanager
def relayed(host: str, rate: int = 0, *, free: int = 0, piece: int = CHUNK) -> Iterator[Relay]:
    """A relay to ``HOST:PORT`` while the block runs."""
    name, _, port = host.rpartition(":")
    relay = Relay((name, int(port)), rate, free, piece)
    try:
        yield relay
    finally:
        relay.close()
