"""Nothing of the developer's machine leaks into a test, and no test reaches beyond loopback."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

LEAKS = (
    "JUPYIMG_",
    "DOCKER_",
    "BUILDKIT_",
    "COMPOSE_",
    "CONTAINER_",
    "CONTAINERS_",
    "REGISTRY_",
    "JUPYTER_",
    "IPYTHON",
    "XDG_",
    "COSIGN_",
    "AWS_",
)
"""Prefixes of variables that would change what jupyimg or a tool does."""


def _leaks(name: str) -> bool:
    return name.upper().startswith(LEAKS) or name.upper().endswith("_PROXY")


def clean_environment(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Give this process an empty home and no settings, until ``monkeypatch`` is undone."""
    for name in [name for name in os.environ if _leaks(name)]:
        monkeypatch.delenv(name)
    home.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("JUPYIMG_ETC", str(home / "etc"))  # not the machine's registries.conf, daemon.json and certs.d
    monkeypatch.setenv("IPYTHONDIR", str(home / ".ipython"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))  # where Podman's logins lie; without it, in /run


def _is_here(host: object) -> bool:
    """Whether a host is this machine: loopback, or nothing at all (the wildcard, to listen on)."""
    text = host.decode(errors="replace") if isinstance(host, bytes | bytearray) else str(host or "")
    name = text.rstrip(".").lower()
    if name in ("", "localhost") or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _guard(event: str, args: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        family, address = getattr(args[0], "family", None), args[1]
        if family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple) and not _is_here(address[0]):
            raise OSError(errno.ENETUNREACH, f"tests reach no further than loopback, and {address[0]} is beyond it")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname") and not _is_here(args[0]):
        try:
            ipaddress.ip_address(str(args[0]))  # a literal address asks nobody; connecting to it is refused above
        except ValueError:
            raise socket.gaierror(socket.EAI_NONAME, f"tests ask no name server for {args[0]}") from None


def refuse_the_network() -> None:
    """From now on this process behaves as on a machine without a network; an audit hook also sees C code."""
    sys.addaudithook(_guard)
