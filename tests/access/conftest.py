"""Real registries that ask who you are: by htpasswd over TLS, and by tokens; and a shell to log in from."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from jupyimg.model.content import drain
from jupyimg.samples import Samples
from jupyimg.store import Store
from jupyimg.transfer import copying
from tests.magic.conftest import bare_shell, home, shell  # noqa: F401 - fixtures
from tests.registry.certificates import make_certificate
from tests.services.registry import Registry, serve_registry
from tests.services.tokens import TokenService, serve_tokens
from tests.services.vault import Vault, install_vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "registry.localhost"


@pytest.fixture
def tls_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Registry]]:
    """A registry with htpasswd over TLS, and its name: one that is not loopback's, so that https is spoken to it."""
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **k: real("127.0.0.1" if host == NAME else host, *a, **k)
    )
    certificate = make_certificate(tmp_path, NAME)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with serve_registry(tmp_path / "tls", auth=True, tls=certificate) as server:
        yield f"{NAME}:{server.port}", server


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[TokenService]:
    """A token service."""
    with serve_tokens(tmp_path / "tokens") as service:
        yield service


@pytest.fixture
def token_registry(tmp_path: Path, tokens: TokenService) -> Iterator[Registry]:
    """A registry that takes the tokens of `tokens`."""
    with serve_registry(tmp_path / "by_token", auth=tokens.config()) as server:
        yield server


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """A credential helper on the path."""
    installed = install_vault(tmp_path / "helper")
    monkeypatch.setenv("PATH", str(installed.bin), prepend=":")
    return installed


@pytest.fixture
def hello(home: Path) -> str:  # noqa: F811
    """A small image, in the store that the shell uses."""
    place = Samples()
    reference = next(reference for reference in place.references() if "hello" in reference.path)
    with Store(home / "store").writer() as sink:
        drain(copying(place, sink, reference))
    return reference.familiar
