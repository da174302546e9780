"""A token service (distribution's "Token Authentication") that signs what a real docker-registry takes.

It knows its users, and what each may do; it gives identity tokens when asked for one, as Docker asks at a login.
"""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from tests.services.registry import PASSWORD, USERNAME

if TYPE_CHECKING:
    from collections.abc import Iterator

ISSUER, SERVICE = "tests", "registry of the tests"
LEEWAY = 60
"""Seconds that docker-registry takes a token for after its end."""


@dataclass
class TokenService:
    """A token service that is up.

    Attributes:
        realm: its address.
        certificate: what signs, for the registry to trust.
        users: passwords by name.
        rights: actions that a name may be granted, all of them where it is not listed; "" is anybody.
        life: seconds that a token is taken.
        promise: seconds that a token is said to live.
        identities: names by the identity tokens that were given.
        asked: the query or form of each request, and its Authorization.
    """

    realm: str
    certificate: Path
    key: ec.EllipticCurvePrivateKey
    users: dict[str, str] = field(default_factory=lambda: {USERNAME: PASSWORD})
    rights: dict[str, set[str]] = field(default_factory=lambda: {"": {"pull"}})
    life: float = 300
    promise: int = 300
    gives_identity: bool = False
    identities: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[dict[str, list[str]], str]] = field(default_factory=list)

    def config(self) -> dict[str, Any]:
        """The registry's part of it."""
        return {
            "token": {
                "realm": self.realm,
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": str(self.certificate),
            }
        }

    def answer(self, asked: dict[str, list[str]], header: str) -> tuple[int, dict[str, Any]]:
        """Status and document for one request."""
        self.asked.append((asked, header))
        if asked.get("grant_type") == ["refresh_token"]:
            user = self.identities.get(asked["refresh_token"][0])
        elif header:
            user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
            user = user if self.users.get(user) == password else None
        else:
            user = ""
        if user is None:
            return 401, {"details": "incorrect username or password"}
        given: dict[str, Any] = {"token": self._signed(user, asked.get("scope", [])), "expires_in": self.promise}
        if self.gives_identity and asked.get("offline_token") == ["true"]:
            given["refresh_token"] = f"identity-of-{user}"
            self.identities[given["refresh_token"]] = user
        return 200, given

    def _signed(self, user: str, scopes: list[str]) -> str:
        now = time.time()
        access = [self._granted(user, scope) for line in scopes for scope in line.split()]
        claims = {"iss": ISSUER, "sub": user, "aud": SERVICE, "jti": str(now), "iat": int(now), "nbf": int(now) - 1}
        claims |= {"exp": int(now + self.life) - LEEWAY, "access": access}
        der = x509.load_pem_x509_certificate(self.certificate.read_bytes()).public_bytes(Encoding.DER)
        header = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
        body = b".".join(_coded(json.dumps(part).encode()) for part in (header, claims))
        r, s = utils.decode_dss_signature(self.key.sign(body, ec.ECDSA(SHA256())))
        return (body + b"." + _coded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))).decode()

    def _granted(self, user: str, scope: str) -> dict[str, Any]:
        kind, name, actions = scope.split(":")
        may = self.rights.get(user, {"pull", "push", "delete", "*"})
        return {"type": kind, "name": name, "actions": [action for action in actions.split(",") if action in may]}


def _coded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _handler(service: TokenService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(parse_qs(urlsplit(self.path).query))

        def do_POST(self) -> None:
            self._send(parse_qs(self.rfile.read(int(self.headers["content-length"])).decode()))

        def _send(self, asked: dict[str, list[str]]) -> None:
            status, document = service.answer(asked, self.headers.get("authorization", ""))
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@contextmanager
def serve_tokens(folder: Path) -> Iterator[TokenService]:
    """Run a token service on a loopback port of its own, with a key of its own in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=tokens", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    private = load_pem_private_key(key.read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    service = TokenService("", certificate, private)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(service))
    server.daemon_threads = True
    service.realm = f"http://127.0.0.1:{server.server_port}/token"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
