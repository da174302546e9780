"""One request and its answer: authorization, redirects, and what a host has taught us.

httpx lends its values (URL, Request, Response, the Auth generator) but not its Client, which would log every URL with
its signed query, keep cookies, read error pages of any length, and turn a redirected PUT into a GET.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from jupyimg.errors import ProtocolError
from jupyimg.registry.auth import Tokens
from jupyimg.registry.hosts import base_url, is_guarded, is_loopback, may_be_plain, origin, port_of
from jupyimg.registry.quotas import read_quota
from jupyimg.registry.transport import NotTLS, Refused, Transport

if TYPE_CHECKING:
    from jupyimg.model.records import Quota
    from jupyimg.model.settings import Settings
    from jupyimg.registry.call import Call
    from jupyimg.registry.wire import Patience

REDIRECTS = 5
"""How many redirects are followed in a row; real registries need one."""
_KEEP_METHOD, _ANY_REDIRECT = {307, 308}, {301, 302, 303, 307, 308}
_SAFE = {"GET", "HEAD"}
_NO_TLS = (NotTLS, Refused, httpx.ReadError, httpx.RemoteProtocolError)
"""How a server that speaks plain http takes a greeting in TLS, or the missing one of the two ports."""


@dataclass(slots=True)
class Learned:
    """What one host has taught us since we began.

    Attributes:
        pause_until: when it may be asked again, after it said that we ask too often.
        tells_heads: whether HEAD of a manifest says all that a descriptor needs.
        takes_whole: whether a blob may be sent in one piece.
        requests: how many were answered.
        manifests: how many of them were a GET of a manifest, which is what a quota counts.
        quota: what is left of it, as the host last said; None where it says nothing.
        search: which search of its own it has ("" until that was tried), see `searching.WAYS`.
    """

    pause_until: float = 0.0
    tells_heads: bool = True
    takes_whole: bool = True
    requests: int = 0
    manifests: int = 0
    quota: Quota | None = None
    search: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def note(self, request: httpx.Request, response: httpx.Response) -> None:
        """Count a request that was answered, and keep what the host itself says of a quota."""
        quota = read_quota(response.headers) if response.request is request else None  # not one that it sent us to
        with self._lock:
            self.requests += 1
            self.manifests += request.method == "GET" and b"/manifests/" in request.url.raw_path
            self.quota = quota or self.quota

    def pause(self, seconds: float) -> None:
        """Let nobody ask this host for so long."""
        with self._lock:
            self.pause_until = max(self.pause_until, time.monotonic() + seconds)

    @property
    def left(self) -> float:
        """Seconds until it may be asked again; 0 where it may be now."""
        return max(0.0, self.pause_until - time.monotonic())


class Client:
    """What all repositories of one engine share: connections, tokens, and what hosts have taught us.

    Attributes:
        down: mirrors that gave no answer, by HOST[:PORT], and until when they are passed by.
        listing: held while a list of referrers is changed.
        slow: those that sent too slowly, likewise; they are asked again before all is lost.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.tokens = Tokens()
        self.transport = Transport(settings)
        self.down: dict[str, float] = {}
        self.slow: dict[str, float] = {}
        self.listing = threading.Lock()
        self._learned: dict[tuple[str, str, int], Learned] = {}
        self._found: dict[str, httpx.URL] = {}

    def learned(self, base: httpx.URL) -> Learned:
        """What is known of this host; one for all who ask it."""
        return self._learned.setdefault(origin(base), Learned())

    def known(self) -> list[tuple[tuple[str, str, int], Learned]]:
        """All hosts that have answered, by their origins."""
        return [(place, learned) for place, learned in list(self._learned.items()) if learned.requests]

    def base(self, host: str, call: Call, *, insecure: bool = False, patience: Patience | None = None) -> httpx.URL:
        """Where the API of a reference's host is.

        Loopback speaks http, unless there are certificates of the user's for it. What the user's files call insecure
        is asked in TLS, whose certificate proves nothing, and only where that is no language of its, in http.

        Raises:
            httpx.RequestError: neither was answered.
            Interrupted: the call was cut off.
        """
        base = base_url(host, self.settings.insecure)
        if base.scheme == "http" and not is_loopback(base.host):
            return base
        secure, plain = base.copy_with(scheme="https"), base.copy_with(scheme="http")
        if insecure:
            if host not in self._found:
                self._found[host] = self._either(secure, plain, call, patience)
            return self._found[host]
        return secure if self.transport.authorities.folder(secure.host, port_of(secure)) else base

    def _either(self, secure: httpx.URL, plain: httpx.URL, call: Call, patience: Patience | None) -> httpx.URL:
        extensions = {"call": call, "limit": 0, "patience": patience, "unproven": origin(secure)}
        try:
            self.transport.handle_request(httpx.Request("GET", secure, extensions=extensions)).close()
        except _NO_TLS as failure:
            failure.request = httpx.Request("GET", secure)
            try:
                self.transport.handle_request(httpx.Request("GET", plain, extensions=extensions)).close()
            except httpx.RequestError:
                raise failure from None
            return plain
        except httpx.RequestError as failure:
            failure.request = httpx.Request("GET", secure)
            raise
        return secure

    def may_be_plain(self, url: httpx.URL) -> bool:
        """Whether this URL may be spoken to over http."""
        return may_be_plain(url, self.settings.insecure) or origin(url) in {*map(origin, self._found.values())}

    def check(self, here: httpx.URL, there: httpx.URL) -> None:
        """Go where a server sends us, unless that is this machine or a step down from https.

        Raises:
            ProtocolError: it is.
        """
        inward = is_guarded(there.host) and not is_loopback(here.host)
        unlisted = there.scheme == "http" and here.scheme == "http" and not self.may_be_plain(there)
        downgrade = there.scheme == "http" and here.scheme == "https"
        if there.scheme not in {"http", "https"} or not there.host or inward or unlisted or downgrade:
            wrong = "the registry is misconfigured or not what it seems; nothing was sent there"
            raise ProtocolError(
                f"{here.host} sends us to {there.scheme}://{there.host}, which is not safe",
                hint=f"if you trust it, add {there.host} to JUPYIMG_INSECURE" if unlisted and not inward else wrong,
            )

    def dispatch(self, request: httpx.Request, auth: httpx.Auth) -> httpx.Response:
        """Send a request with authorization, following redirects; the body of the answer is still to be read.

        Raises:
            httpx.RequestError: there was no answer.
            ProtocolError: the way there is not safe.
            Interrupted: the call was cut off.
        """
        flow = auth.auth_flow(request)
        try:
            request = next(flow)
            while True:
                response = self._follow(request)
                try:
                    request = flow.send(response)
                except StopIteration:
                    return response
                except BaseException:
                    response.close()
                    raise
                absorb(response)
        finally:
            flow.close()

    def _follow(self, request: httpx.Request) -> httpx.Response:
        for _ in range(REDIRECTS + 1):
            try:
                response = self.transport.handle_request(request)
            except httpx.RequestError as failure:
                failure.request = request
                raise
            onward = redirected(request, response)
            if onward is None:
                return response
            absorb(response)
            self.check(request.url, onward.url)
            request = onward
        raise httpx.TooManyRedirects("too many redirects", request=request)


def absorb(response: httpx.Response) -> httpx.Response:
    """Read what is left of an answer, within its limit, so that its connection can serve again."""
    try:
        response.read()
    finally:
        response.close()
    return response


def redirected(request: httpx.Request, response: httpx.Response) -> httpx.Request | None:
    """The request that a redirect leads to, or None where there is none to follow.

    A body goes along only where the method stays what it was (307, 308). Authorization stays behind when the host
    changes: blob storage refuses it, and it is none of its business.

    Raises:
        ProtocolError: it leads nowhere, or would carry a secret in a body to another host.
    """
    follows = response.status_code in (_ANY_REDIRECT if request.method in _SAFE else _KEEP_METHOD)
    location = response.headers.get("location")
    if not follows or not location:
        return None
    try:
        url = request.url.join(location)
    except httpx.InvalidURL:
        raise ProtocolError(f"{request.url.host} redirects to what is not a URL") from None
    elsewhere = origin(url) != origin(request.url)
    if elsewhere and request.extensions.get("stay"):
        raise ProtocolError(f"{request.url.host} redirects a login to {url.host}, which was not followed")
    bound = {"host", "authorization"} if elsewhere else {"host"}
    headers = [(name, value) for name, value in request.headers.multi_items() if name not in bound]
    return httpx.Request(
        request.method, url, headers=headers, stream=request.stream, extensions=dict(request.extensions)
    )
