"""Real images, built once by the real Docker Engine from Debian's packages and kept as a registry's storage folder.

The first use builds them (debootstrap and apt fetch packages; a minute for nginx) and parallel workers wait for the one
that does. Later uses serve the folder read-only. The folder's name holds a digest of this module, so
that a changed recipe is built anew. What Docker itself said of each image lies beside it, as the oracle for ours.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import textwrap
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.services.cache import CACHE, making
from tests.services.daemons import serve_docker
from tests.services.process import environment, need, run
from tests.services.registry import Registry, serve_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.services.daemons import Daemon

_PROXIES = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}

_RECIPES = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]

_NGINX = """
FROM debian:bookworm
LABEL org.opencontainers.image.title=nginx org.opencontainers.image.description="A web server, for tests"
ENV NGINX_ROOT=/var/www/html LANG=C.UTF-8
COPY apt /etc/apt
RUN apt-get update \\
 && apt-get install -y --no-install-recommends nginx-light \\
 && rm -rf /var/lib/apt/lists/*
RUN ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log
RUN printf '<h1>It serves</h1>\\n' > /var/www/html/index.html && rm -f /var/www/html/index.nginx-debian.html
EXPOSE 80
STOPSIGNAL SIGQUIT
WORKDIR /var/www/html
CMD ["nginx", "-g", "daemon off;"]
"""

_BUSYBOX = """
FROM busybox:base
LABEL org.opencontainers.image.title=busybox build={build}
RUN echo {build} > /build
CMD ["sh"]
"""


@dataclass(frozen=True)
class RealImage:
    """A real image in a read-only registry that is up.

    Attributes:
        registry: the registry that serves it; `Registry.stock` copies ``registry.data`` into another.
        repository: its repository there.
        tag: its first tag.
        docker: for each tag, what Docker said of it: ``inspect`` (an object) and ``history`` (objects, newest first).
    """

    registry: Registry
    repository: str
    tag: str
    docker: dict[str, dict[str, Any]]

    @property
    def reference(self) -> str:
        """``127.0.0.1:PORT/REPOSITORY:TAG``."""
        return self.registry.reference(f"{self.repository}:{self.tag}")

    @property
    def manifest(self) -> Any:
        """Its manifest as a document."""
        return self.registry.manifest(self.repository, self.tag).json()


@dataclass(frozen=True)
class _Recipe:
    repository: str
    tags: tuple[str, ...]
    build: Callable[[Daemon, Path, str], None]
    """Given an engine, an empty folder and the full repository name, build all tags."""

    @property
    def name(self) -> str:
        return self.repository.rpartition("/")[2]


@contextmanager
def serve_nginx(folder: Path) -> Iterator[RealImage]:
    """``library/nginx:1.22`` and ``:latest``: Debian and its nginx, several layers, some history without a layer.

    In a container of its own network, bash can be its client:
    ``exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3``.
    """
    with _serve(_Recipe("library/nginx", ("1.22", "latest"), _build_nginx), folder) as image:
        yield image


@contextmanager
def serve_busybox(folder: Path) -> Iterator[RealImage]:
    """``library/busybox``: 2 MB; ``:1.35`` and ``:latest`` are one image, ``:next`` is built later on the same base.

    `Registry.retag` of ``next`` to ``latest`` is how a held ``latest`` becomes dangling.
    """
    with _serve(_Recipe("library/busybox", ("1.35", "latest", "next"), _build_busybox), folder) as image:
        yield image


@contextmanager
def _serve(recipe: _Recipe, folder: Path) -> Iterator[RealImage]:
    held = _held(recipe)
    docker = json.loads((held / "docker.json").read_text())
    with serve_registry(folder, data=held / "data", readonly=True) as registry:
        yield RealImage(registry, recipe.repository, recipe.tags[0], docker)


def _held(recipe: _Recipe) -> Path:
    """The folder that a recipe's result is kept in, made when missing."""
    with making(recipe.name) as place:
        held = place.with_name(f"{recipe.name}-{_RECIPES}")
        if not held.exists():
            for former in CACHE.glob(f"{recipe.name}-*"):
                shutil.rmtree(former)
            with tempfile.TemporaryDirectory(prefix=f".{recipe.name}-", dir=CACHE) as work:
                _build(recipe, Path(work)).rename(held)
    return held


def _build(recipe: _Recipe, work: Path) -> Path:
    result = work / "result"
    result.mkdir()
    with serve_docker() as docker, serve_registry(work / "registry", data=result / "data") as registry:
        name = registry.reference(recipe.repository)
        recipe.build(docker, work, name)
        said = {}
        for tag in recipe.tags:
            docker.run("push", f"{name}:{tag}")
            said[tag] = {
                "inspect": json.loads(docker.run("image", "inspect", f"{name}:{tag}").stdout)[0],
                "history": [
                    json.loads(line)
                    for line in docker.lines(
                        "history", "--no-trunc", "--human=false", "--format={{json .}}", f"{name}:{tag}"
                    )
                ],
            }
    (result / "docker.json").write_text(json.dumps(said, indent=1))
    return result


def _build_nginx(docker: Daemon, work: Path, name: str) -> None:
    root, context = work / "root", work / "context"
    env = environment(work / "home", **_PROXIES)
    source = ["apt-get", "indextargets", "--format=$(REPO_URI)", "Created-By: Packages", "Codename: bookworm"]
    mirror = run(source, env=env).stdout.split()[:1]  # the machine's own; none of its own is debootstrap's default
    run(
        ["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(root), *mirror],
        env=env,
        seconds=900,
    )
    for package in (root / "var/cache/apt/archives").glob("*.deb"):
        package.unlink()
    _import(docker, root, "debian:bookworm")
    shutil.copytree("/etc/apt", context / "apt")
    (context / "Dockerfile").write_text(textwrap.dedent(_NGINX))
    proxies = [f"--build-arg={name}={value}" for name, value in _PROXIES.items()]
    docker.run("build", "--network=host", *proxies, "-t", f"{name}:1.22", "-t", f"{name}:latest", str(context))


def _build_busybox(docker: Daemon, work: Path, name: str) -> None:
    programs, context = work / "root" / "bin", work / "context"
    programs.mkdir(parents=True)
    context.mkdir()
    shutil.copy(need("busybox"), programs / "busybox")
    for applet in run(["busybox", "--list"], env=environment(work / "home")).stdout.split():
        if applet != "busybox":
            (programs / applet).symlink_to("busybox")
    _import(docker, work / "root", "busybox:base")
    for build, tags in (("first", ("1.35", "latest")), ("second", ("next",))):
        (context / "Dockerfile").write_text(_BUSYBOX.format(build=build))
        docker.run("build", "--network=none", *[f"--tag={name}:{tag}" for tag in tags], str(context))


def _import(docker: Daemon, root: Path, name: str) -> None:
    with subprocess.Popen(["tar", "-C", root, "--numeric-owner", "-c", "."], stdout=subprocess.PIPE) as tar:
        assert tar.stdout is not None
        docker.run("import", "-", name, stdin=tar.stdout)
        assert tar.wait() == 0
