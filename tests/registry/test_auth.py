"""Who we are: every dialect of the flow ends with the right header at the right host, and secrets stay where they belong."""

from __future__ import annotations

import base64
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.errors import Denied, ProtocolError, RateLimited
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor
from jupyimg.registry import Credentials
from jupyimg.registry.auth import MARGIN, SHORTEST_LIFE, Key, RegistryAuth, Token, Tokens
from jupyimg.registry.challenges import Challenge, choose, join_scopes, parse_challenges
from tests.registry.fake import Answer, error

ADA = Credentials("ada", "s3cret pass:word")
BASIC = "Basic " + base64.b64encode(b"ada:s3cret pass:word").decode()


class TokenServer:
    """Rules that make a fake want tokens: which it gave, and which it takes."""

    def __init__(self, fake, *, path="/token", service="reg", life=300, realm=None):
        self.fake, self.path, self.service, self.life = fake, path, service, life
        self.realm = realm or f"{fake.url}{path}"
        self.given: list[str] = []
        self.valid: set[str] = set()
        fake.rules.insert(0, self)

    def __call__(self, seen):
        if seen.route == self.path:
            return self.give(seen)
        if not seen.path.startswith(("/v2/", "/upload/")):
            return None
        if seen.headers.get("authorization", "").removeprefix("Bearer ") in self.valid:
            return None
        return self.challenge(seen)

    def give(self, seen):
        token = f"token{len(self.given)}"
        self.given.append(token)
        self.valid.add(token)
        return Answer(200, json.dumps({"token": token, "expires_in": self.life}).encode())

    def challenge(self, seen):
        scope = "repository:app:pull" if seen.method in {"GET", "HEAD"} else "repository:app:pull,push"
        shown = f'Bearer realm="{self.realm}",service="{self.service}",scope="{scope}"'
        return error(401, "UNAUTHORIZED", "authentication required", WWW_Authenticate=shown)


@pytest.fixture
def server(fake):
    return TokenServer(fake)


def read(repository, blob):
    return b"".join(repository.read(blob))


# ---- the whole flow, over sockets


def test_an_anonymous_token_is_fetched_once_and_used_by_all(fake, server, connect):
    registries = connect()
    repository = registries.repository(fake.reference("app"))
    blobs = [fake.put(bytes([n]) * 1000) for n in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda blob: read(repository, blob), blobs))
    assert len(server.given) == 1
    asked = fake.matching("/token")[0]
    assert asked.query == {"service": ["reg"], "scope": ["repository:app:pull"], "client_id": ["jupyimg"]}
    assert "authorization" not in asked.headers
    again = registries.repository(fake.reference("app"))
    read(again, blobs[0])
    assert len(server.given) == 1
    assert "authorization" in fake.seen[-1].headers, "it waited to be refused first"


def test_a_login_goes_to_the_token_service_only(fake, server, connect):
    repository = connect({fake.host: ADA}.get).repository(fake.reference("app"))
    read(repository, fake.put(b"data"))
    asked = fake.matching("/token")[0]
    assert asked.headers["authorization"] == BASIC
    assert asked.query["account"] == ["ada"]
    assert all(seen.headers.get("authorization") != BASIC for seen in fake.matching("/v2/"))


def test_writing_asks_for_writing_and_for_reading_the_neighbours(fake, server, connect):
    repository = connect().repository(fake.reference("app"), mounts=["base"])
    repository.has(fake.put(b"data"))
    asked = fake.matching("/token")[0]
    assert asked.query["scope"] == ["repository:app:pull,push", "repository:base:pull"]


def test_a_token_that_ends_during_an_upload_is_renewed_and_the_body_sent_again(fake, server, connect):
    data = bytes(range(256)) * 20_000
    blob = Descriptor(media_type=OCI_LAYER, digest=Digest.of(data), size=len(data))

    def expire(seen):
        server.valid.discard("token0")

    fake.rules.insert(0, lambda seen: expire(seen) if seen.method == "PUT" and "token0" in server.valid else None)
    connect().repository(fake.reference("app")).write(blob, lambda offset: iter([data[offset:]]))
    assert fake.blobs[blob.digest] == data
    assert server.given == ["token0", "token1"]
    assert fake.count("PUT") == 2


def test_a_token_too_small_is_asked_for_once_more_with_what_is_missing(fake, connect):
    server = TokenServer(fake)

    def challenge(seen):
        shown = f'Bearer realm="{server.realm}",service="reg",scope="registry:extra:*",error="insufficient_scope"'
        return error(403 if "authorization" in seen.headers else 401, "DENIED", WWW_Authenticate=shown)

    server.challenge = challenge
    give = server.give
    server.give = lambda seen: (
        give(seen) if len(server.given) else (server.given.append("small"), Answer(200, b'{"token":"small"}'))[1]
    )
    read(connect().repository(fake.reference("app")), fake.put(b"data"))
    assert fake.matching("/token")[-1].query["scope"] == ["repository:app:pull", "registry:extra:*"]


def test_a_refusal_is_not_asked_for_again_and_again(fake, server, connect):
    server.valid = frozenset()
    server.give = lambda seen: (server.given.append("x"), Answer(200, b'{"access_token":"x"}'))[1]
    with pytest.raises(Denied) as denied:
        read(connect().repository(fake.reference("app")), fake.put(b"data"))
    assert len(server.given) == 1
    assert denied.value.status == 401
    assert denied.value.code == "UNAUTHORIZED"
    assert f"%image login {fake.host}" in denied.value.hint


def test_a_login_that_the_token_service_refuses_is_said_to_be_the_trouble(fake, server, connect):
    server.give = lambda seen: error(401, "UNAUTHORIZED", "incorrect username or password")
    with pytest.raises(Denied, match="your login may not") as denied:
        read(connect(lambda host: ADA).repository(fake.reference("app")), fake.put(b"data"))
    assert "incorrect username or password" in denied.value.message
    assert ADA.password not in denied.value.message + denied.value.hint + repr(denied.value)


def test_a_token_service_that_is_busy_is_asked_again(fake, server, connect):
    fake.rules.insert(0, lambda seen: _first(seen, answers))
    answers = [Answer(503), Answer(429, b"", {"Retry-After": "0"})]
    assert read(connect().repository(fake.reference("app")), fake.put(b"data")) == b"data"
    assert not answers


def test_a_token_service_that_wants_a_long_pause_is_rate_limiting(fake, server, connect):
    server.give = lambda seen: Answer(429, b"", {"Retry-After": "7200"})
    with pytest.raises(RateLimited, match="2 hours"):
        read(connect().repository(fake.reference("app")), fake.put(b"data"))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"token": 5}', b'{"token": "a\\nb: c"}'])
def test_a_token_service_without_a_token_is_an_error(fake, server, connect, body):
    server.give = lambda seen: Answer(200, body)
    with pytest.raises(ProtocolError, match="without a token"):
        read(connect().repository(fake.reference("app")), fake.put(b"data"))


def test_a_relative_realm_with_a_query_is_understood(fake, connect):
    server = TokenServer(fake, realm="/token?tenant=a%2Fb", service="")
    read(connect().repository(fake.reference("app")), fake.put(b"data"))
    assert fake.matching("/token")[0].path.startswith("/token?tenant=a%2Fb&scope=")
    assert len(server.given) == 1


def test_an_identity_token_is_posted_and_never_put_in_an_address(fake, server, connect):
    who = Credentials("ada", identity_token="refresh-me")
    read(connect(lambda host: who).repository(fake.reference("app")), fake.put(b"data"))
    asked = fake.matching("/token")[0]
    assert asked.method == "POST"
    assert b"grant_type=refresh_token" in asked.body
    assert b"refresh_token=refresh-me" in asked.body
    assert not asked.query


@pytest.mark.parametrize("status", [404, 405])
def test_an_identity_token_goes_by_get_where_post_is_unknown(fake, server, connect, status):
    give = server.give
    server.give = lambda seen: Answer(status) if seen.method == "POST" else give(seen)
    who = Credentials("ada", identity_token="refresh-me")
    read(connect(lambda host: who).repository(fake.reference("app")), fake.put(b"data"))
    expected = "Basic " + base64.b64encode(b"ada:refresh-me").decode()
    assert fake.matching("GET /token")[0].headers["authorization"] == expected


def test_basic_is_sent_only_when_asked_for_and_then_at_once(fake, connect):
    fake.rules.append(lambda seen: None if seen.headers.get("authorization") == BASIC else _basic())
    registries = connect(lambda host: ADA)
    repository = registries.repository(fake.reference("app"))
    blob = fake.put(b"data")
    read(repository, blob)
    read(repository, blob)
    assert [seen.headers.get("authorization") for seen in fake.seen] == [None, BASIC, BASIC]


def test_basic_without_a_login_says_to_log_in(fake, connect):
    fake.rule(".", _basic())
    with pytest.raises(Denied, match="wants a login") as denied:
        read(connect().repository(fake.reference("app")), fake.put(b"data"))
    assert "login" in denied.value.hint
    assert fake.count(".") == 1


def test_wrong_basic_is_sent_once(fake, connect):
    fake.rule(".", _basic())
    with pytest.raises(Denied, match="your login"):
        read(connect(lambda host: ADA).repository(fake.reference("app")), fake.put(b"data"))
    assert fake.count(".") == 2


def test_credentials_are_not_looked_up_where_nobody_asks(fake, connect):
    asked = []
    read(connect(asked.append).repository(fake.reference("app")), fake.put(b"data"))
    assert not asked


# ---- where secrets must not go


def test_a_redirect_to_another_host_carries_no_authorization(fake, other, server, connect):
    blob = fake.put(b"data")
    fake.rule("GET /v2/app/blobs/", Answer(307, b"", {"Location": f"{other.url}/v2/app/blobs/{blob.digest}?sig=x"}))
    other.blobs = fake.blobs
    assert read(connect(lambda host: ADA).repository(fake.reference("app")), blob) == b"data"
    assert "authorization" not in other.seen[0].headers
    assert "cookie" not in other.seen[0].headers


def test_a_challenge_of_another_host_is_not_answered(fake, other, server, connect):
    fake.rule("GET /v2/app/blobs/", Answer(307, b"", {"Location": f"{other.url}/x"}))
    other.rule(".", Answer(401, b"", {"WWW-Authenticate": f'Bearer realm="{other.url}/token"\nBasic realm="b"'}))
    with pytest.raises(Denied):
        read(connect(lambda host: ADA).repository(fake.reference("app")), fake.put(b"data"))
    assert [seen.path for seen in other.seen] == ["/x"]
    assert "authorization" not in other.seen[0].headers


@pytest.mark.parametrize(
    "realm",
    [
        "http://auth.example/token",
        "ftp://auth.example/",
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "https://h:port/",
    ],
)
def test_a_realm_that_is_not_safe_gets_nothing(fake, connect, realm):
    TokenServer(fake, realm=realm)
    with pytest.raises(ProtocolError):
        read(connect(lambda host: ADA).repository(fake.reference("app")), fake.put(b"data"))


def test_a_token_is_never_shown_to_another_registry_that_names_the_same_realm(fake, other, server, connect):
    registries = connect(lambda host: ADA)
    blob = fake.put(b"data")
    read(registries.repository(fake.reference("app")), blob)
    greedy = TokenServer(other, realm=server.realm)
    other.blobs = fake.blobs
    with pytest.raises(Denied):
        read(registries.repository(other.reference("app")), blob)
    assert not greedy.given
    assert "Bearer token0" not in [seen.headers.get("authorization") for seen in other.seen]
    assert len(server.given) == 2, "what the other showed was not a token of its own"


def test_a_relative_realm_is_each_registrys_own(fake, other, connect):
    registries = connect()
    blob = fake.put(b"data")
    other.blobs = fake.blobs
    servers = [TokenServer(host, realm="/token", service="") for host in (fake, other)]
    for host in (fake, other):
        assert read(registries.repository(host.reference("app")), blob) == b"data"
    assert [len(server.given) for server in servers] == [1, 1]


def test_a_login_is_not_carried_to_another_host_by_a_redirect(fake, other, server, connect):
    server.give = lambda seen: Answer(307, b"", {"Location": f"{other.url}/token"})
    who = Credentials("ada", identity_token="refresh-me")
    with pytest.raises(ProtocolError, match="redirects a login"):
        read(connect(lambda host: who).repository(fake.reference("app")), fake.put(b"data"))
    assert not other.seen


def test_cookies_are_never_kept(fake, connect):
    fake.rules.insert(0, lambda seen: _with_cookie(fake, seen))
    repository = connect().repository(fake.reference("app"))
    blob = fake.put(b"data")
    read(repository, blob)
    read(repository, blob)
    assert all("cookie" not in seen.headers for seen in fake.seen)


def test_nothing_secret_is_logged_shown_or_raised(fake, other, server, connect, caplog):
    caplog.set_level(logging.DEBUG)
    blob = fake.put(b"data")
    fake.rule("GET /v2/app/blobs/", Answer(307, b"", {"Location": f"{other.url}/b?X-Amz-Signature=hidden"}))
    other.rule(".", Answer(403, b"<html>signature hidden</html>", {"Content-Type": "text/html"}))
    with pytest.raises(Denied) as denied:
        read(connect(lambda host: ADA).repository(fake.reference("app")), blob)
    told = caplog.text + denied.value.message + denied.value.hint + repr(denied.value.__context__)
    for secret in ("hidden", "token0", ADA.password, BASIC):
        assert secret not in told


def test_a_repr_shows_no_secret():
    who = Credentials("ada", "pw-secret", "id-secret")
    assert "ada" in repr(who)
    assert "secret" not in repr(who) + repr(Token("tok-secret", 1.0))


# ---- the flow as a generator, and the parts it is made of


def test_the_flow_touches_no_socket(fake):
    base = httpx.URL("https://r.example/v2/")
    auth = RegistryAuth(base, ("repository:a:pull",), Tokens(), lambda: None, lambda here, there: None)
    flow = auth.auth_flow(httpx.Request("GET", base, extensions={"call": None}))
    first = next(flow)
    assert "authorization" not in first.headers
    challenge = {"WWW-Authenticate": 'bEaReR realm="https://t.example/t",service="s, or so"'}
    asked = flow.send(httpx.Response(401, headers=challenge, request=first))
    assert asked.url.host == "t.example"
    assert asked.url.params["service"] == "s, or so"
    again = flow.send(httpx.Response(200, json={"access_token": "t"}, request=asked))
    assert again.headers["authorization"] == "Bearer t"
    with pytest.raises(StopIteration):
        flow.send(httpx.Response(200, request=again))


def test_a_token_lives_at_least_a_minute_less_a_margin(monkeypatch):
    tokens, key = Tokens(), Key(("https", "r", 443), "t", "s", (), "")
    clock = [1000.0]
    monkeypatch.setattr("jupyimg.registry.auth.time.monotonic", lambda: clock[0])
    tokens.keep(key, Token("t", clock[0] + SHORTEST_LIFE - MARGIN))
    clock[0] += SHORTEST_LIFE - MARGIN - 1
    assert tokens.get(key) is not None
    clock[0] += 2
    assert tokens.get(key) is None


def test_several_challenges_in_one_header_and_in_several():
    found = parse_challenges(
        ['Negotiate, Basic realm="a, b", Bearer realm="https://t/x?a=1,2",service=s ,scope="a b"', "NTLM abc==, basic"]
    )
    assert [item.scheme for item in found] == ["negotiate", "basic", "bearer", "ntlm", "basic"]
    assert found[1].realm == "a, b"
    assert (found[2].realm, found[2].service, found[2].scopes) == ("https://t/x?a=1,2", "s", ("a", "b"))
    assert choose(found) is found[2]
    assert choose([Challenge("bearer"), Challenge("basic")]) == Challenge("basic")
    assert choose([Challenge("negotiate")]) is None


_tokens = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_.", min_size=1, max_size=10)
_values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)


@given(
    st.lists(st.tuples(_tokens, st.dictionaries(_tokens.map(str.lower), _values, max_size=4)), max_size=4),
    st.booleans(),
)
def test_what_is_written_as_challenges_is_read_as_them(challenges, spaced):
    gap = " , " if spaced else ","
    header = gap.join(
        f"{scheme} " + gap.join(f'{name}="{_quoted(value)}"' for name, value in values.items())
        for scheme, values in challenges
    )
    assert parse_challenges([header]) == [Challenge(scheme.lower(), values) for scheme, values in challenges]


@given(st.lists(st.text(max_size=200), max_size=3))
def test_no_header_breaks_the_parser(headers):
    choose(parse_challenges(headers))


def test_scopes_are_ours_first_and_only_what_adds_to_them():
    ours = ("repository:a:pull,push", "repository:b:pull")
    asked = ("repository:a:pull", "repository:b:pull", "repository:a:delete", "registry:catalog:*")
    assert join_scopes(ours, asked) == (*ours, "repository:a:delete", "registry:catalog:*")


def test_two_repositories_of_one_host_get_tokens_of_their_own(fake, server, connect):
    registries = connect()
    blob = fake.put(b"data")
    threads = [
        threading.Thread(target=read, args=(registries.repository(fake.reference(name)), blob)) for name in ("a", "b")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    scopes = sorted(seen.query["scope"][0] for seen in fake.matching("/token"))
    assert scopes == ["repository:a:pull", "repository:b:pull"]


def _quoted(value):
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _basic():
    return error(401, "UNAUTHORIZED", WWW_Authenticate='Basic realm="registry"')


def _first(seen, answers):
    return answers.pop(0) if answers and seen.route == "/token" else None


def _with_cookie(fake, seen):
    return Answer(200, fake.blobs[seen.route.rpartition("/")[2]], {"Set-Cookie": "session=1; Path=/"})
