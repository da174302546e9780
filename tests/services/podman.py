"""Podman's own command line, without its service: it saves and loads in forms that Docker's API does not have."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.services.containers import write_settings
from tests.services.process import environment, run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator


@dataclass(frozen=True)
class Podman:
    """``podman("load", "-i", …)`` runs it on images of its own and gives its output; a failure is an error."""

    folder: Path
    env: dict[str, str]

    def __call__(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        own = [f"--root={self.folder}/data", f"--runroot={self.folder}/run", f"--tmpdir={self.folder}/tmp"]
        return run(["podman", *own, *arguments], env=self.env, check=check)

    def lines(self, *arguments: str) -> list[str]:
        """The lines that a call printed."""
        return self(*arguments).stdout.splitlines()


@contextmanager
def make_podman() -> Iterator[Podman]:
    """A podman without images; its folder's path is short, as sockets need it."""
    folder = Path(tempfile.mkdtemp(prefix="jupyimg-podman-", dir="/tmp"))
    settings = write_settings(folder / "home")
    env = environment(
        folder / "home",
        CONTAINERS_CONF=str(settings / "containers.conf"),
        CONTAINERS_REGISTRIES_CONF=str(settings / "registries.conf"),
    )
    made = Podman(folder, env)
    try:
        yield made
        made("rm", "--all", "--force", check=False)
    finally:
        made("rmi", "--all", "--force", check=False)
        shutil.rmtree(folder, ignore_errors=True)
