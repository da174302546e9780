"""An embedded engine with a store of its own, and a registry that has the teaching images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jupyimg.engines import open_engine, open_serving
from jupyimg.model.content import drain
from jupyimg.model.settings import Settings
from jupyimg.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyimg.engines import Engine
    from tests.services.registry import Registry


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(Settings(home=tmp_path / "jupyimg"))
    yield opened
    opened.close()


@pytest.fixture
def stocked(registry: Registry, engine: Engine) -> Registry:
    """The registry, with every sample under its own name."""
    drain(open_serving(engine.settings).teaching(engine.remote, registry.host))
    return registry


@pytest.fixture
def samples(engine: Engine) -> list[str]:
    """The samples, in the engine's own store."""
    drain(open_serving(engine.settings).teaching())
    return [name.familiar for name in Samples().references()]
