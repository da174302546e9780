"""Two embedded engines, each with a store of its own, and images to move between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jupyimg.engines import open_engine
from jupyimg.model.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyimg.engines import Engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(Settings(home=tmp_path / "here"))
    yield opened
    opened.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Engine]:
    """The engine on the machine that an archive is brought to."""
    opened = open_engine(Settings(home=tmp_path / "there"))
    yield opened
    opened.close()
