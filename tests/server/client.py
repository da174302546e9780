"""A small HTTP client of the tests' own, so that the judge of the server shares no code with it or with our registry client."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from http.client import HTTPMessage

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
EMPTY = "application/vnd.oci.empty.v1+json"


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def codes(self) -> list[str]:
        """The error codes in its body."""
        return [error["code"] for error in self.json()["errors"]]

    @property
    def location(self) -> str:
        return self.headers["Location"]


class Client:
    """Requests to one server, each on a connection of its own."""

    def __init__(self, address: str, login: tuple[str, str] | None = None) -> None:
        self.address = address
        self.login = login

    def __call__(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        **headers: str,
    ) -> Reply:
        """One request; keywords are headers (``content_type="…"``), an iterable body is sent chunked."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        sent = {name.replace("_", "-").title(): value for name, value in headers.items()}
        if self.login:
            sent["Authorization"] = "Basic " + base64.b64encode(":".join(self.login).encode()).decode()
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def raw(self, data: bytes, *, seconds: float = 60) -> bytes:
        """Send bytes as they are, and read until the server hangs up."""
        with self.connect(seconds) as sock:
            sock.sendall(data)
            return drained(sock)

    def connect(self, seconds: float = 60) -> socket.socket:
        host, _, port = self.address.rpartition(":")
        return socket.create_connection((host, int(port)), timeout=seconds)

    def push_blob(self, name: str, data: bytes, algorithm: str = "sha256") -> str:
        digest = digest_of(data, algorithm)
        done = self("POST", f"/v2/{name}/blobs/uploads/?digest={digest}", data)
        assert done.status == 201, done.body
        return digest

    def begin(self, name: str) -> str:
        """Begin an upload; gives its address."""
        begun = self("POST", f"/v2/{name}/blobs/uploads/")
        assert begun.status == 202, begun.body
        return begun.location

    def put(self, name: str, word: str, document: dict[str, Any] | bytes, media_type: str = "") -> Reply:
        raw = document if isinstance(document, bytes) else json.dumps(document).encode()
        media_type = media_type or json.loads(raw)["mediaType"]
        return self("PUT", f"/v2/{name}/manifests/{word}", raw, content_type=media_type)

    def push_image(self, name: str, word: str = "", **more: Any) -> tuple[str, bytes]:
        """Push an image (`image`) under a tag, or by its digest alone; gives its digest and bytes."""
        config, layers, document = image(**more)
        for data in (config, *layers):
            self.push_blob(name, data)
        raw = json.dumps(document).encode()
        done = self.put(name, word or digest_of(raw), raw)
        assert done.status == 201, done.body
        return digest_of(raw), raw


def drained(sock: socket.socket) -> bytes:
    """All that is sent until the other side hangs up."""
    data = b""
    try:
        while piece := sock.recv(65536):
            data += piece
    except ConnectionResetError:
        pass
    return data


def descriptor(media_type: str, data: bytes, algorithm: str = "sha256", **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(data, algorithm), "size": len(data), **more}


def image(
    *,
    architecture: str = "amd64",
    layers: tuple[bytes, ...] = (b"first layer", b"second layer"),
    algorithm: str = "sha256",
    config: bytes | None = None,
    config_type: str = CONFIG,
    layer_type: str = LAYER,
    **fields: Any,
) -> tuple[bytes, tuple[bytes, ...], dict[str, Any]]:
    """The config, the layers and the manifest of an image; further keywords are fields of the manifest."""
    if config is None:
        rootfs = {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]}
        config = json.dumps({"os": "linux", "architecture": architecture, "rootfs": rootfs}).encode()
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(config_type, config, algorithm),
        "layers": [descriptor(layer_type, layer, algorithm) for layer in layers],
        **fields,
    }
    return config, layers, document


def index(*children: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(children), **fields}
