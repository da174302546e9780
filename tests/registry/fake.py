"""A small registry on a real socket that does what it should until a test tells it otherwise.

A *rule* looks at each request first and may answer it in its own way: a wrong status, a body that is cut short or
stands still, a challenge, a redirect. What no rule answers is answered by the specification. Everything that arrived
is kept in `Fake.seen`.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from jupyimg.model.codec import encode
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Descriptor
from jupyimg.model.reference import Reference

STALL = 120.0
_dead: list[socket.socket] = []
"""Seconds that a stalled answer waits for the end of its test."""


@dataclass
class Seen:
    """A request that arrived; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    peer: object = None

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query)

    @property
    def route(self) -> str:
        return urlsplit(self.path).path


@dataclass
class Answer:
    """What to send back.

    Attributes:
        length: the Content-Length to announce instead of the true one; -1 is none, and the connection ends the body.
        cut: bytes of the body after which the connection is closed.
        stall: bytes of the body after which nothing more comes; -1 is before the status line.
        reset: hang up instead of answering.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    cut: int | None = None
    stall: int | None = None
    reset: bool = False


def error(status: int, code: str = "", message: str = "", **headers: str) -> Answer:
    """An answer as "Error Codes" of the specification has it."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode() if code else b""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, body, {"Content-Type": "application/json", **named})


Action = Callable[[Seen], Answer | None]


@dataclass
class Fake:
    """The state of one fake registry."""

    host: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    tags: dict[str, list[str]] = field(default_factory=dict)
    rules: list[Action] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def reference(self, name: str) -> Reference:
        return Reference.parse(f"{self.host}/{name}")

    def rule(self, pattern: str, action: Action | Answer, times: int = -1) -> None:
        """Let ``action`` answer requests whose ``METHOD PATH`` matches, the first so many of them."""
        left = [times]

        def rule(seen: Seen) -> Answer | None:
            if not re.search(pattern, f"{seen.method} {seen.path}"):
                return None
            with self.lock:
                if left[0] == 0:
                    return None
                left[0] -= 1
            return action if isinstance(action, Answer) else action(seen)

        self.rules.append(rule)

    def count(self, pattern: str) -> int:
        return len(self.matching(pattern))

    def matching(self, pattern: str) -> list[Seen]:
        return [seen for seen in self.seen if re.search(pattern, f"{seen.method} {seen.path}")]

    def put(self, data: bytes, media_type: str = OCI_LAYER) -> Descriptor:
        digest = Digest.of(data)
        self.blobs[digest] = data
        return Descriptor(media_type=media_type, digest=digest, size=len(data))

    def image(
        self, repository: str = "app", tag: str = "1", layers: tuple[bytes, ...] = (b"one", b"two")
    ) -> Descriptor:
        config = self.put(b'{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}', OCI_CONFIG)
        raw = encode(
            {
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": config,
                "layers": [self.put(layer) for layer in layers],
            }
        )
        return self.put_manifest(repository, tag, raw)

    def put_manifest(self, repository: str, tag: str, raw: bytes, media_type: str = OCI_MANIFEST) -> Descriptor:
        digest = Digest.of(raw)
        for name in (tag, digest):
            self.manifests[repository, name] = (media_type, raw)
        self.tags.setdefault(repository, []).append(tag)
        return Descriptor(media_type=media_type, digest=digest, size=len(raw))

    # ---- the specification

    def answer(self, seen: Seen) -> Answer:
        for rule in self.rules:
            found = rule(seen)
            if found is not None:
                return found
        with self.lock:
            for pattern, handle in _ROUTES:
                match = re.fullmatch(pattern, f"{seen.method} {seen.route}")
                if match:
                    return handle(self, seen, *match.groups())
        return error(404, "NAME_UNKNOWN", "nothing here")

    def _manifest(self, seen: Seen, repository: str, name: str) -> Answer:
        if (repository, name) not in self.manifests:
            return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        media_type, raw = self.manifests[repository, name]
        headers = {"Content-Type": media_type, "Docker-Content-Digest": Digest.of(raw)}
        return Answer(200, raw, headers)

    def _put_manifest(self, seen: Seen, repository: str, name: str) -> Answer:
        descriptor = self.put_manifest(repository, name, seen.body, seen.headers["content-type"])
        return Answer(201, b"", {"Docker-Content-Digest": descriptor.digest})

    def _blob(self, seen: Seen, repository: str, digest: str) -> Answer:
        if digest not in self.blobs:
            return error(404, "BLOB_UNKNOWN", "blob unknown")
        return ranged(seen, self.blobs[digest])

    def _post(self, seen: Seen, repository: str) -> Answer:
        if seen.query.get("mount", [""])[0] in self.blobs:
            return Answer(201, b"", {"Location": f"/v2/{repository}/blobs/{seen.query['mount'][0]}"})
        identity = f"{repository.replace('/', '-')}-{len(self.uploads)}"
        self.uploads[identity] = bytearray()
        return Answer(202, b"", {"Location": f"/upload/{identity}?_state=a%3d%3D", "Range": "0-0"})

    def _patch(self, seen: Seen, identity: str) -> Answer:
        if identity not in self.uploads:
            return error(404, "BLOB_UPLOAD_UNKNOWN")
        data = self.uploads[identity]
        start = int(seen.headers.get("content-range", f"{len(data)}-").partition("-")[0])
        if start != len(data):
            return error(416, "BLOB_UPLOAD_INVALID")
        data += seen.body
        return Answer(202, b"", {"Location": f"/upload/{identity}?_state={len(data)}", "Range": f"0-{len(data) - 1}"})

    def _finish(self, seen: Seen, identity: str) -> Answer:
        if identity not in self.uploads:
            return error(404, "BLOB_UPLOAD_UNKNOWN")
        data = bytes(self.uploads.pop(identity)) + seen.body
        digest = seen.query["digest"][0]
        if Digest.of(data, digest.partition(":")[0]) != digest:
            return error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        self.blobs[digest] = data
        return Answer(201, b"", {"Docker-Content-Digest": digest, "Location": f"/v2/app/blobs/{digest}"})

    def _status(self, seen: Seen, identity: str) -> Answer:
        if identity not in self.uploads:
            return error(404, "BLOB_UPLOAD_UNKNOWN")
        size = len(self.uploads[identity])
        return Answer(204, b"", {"Range": f"0-{max(0, size - 1)}", "Location": f"/upload/{identity}?_state={size}"})

    def _cancel(self, seen: Seen, identity: str) -> Answer:
        self.uploads.pop(identity, None)
        return Answer(204)

    def _list(self, seen: Seen, repository: str) -> Answer:
        if repository not in self.tags:
            return error(404, "NAME_UNKNOWN", "repository name not known to registry")
        body = json.dumps({"name": repository, "tags": self.tags[repository]}).encode()
        return Answer(200, body, {"Content-Type": "application/json"})


_ROUTES: list[tuple[str, Callable[..., Answer]]] = [
    (r"(?:GET|HEAD) /v2/(.+)/manifests/(.+)", Fake._manifest),
    (r"PUT /v2/(.+)/manifests/(.+)", Fake._put_manifest),
    (r"(?:GET|HEAD) /v2/(.+)/blobs/(sha.+)", Fake._blob),
    (r"POST /v2/(.+)/blobs/uploads/", Fake._post),
    (r"PATCH /upload/(.+)", Fake._patch),
    (r"PUT /upload/(.+)", Fake._finish),
    (r"GET /upload/(.+)", Fake._status),
    (r"DELETE /upload/(.+)", Fake._cancel),
    (r"GET /v2/(.+)/tags/list", Fake._list),
]


def ranged(seen: Seen, data: bytes) -> Answer:
    """A blob, or the part of it that a Range asks for."""
    wanted = re.fullmatch(r"bytes=(\d+)-", seen.headers.get("range", ""))
    if wanted is None:
        return Answer(200, data, {"Content-Type": "application/octet-stream"})
    start = int(wanted[1])
    if start >= len(data):
        return Answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
    return Answer(206, data[start:], {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"})


def _handler(fake: Fake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen = Seen(self.command, self.path, headers, peer=self.client_address)
            fake.seen.append(seen)
            length = int(headers.get("content-length", 0))
            seen.body = self.rfile.read(length)
            if len(seen.body) < length:
                self.close_connection = True
            else:
                self.send(fake.answer(seen))

        def send(self, answer: Answer) -> None:
            if answer.stall == -1:
                fake.over.wait(STALL)
            if answer.reset or answer.stall == -1:
                self.close_connection = True
                return
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                for line in value.split("\n"):
                    self.send_header(name, line)
            if answer.length is None:
                self.send_header("Content-Length", str(len(answer.body)))
            elif answer.length >= 0:
                self.send_header("Content-Length", str(answer.length))
            else:
                self.close_connection = True
            self.end_headers()
            if self.command == "HEAD":
                return
            end = next((n for n in (answer.cut, answer.stall) if n is not None), None)
            self.wfile.write(answer.body[:end])
            self.wfile.flush()
            if answer.stall is not None:
                fake.over.wait(STALL)
            if end is not None or answer.length is not None:
                self.close_connection = True

        def log_message(self, *args: object) -> None:
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what many tests are about."""


@contextmanager
def serve_fake(tls: ssl.SSLContext | None = None) -> Iterator[Fake]:
    """Run a fake registry on a loopback port of its own."""
    fake = Fake()
    server = _Server(("127.0.0.1", 0), _handler(fake))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    fake.host = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.over.set()
        server.shutdown()
        server.server_close()


def dead_port() -> int:
    """A port that nobody listens on: it is taken for as long as this process lives, so that nobody else may."""
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    _dead.append(probe)
    return int(probe.getsockname()[1])


@contextmanager
def full_backlog() -> Iterator[str]:
    """An address whose queue is full, so that a connection to it is neither made nor refused."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = []
        for _ in range(4):
            client = socket.socket()
            client.settimeout(0)
            client.connect_ex(server.getsockname())
            waiting.append(client)
        yield f"127.0.0.1:{server.getsockname()[1]}"
        for client in waiting:
            client.close()
