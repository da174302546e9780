"""Proving a login before it is kept, and credentials of every kind on their way to a registry."""

from __future__ import annotations

import json

import pytest

from jupyimg.errors import Denied, ProtocolError, RateLimited, RegistryError, Unreachable
from jupyimg.registry import Credentials
from tests.registry.fake import Answer, dead_port, error
from tests.registry.tokens import ADA, BASIC, TokenServer, read


@pytest.fixture
def server(fake):
    fake.rule("GET /v2/$", Answer(200, b"{}"))
    return TokenServer(fake)


def basic(fake):
    fake.rule("GET /v2/$", _let_in)


def _let_in(seen):
    if seen.headers.get("authorization") == BASIC:
        return Answer(200, b"{}")
    return error(401, "UNAUTHORIZED", "authentication required", WWW_Authenticate='Basic realm="r"')


def test_a_right_password_is_proved_by_basic_and_what_is_kept_is_what_was_given(fake, connect):
    basic(fake)
    done = connect().log_in(fake.host, ADA)
    assert (done.credentials, done.asked) == (ADA, True)
    assert [seen.headers.get("authorization") for seen in fake.seen] == [None, BASIC]


def test_a_wrong_password_is_denied_after_one_try(fake, connect):
    basic(fake)
    with pytest.raises(Denied, match=r"does not accept this login.*authentication required"):
        connect().log_in(fake.host, Credentials("ada", "wrong"))
    assert fake.count(".") == 2


def test_a_token_service_is_asked_for_an_identity_that_replaces_the_password(fake, server, connect):
    server.give = lambda seen: (
        server.valid.add("t"),
        Answer(200, json.dumps({"token": "t", "refresh_token": "identity"}).encode()),
    )[1]
    done = connect().log_in(fake.host, ADA)
    assert done.credentials == Credentials("ada", identity_token="identity")
    asked = fake.matching("/token")[0]
    assert asked.headers["authorization"] == BASIC
    assert asked.query == {
        "service": ["reg"],
        "account": ["ada"],
        "client_id": ["jupyimg"],
        "offline_token": ["true"],
        "scope": ["repository:app:pull"],
    }


def test_without_an_identity_the_password_is_what_is_kept(fake, server, connect):
    assert connect().log_in(fake.host, ADA).credentials == ADA


def test_an_identity_is_asked_for_at_a_login_only(fake, server, connect):
    read(connect(lambda host: ADA).repository(fake.reference("app")), fake.put(b"data"))
    assert "offline_token" not in fake.matching("/token")[0].query


def test_a_password_that_the_token_service_refuses_is_denied_in_its_words(fake, server, connect):
    server.give = lambda seen: error(401, "UNAUTHORIZED", "incorrect username or password")
    with pytest.raises(Denied, match="incorrect username or password"):
        connect().log_in(fake.host, ADA)


def test_an_earlier_token_proves_nothing(fake, server, connect):
    registries = connect(lambda host: ADA)
    read(registries.repository(fake.reference("app")), fake.put(b"data"))
    server.give = lambda seen: error(401)
    with pytest.raises(Denied):
        registries.log_in(fake.host, Credentials("ada", "wrong"))


def test_a_registry_that_asks_nobody_says_that_nothing_was_proved(fake, connect):
    fake.rule("GET /v2/$", Answer(200, b"{}"))
    done = connect().log_in(fake.host, ADA)
    assert (done.credentials, done.asked) == (ADA, False)
    assert "authorization" not in fake.seen[0].headers


@pytest.mark.parametrize(
    ("answer", "kind", "why"),
    [
        (Answer(404, b"<html>"), ProtocolError, "does not answer as a registry"),
        (Answer(429, b"", {"Retry-After": "7200"}), RateLimited, "2 hours"),
        (Answer(500, b""), RegistryError, r"answered 500$"),
        (Answer(400, b"speak https", {"Content-Type": "text/plain"}), RegistryError, "answered 400: speak https"),
        (Answer(403, b""), Denied, "does not accept"),
    ],
)
def test_what_is_no_yes_is_no_login(fake, connect, answer, kind, why):
    fake.rule("GET /v2/$", answer)
    with pytest.raises(kind, match=why):
        connect(attempts=1).log_in(fake.host, ADA)


def test_nobody_there_is_no_login(connect):
    with pytest.raises(Unreachable, match="refuses the connection"):
        connect(attempts=1).log_in(f"127.0.0.1:{dead_port()}", ADA)


def test_a_realm_that_is_not_safe_gets_no_login(fake, connect):
    TokenServer(fake, realm="http://auth.example/token")
    with pytest.raises(ProtocolError, match="not safe"):
        connect().log_in(fake.host, ADA)


def test_a_registry_token_is_the_bearer_as_it_is(fake, server, connect):
    server.valid.add("reg-token")
    who = Credentials("", registry_token="reg-token")
    assert read(connect(lambda host: who).repository(fake.reference("app")), fake.put(b"data")) == b"data"
    assert not server.given


def test_a_registry_token_that_ended_is_said_to_be_the_trouble(fake, server, connect):
    who = Credentials("", registry_token="reg-token")
    with pytest.raises(Denied, match="does not accept the login that is kept for it") as denied:
        read(connect(lambda host: who).repository(fake.reference("app")), fake.put(b"data"))
    assert "reg-token" not in denied.value.message + denied.value.hint
    assert fake.count("GET /v2/app") == 2


@pytest.mark.parametrize(
    ("status", "who", "why"),
    [
        (401, ADA, "does not accept the login that is kept"),
        (403, ADA, "or your login may not"),
        (400, Credentials("ada", identity_token="id"), "does not accept the login that is kept"),
        (401, Credentials("ada", identity_token="id"), "does not accept the login that is kept"),
    ],
)
def test_a_login_that_is_wrong_is_told_from_one_that_may_not(fake, server, connect, status, who, why):
    server.give = lambda seen: Answer(status, b'{"error": "access forbidden"}')
    with pytest.raises(RegistryError, match=why) as failed:
        read(connect(lambda host: who).repository(fake.reference("app")), fake.put(b"data"))
    assert "access forbidden" in failed.value.message


def test_an_identity_token_that_ended_is_no_login(fake, server, connect):
    server.give = lambda seen: error(400, "", "") if seen.method == "POST" else None
    with pytest.raises(Denied):
        connect().log_in(fake.host, Credentials("ada", identity_token="id"))


@pytest.mark.parametrize("who", [Credentials("ada", identity_token="id"), Credentials("", registry_token="reg")])
def test_a_token_is_never_a_password(fake, connect, who):
    fake.rule(".", error(401, "UNAUTHORIZED", WWW_Authenticate='Basic realm="r"'))
    with pytest.raises(Denied):
        read(connect(lambda host: who).repository(fake.reference("app")), fake.put(b"data"))
    assert all("authorization" not in seen.headers for seen in fake.seen)


def test_a_stored_login_that_may_too_little_is_not_called_wrong(fake, server, connect):
    server.valid = frozenset()
    server.give = lambda seen: Answer(200, b'{"token":"small"}')
    with pytest.raises(Denied, match="or your login may not") as denied:
        read(connect(lambda host: ADA).repository(fake.reference("app")), fake.put(b"data"))
    assert denied.value.hint == f"check the spelling, or use another account: %image login {fake.host}"


def test_several_challenges_are_answered_by_the_one_that_can_be(fake, server, connect):
    plain = server.challenge

    def challenge(seen):
        answer = plain(seen)
        bearer = answer.headers["WWW-Authenticate"]
        answer.headers["WWW-Authenticate"] = f'Negotiate, Basic realm="a, b"\nNTLM\n{bearer}'
        return answer

    server.challenge = challenge
    assert connect().log_in(fake.host, ADA).asked
    assert BASIC not in [seen.headers.get("authorization") for seen in fake.matching("/v2/")]


def test_credentials_are_looked_up_by_repository(fake, server, connect, tmp_path):
    from jupyimg.model.settings import Settings
    from jupyimg.registry import Registries

    asked = []
    registries = Registries(Settings(home=tmp_path), lambda reference: asked.append(reference.path))
    read(registries.repository(fake.reference("team/app:1")), fake.put(b"data"))
    registries.close()
    assert asked == ["team/app"]


def test_a_repr_shows_no_token():
    assert "tok" not in repr(Credentials("ada", registry_token="tok", identity_token="tok"))
