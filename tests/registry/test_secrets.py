"""Where secrets must not go: to another host, over plain http, into a log, a message or a repr."""

from __future__ import annotations

import logging

import pytest

from jupyimg.errors import Denied, ProtocolError
from jupyimg.registry import Credentials
from jupyimg.registry.auth import Token
from tests.registry.fake import Answer
from tests.registry.tokens import ADA, BASIC, TokenServer, read


@pytest.fixture
def server(fake):
    return TokenServer(fake)


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


def _with_cookie(fake, seen):
    return Answer(200, fake.blobs[seen.route.rpartition("/")[2]], {"Set-Cookie": "session=1; Path=/"})
