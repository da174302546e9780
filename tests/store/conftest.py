"""Fixtures of the store's tests; `verify_store` is for others too (`tests.store.checker`)."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from jupyimg.store import Store
from tests.places.memory import MemoryPlace
from tests.store.checker import verify_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.services.skopeo import Skopeo


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where a store is to be; nothing is there yet."""
    return tmp_path / "data" / "store"


@pytest.fixture
def store(root: Path) -> Store:
    return Store(root)


@pytest.fixture
def place() -> MemoryPlace:
    """Somewhere that images come from."""
    return MemoryPlace()


@pytest.fixture
def verify(root: Path, skopeo: Skopeo) -> Callable[[], list[dict]]:
    """Check the store, and have skopeo read every named image."""
    return lambda: verify_store(root, skopeo.inspect)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB that is full soon."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
