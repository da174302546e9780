"""Containers on real daemons, made of one small image that is pulled once for each module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jupyimg.engines.docker.engine import Docker
from tests.docker_containers.daemons import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services.daemons import Daemon
    from tests.services.images import RealImage


def _with_box(daemon: Daemon, image: RealImage) -> Daemon:
    daemon.reset()
    daemon.run("pull", image.reference)
    daemon.run("tag", image.reference, "localhost/box:1")
    return daemon


@pytest.fixture(scope="module")
def dockerd(_docker: Daemon, busybox_image: RealImage) -> Iterator[Daemon]:
    """Docker Engine with the image ``localhost/box:1``; containers stay until the module ends."""
    yield _with_box(_docker, busybox_image)
    _docker.remove_containers()


@pytest.fixture(scope="module")
def podmand(_podman: Daemon, busybox_image: RealImage) -> Iterator[Daemon]:
    """Podman with the image ``localhost/box:1``."""
    yield _with_box(_podman, busybox_image)
    _podman.remove_containers()


@pytest.fixture(scope="module", params=["dockerd", "podmand"])
def backend(request: pytest.FixtureRequest) -> Daemon:
    """Either of them."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def engine(backend: Daemon, tmp_path: Path) -> Iterator[Docker]:
    """Our engine on the daemon."""
    made = Docker(settings_for(backend, tmp_path))
    yield made
    made.close()


@pytest.fixture
def docker_engine(dockerd: Daemon, tmp_path: Path) -> Iterator[Docker]:
    """Our engine on Docker Engine."""
    made = Docker(settings_for(dockerd, tmp_path))
    yield made
    made.close()
