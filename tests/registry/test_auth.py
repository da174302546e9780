"""Who we are: every dialect of the flow ends with the right header, after as few requests as it takes."""

from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyimg.errors import Denied, ProtocolError, RateLimited
from jupyimg.registry import Credentials
from tests.registry.content import DATA, blob_of
from tests.registry.fake import Answer, error
from tests.registry.tokens import ADA, BASIC, TokenServer, read


@pytest.fixture
def server(fake):
    return TokenServer(fake)


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
    blob = blob_of(DATA)

    def expire(seen):
        server.valid.discard("token0")

    fake.rules.insert(0, lambda seen: expire(seen) if seen.method == "PUT" and "token0" in server.valid else None)
    connect().repository(fake.reference("app")).write(blob, lambda offset: iter([DATA[offset:]]))
    assert fake.blobs[blob.digest] == DATA
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
    with pytest.raises(Denied, match="does not accept the login that is kept") as denied:
        read(connect(lambda host: ADA).repository(fake.reference("app")), fake.put(b"data"))
    assert "incorrect username or password" in denied.value.message
    assert f"%image logout {fake.host}" in denied.value.hint
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
    with pytest.raises(Denied, match="does not accept the login"):
        read(connect(lambda host: ADA).repository(fake.reference("app")), fake.put(b"data"))
    assert fake.count(".") == 2


def test_credentials_are_not_looked_up_where_nobody_asks(fake, connect):
    asked = []
    read(connect(asked.append).repository(fake.reference("app")), fake.put(b"data"))
    assert not asked


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


def _basic():
    return error(401, "UNAUTHORIZED", WWW_Authenticate='Basic realm="registry"')


def _first(seen, answers):
    return answers.pop(0) if answers and seen.route == "/token" else None
