"""Fixtures that every test may ask for: an isolated process, and real servers that start when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.services.isolation import clean_environment, refuse_the_network
from tests.services.registry import Registry, serve_registry
from tests.services.skopeo import Skopeo, make_skopeo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def pytest_configure() -> None:
    refuse_the_network()


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every test has an empty home and no settings of the machine's."""
    clean_environment(monkeypatch, tmp_path / "home")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """An empty registry of this test's own, with deletes allowed."""
    with serve_registry(tmp_path / "registry") as server:
        yield server


@pytest.fixture
def second_registry(tmp_path: Path) -> Iterator[Registry]:
    """Another one beside `registry`."""
    with serve_registry(tmp_path / "second_registry") as server:
        yield server


@pytest.fixture
def htpasswd_registry(tmp_path: Path) -> Iterator[Registry]:
    """A registry that asks who you are (`Registry.login`)."""
    with serve_registry(tmp_path / "htpasswd_registry", auth=True) as server:
        yield server


@pytest.fixture
def skopeo(tmp_path: Path) -> Skopeo:
    """skopeo, writing in this test's folder only."""
    return make_skopeo(tmp_path / "skopeo")
