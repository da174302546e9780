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
        rate: bytes a second and connection; 0 is as fast as it goes. It may be changed while bytes flow.
    """

    def __init__(self, upstream: tuple[str, int], rate: int) -> None:
        self.upstream, self.rate, self.sent, self.open = upstream, rate, 0, 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
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
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if answers:
                    with self._lock:
                        self.sent += len(data)
                sink.sendall(data)
                if answers and (rate := self.rate):
                    time.sleep(len(data) / rate)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self.open -= 1


@contextmanager
def relayed(host: str, rate: int = 0) -> Iterator[Relay]:
    """A relay to ``HOST:PORT`` while the block runs."""
    name, _, port = host.rpartition(":")
    relay = Relay((name, int(port)), rate)
    try:
        yield relay
    finally:
        relay.close()
