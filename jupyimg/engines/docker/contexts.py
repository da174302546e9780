"""Where a daemon may be: what was set, else the current Docker context, else the sockets that daemons use.

Pure but for reading the docker command's own files (config.json, contexts/meta, contexts/tls), as that command reads
them. The SDK's reader is not used: without a config.json it looks for contexts in the current folder, and it knows
only whole sets of TLS files.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyimg.errors import Misuse

if TYPE_CHECKING:
    from jupyimg.model.settings import DaemonSettings

DEFAULT = "default"
"""The context that is no file: $DOCKER_HOST, else the usual sockets."""
_PLAIN, _TLS = 2375, 2376
_SCHEMES = ("unix", "tcp", "ssh", "npipe")
_EXAMPLES = "such as unix:///var/run/docker.sock, tcp://server:2376 or ssh://me@server"


@dataclass(frozen=True, slots=True)
class Tls:
    """What is shown, and what is believed; files that are not there are "".

    Attributes:
        verify: whether the daemon must prove who it is, by ``ca`` or else by the system's authorities.
    """

    ca: str = ""
    cert: str = ""
    key: str = ""
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place where a daemon may be.

    Attributes:
        host: ``unix:///PATH``, ``tcp://HOST:PORT``, ``ssh://[USER@]HOST[:PORT][/PATH]`` or ``npipe:////./pipe/NAME``.
        why: who says so, for messages.
        tls: None speaks plainly.
        program: the command that is asked for the daemon at the other end of ssh.
    """

    host: str
    why: str
    tls: Tls | None = None
    program: str = "docker"

    @property
    def scheme(self) -> str:
        """One of unix, tcp, ssh, npipe."""
        return self.host.partition(":")[0]

    @property
    def path(self) -> str:
        """Of a unix socket, or at the other end of ssh; "" for its default."""
        return urlsplit(self.host).path


def endpoints(settings: DaemonSettings, program: str = "docker") -> tuple[Endpoint, ...]:
    """The places to try, in order; the first that answers counts.

    Args:
        settings: what was chosen.
        program: "docker" or "podman".

    Raises:
        Misuse: an address that is none, an unknown context, or a file of the docker command that cannot be read.
    """
    if program == "podman":
        if settings.podman_host:
            return (Endpoint(address(settings.podman_host), "as CONTAINER_HOST or --host says", None, program),)
        return tuple(Endpoint(f"unix://{path}", "Podman's usual socket", None, program) for path in _podmans(settings))
    if settings.host:
        tls = _chosen_tls(settings)
        return (Endpoint(address(settings.host, tls=tls is not None), "as DOCKER_HOST or --host says", tls),)
    name = settings.context or _current(settings.config)
    if name != DEFAULT:
        return (_from_context(settings.config, name),)
    return tuple(Endpoint(host, "a usual socket") for host in _dockers(settings))


def contexts(config: Path | None) -> list[str]:
    """The names of all contexts, the default one first; what cannot be read is left out."""
    found = []
    for path in (config / "contexts" / "meta").glob("*/meta.json") if config else ():
        try:
            name = _document(path).get("Name")
        except Misuse:
            continue
        if isinstance(name, str) and name:
            found.append(name)
    return [DEFAULT, *sorted(found)]


def address(text: str, *, tls: bool = False) -> str:
    """An address as `Endpoint.host` has it: with Docker's default port, and without what a daemon has no use for.

    Raises:
        Misuse: it is none. It is not repeated where it may hold a password.
    """
    text = text.strip()
    if text.startswith("/"):
        text = f"unix://{text}"
    try:
        url = urlsplit(text if "://" in text else f"tcp://{text}")
        host, port, secret = url.hostname or "", url.port, url.password
    except ValueError:
        raise _no_address(text) from None
    if secret is not None:
        raise Misuse("an address of a daemon holds no password", hint="use a key with ssh, or certificates with tcp")
    if url.scheme not in _SCHEMES:
        raise _no_address(text)
    if url.scheme in {"unix", "npipe"}:
        path = url.netloc + url.path if url.scheme == "npipe" or not url.netloc else f"/{url.netloc}{url.path}"
        if not path.strip("/"):
            raise _no_address(text)
        return f"{url.scheme}://{path}"
    if not host or host.startswith("-") or (url.username or "").startswith("-"):
        raise _no_address(text)
    user = f"{url.username}@" if url.username and url.scheme == "ssh" else ""
    port = port or ((_TLS if tls else _PLAIN) if url.scheme == "tcp" else None)
    shown = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{user}{shown}{f':{port}' if port else ''}{url.path.rstrip('/')}"


def _no_address(text: str) -> Misuse:
    shown = "what is given" if "@" in text and not text.startswith("ssh://") else text
    return Misuse(f"{shown} is not the address of a daemon", hint=_EXAMPLES)


def _dockers(settings: DaemonSettings) -> list[str]:
    if sys.platform == "win32":
        return ["npipe:////./pipe/docker_engine"]
    paths = ["/var/run/docker.sock"]
    if settings.runtime_dir:
        paths.append(f"{settings.runtime_dir}/docker.sock")
    if settings.config:
        paths.append(f"{settings.config}/run/docker.sock")
    return [f"unix://{path}" for path in paths]


def _podmans(settings: DaemonSettings) -> list[str]:
    own = [f"{settings.runtime_dir}/podman/podman.sock"] if settings.runtime_dir else []
    return [*own, "/run/podman/podman.sock"]


def _chosen_tls(settings: DaemonSettings) -> Tls | None:
    """TLS as the variables say: a folder of certificates asks for it, and only the other one for a proof."""
    if not (settings.tls_verify or settings.cert_path):
        return None
    folder = _folder(settings.cert_path) if settings.cert_path else settings.config
    return _tls_in(folder, verify=settings.tls_verify) if folder else Tls(verify=settings.tls_verify)


def _folder(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise Misuse(f"DOCKER_CERT_PATH={text}: nobody knows that home folder", hint="write the path in full") from None


def _tls_in(folder: Path, *, verify: bool) -> Tls:
    ca, cert, key = (
        str(path) if (path := folder / name).is_file() else "" for name in ("ca.pem", "cert.pem", "key.pem")
    )
    return Tls(ca, cert, key, verify)


def _current(config: Path | None) -> str:
    path = config / "config.json" if config else None
    if path is None or not path.is_file():
        return DEFAULT
    name = _document(path).get("currentContext")
    return name if isinstance(name, str) and name else DEFAULT


def _from_context(config: Path | None, name: str) -> Endpoint:
    folder = hashlib.sha256(name.encode(errors="replace")).hexdigest()  # no context has a name that is no text
    path = config / "contexts" / "meta" / folder / "meta.json" if config else None
    if config is None or path is None or not path.is_file():
        raise Misuse(f"there is no Docker context {name!r}", hint=f"there are: {', '.join(contexts(config))}")
    every = _document(path).get("Endpoints")
    found = every.get("docker") if isinstance(every, dict) else None
    host = found.get("Host") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(host, str) or not host:
        raise Misuse(f"the Docker context {name!r} does not say where its daemon is", hint="docker context inspect")
    skips = found.get("SkipTLSVerify") is True
    tls = _tls_in(config / "contexts" / "tls" / folder / "docker", verify=not skips)
    used = tls if skips or tls.ca or tls.cert else None
    return Endpoint(address(host, tls=used is not None), f"as the context {name!r} says", used)


def _document(path: Path) -> dict[str, Any]:
    """A file of the docker command; its bytes are the user's own, but still may be damaged.

    Raises:
        Misuse: it cannot be read.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Misuse(f"{path} cannot be read as JSON", hint="mend it, or say where the daemon is with --host")
    return found
