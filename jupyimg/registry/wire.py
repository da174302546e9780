"""Connections: how a socket comes about (straight or by a proxy, with or without TLS), and those kept for later.

The standard library's HTTP connection does the talking, over a socket that is made here and nowhere else. A pool of
another library would hide the socket until an answer has begun, which is when a stalled server can no longer be cut
off; it would also write every URL, signed queries included, to the log.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyimg.registry.hosts import port_of

if TYPE_CHECKING:
    import httpx

    from jupyimg.registry.call import Call
    from jupyimg.registry.tls import Authorities

IDLE = 30.0
"""Seconds after which an unused connection is not trusted any more: a silent firewall may have forgotten it."""
_LINE_LIMIT, _HEADER_LIMIT = 8192, 100
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


class ProxyFailed(OSError):
    """A proxy could not be reached, or would not open a tunnel."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a connection leads.

    Attributes:
        proxy: the proxy's HOST and port, or None for a straight way.
        proxy_login: the value of ``Proxy-Authorization``, or "".
        verify: whether the other side must prove who it is; a connection without proof serves nobody who wants one.
    """

    scheme: str
    host: str
    port: int
    proxy: tuple[str, int] | None = None
    proxy_login: str = field(default="", repr=False)
    verify: bool = True

    @property
    def by_proxy(self) -> bool:
        """Whether requests are handed to a proxy to be sent on, so that it needs the whole URL."""
        return self.proxy is not None and self.scheme == "http"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait.

    Attributes:
        connect: seconds for each step until a connection stands.
        read: seconds that a standing connection may be silent.
    """

    connect: float
    read: float


@dataclass(slots=True)
class Wire:
    """One connection, used by one request at a time."""

    route: Route
    socket: socket.socket
    http: http.client.HTTPConnection
    idle_since: float = 0.0

    def close(self) -> None:
        """Hang up."""
        self.http.close()
        self.socket.close()

    @property
    def is_usable(self) -> bool:
        """Whether it may carry another request: young, and the other side has neither spoken nor hung up."""
        if time.monotonic() - self.idle_since > IDLE:
            return False
        try:
            self.socket.setblocking(False)  # noqa: FBT003 - the standard library's signature
            self.socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False


class Pool:
    """Connections that wait for their next request, by where they lead."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Route, list[Wire]] = {}

    def take(self, route: Route) -> Wire | None:
        """A connection that is still good, the most recently used first, or None."""
        while True:
            with self._lock:
                waiting = self._idle.get(route)
                wire = waiting.pop() if waiting else None
            if wire is None or wire.is_usable:
                return wire
            wire.close()

    def give(self, wire: Wire) -> None:
        """Keep a connection whose answer was read to its end."""
        wire.idle_since = time.monotonic()
        with self._lock:
            self._idle.setdefault(wire.route, []).append(wire)

    def close(self) -> None:
        """Hang up on all that wait."""
        with self._lock:
            waiting = [wire for wires in self._idle.values() for wire in wires]
            self._idle.clear()
        for wire in waiting:
            wire.close()


class Dialler:
    """Makes connections.

    Args:
        authorities: what TLS trusts.
    """

    def __init__(self, authorities: Authorities) -> None:
        self._authorities = authorities

    def dial(self, route: Route, call: Call, patience: Patience) -> Wire:
        """A new connection; its socket is the call's from the first moment.

        Raises:
            OSError: it could not be made (`socket.gaierror`, `ssl.SSLError`, `ProxyFailed` and others among them).
            Interrupted: the call was cut off.
        """
        try:
            sock = _reach(*(route.proxy or (route.host, route.port)), call, patience)
        except OSError as error:
            raise (ProxyFailed(str(error)) if route.proxy else error) from None
        try:
            if route.scheme == "https":
                if route.proxy is not None:
                    _tunnel(sock, route)
                sock = self._secure(sock, route, call)
            connection = http.client.HTTPConnection(route.host, route.port)
            connection.auto_open = 0  # a socket comes from here or not at all
            connection.sock = sock
        except BaseException:
            call.let_go(sock)
            sock.close()
            raise
        return Wire(route, sock, connection)

    def _secure(self, sock: socket.socket, route: Route, call: Call) -> ssl.SSLSocket:
        """TLS over a socket; the certificate is verified unless the route says that it need not be."""
        call.let_go(sock)
        context = self._authorities.context(route.host, route.port, verify=route.verify)
        try:
            secure = context.wrap_socket(sock, server_hostname=route.host, do_handshake_on_connect=False)
        except ValueError:  # a name that no certificate can have
            raise socket.gaierror(socket.EAI_NONAME, "not a host") from None
        try:
            call.watch(secure)
            secure.do_handshake()
        except BaseException:
            call.let_go(secure)
            secure.close()
            raise
        return secure


def lend(wire: Wire, call: Call, patience: Patience) -> None:
    """Let a call use a connection, which may have been waiting.

    Raises:
        Interrupted: the call was cut off.
    """
    call.watch(wire.socket)
    wire.socket.settimeout(patience.read)


def route_to(url: httpx.URL, proxy: httpx.URL | None, login: str = "", *, verify: bool = True) -> Route:
    """Where a connection for this URL leads."""
    host = url.raw_host.decode("ascii")
    if proxy is None:
        return Route(url.scheme, host, port_of(url), verify=verify)
    way = (proxy.raw_host.decode("ascii"), port_of(proxy))
    return Route(url.scheme, host, port_of(url), way, login, verify)


def _reach(host: str, port: int, call: Call, patience: Patience) -> socket.socket:
    """A TCP connection to the first address that answers."""
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
    for family, kind, protocol, _, address in _addresses(host, port):
        sock = socket.socket(family, kind, protocol)
        try:
            call.watch(sock)
            sock.settimeout(patience.connect)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
        except BaseException as error:
            call.let_go(sock)
            sock.close()
            call.check()
            if not isinstance(error, OSError):
                raise
            failure = error
        else:
            return sock
    raise failure


def _addresses(host: str, port: int) -> list[Any]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (UnicodeError, OverflowError):  # a label of more than 63 letters, a port of more than 16 bits
        raise socket.gaierror(socket.EAI_NONAME, "not a host") from None


def _tunnel(sock: socket.socket, route: Route) -> None:
    """Ask a proxy to connect us through (RFC 9110, 9.3.6)."""
    target = f"[{route.host}]:{route.port}" if ":" in route.host else f"{route.host}:{route.port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    lines += [f"Proxy-Authorization: {route.proxy_login}"] if route.proxy_login else []
    sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    with sock.makefile("rb", buffering=0) as answer:  # unbuffered: what follows the headers is TLS and not ours
        status = _STATUS.match(answer.readline(_LINE_LIMIT))
        headers = 0
        while answer.readline(_LINE_LIMIT).strip() and headers < _HEADER_LIMIT:
            headers += 1
    code = int(status[1]) if status else 0
    if not 200 <= code < 300:  # noqa: PLR2004 - any success opens the tunnel
        raise ProxyFailed(f"it answered {code}" if code else "it does not speak HTTP")
