"""Which entry speaks for whom, and what it says: pure text."""

from __future__ import annotations

import base64

import pytest

from jupyimg.credentials import login_key, server_of
from jupyimg.credentials.entries import denotes, found_key, read_entry, write_entry
from jupyimg.errors import CredentialError, Misuse
from jupyimg.registry import Credentials
from tests.credentials.conftest import auth

HUB = ["docker.io", "index.docker.io", "https://index.docker.io/v1/", "registry-1.docker.io", "registry.hub.docker.com"]


@pytest.mark.parametrize("key", [*HUB, "http://index.docker.io/v1/", "https://registry-1.docker.io/v2/", "docker.io/"])
def test_every_name_of_docker_hub_is_one_login(key):
    assert denotes(key, "docker.io")
    assert found_key({key: {"auth": "x"}}, "docker.io", "library/nginx") == key
    assert server_of(key) == "docker.io"


def test_the_login_for_docker_hub_is_kept_where_docker_keeps_it():
    assert login_key("docker.io") == "https://index.docker.io/v1/"
    assert login_key("localhost:5000") == "localhost:5000"


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("", "docker.io"),
        ("quay.io", "quay.io"),
        ("https://quay.io/", "quay.io"),
        ("https://reg.example:8443/v2/", "reg.example:8443"),
        ("HTTP://Quay.IO", "quay.io"),
        ("quay.io/team/app", "quay.io"),
        ("localhost", "localhost"),
        ("myregistry", "myregistry"),
        ("[::1]:5000", "[::1]:5000"),
    ],
)
def test_a_server_is_reduced_to_its_host(typed, host):
    assert server_of(typed) == host


@pytest.mark.parametrize(
    "typed",
    [
        "https://me:hunter2@quay.io",
        "me:hunter2@quay.io/v2/",
        "hunter2!",
        "https://",
        "/",
        ":443",
        "a b",
        "ftp://hunter2",
    ],
)
def test_what_is_no_server_is_refused_and_not_repeated(typed):
    with pytest.raises(Misuse) as refused:
        server_of(typed)
    assert "hunter2" not in refused.value.message + refused.value.hint
    assert refused.value.hint


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("https://index.docker.io/v1/access-token", "docker.io"),  # of a login by browser
        ("quay.io/team", "quay.io"),
        ("quay.io.evil.example", "quay.io"),
        ("https://evil.example/quay.io", "quay.io"),
        ("quay.io:443", "quay.io"),
        ("https://me@quay.io", "quay.io"),
    ],
)
def test_a_key_of_something_else_is_not_the_hosts(key, host):
    assert not denotes(key, host)
    assert found_key({key: {"auth": "x"}}, host) is None


def test_the_most_specific_path_wins_and_holds_for_what_lies_below_only():
    keys = {key: {"auth": "x"} for key in ("quay.io", "quay.io/team", "quay.io/team/app")}
    assert found_key(keys, "quay.io", "team/app") == "quay.io/team/app"
    assert found_key(keys, "quay.io", "team/other") == "quay.io/team"
    assert found_key(keys, "quay.io", "team2/app") == "quay.io"
    assert found_key({"quay.io/team": {"auth": "x"}}, "quay.io", "team2/app") is None
    assert found_key({"docker.io/library": {"auth": "x"}}, "docker.io", "library/nginx") == "docker.io/library"


def test_an_exact_key_comes_before_other_spellings():
    keys = {"https://quay.io/v1/": {"auth": "old"}, "quay.io": {"auth": "new"}}
    assert found_key(keys, "quay.io") == "quay.io"


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (auth("ada", "a:b c"), Credentials("ada", "a:b c")),
        (auth("ada", "pw\0\0"), Credentials("ada", "pw")),
        (auth("ünï", "密码"), Credentials("ünï", "密码")),
        ({"auth": base64.b64encode(b"ada:caf\xe9").decode()}, Credentials("ada", "café")),
        ({"auth": auth("ada", "pw")["auth"].rstrip("=") + "\n"}, Credentials("ada", "pw")),
        ({"username": "ada", "password": "pw"}, Credentials("ada", "pw")),
        ({**auth("ada", ""), "identitytoken": "id"}, Credentials("ada", identity_token="id")),
        ({**auth("<token>", ""), "identitytoken": "id"}, Credentials("", identity_token="id")),
        ({"registrytoken": "reg"}, Credentials("", registry_token="reg")),
        ({}, None),
        ({"auth": "", "email": "x"}, None),
    ],
)
def test_what_an_entry_says(entry, found):
    assert read_entry(entry, "it") == found


@pytest.mark.parametrize(
    "entry", ["s3cret", 5, {"auth": 5}, {"auth": "c2VjcmV0"}, {"auth": "s3cret!"}, {"identitytoken": "s3cret\r\nx: y"}]
)
def test_an_entry_that_cannot_be_read_is_named_and_not_repeated(entry):
    with pytest.raises(CredentialError, match="it") as failed:
        read_entry(entry, "it")
    assert "s3cret" not in failed.value.message + failed.value.hint
    assert failed.value.hint


@pytest.mark.parametrize(
    "who", [Credentials("ada", "a:b"), Credentials("ada", identity_token="id"), Credentials("", identity_token="id")]
)
def test_what_is_written_is_read_back(who):
    assert read_entry(write_entry(who), "it") == who


def test_an_identity_token_is_written_without_a_password():
    written = write_entry(Credentials("ada", "pw", identity_token="id"))
    assert written == {**auth("ada", ""), "identitytoken": "id"}
