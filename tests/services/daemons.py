"""Real daemons that speak Docker's API: Docker Engine and Podman, each on a socket and a data root of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tests.services.containers import write_settings
from tests.services.process import ServiceFailed, environment, run, running

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Daemon:
    """A daemon that is up.

    Attributes:
        name: ``docker`` or ``podman``.
        socket: the path of its socket.
        folder: its data root, log and the client's home.
        log: its log.
    """

    name: str
    socket: Path
    folder: Path
    log: Path

    @property
    def host(self) -> str:
        """What ``DOCKER_HOST`` or ``docker -H`` takes: ``unix://…``."""
        return f"unix://{self.socket}"

    def run(
        self, *arguments: str, check: bool = True, stdin: bytes | IO[bytes] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """``docker -H HOST ARGUMENTS``, by the real client; its output as text."""
        command = ["docker", "-H", self.host, *arguments]
        return run(command, env=environment(self.folder / "client", DOCKER_BUILDKIT="0"), check=check, stdin=stdin)

    def lines(self, *arguments: str) -> list[str]:
        """The lines that a client's call printed."""
        return self.run(*arguments).stdout.splitlines()

    def start(self, *arguments: str) -> str:
        """Run a container in the background, without a network unless told otherwise; gives its ID."""
        # with limits of its own, since Podman would raise them higher than some machines allow
        network = () if any(word.startswith("--network") for word in arguments) else ("--network=none",)
        return self.lines("run", "-d", "--ulimit=nofile=1024:1024", "--ulimit=nproc=512:512", *network, *arguments)[-1]

    def remove_containers(self) -> None:
        """Remove all containers, running ones too."""
        if containers := self.lines("ps", "-aq"):
            self.run("rm", "-f", *containers)

    def reset(self) -> None:
        """Remove all containers and images."""
        self.remove_containers()
        for _ in range(5):  # an image goes when those built on it have gone
            images = sorted(set(self.lines("images", "-q", "--no-trunc")))
            if not images:
                return
            self.run("rmi", "-f", *images, check=False)
        message = f"{self.name} keeps images that cannot be removed: {self.lines('images', '-a')}"
        raise ServiceFailed(message)


def _answers(path: Path) -> bool | None:
    """Whether the API answers; a daemon accepts connections long before it does."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(5)
        probe.connect(str(path))
        probe.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        return True if b" 200 " in probe.recv(100) else None
    return None


@contextmanager
def _daemon(name: str, folder: Path, command: Sequence[str], env: dict[str, str]) -> Iterator[Daemon]:
    if os.geteuid() != 0:
        message = f"{name} as a service needs root; run the tests as root (sudo bash tests/run)"
        raise ServiceFailed(message)
    logins = folder / "client" / ".docker" / "config.json"
    logins.parent.mkdir(parents=True)
    # without any login in its file, Docker's client would choose a helper by itself where one is installed
    logins.write_text(json.dumps({"auths": {"unused.example": {}}}))
    path = folder / f"{name}.sock"
    with running(command, folder / f"{name}.log", lambda _: _answers(path), env=env) as up:
        daemon = Daemon(name, path, folder, up.log)
        yield daemon
        if _answers(path):  # a test may have stopped it
            daemon.remove_containers()  # Podman's would outlive it


@contextmanager
def _short_folder(name: str) -> Iterator[Path]:
    """A temporary folder whose path leaves room for a socket's 107 bytes; pytest's own are too long."""
    folder = Path(tempfile.mkdtemp(prefix=f"jupyimg-{name}-", dir="/tmp"))
    try:
        yield folder
    finally:
        _unmount(folder, environment(folder / "home"))
        shutil.rmtree(folder, ignore_errors=True)


def _unmount(folder: Path, env: dict[str, str]) -> None:
    """Take away what a daemon left mounted below a folder, innermost first."""
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for point in reversed([point for point in points if point.startswith(f"{folder}/")]):
        run(["umount", point], env=env)


@contextmanager
def serve_docker() -> Iterator[Daemon]:
    """Run Docker Engine; containers have the network ``host`` or ``none``."""
    with _short_folder("docker") as folder:
        command = ["dockerd", f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
        command += [f"--host=unix://{folder}/docker.sock", "--iptables=false", "--ip6tables=false", "--bridge=none"]
        with _daemon("docker", folder, command, environment(folder / "home")) as daemon:
            yield daemon


@contextmanager
def serve_podman(*, registries: str | None = None) -> Iterator[Daemon]:
    """Run Podman's Docker-compatible service, with loopback registries as insecure or a registries.conf of its own."""
    with _short_folder("podman") as folder:
        settings = write_settings(folder / "home")
        if registries is not None:
            (settings / "registries.conf").write_text(registries)
        env = environment(
            folder / "home",
            CONTAINERS_CONF=str(settings / "containers.conf"),
            CONTAINERS_REGISTRIES_CONF=str(settings / "registries.conf"),
        )
        command = ["podman", f"--root={folder}/data", f"--runroot={folder}/run", f"--tmpdir={folder}/tmp"]
        command += ["system", "service", "--time=0", f"unix://{folder}/podman.sock"]
        with _daemon("podman", folder, command, env) as daemon:
            yield daemon
