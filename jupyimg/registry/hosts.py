"""What is known of a registry's host before a byte is sent: quirks as rows, http or https, and which proxy to take.

Pure functions over text. A quirk is a field of a row and a row a line of `ROWS`, so that no other file names a host.

- **http** is spoken to loopback and to what the user listed as insecure, to nobody else, and a failing certificate
  never leads to it.
- **Proxies** follow Go's rules, which Docker and its relatives share: loopback is never asked for by way of a proxy,
  and `NO_PROXY` lists host names (with their subdomains), ``.suffix`` (subdomains only), addresses, networks such as
  ``10.0.0.0/8``, each with an optional port, or ``*``.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

import httpx

from jupyimg.errors import Misuse, Unsupported
from jupyimg.model.reference import DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """How one registry differs from what the specification leads one to expect.

    Attributes:
        api: HOST[:PORT] to speak to; "" is the name itself.
        page_size: tags to ask for at a time; ECR refuses more than 1000.
        curated: path prefix that only the registry's own staff may push to, or "".
        hub: HOST of an API beside it that lists tags and searches (Docker Hub's), or "".
        index: HOST of its older search, or "".
        searches: the ways to search it, by their names in `searching.WAYS`, the best first.
        has_catalog: whether it may be asked for all its repositories.
        metered: whether a GET of a manifest counts against a quota.
        probe: an image whose HEAD says for free what is left of the quota, or "".
        login: what Docker keeps credentials for it under; "" is the name itself.
    """

    api: str = ""
    page_size: int = 1000
    curated: str = ""
    hub: str = ""
    index: str = ""
    searches: tuple[str, ...] = ("harbor", "quay", "catalog")
    has_catalog: bool = True
    metered: bool = False
    probe: str = ""
    login: str = ""


_HUB = Host(
    api="registry-1.docker.io",
    curated="library/",
    hub="hub.docker.com",
    index="index.docker.io",
    searches=("hub", "index"),
    has_catalog=False,
    metered=True,
    probe="docker.io/ratelimitpreview/test:latest",
    login="https://index.docker.io/v1/",
)
ROWS: dict[str, Host] = {
    DOCKER_HUB: _HUB,
    "index.docker.io": _HUB,
    "registry-1.docker.io": _HUB,
    "registry.hub.docker.com": _HUB,  # an old name of the same registry that no longer answers as one
    # what it gives at most, whatever is asked for; its catalog is that of the world
    "quay.io": Host(page_size=100, searches=("quay",)),
}


def host_of(name: str) -> Host:
    """The row of a reference's host; an ordinary one where nothing is known."""
    return ROWS.get(name.lower(), Host())


def names_of(name: str) -> tuple[str, ...]:
    """All names of a reference's host, the usual one first; they are one registry, and one login."""
    row = ROWS.get(name.lower())
    return tuple(other for other, found in ROWS.items() if found is row) if row else (name.lower(),)


def base_url(name: str, insecure: AbstractSet[str]) -> httpx.URL:
    """Where the API of a reference's host is: ``https://HOST[:PORT]/v2/``, or http where that is allowed."""
    api = host_of(name).api or name
    secure = httpx.URL(f"https://{api}/v2/")
    plain = httpx.URL(f"http://{api}/v2/")
    return plain if may_be_plain(plain, insecure) else secure


def may_be_plain(url: httpx.URL, insecure: AbstractSet[str]) -> bool:
    """Whether this host may be spoken to without TLS: loopback, or listed with its port or without any."""
    listed = {name.lower() for name in insecure}
    return is_loopback(url.host) or not listed.isdisjoint({url.host, f"{_bracketed(url.host)}:{port_of(url)}"})


def port_of(url: httpx.URL) -> int:
    """The port that is meant, given or implied."""
    return url.port or _PORTS.get(url.scheme, 0)


def origin(url: httpx.URL) -> tuple[str, str, int]:
    """What must be equal for two URLs to be one server: scheme, host and port."""
    return url.scheme, url.host, port_of(url)


def is_loopback(host: str) -> bool:
    """Whether a name means this machine."""
    address = _address(host)
    return host.rstrip(".").lower() == "localhost" if address is None else address.is_loopback


def is_guarded(host: str) -> bool:
    """Whether a server elsewhere has no business sending us there: this machine, or the link (cloud metadata)."""
    address = _address(host)
    return is_loopback(host) or (address is not None and (address.is_link_local or address.is_unspecified))


def proxy_for(url: httpx.URL, proxies: Mapping[str, str]) -> httpx.URL | None:
    """The proxy to ask for this URL, or None to go straight.

    Args:
        url: what is wanted.
        proxies: ``http``, ``https``, ``all`` and ``no`` as in the environment's variables.

    Raises:
        Misuse: the variable holds no URL.
        Unsupported: a proxy that speaks SOCKS or TLS.
    """
    text = proxies.get(url.scheme) or proxies.get("all") or ""
    if not text or is_loopback(url.host) or _is_exempt(url, proxies.get("no", "")):
        return None
    hint = f"write {url.scheme.upper()}_PROXY as http://HOST:PORT"
    try:
        proxy = httpx.URL(text if "://" in text else f"http://{text}")
    except httpx.InvalidURL:
        proxy = httpx.URL()
    if not proxy.host:
        raise Misuse("the proxy setting is not a URL", hint=hint)
    if proxy.scheme != "http":
        raise Unsupported(f"a proxy that speaks {proxy.scheme} is not supported", hint=hint)
    return proxy


def _is_exempt(url: httpx.URL, no_proxy: str) -> bool:
    return any(_covers(entry, url) for entry in no_proxy.replace(",", " ").split())


def _covers(entry: str, url: httpx.URL) -> bool:
    if entry == "*":
        return True
    name, port = _split_port(entry.lower())
    if port and port != str(port_of(url)):
        return False
    host, address = url.host.rstrip(".").lower(), _address(url.host)
    if address is not None:
        return _holds(name, address)
    suffix = name.removeprefix("*").rstrip(".")
    return host.endswith(suffix if suffix.startswith(".") else f".{suffix}") or host == suffix


def _split_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    name, colon, port = entry.rpartition(":")
    return (name, port) if colon and ":" not in name else (entry, "")


def _holds(network: str, address: IPv4Address | IPv6Address) -> bool:
    try:
        return address in ip_network(network, strict=False)
    except ValueError:
        return False


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
