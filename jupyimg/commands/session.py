"""Session: the current engine and settings, and the only place that reads the environment."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from jupyimg.engines import open_engine, open_mirrors, open_serving
from jupyimg.engines.containers import about
from jupyimg.errors import Misuse
from jupyimg.model.platform import Platform
from jupyimg.model.settings import DaemonSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyimg.engines import Engine
    from jupyimg.engines.mirrors import Mirrors
    from jupyimg.engines.serving import Serving
    from jupyimg.model.running import EngineRecord


def settings_from(environ: Mapping[str, str]) -> Settings:
    """Settings as the environment has them; `Settings` says which variable fills which field.

    Raises:
        BadPlatform: $DOCKER_DEFAULT_PLATFORM is no platform.
    """
    home = environ.get("JUPYIMG_HOME")
    registries_conf = environ.get("CONTAINERS_REGISTRIES_CONF")
    platform = environ.get("DOCKER_DEFAULT_PLATFORM")
    proxies = {
        scheme: environ.get(f"{scheme}_proxy") or environ.get(f"{scheme.upper()}_PROXY") or ""
        for scheme in ("http", "https", "all", "no")
    }
    return Settings(
        home=Path(home).expanduser() if home else user_data_path("jupyimg"),
        engine=environ.get("JUPYIMG_ENGINE") or "embedded",
        platform=Platform.parse(platform) if platform else None,
        insecure=frozenset(environ.get("JUPYIMG_INSECURE", "").replace(",", " ").split()),
        proxies={scheme: value for scheme, value in proxies.items() if value},
        hub_api=environ.get("JUPYIMG_HUB_API", ""),
        ca_file=environ.get("SSL_CERT_FILE", ""),
        daemon=_daemon_from(environ),
        docker_auth_config=environ.get("DOCKER_AUTH_CONFIG", ""),
        docker_config=Path(environ.get("DOCKER_CONFIG") or "~/.docker").expanduser() / "config.json",
        auth_files=_auth_files(environ),
        user_config=Path(environ.get("HOME") or "~", ".config").expanduser(),
        system_config=Path(environ.get("JUPYIMG_ETC") or "/etc"),
        registries_conf=Path(registries_conf).expanduser() if registries_conf else None,
    )


def _daemon_from(environ: Mapping[str, str]) -> DaemonSettings:
    user = getattr(os, "getuid", lambda: "")()
    return DaemonSettings(
        host=environ.get("DOCKER_HOST", ""),
        context=environ.get("DOCKER_CONTEXT", ""),
        config=Path(environ.get("DOCKER_CONFIG") or "~/.docker").expanduser(),
        tls_verify=bool(environ.get("DOCKER_TLS_VERIFY")),
        cert_path=environ.get("DOCKER_CERT_PATH", ""),
        api_version=environ.get("DOCKER_API_VERSION", ""),
        podman_host=environ.get("CONTAINER_HOST", ""),
        runtime_dir=environ.get("XDG_RUNTIME_DIR") or f"/run/user/{user}",
    )


def _auth_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where Podman and its relatives keep logins (containers-auth.json(5)); a file named by the user stands alone."""
    named = environ.get("REGISTRY_AUTH_FILE")
    if named:
        return (Path(named).expanduser(),)
    user = os.getuid() if hasattr(os, "getuid") else 0
    folders = (
        environ.get("XDG_RUNTIME_DIR") or f"/run/containers/{user}",
        environ.get("XDG_CONFIG_HOME") or "~/.config",
    )
    return tuple(Path(folder).expanduser() / "containers" / "auth.json" for folder in folders)


class Session:
    """What one kernel or one terminal command works with; the engine opens at first use.

    Attributes:
        settings: see `settings_from`; those of the current engine.
        given: the settings that the session began with.
        terminal: whether a line ends when its command ends, so that a server stays in the foreground.
        in_kernel: whether it is a front end that is asked when something is missing, and no terminal.
        serving: what this session serves.
    """

    def __init__(self, settings: Settings | None = None, *, terminal: bool = False, in_kernel: bool = False) -> None:
        self.given = self.settings = settings or settings_from(os.environ)
        self.terminal = terminal
        self.in_kernel = in_kernel
        self._engine: Engine | None = None
        self._serving: Serving | None = None

    @property
    def engine(self) -> Engine:
        """The engine that the settings name.

        Raises:
            Misuse: there is none of that name.
        """
        if self._engine is None:
            self._engine = open_engine(self.settings)
        return self._engine

    def switch(self, settings: Settings) -> EngineRecord:
        """Work with another engine from now on; the one before stays current where the other does not answer.

        Raises:
            Misuse, EngineError: it does not.
        """
        fresh = open_engine(settings)
        try:
            found = about(fresh)
        except BaseException:
            fresh.close()
            raise
        if self._engine is not None:
            self._engine.close()
        self.settings, self._engine = settings, fresh
        return dataclasses.replace(found, current=True)

    @property
    def serving(self) -> Serving:
        """See the class."""
        if self._serving is None:
            self._serving = open_serving(self.settings)
        return self._serving

    def variable(self, name: str) -> str:
        """A variable of the environment that the user named, such as one that holds a password.

        Raises:
            Misuse: it is not set, or empty.
        """
        value = os.environ.get(name, "")
        if not value:
            raise Misuse(f"the environment has no {name}", hint="set it before this process starts")
        return value

    @property
    def mirrors(self) -> Mirrors:
        """Which registries are read by way of which others."""
        return open_mirrors(self.settings)

    def close(self) -> None:
        """Give back what the engine holds, and stop serving."""
        if self._serving is not None:
            self._serving.stop()
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def connected(*, home: str | None = None, engine: str | None = None, host: str | None = None) -> Engine:
    """An engine as the environment says, unless told otherwise; see `jupyimg.connect`."""
    settings = settings_from(os.environ)
    if home is not None:
        settings = dataclasses.replace(settings, home=Path(home).expanduser())
    if engine is not None:
        settings = dataclasses.replace(settings, engine=engine)
    if host is not None:
        daemon = dataclasses.replace(settings.daemon, host=host, podman_host=host)
        settings = dataclasses.replace(settings, daemon=daemon)
    return open_engine(settings)
