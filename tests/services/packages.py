"""Which Debian package brings each program that the tests run; as a script it prints the packages that are missing.

Only the standard library, so that `tests/run` can ask before anything is installed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

PACKAGES = {
    "busybox": "busybox-static",
    "chromium": "chromium",
    "curl": "curl",
    "debootstrap": "debootstrap",
    "docker": "docker.io",
    "docker-registry": "docker-registry",
    "docker-credential-pass": "golang-docker-credential-helpers",
    "dockerd": "docker.io",
    "gpg": "gnupg",
    "htpasswd": "apache2-utils",
    "pass": "pass",
    "podman": "podman",
    "skopeo": "skopeo",
    "umoci": "umoci",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc": "fonts-noto-cjk",
}
"""Program name, or the path of a file, to package."""

PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
"""Where programs are looked for: daemons live in folders that a user's own PATH may leave out."""


def find(program: str) -> str | None:
    """The path of a program (or of a file given by its path), or None."""
    if program.startswith("/"):
        return program if Path(program).exists() else None
    return shutil.which(program, path=PATH)


def missing() -> list[str]:
    """The packages to install, without the ones that are here."""
    absent = {package for program, package in PACKAGES.items() if find(program) is None}
    if importlib.util.find_spec("ensurepip") is None:
        absent.add("python3-venv")  # Debian's python3 comes without it, and cannot make a virtual environment
    return sorted(absent)


if __name__ == "__main__":
    print(*missing())
