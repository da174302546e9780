"""Fixtures of the registry floor: a fake that misbehaves on command, and our client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyimg.model.settings import Settings
from jupyimg.registry import Registries
from tests.registry.fake import Fake, serve_fake


@pytest.fixture
def fake() -> Iterator[Fake]:
    with serve_fake() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Fake]:
    """Another host, such as a blob store."""
    with serve_fake() as server:
        yield server


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[..., Registries]]:
    """Registries with these settings; closed with the test."""
    opened: list[Registries] = []

    def make(credentials: Any = None, **settings: Any) -> Registries:
        patient = {"read_timeout": 30.0, "connect_timeout": 30.0, **settings}
        find = credentials and (lambda reference: credentials(reference.host))
        opened.append(Registries(Settings(home=tmp_path, **patient), find))
        return opened[-1]

    yield make
    for registries in opened:
        registries.close()
