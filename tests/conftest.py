"""Fixtures that every test may ask for: an isolated process, and real servers that start when first asked for.

What is cheap to start (a registry: 30 ms) is a test's own. What is dear is a worker's, and cleaned for each test.
"""

from __future__ import annotations

import signal
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import HealthCheck, settings

from tests.services.browser import JupyterPage, Lab, open_page, serve_lab
from tests.services.daemons import Daemon, serve_docker, serve_podman
from tests.services.images import RealImage, serve_busybox, serve_nginx
from tests.services.isolation import clean_environment, refuse_the_network
from tests.services.kernel import Cell, run_cells
from tests.services.mitmproxy import Proxy, serve_mitmproxy
from tests.services.registry import Registry, serve_registry
from tests.services.skopeo import Skopeo, make_skopeo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")  # a busy machine is no fault of what is tested


def pytest_configure() -> None:
    refuse_the_network()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Started by a shell's "&", from which children would inherit that Ctrl-C is nothing to them.
        signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="session")
def nginx_image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealImage]:
    """Debian and its nginx, in a read-only registry (`images.serve_nginx`)."""
    with serve_nginx(tmp_path_factory.mktemp("nginx")) as image:
        yield image


@pytest.fixture(scope="session")
def busybox_image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealImage]:
    """A real image of 1 MB and a later build of it, in a read-only registry (`images.serve_busybox`)."""
    with serve_busybox(tmp_path_factory.mktemp("busybox")) as image:
        yield image


@pytest.fixture
def skopeo(tmp_path: Path) -> Skopeo:
    """skopeo, writing in this test's folder only."""
    return make_skopeo(tmp_path / "skopeo")


@pytest.fixture(scope="session")
def _docker() -> Iterator[Daemon]:
    with serve_docker() as daemon:
        yield daemon


@pytest.fixture
def docker(_docker: Daemon) -> Daemon:
    """Docker Engine without images and containers."""
    _docker.reset()
    return _docker


@pytest.fixture(scope="session")
def _podman() -> Iterator[Daemon]:
    with serve_podman() as daemon:
        yield daemon


@pytest.fixture
def podman(_podman: Daemon) -> Daemon:
    """Podman's Docker-compatible service without images and containers."""
    _podman.reset()
    return _podman


class StartProxy(Protocol):
    """How a test asks for a proxy (`mitmproxy.serve_mitmproxy`)."""

    def __call__(self, addon: str = "", *, upstream: str = "", options: tuple[str, ...] = ()) -> Proxy: ...


@pytest.fixture
def mitmproxy(tmp_path: Path) -> Iterator[StartProxy]:
    """Starts a proxy at each call; all stop with the test."""
    with ExitStack() as proxies:
        count = iter(range(100))

        def start(addon: str = "", *, upstream: str = "", options: tuple[str, ...] = ()) -> Proxy:
            folder = tmp_path / f"mitmproxy-{next(count)}"
            return proxies.enter_context(serve_mitmproxy(folder, addon, upstream=upstream, options=options))

        yield start


@pytest.fixture
def kernel(tmp_path: Path) -> Callable[..., list[Cell]]:
    """``kernel(cells, **env)`` runs them in a new kernel with an empty store (`kernel.run_cells`)."""
    return partial(run_cells, tmp_path / "notebook")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab of this worker's."""
    with serve_lab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture
def jupyter_page(lab: Lab, tmp_path: Path) -> Iterator[JupyterPage]:
    """A browser in JupyterLab; what it showed last stays in ``page.png`` of the test's folder."""
    with open_page(lab, tmp_path.name) as page:
        yield page
        page.screenshot(tmp_path / "page.png")
