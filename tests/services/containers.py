"""The settings that skopeo and podman share (containers/image), written into a home of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_REGISTRIES = """
unqualified-search-registries = ["docker.io"]
[[registry]]
prefix = "127.0.0.1"
location = "127.0.0.1"
insecure = true
[[registry]]
prefix = "localhost"
location = "localhost"
insecure = true
"""
"""Loopback registries of any port speak plain HTTP, as Docker takes them too."""

_CONTAINERS = """
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"""
"""Podman without systemd, with the runtime that Docker brings: crun refuses some machines' cgroups."""


def write_settings(home: Path) -> Path:
    """Write policy.json (which accepts all), registries.conf, registries.d and containers.conf; gives their folder."""
    folder = home / ".config" / "containers"
    (folder / "registries.d").mkdir(parents=True)
    (folder / "policy.json").write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
    (folder / "registries.conf").write_text(_REGISTRIES)
    (folder / "containers.conf").write_text(_CONTAINERS)
    return folder
