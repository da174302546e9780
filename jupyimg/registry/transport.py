"""The transport: one httpx request over one connection, and the answer's body as it comes.

Bodies are never decoded, since a digest is of the bytes that were stored, and only as many bytes are read of an answer
as somebody wants: an error page or a token has a limit, a blob has none. What is read at a time follows the speed of
the line, up to `CHUNK`: on a fast one large pieces cost least, on a slow one small ones show that something moves and
lose little when it breaks.

Requests carry the `Call` they belong to (``extensions["call"]``), their `Patience` where it is not the usual one
(``"patience"``), the `Pace` that an answer must keep, if any (``"pace"``), and the one origin that need not prove who
it is (``"unproven"``), which a redirect does not widen. The standard library's errors leave as httpx's.
"""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import httpx

from jupyimg.model.content import CHUNK
from jupyimg.registry.hosts import origin, proxy_for
from jupyimg.registry.pace import answering
from jupyimg.registry.tls import Authorities
from jupyimg.registry.wire import Dialler, Patience, Pool, ProxyFailed, lend, route_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyimg.model.settings import Settings
    from jupyimg.registry.call import Call
    from jupyimg.registry.pace import Pace
    from jupyimg.registry.wire import Wire

SMALLEST = 1 << 16
"""Bytes read at a time on the slowest line."""
PATIENCE = 0.1
"""Seconds that one read should take at most; more, and less is asked for next time."""
ERROR_LIMIT = 1 << 16
"""Bytes read of an answer that is no success: enough for any message, and an end to an endless one."""
_PROXY_LOGIN = 407
_NOT_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}


class UnknownHost(httpx.ConnectError):
    """No address for the name."""


class Refused(httpx.ConnectError):
    """An address, but nobody listens there."""


class Untrusted(httpx.ConnectError):
    """A certificate that does not prove what it should."""


class NotTLS(httpx.ConnectError):
    """Something answered https with something else, most likely plain http."""


class Transport(httpx.BaseTransport):
    """All connections of one engine; may be used from several threads at once."""

    def __init__(self, settings: Settings) -> None:
        self._proxies = settings.proxies
        self._pool = Pool()
        self._patience = Patience(settings.connect_timeout, settings.read_timeout)
        self.authorities = Authorities(settings.ca_file, settings.certificates)
        self._dialler = Dialler(self.authorities)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read the head of its answer.

        Raises:
            httpx.TransportError: there was no answer, or none that is HTTP.
            Interrupted: the call was cut off.
        """
        call: Call = request.extensions["call"]
        proxy = proxy_for(request.url, self._proxies)
        verify = request.extensions.get("unproven") != origin(request.url)
        route = route_to(request.url, proxy, _login(proxy), verify=verify)
        patience = request.extensions.get("patience") or self._patience
        waiting = self._pool.take(route)
        if waiting is not None:
            # A server may hang up on a waiting connection just when it is used again; a new one puts that right. What
            # is streamed is not sent twice on that suspicion: who streams knows better how to go on.
            broken = () if _is_streamed(request) else (httpx.ReadError, httpx.RemoteProtocolError)
            with suppress(*broken):
                return self._talk(waiting, request, call, patience)
        with _converted(call, connecting=True):
            fresh = self._dialler.dial(route, call, patience)
        return self._talk(fresh, request, call, patience)

    def close(self) -> None:
        """Hang up on the connections that wait; those in use end with their answers."""
        self._pool.close()

    def _talk(self, wire: Wire, request: httpx.Request, call: Call, patience: Patience) -> httpx.Response:
        pace: Pace | None = request.extensions.get("pace")
        wire.http.response_class = answering(pace)  # type: ignore[assignment]
        try:
            lend(wire, call, patience)
            with _converted(call, pace):
                answer = _exchange(wire, request)
        except BaseException:
            call.let_go(wire.socket)
            wire.close()
            raise
        limit = request.extensions.get("limit") if answer.status // 100 == 2 else ERROR_LIMIT  # noqa: PLR2004
        body = _Body(answer, wire, self._pool, call, limit, pace)
        return httpx.Response(answer.status, headers=_headers(answer), stream=body, request=request)


class _Body(httpx.SyncByteStream):
    """The body of an answer; when it ends, its connection goes back to the pool."""

    def __init__(
        self,
        answer: http.client.HTTPResponse,
        wire: Wire,
        pool: Pool,
        call: Call,
        limit: int | None,
        pace: Pace | None,
    ) -> None:
        self._answer = answer
        self._wire: Wire | None = wire
        self._pool = pool
        self._call = call
        self._limit = limit
        self._pace = pace

    def __iter__(self) -> Iterator[bytes]:
        size, left = SMALLEST, self._limit
        while left is None or left > 0:
            began = time.monotonic()
            with _converted(self._call, self._pace):
                chunk = self._answer.read(size if left is None else min(size, left))
            if not chunk:
                break
            size = min(size * 2, CHUNK) if time.monotonic() - began < PATIENCE else max(size // 2, SMALLEST)
            left = None if left is None else left - len(chunk)
            yield chunk
        self._call.check()  # a socket that was shut down ends like one that has no more to say
        if self._pace is not None and self._answer.length != 0 and left != 0:
            self._pace.check()  # so does one that was left for being slow
        if self._answer.length and left != 0:
            raise httpx.ReadError(f"the answer ended {self._answer.length} bytes early")

    def close(self) -> None:
        wire, self._wire = self._wire, None
        if wire is None:
            return
        self._call.let_go(wire.socket)
        whole = self._answer.isclosed() and not self._answer.length
        self._answer.close()
        if whole and not self._answer.will_close:
            self._pool.give(wire)
        else:
            wire.close()


def _exchange(wire: Wire, request: httpx.Request) -> http.client.HTTPResponse:
    """Write a request, then read the status and headers of its answer."""
    target = request.url.raw_path.decode("ascii")
    if wire.route.by_proxy:
        target = f"http://{request.url.netloc.decode('ascii')}{target}"
    wire.http.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
    wire.http.putheader("Host", request.url.netloc)
    for name, value in request.headers.raw:
        if name.lower() != b"host":
            wire.http.putheader(name, value)
    if wire.route.by_proxy and wire.route.proxy_login:
        wire.http.putheader("Proxy-Authorization", wire.route.proxy_login)
    has_body = int(request.headers.get("content-length", "0")) > 0
    try:
        wire.http.endheaders(iter(request.stream) if has_body else None)  # type: ignore[arg-type]
    except (BrokenPipeError, ConnectionResetError) as broken:
        # Who refuses an upload may answer and hang up before it has read it all; the answer says why.
        with suppress(OSError, http.client.HTTPException):
            return wire.http.getresponse()
        raise broken from None
    answer = wire.http.getresponse()
    if answer.status == _PROXY_LOGIN:
        raise ProxyFailed(f"it answered {_PROXY_LOGIN}")
    return answer


def _is_streamed(request: httpx.Request) -> bool:
    return not isinstance(request.stream, httpx.ByteStream)


def _headers(answer: http.client.HTTPResponse) -> list[tuple[bytes, bytes]]:
    """As bytes, since servers send more than ASCII; folded lines are unfolded."""
    items = ((name, " ".join(value.splitlines())) for name, value in answer.headers.items())
    return [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in items]


@contextmanager
def _converted(call: Call, pace: Pace | None = None, *, connecting: bool = False) -> Iterator[None]:
    """The standard library's errors as httpx's; once a call was cut off, or left as slow, whatever happens is that."""
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        call.check()
        if pace is not None:
            pace.check()
        raise _as_httpx(error, connecting=connecting) from error


def _as_httpx(error: OSError | http.client.HTTPException, *, connecting: bool) -> httpx.TransportError:
    match error:
        case ProxyFailed():
            return httpx.ProxyError(str(error))
        case socket.gaierror():
            return UnknownHost(str(error))
        case ConnectionRefusedError():
            return Refused(str(error))
        case ssl.SSLCertVerificationError():
            return Untrusted(error.verify_message)
        case ssl.SSLError() if connecting and error.reason in _NOT_TLS:
            return NotTLS(str(error))
        case TimeoutError():
            return httpx.ConnectTimeout(str(error)) if connecting else httpx.ReadTimeout(str(error))
        case http.client.IncompleteRead():
            return httpx.ReadError(str(error))
        case OSError():
            return httpx.ConnectError(str(error)) if connecting else httpx.ReadError(str(error))
        case _:
            return httpx.RemoteProtocolError(f"{type(error).__name__}: {error}")


def _login(proxy: httpx.URL | None) -> str:
    """The user and password that a proxy's URL holds, as a header's value."""
    if proxy is None or not proxy.username:
        return ""
    return "Basic " + base64.b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
