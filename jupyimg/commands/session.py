"""Session: the current engine and settings, and the only place that reads the environment."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from jupyimg.engines import open_engine, open_serving
from jupyimg.engines.containers import about
from jupyimg.model.platform import Platform
from jupyimg.model.settings import DaemonSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyimg.engines import Engine
    from jupyimg.engines.serving import Serving
    from jupyimg.model.running import EngineRecord


def settings_from(environ: Mapping[str, str]) -> Settings:
    """Settings as the environment has them; `Settings` says which variable fills which field.

    Raises:
        BadPlatform: $DOCKER_DEFAULT_PLATFORM is no platform.
    """
    home = environ.get("JUPYIMG_HOME")
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


class Session:
    """What one kernel or one terminal command works with; the engine opens at first use.

    Attributes:
        settings: see `settings_from`; those of the current engine.
        given: the settings that the session began with.
        terminal: whether a line ends when its command ends, so that a server stays in the foreground.
        serving: what this session serves.
    """

    def __init__(self, settings: Settings | None = None, *, terminal: bool = False) -> None:
        self.given = self.settings = settings or settings_from(os.environ)
        self.terminal = terminal
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
