"""The connection to a daemon: find it, agree on a version of the API, and say clearly what went wrong.

The client is the SDK's low-level one. What it takes from the environment by itself (proxies, netrc, authorities) is
switched off: a Unix socket or an ssh command has no proxy, and for tcp the settings say which.
"""

from __future__ import annotations

import ipaddress
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import docker
import msgspec
import requests
import urllib3
from docker.errors import DockerException
from docker.tls import TLSConfig
from requests.utils import should_bypass_proxies

from jupyimg.engines.docker.contexts import endpoints
from jupyimg.engines.docker.failures import failure
from jupyimg.engines.docker.tunnel import Tunnel
from jupyimg.errors import BadManifest, DaemonDenied, EngineError, ImageError, Misuse
from jupyimg.model.codec import decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyimg.engines.docker.contexts import Endpoint, Tls
    from jupyimg.model.settings import Settings

OLDEST, NEWEST = "1.24", "1.51"
"""Versions of the Engine API that are understood; fields that came or went between them are looked for, not assumed."""
_ANSWER = 1 << 20
"""Bytes read of what should say a version: whoever sends more is no daemon."""


@dataclass(frozen=True, slots=True)
class Server:
    """What a daemon says of itself.

    Attributes:
        name: such as "Docker Engine" or "Podman Engine".
        version: of the daemon.
        api: the version of the API that is spoken.
    """

    name: str
    version: str
    api: str


class Client(docker.APIClient):
    """The SDK's client of one daemon.

    Plain calls may be silent for `Settings.read_timeout`; for a long stream pass ``timeout=client.patient``.

    Attributes:
        endpoint: where the daemon is.
        server: what it says of itself.
        patient: time-outs for requests that may be silent for ever once they are connected.
    """

    def __init__(self, endpoint: Endpoint, settings: Settings) -> None:
        tls = _tls(endpoint.tls) if endpoint.tls else False
        # A version that is given keeps the SDK from asking for one before we are ready.
        limits = (settings.connect_timeout, settings.read_timeout)
        super().__init__(_base_url(endpoint), version=OLDEST, timeout=ceil(settings.connect_timeout), tls=tls)
        self.endpoint = endpoint
        self.server = Server("", "", OLDEST)
        self.trust_env = False
        self.max_redirects = 0
        self.timeout = cast("int", limits)  # requests takes both apart; the SDK only hands them on
        self.patient = (settings.connect_timeout, None)
        self.tunnel = Tunnel(endpoint) if endpoint.scheme == "ssh" else None
        if self.tunnel:
            self.mount("http+docker://", self.tunnel)
        if endpoint.scheme == "tcp":
            self.proxies.update(_proxies(self.base_url, settings.proxies))

    def agree(self, wanted: str) -> None:
        """Ask the daemon who it is, and choose the version of the API to speak.

        Args:
            wanted: speak exactly this one; "" is the newest that both know.

        Raises:
            EngineError: it is too old or too new, or it is no daemon.
        """
        with speaking(self):
            found = _version_of(self)
        api = agreed(found.ApiVersion, found.MinAPIVersion, wanted, self.endpoint.host)
        self._version = api
        parts = [part.Name for part in found.Components if part.Name.endswith("Engine") or part.Name == "Engine"]
        name = parts[0] if parts and parts[0] != "Engine" else "Docker Engine"
        self.server = Server(name=name, version=found.Version, api=api)


def connect(settings: Settings) -> Client:
    """A client of the daemon that the settings lead to, which has just answered.

    Raises:
        NoDaemon: nobody answers there.
        DaemonDenied: this user may not talk to it.
        EngineError: what answers is no daemon, or one too old or too new.
        Misuse: an address that is none, or an unknown context.
    """
    program = "podman" if settings.engine == "podman" else "docker"
    failures: list[ImageError] = []
    for endpoint in endpoints(settings.daemon, program):
        try:
            return _connected(endpoint, settings)
        except EngineError as error:
            failures.append(error)
    denied = (error for error in failures if isinstance(error, DaemonDenied))
    raise next(denied, failures[0])


def _connected(endpoint: Endpoint, settings: Settings) -> Client:
    try:
        client = Client(endpoint, settings)
    except (DockerException, requests.RequestException, OSError) as error:
        raise failure(error, endpoint) from None
    try:
        client.agree(settings.daemon.api_version)
    except BaseException:
        client.close()
        raise
    return client


@contextmanager
def speaking(client: Client) -> Iterator[None]:
    """While it lasts, what goes wrong between us and the daemon is raised as one of our errors.

    Raises:
        EngineError, NotFound, Conflict: see `failures.failure`.
    """
    try:
        yield
    except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise failure(error, client.endpoint, client.tunnel.said() if client.tunnel else "") from None


# ---- agreeing on a version


class _Component(msgspec.Struct):
    Name: str = ""


class _Version(msgspec.Struct):
    """What ``GET /version`` answers, as far as it matters here."""

    ApiVersion: str
    MinAPIVersion: str = ""
    Version: str = ""
    Components: list[_Component] = []


def _version_of(client: Client) -> _Version:
    with client.get(f"{client.base_url}/version", stream=True, timeout=client.timeout) as answer:
        if answer.status_code in {401, 403}:
            hint = "it, or a proxy on the way, wants to know who you are: look at DOCKER_CERT_PATH and the proxies"
            raise DaemonDenied(f"{client.endpoint.host} refuses us ({answer.status_code})", hint=hint)
        raw = answer.raw.read(_ANSWER, decode_content=True)
        said = raw[:200].decode(errors="replace").strip()
    try:
        return decode(raw, _Version)  # a refusal has no ApiVersion
    except BadManifest:
        hint = "check the address"
        if "HTTPS" in said or client.endpoint.scheme == "tcp":
            hint = "check host and port; a daemon that speaks TLS needs DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH"
        raise EngineError(f"what answers at {client.endpoint.host} is no Docker or Podman daemon", hint=hint) from None


def agreed(newest: str, oldest: str, wanted: str, where: str) -> str:
    """The version to speak with a daemon that knows ``oldest`` to ``newest``.

    Raises:
        Misuse: what was wanted is no version.
        EngineError: there is none that both know.
    """
    try:
        highest, lowest = _numbers(newest), _numbers(oldest or OLDEST)
    except ValueError:
        raise EngineError(f"the daemon at {where} does not say which API it speaks", hint="check the address") from None
    if wanted:
        try:
            asked = _numbers(wanted)
        except ValueError:
            raise Misuse(f"DOCKER_API_VERSION={wanted} is not a version", hint=f"such as {newest}") from None
        if not lowest <= asked <= highest:
            raise EngineError(
                f"the daemon at {where} speaks API {oldest or OLDEST} to {newest}, not {wanted}",
                hint="unset DOCKER_API_VERSION to agree on one",
            )
        return wanted.removeprefix("v")
    if highest < _numbers(OLDEST):
        raise EngineError(
            f"the daemon at {where} speaks API {newest} at most, which is too old: {OLDEST} is the least",
            hint="update it, or work without a daemon: %image engine embedded",
        )
    if lowest > _numbers(NEWEST):
        raise EngineError(
            f"the daemon at {where} speaks API {oldest} at least, which is too new: {NEWEST} is the most",
            hint="update jupyimg, or work without a daemon: %image engine embedded",
        )
    return min(NEWEST, newest, key=_numbers)


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.removeprefix("v").partition(".")
    return int(major), int(minor)


# ---- the way there


def _base_url(endpoint: Endpoint) -> str:
    if endpoint.scheme == "ssh":
        return "unix:///ssh"  # a name only: the tunnel is mounted over it
    return endpoint.host


def _tls(given: Tls) -> TLSConfig:
    return TLSConfig(
        client_cert=(given.cert, given.key) if given.cert and given.key else None,
        ca_cert=given.ca or None,
        verify=given.verify,
    )


def _proxies(url: str, proxies: dict[str, str]) -> dict[str, str]:
    """The proxy for a daemon behind tcp, by Go's rules: loopback has none, NO_PROXY exempts."""
    scheme, _, rest = url.partition("://")
    proxy = proxies.get(scheme) or proxies.get("all")
    host = urlsplit(url).hostname or ""
    if not proxy or _is_loopback(host) or should_bypass_proxies(f"{scheme}://{rest}", proxies.get("no") or "-"):
        return {}
    return {scheme: proxy}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"
