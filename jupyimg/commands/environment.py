"""Environment: settings as variables have them, and where Docker, Podman and their relatives keep theirs.

Everything is read off a mapping that the session hands in.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from jupyimg.commands.paths import written
from jupyimg.model.platform import Platform
from jupyimg.model.settings import DaemonSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def settings_from(environ: Mapping[str, str]) -> Settings:
    """Settings as the environment has them; `Settings` says which variable fills which field.

    Raises:
        BadPlatform: $DOCKER_DEFAULT_PLATFORM is no platform.
        Misuse: a path begins with the home folder of nobody.
    """
    home = environ.get("JUPYIMG_HOME")
    platform = environ.get("DOCKER_DEFAULT_PLATFORM")
    own, system = _home(environ), Path(environ.get("JUPYIMG_ETC") or "/etc")
    containers = [own / ".config" / "containers", system / "containers"]
    return Settings(
        home=written(home) if home else user_data_path("jupyimg"),
        lang=_lang(environ),
        engine=environ.get("JUPYIMG_ENGINE") or "embedded",
        platform=Platform.parse(platform) if platform else None,
        insecure=frozenset(environ.get("JUPYIMG_INSECURE", "").replace(",", " ").split()),
        proxies=_proxies(environ),
        hub_api=environ.get("JUPYIMG_HUB_API", ""),
        ca_file=environ.get("SSL_CERT_FILE", ""),
        daemon=_daemon(environ, own),
        docker_auth_config=environ.get("DOCKER_AUTH_CONFIG", ""),
        docker_config=_path(environ, "DOCKER_CONFIG", own / ".docker") / "config.json",
        auth_files=_auth_files(environ, own),
        user_config=own / ".config",
        system_config=system,
        registries_conf=_named(environ, "CONTAINERS_REGISTRIES_CONF"),
        policy=_named(environ, "JUPYIMG_POLICY") or _first(folder / "policy.json" for folder in containers),
        registries_d=_first(folder / "registries.d" for folder in containers),
        lookaside=_first([own / ".local/share/containers/sigstore", Path("/var/lib/containers/sigstore")]),
        content_trust=_is_on(environ.get("DOCKER_CONTENT_TRUST", "")),
    )


def _daemon(environ: Mapping[str, str], own: Path) -> DaemonSettings:
    user = getattr(os, "getuid", lambda: "")()
    return DaemonSettings(
        host=environ.get("DOCKER_HOST", ""),
        context=environ.get("DOCKER_CONTEXT", ""),
        config=_path(environ, "DOCKER_CONFIG", own / ".docker"),
        tls_verify=bool(environ.get("DOCKER_TLS_VERIFY")),
        cert_path=environ.get("DOCKER_CERT_PATH", ""),
        api_version=environ.get("DOCKER_API_VERSION", ""),
        podman_host=environ.get("CONTAINER_HOST", ""),
        runtime_dir=environ.get("XDG_RUNTIME_DIR") or f"/run/user/{user}",
    )


def _lang(environ: Mapping[str, str]) -> str:
    """The language of messages: the first of these that is set decides, as in POSIX (XBD 8.2)."""
    said = next(filter(None, map(environ.get, ("JUPYIMG_LANG", "LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "zh" if said.lower().startswith("zh") else "en"


def _proxies(environ: Mapping[str, str]) -> dict[str, str]:
    found = {
        scheme: environ.get(f"{scheme}_proxy") or environ.get(f"{scheme.upper()}_PROXY") or ""
        for scheme in ("http", "https", "all", "no")
    }
    return {scheme: value for scheme, value in found.items() if value}


def _auth_files(environ: Mapping[str, str], own: Path) -> tuple[Path, ...]:
    """Where Podman and its relatives keep logins (containers-auth.json(5)); a file named by the user stands alone."""
    named = _named(environ, "REGISTRY_AUTH_FILE")
    if named:
        return (named,)
    user = os.getuid() if hasattr(os, "getuid") else 0
    running = _path(environ, "XDG_RUNTIME_DIR", Path(f"/run/containers/{user}"))
    return tuple(
        folder / "containers" / "auth.json" for folder in (running, _path(environ, "XDG_CONFIG_HOME", own / ".config"))
    )


def _home(environ: Mapping[str, str]) -> Path:
    """The user's own folder; a container may run under a number that has none."""
    if environ.get("HOME"):
        return Path(environ["HOME"])
    try:
        return Path.home()
    except RuntimeError:
        return Path("/nonexistent")


def _named(environ: Mapping[str, str], variable: str) -> Path | None:
    text = environ.get(variable)
    return written(text) if text else None


def _path(environ: Mapping[str, str], variable: str, otherwise: Path) -> Path:
    return _named(environ, variable) or otherwise


def _first(paths: Iterable[Path]) -> Path | None:
    """The first of these that can be seen: the user's own file wins over the system's."""
    for path in paths:
        with suppress(OSError):  # in somebody else's home
            if path.exists():
                return path
    return None


def _is_on(text: str) -> bool:
    """A switch as Docker reads this one: on, unless it is empty or plainly off."""
    return text not in {"", "0", "f", "F", "false", "False", "FALSE"}
