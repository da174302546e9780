"""An embedded engine with a store of its own, registries that have teaching images and odd ones, and a stand-in for Docker Hub."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from jupyimg.engines import open_engine, open_serving
from jupyimg.model.content import drain
from jupyimg.model.settings import Settings
from jupyimg.registry import hosts
from jupyimg.samples import Samples
from tests.registry.fake import serve_fake
from tests.registry.hub import Hub
from tests.services import synthetic

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


@pytest.fixture
def fake():
    with serve_fake() as server:
        yield server


@pytest.fixture
def fresh(tmp_path):
    """Engines that know nothing yet of what the one before them has seen, unless they share a home."""
    opened = []

    def make(home="jupyimg", **settings):
        opened.append(open_engine(Settings(home=tmp_path / home, **{"read_timeout": 30.0, "attempts": 2, **settings})))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def shapes(registry):
    """Three repositories of every shape."""
    plain = [synthetic.make_image(labels={"n": str(n)}, created=f"202{n}-01-01T00:00:00Z") for n in range(3)]
    arm = synthetic.make_image(platform="linux/arm/v7", created="2024-01-01T00:00:00Z")
    for number, image in enumerate(plain):
        synthetic.push(registry, "team/app", f"1.{number}", image)
    synthetic.push(registry, "team/app", "both", synthetic.make_index([plain[2], arm], attestations=True))
    synthetic.push(registry, "team/old", "docker", synthetic.make_image(media="docker", created=None))
    synthetic.push(registry, "team/old", "same", synthetic.make_image(media="docker", created=None))
    synthetic.push(registry, "chart", "0.1", synthetic.make_artifact("application/vnd.x+json"))
    return registry


@pytest.fixture
def hub(fake, monkeypatch):
    """Docker Hub's API and its registry, both the fake."""
    row = hosts.Host(api=fake.host, hub="hub.docker.com", searches=("hub", "index"), metered=True)
    row = dataclasses.replace(row, probe="docker.io/ratelimitpreview/test:latest", has_catalog=False)
    monkeypatch.setitem(hosts.ROWS, "docker.io", row)
    return Hub(fake)
