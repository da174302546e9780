"""A daemon that says what no real one here does: other versions, nonsense, silence. It speaks HTTP as they do."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Answer = bytes | Callable[[socket.socket], None]

TLS_HELLO = 0x16
VERSION = {"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Version": "20.10"}


def answer(body: object, status: str = "200 OK", kind: str = "application/json") -> bytes:
    """An answer in full; a body that is no bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n\r\n"
    return head.encode() + raw


@dataclass
class Fake:
    """What it answers to each path without its version, and the heads of the requests it got."""

    host: str
    answers: dict[str, Answer]
    heads: list[str] = field(default_factory=list)

    def talk(self, client: socket.socket) -> None:
        with client, suppress(OSError, ssl.SSLError):
            while True:
                head = b""
                while b"\r\n\r\n" not in head:
                    data = client.recv(4096)
                    if not data:
                        return
                    head += data
                    if head[0] == TLS_HELLO:
                        client.sendall(answer(b"Bad Request", "400 Bad Request", "text/plain"))
                        return
                self.heads.append(head.decode())
                path = head.split()[1].decode().partition("?")[0]
                key = "/" + path.split("/", 2)[-1] if path.startswith("/v1.") else path
                found = self.answers.get(key) or answer({"message": f"no {key}"}, "404 Not Found")
                if isinstance(found, bytes):
                    client.sendall(found)
                else:
                    found(client)
                    return


@contextmanager
def fake_daemon(
    where: Path | None = None, *, version: object = VERSION, tls: ssl.SSLContext | None = None, **answers: Answer
) -> Iterator[Fake]:
    """Serve on a Unix socket, or on a port of loopback; ``version`` is what /version answers."""
    if where is not None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(where))
        host = f"unix://{where}"
    else:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        host = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    listener.listen()
    said = version if isinstance(version, bytes) or callable(version) else answer(version)
    fake = Fake(host, {"/version": said, **{f"/{path}": given for path, given in answers.items()}})

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with suppress(OSError, ssl.SSLError):
                    threading.Thread(target=fake.talk, args=(_wrapped(client, tls),), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield fake
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _wrapped(client: socket.socket, tls: ssl.SSLContext | None) -> socket.socket:
    return tls.wrap_socket(client, server_side=True) if tls else client
