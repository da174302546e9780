"""What several modules ask of a daemon: settings that lead to it, and a container that has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyimg.model.settings import DaemonSettings, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services.daemons import Daemon


def settings_for(daemon: Daemon, home: Path, **more: Any) -> Settings:
    """Settings whose current engine is that daemon."""
    where = DaemonSettings(host=daemon.host, podman_host=daemon.host)
    return Settings(home=home, engine=daemon.name, daemon=where, **more)


def settings_at(host: str, home: Path, **more: Any) -> Settings:
    """Settings that lead to a Docker at that address."""
    limits = {"connect_timeout": 20.0, "read_timeout": 20.0}
    return Settings(home=home, engine="docker", daemon=DaemonSettings(host=host, **more), **limits)


def ran(daemon: Daemon, script: str, *options: str) -> str:
    """The ID of a container that ran a script and has ended."""
    made = daemon.start(*options, "localhost/box:1", "sh", "-c", script)
    daemon.run("wait", made)
    return made
