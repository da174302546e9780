"""Proving who we are: credentials, tokens, and the Basic and Bearer flows as a generator that touches no socket.

The flow (distribution-spec "Token Authentication") is: ask; if the registry challenges, fetch a token for a scope from
the realm it names; ask again. Where the flow ends, the last answer is the result, so a token service that is
overloaded or refuses is treated like any other answer by the one who sent the request.

What must not happen: a secret goes only to the registry it is for and to the realm that registry names, never over
plain http unless that is how the user speaks to the registry itself, and never along with a redirect.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx

from jupyimg.errors import BadManifest, ProtocolError
from jupyimg.model.codec import decode
from jupyimg.registry.challenges import Challenge, choose, join_scopes, parse_challenges
from jupyimg.registry.hosts import origin

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Flow = Generator[httpx.Request, httpx.Response, None]

CLIENT_ID = "jupyimg"
SHORTEST_LIFE = 60.0
"""Seconds that a token lives at least: what an absent or smaller ``expires_in`` means, as Docker reads it."""
LONGEST_LIFE = 86400.0
"""Seconds after which a token is fetched anew, whatever was promised."""
MARGIN = 5.0
"""Seconds before its end at which a token is no longer begun with."""
TOKEN_LIMIT = 1 << 20
"""The most bytes of a token service's answer."""
_TRIES = 2
"""Tokens fetched for one request: one because it is missing or old, one because its scope was too small."""
_BAD, _UNAUTHORIZED, _FORBIDDEN, _MISSING, _METHOD = 400, 401, 403, 404, 405
_VISIBLE = re.compile(r"[\x21-\x7e]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to one registry; the repr shows no secret.

    Attributes:
        identity_token: a refresh token that stands in for the password, or "".
        registry_token: a bearer token that the registry takes as it is, or "".
    """

    username: str
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)

    @property
    def account(self) -> str:
        """What tells these credentials from others; never "", which is anonymous."""
        return self.username or "<token>"

    @property
    def basic(self) -> str:
        """The value of an ``Authorization: Basic`` header (RFC 7617, UTF-8)."""
        pair = f"{self.username}:{self.password or self.identity_token}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    @property
    def is_basic(self) -> bool:
        """Whether there is a password to show; a token is for the token service, not for a Basic header."""
        return bool(self.password) or not (self.identity_token or self.registry_token)


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and when, on this process's clock, to stop using it.

    Attributes:
        refresh: the identity token that came along, or "".
    """

    value: str = field(repr=False)
    ends: float
    refresh: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Key:
    """What a token was granted for, and by whom it may be seen.

    Attributes:
        registry: the origin that asked for it. Another registry that names the same realm must not be shown it.
    """

    registry: tuple[str, str, int]
    realm: str
    service: str
    scopes: tuple[str, ...]
    user: str


class Tokens:
    """The tokens and challenges of all registries, shared by every connection; each call is one atomic step."""

    def __init__(self) -> None:
        self._tokens: dict[Key, Token] = {}
        self._challenges: dict[tuple[str, str, int], Challenge] = {}

    def get(self, key: Key) -> Token | None:
        """The token for exactly this, while it lives."""
        token = self._tokens.get(key)
        return token if token is not None and token.ends > time.monotonic() else None

    def keep(self, key: Key, token: Token) -> None:
        """Remember a token, in place of an older one."""
        self._tokens[key] = token

    def challenge(self, base: httpx.URL) -> Challenge | None:
        """What this registry asked for last, so that the next request need not be refused first."""
        return self._challenges.get(origin(base))

    def learn(self, base: httpx.URL, challenge: Challenge) -> None:
        """Remember what a registry asks for, except for which repository."""
        general: dict[str, str] = {
            name: value for name, value in challenge.parameters.items() if name in {"realm", "service"}
        }
        self._challenges[origin(base)] = Challenge(challenge.scheme, general)


class RegistryAuth(httpx.Auth):
    """Authorization for requests to one registry, within some scopes.

    Args:
        base: the registry's API; requests to any other origin go out bare.
        scopes: what the requests need, the most important first.
        tokens: the cache, shared.
        find: looks the credentials up, when first needed; None is anonymous.
        check: refuses to go from one URL to another where that is not safe.
        offline: ask for an identity token too, which outlives this process.

    Attributes:
        is_known: whether credentials took part, once somebody asked for them.
        is_refused: whether they are wrong, which is not the same as being allowed too little.
        identity_token: what the token service gave in place of the password, or "".
    """

    def __init__(
        self,
        base: httpx.URL,
        scopes: tuple[str, ...],
        tokens: Tokens,
        find: Callable[[], Credentials | None],
        check: Callable[[httpx.URL, httpx.URL], None],
        *,
        offline: bool = False,
    ) -> None:
        self._base = base
        self._scopes = scopes
        self._tokens = tokens
        self._find = find
        self._check = check
        self._offline = offline
        self._lock = threading.Lock()
        self._extra: tuple[str, ...] = ()
        self.is_known = False
        self.is_refused = False
        self.identity_token = ""

    def auth_flow(self, request: httpx.Request) -> Flow:
        """Send, be challenged, answer, send again; a token that is at hand or sure to be needed goes along at once."""
        if origin(request.url) != origin(self._base):
            yield request
            return
        known = self._tokens.challenge(self._base)
        if known is not None and not (yield from self._answer(request, known)):
            return
        response = yield request
        for attempt in range(_TRIES):
            challenge = self._challenge(response)
            if challenge is None:
                return
            if attempt and not challenge.is_too_small:
                self.is_refused = self._is_fixed(request)
                return
            self._tokens.learn(self._base, challenge)
            if not (yield from self._answer(request, challenge, refused=True)):
                return
            response = yield request

    def _challenge(self, response: httpx.Response) -> Challenge | None:
        """What this answer asks for; an answer that came from elsewhere, by a redirect, may ask for nothing."""
        asked = choose(parse_challenges(response.headers.get_list("www-authenticate")))
        if asked is None or origin(response.request.url) != origin(self._base):
            return None
        refused = response.status_code == _UNAUTHORIZED or (response.status_code == _FORBIDDEN and asked.is_too_small)
        return asked if refused else None

    def _answer(
        self, request: httpx.Request, challenge: Challenge, *, refused: bool = False
    ) -> Generator[httpx.Request, httpx.Response, bool]:
        """Put the header that a challenge asks for; False where there is none, or none that was not refused before."""
        sent = request.headers.get("authorization", "")
        credentials = self._identify()
        if challenge.scheme == "basic":
            if credentials is None or not credentials.is_basic:
                return not refused
            return self._put(request, credentials.basic, refused=refused)
        if credentials is not None and credentials.registry_token:
            return self._put(request, f"Bearer {credentials.registry_token}", refused=refused)
        with self._lock:  # six workers that start together want one token, not six
            self._extra = join_scopes(self._extra, challenge.scopes)
            scopes = join_scopes(self._scopes, self._extra)
            account = credentials.account if credentials else ""
            key = Key(origin(self._base), challenge.realm, challenge.service, scopes, account)
            token = self._tokens.get(key)
            if token is None or f"Bearer {token.value}" == sent:
                token = yield from self._exchange(request, key, credentials)
                if token is None:
                    return False
                self._tokens.keep(key, token)
        request.headers["authorization"] = f"Bearer {token.value}"
        return True

    def _put(self, request: httpx.Request, header: str, *, refused: bool) -> bool:
        """Put a header that is always the same; False where it is what was just refused."""
        again = refused and request.headers.get("authorization") == header
        self.is_refused = again
        request.headers["authorization"] = header
        return not again

    def _is_fixed(self, request: httpx.Request) -> bool:
        """Whether a request went out with the login itself, and not with a token that somebody gave for it."""
        credentials = self._identify()
        fixed = (credentials.basic, f"Bearer {credentials.registry_token}") if credentials else ()
        return request.headers.get("authorization", "") in fixed

    def _identify(self) -> Credentials | None:
        credentials = self._find()
        self.is_known = credentials is not None
        return credentials

    def _exchange(
        self, request: httpx.Request, key: Key, credentials: Credentials | None
    ) -> Generator[httpx.Request, httpx.Response, Token | None]:
        """Fetch a token; None where the token service refused, so that its answer is the last one."""
        realm = self._realm(key)
        began = time.monotonic()
        options = {**request.extensions, "limit": TOKEN_LIMIT, "stay": True}
        if credentials is not None and credentials.identity_token:
            response = yield _refresh(realm, key, credentials, options)
            if response.status_code not in {_MISSING, _METHOD} or not credentials.username:
                return self._granted(response, began)
        response = yield _fetch(realm, key, credentials, options, offline=self._offline)
        return self._granted(response, began)

    def _granted(self, response: httpx.Response, began: float) -> Token | None:
        # OAuth2 says 400 of a refresh token that ended; 403 some say to a right login that may not do what was asked
        wrong = {_UNAUTHORIZED, _BAD} if response.request.method == "POST" else {_UNAUTHORIZED}
        self.is_refused = self.is_known and response.status_code in wrong
        token = _token(response, began)
        self.identity_token = token.refresh if token else ""
        return token

    def _realm(self, key: Key) -> httpx.URL:
        """The token service's address, unless asking there would betray us."""
        try:
            realm = self._base.join(key.realm)
        except httpx.InvalidURL:
            raise ProtocolError(f"{self._base.host} names a token service that is not a URL") from None
        self._check(self._base, realm)
        return realm


def _fetch(
    realm: httpx.URL, key: Key, credentials: Credentials | None, options: dict[str, Any], *, offline: bool
) -> httpx.Request:
    """A GET at the token service (distribution-spec "Token Authentication")."""
    query = [("service", key.service)] if key.service else []
    query += [("scope", scope) for scope in key.scopes]
    query += [("account", credentials.username)] if credentials and credentials.username else []
    query += [("client_id", CLIENT_ID)]
    query += [("offline_token", "true")] if offline else []
    text = urlencode(query)
    given = realm.query.decode()
    url = realm.copy_with(query=(f"{given}&{text}" if given else text).encode())
    headers = {"authorization": credentials.basic} if credentials else {}
    return httpx.Request("GET", url, headers=headers, extensions=options)


def _refresh(realm: httpx.URL, key: Key, credentials: Credentials, options: dict[str, Any]) -> httpx.Request:
    """A POST at the token service, with the identity token in place of a password (OAuth2, RFC 6749, 6)."""
    form = {
        "grant_type": "refresh_token",
        "service": key.service,
        "client_id": CLIENT_ID,
        "scope": " ".join(key.scopes),
        "refresh_token": credentials.identity_token,
    }
    return httpx.Request("POST", realm, data=form, extensions=options)


def _token(response: httpx.Response, began: float) -> Token | None:
    if not response.is_success:
        return None
    try:
        answer = decode(response.read(), dict[str, Any], what="token", own=True)
    except BadManifest:
        answer = {}
    value = answer.get("token") or answer.get("access_token")
    if not isinstance(value, str) or not _VISIBLE.fullmatch(value):
        raise ProtocolError(f"the token service of {response.request.url.host} answered without a token")
    life = answer.get("expires_in")
    seconds = min(max(life, SHORTEST_LIFE), LONGEST_LIFE) if isinstance(life, int | float) else SHORTEST_LIFE
    refresh = answer.get("refresh_token")
    return Token(value, began + seconds - MARGIN, refresh if isinstance(refresh, str) else "")
