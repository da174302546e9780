"""A daemon of a few lines, for what no real one does on demand: to stall, to stop in the middle, to be of a later age.

It speaks the Engine API's documented wire format over a Unix socket.
"""

from __future__ import annotations

import json
import socket
import tempfile
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Answer = Callable[["Line"], None]


@dataclass
class Line:
    """One request, and the socket to answer it on."""

    method: str
    path: str
    headers: dict[str, str]
    socket: socket.socket

    def document(self, body: Any, status: str = "200 OK") -> None:
        """A whole answer."""
        raw = json.dumps(body).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
        self.socket.sendall(head.encode() + raw)

    def begin(self) -> None:
        """The head of an answer that comes in pieces."""
        self.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")

    def piece(self, raw: bytes) -> None:
        """One piece of it."""
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(raw), raw))

    def end(self) -> None:
        """Its end."""
        self.socket.sendall(b"0\r\n\r\n")


@dataclass
class FakeDaemon:
    """What it was asked, and how it answers: the first of ``answers`` whose text is in the path."""

    host: str
    answers: dict[str, Answer]
    version: dict[str, Any]
    asked: list[str] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)

    def serve(self, peer: socket.socket) -> None:
        """Answer one connection until it is over."""
        with peer, suppress(OSError), peer.makefile("rb") as file:
            while first := file.readline().decode().split():
                headers = {}
                while line := file.readline().decode().strip():
                    key, _, value = line.partition(":")
                    headers[key.lower()] = value.strip()
                file.read(int(headers.get("content-length", "0")))
                while headers.get("transfer-encoding") == "chunked" and (size := int(file.readline(), 16)):
                    file.read(size + 2)
                self.asked.append(f"{first[0]} {first[1]}")
                line = Line(first[0], first[1], headers, peer)
                answer = next((self.answers[key] for key in self.answers if key in first[1]), None)
                if answer is not None:
                    answer(line)
                elif first[1].endswith("/version"):
                    line.document(self.version)
                else:
                    line.document({"message": "page not found"}, "404 Not Found")


@contextmanager
def fake_daemon(answers: dict[str, Answer], *, api: str = "1.41", engine: str = "Engine") -> Iterator[FakeDaemon]:
    """Run one."""
    version = {"ApiVersion": api, "MinAPIVersion": "1.24", "Version": "99.0", "Components": [{"Name": engine}]}
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX) as listener:
        path = Path(folder) / "fake.sock"
        listener.bind(str(path))
        listener.listen()
        daemon = FakeDaemon(f"unix://{path}", answers, version)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    threading.Thread(target=daemon.serve, args=(peer,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield daemon
        listener.shutdown(socket.SHUT_RDWR)


def stall(daemon_hung_up: threading.Event) -> Answer:
    """Answer nothing, and note when the other side has had enough."""

    def answer(line: Line) -> None:
        line.socket.settimeout(60)
        with suppress(OSError):
            if line.socket.recv(1) == b"":
                daemon_hung_up.set()

    return answer
