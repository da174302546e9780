"""One suite over every engine and three real backends: the embedded store, Docker Engine and Podman.

A test that asks for ``engine`` runs three times. What a backend answers otherwise stands in `contract.EXCEPTIONS`, with
its reason; nowhere else may a test ask which engine it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jupyimg.engines import open_engine, open_serving
from jupyimg.model.content import drain
from jupyimg.model.settings import DaemonSettings, Settings
from tests.services.registry import serve_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jupyimg.engines import Engine
    from tests.services.daemons import Daemon
    from tests.services.registry import Registry

BACKENDS = ("embedded", "docker", "podman")


def opened(name: str, home: Path, daemons: dict[str, Daemon]) -> Engine:
    """The engine of that name: on the daemon that the tests started, or in a store of its own."""
    hosts = {kind: daemon.host for kind, daemon in daemons.items()}
    daemon = DaemonSettings(host=hosts.get("docker", ""), podman_host=hosts.get("podman", ""))
    return open_engine(Settings(home=home, engine=name, daemon=daemon))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that has the teaching images, for the tests of one module."""
    with serve_registry(tmp_path_factory.mktemp("shelf")) as registry:
        helper = open_engine(Settings(home=tmp_path_factory.mktemp("helper")))
        drain(open_serving(helper.settings).teaching(helper.remote, registry.host))
        helper.close()
        yield registry


def _cleared(request: pytest.FixtureRequest, name: str) -> dict[str, Daemon]:
    if name == "embedded":
        return {}
    daemon: Daemon = request.getfixturevalue(f"_{name}")
    daemon.reset()
    return {name: daemon}


@pytest.fixture(params=BACKENDS)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Each engine in turn, holding nothing."""
    found = opened(request.param, tmp_path / "jupyimg", _cleared(request, request.param))
    yield found
    found.close()


@pytest.fixture(scope="module", params=BACKENDS)
def held(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shelf: Registry) -> Iterator[Engine]:
    """Each engine in turn, holding some of the shelf; for tests that only look."""
    found = opened(request.param, tmp_path_factory.mktemp("held"), _cleared(request, request.param))
    for name in ("sample/base:1.0", "sample/web:1.0", "sample/web:1.1", "sample/web:latest"):
        found.pull(shelf.reference(name))
    found.pull(shelf.reference("sample/hello:latest"), platform="linux/arm64")
    yield found
    found.close()


@pytest.fixture
def every(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Engine]]:
    """Opens any engine, empty; all of them are closed with the test."""
    made: dict[str, Engine] = {}

    def make(name: str) -> Engine:
        if name not in made:
            made[name] = opened(name, tmp_path / name, _cleared(request, name))
        return made[name]

    yield make
    for found in made.values():
        found.close()
