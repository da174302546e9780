"""Fixtures of the server's tests: a served store in this process, and clients of it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from jupyimg.server import ImageServer, Patience, ServerSettings
from jupyimg.store import Store
from tests.server.client import Client
from tests.store.checker import verify_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the store is to be; nothing is there yet."""
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> Iterator[Store]:
    """What the owner of the machine sees; it must be valid when the test ends."""
    yield Store(root)
    verify_store(root)


@pytest.fixture
def serve(root: Path) -> Iterator[Callable[..., Client]]:
    """Serve the store; keywords are settings, and ``patience`` and ``root``. All servers end with the test."""
    with ExitStack() as stack:

        def start(**words: Any) -> Client:
            patience, where = words.pop("patience", Patience(linger=0.5)), words.pop("root", root)
            settings = ServerSettings(port=words.pop("port", 0), **words)
            server = stack.enter_context(ImageServer(Store(where), settings, patience=patience))
            client = Client(server.address)
            client.server = server
            return client

        yield start


@pytest.fixture
def client(serve: Callable[..., Client]) -> Client:
    """A client of a server with the usual settings."""
    return serve()
