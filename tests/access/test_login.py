"""%image login and logout, on real registries: Docker's words, and nothing kept that was not proved."""

from __future__ import annotations

import builtins
import getpass
import io
import json
import sys
from pathlib import Path

import pytest

from jupyimg.__main__ import main
from jupyimg.errors import CredentialError, Denied, Misuse
from tests.credentials.conftest import auth
from tests.magic.test_magic import run
from tests.services.registry import PASSWORD, USERNAME

CONFIG = Path(".docker", "config.json")


@pytest.fixture
def config(tmp_path):
    """Docker's file of logins of this test's user."""
    return tmp_path / "home" / CONFIG


@pytest.fixture
def answers(monkeypatch, shell):
    """Somebody who answers, in order; what was asked is kept in the list beside it."""
    given, asked = [], []

    def answer(question):
        asked.append(question)
        return given.pop(0)

    monkeypatch.setattr(builtins, "input", answer)
    monkeypatch.setattr(getpass, "getpass", lambda question: answer(f"{question}(unseen)"))
    shell.magics_manager.registry["ImageMagics"].session.in_kernel = True
    return given, asked


def test_login_push_pull_and_logout_over_tls_with_an_authority_of_ones_own(tls_registry, shell, hello, config):
    host, server = tls_registry
    run(shell, f"%image tag {hello} {host}/me/hello:1")
    with pytest.raises(Denied) as denied:
        run(shell, f"%image push {host}/me/hello:1")
    assert f"%image login {host}" in denied.value.hint
    shell.user_ns["pw"] = PASSWORD
    said = run(shell, f"%image login {host} -u {USERNAME} -p {{pw}}")
    assert str(said).splitlines()[-1] == "Login Succeeded"
    assert "stored unencrypted in '~/.docker/config.json'" in str(said)
    assert json.loads(config.read_text()) == {"auths": {host: auth(USERNAME, PASSWORD)}}
    assert run(shell, f"%image push {host}/me/hello:1")["status"].tolist() == ["pushed"]
    assert server.tags("me/hello") == ["1"]
    run(shell, f"%image rmi {host}/me/hello:1")
    assert run(shell, f"%image pull {host}/me/hello:1")["status"].tolist() == ["downloaded"]
    assert run(shell, f"%image copy {host}/me/hello:1 {host}/you/hello:2")["status"].tolist() == ["copied"]
    assert run(shell, f"%image inspect --remote {host}/you/hello:2")["Os"] == "linux"
    assert str(run(shell, f"%image logout {host}")) == f"Removing login credentials for {host}"
    assert json.loads(config.read_text()) == {"auths": {}}
    assert str(run(shell, f"%image logout {host}")) == f"Not logged in to {host}"
    with pytest.raises(Denied, match="wants a login"):
        run(shell, f"%image inspect --remote {host}/you/hello:2")


def test_a_wrong_password_is_denied_and_nothing_is_kept(shell, htpasswd_registry, config):
    shell.user_ns["pw"] = "hunter2"
    with pytest.raises(Denied, match="does not accept this login") as denied:
        run(shell, f"%image login {htpasswd_registry.host} -u {USERNAME} -p {{pw}}")
    assert denied.value.hint == "check both; nothing was kept"
    assert not config.exists()


def test_what_is_missing_is_asked_for_and_the_password_unseen(shell, htpasswd_registry, answers):
    given, asked = answers
    given += [USERNAME, PASSWORD, PASSWORD]
    assert "Login Succeeded" in str(run(shell, f"%image login {htpasswd_registry.host}"))
    assert asked == ["Username: ", "Password: (unseen)"]
    run(shell, f"%image login {htpasswd_registry.host} -u {USERNAME}")
    assert asked[2:] == ["Password: (unseen)"]


def test_what_is_kept_is_tried_first_and_then_asked_for(shell, htpasswd_registry, answers, config):
    given, asked = answers
    host = htpasswd_registry.host
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"auths": {host: auth(USERNAME, "outdated")}}))
    given += [USERNAME, PASSWORD]
    assert "Login Succeeded" in str(run(shell, f"%image login {host}"))
    assert asked[0] == "Stored credentials invalid or expired\nUsername: "
    again = str(run(shell, f"%image login {host}"))
    assert again == f"Authenticating with existing credentials... [Username: {USERNAME}]\nLogin Succeeded"
    assert len(asked) == 2


def test_nothing_answered_is_no_login(shell, htpasswd_registry, answers, config):
    given, _ = answers
    given += ["  ", "x", USERNAME, ""]
    with pytest.raises(Misuse, match="no user name was given"):
        run(shell, f"%image login {htpasswd_registry.host}")
    with pytest.raises(Misuse, match="no password was given"):
        run(shell, f"%image login {htpasswd_registry.host}")
    assert not config.exists()


def test_a_stored_login_that_is_wrong_says_how_to_go_on_without_it(shell, hello, tokens, token_registry, config):
    host = token_registry.host
    shell.user_ns["pw"] = PASSWORD
    run(shell, f"%image login {host} -u {USERNAME} -p {{pw}}")
    run(shell, f"%image tag {hello} {host}/public:1")
    run(shell, f"%image push {host}/public:1")
    config.write_text(json.dumps({"auths": {host: auth(USERNAME, "outdated")}}))
    with pytest.raises(Denied, match="does not accept the login that is kept") as denied:
        run(shell, f"%image pull {host}/public:1")
    assert f"%image logout {host}" in denied.value.hint
    assert "incorrect username or password" in denied.value.message
    run(shell, f"%image logout {host}")
    assert run(shell, f"%image pull {host}/public:1")["status"].tolist() == ["up to date"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("-u me -p hunter2", "written in a cell"),
        ("-u me -phunter2", "written in a cell"),
        ("-u me --password=hunter2", "written in a cell"),
        ("-u me --password-stdin", "no standard input"),
        ("-u me -p -", "no standard input"),
        ("-u '' -p {pw}", "user name is empty"),
        ("-u me -p {empty}", "password is empty"),
        ("-u me -p env:NOT_SET", "has no NOT_SET"),
        ("-u me -p {pw} --password-stdin", "exclude each other"),
        ("-p {pw} --password-stdin", "exclude each other"),
        ("--password-stdin", "needs a user name"),
        ("-u me -p {pw} {pw}", "unexpected extra argument"),
        ("-u me -p {pw} --{pw}", "no such option"),
        ("-u me", "nobody is here to be asked for the password"),
        ("", "nobody is here to be asked for the username"),
    ],
)
def test_what_cannot_be_a_login_is_refused_with_the_reason(shell, config, monkeypatch, words, why):
    monkeypatch.setattr(sys, "stdin", io.StringIO("hunter2\n"))
    shell.user_ns |= {"pw": "hunter2", "empty": ""}
    with pytest.raises(Misuse, match=why) as refused:
        run(shell, f"%image login 127.0.0.1:1 {words}")
    assert refused.value.hint
    assert "hunter2" not in refused.value.message + refused.value.hint
    assert not config.exists()


@pytest.mark.parametrize(
    "words", ["{nothing} -u me -p {pw}", "{nowhere} -u me -p {pw}", "'' -u me", "-u me -p {pw} {nowhere}"]
)
def test_a_server_that_came_out_empty_is_not_docker_hub(shell, words):
    shell.user_ns |= {"pw": "hunter2", "nothing": "", "nowhere": []}
    with pytest.raises(Misuse, match=r"the server is empty|held no values"):
        run(shell, f"%image login {words}")


@pytest.mark.parametrize("address", ["https://me:hunter2@reg.example", "me:hunter2@reg.example", "{pw}!"])
def test_a_login_in_an_address_is_refused_and_not_repeated(shell, address):
    shell.user_ns["pw"] = "hunter2"
    for verb in ("login", "logout"):
        with pytest.raises(Misuse) as refused:
            run(shell, f"%image {verb} {address}")
        assert "hunter2" not in refused.value.message + refused.value.hint


@pytest.mark.parametrize(
    "spelling", ["-p {pw}", "-p{pw}", "--password={pw}", "--password {pw}", "-p env:MY_TOKEN", "-p $pw"]
)
def test_a_password_is_taken_from_a_value_or_the_environment(shell, htpasswd_registry, monkeypatch, spelling):
    monkeypatch.setenv("MY_TOKEN", PASSWORD)
    shell.user_ns["pw"] = PASSWORD
    said = run(shell, f"%image login {htpasswd_registry.host} -u {USERNAME} {spelling}")
    assert "Login Succeeded" in str(said)


def test_a_password_that_looks_like_a_variable_is_a_password(shell, config):
    shell.user_ns["pw"] = "env:HOME"
    with pytest.raises(Exception, match="refuses the connection"):
        run(shell, "%image login 127.0.0.1:1 -u me -p {pw}")


def test_a_helper_that_is_set_keeps_the_login(shell, htpasswd_registry, vault, config):
    host = htpasswd_registry.host
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"credsStore": "vault"}))
    shell.user_ns["pw"] = PASSWORD
    assert str(run(shell, f"%image login {host} -u {USERNAME} -p {{pw}}")) == "Login Succeeded"
    assert vault.kept[host]["Secret"] == PASSWORD
    vault.misbehave("1 locked")
    with pytest.raises(CredentialError, match="docker-credential-vault failed: locked"):
        run(shell, f"%image inspect --remote {host}/x")
    assert "WARNING: could not erase" in str(run(shell, f"%image logout {host}"))


def test_a_login_that_the_environment_hides_says_so(shell, htpasswd_registry, monkeypatch):
    host = htpasswd_registry.host
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {host: auth("eve", "x")}}))
    shell.run_line_magic("reload_ext", "jupyimg")
    shell.user_ns["pw"] = PASSWORD
    said = str(run(shell, f"%image login {host} -u {USERNAME} -p {{pw}}"))
    assert "DOCKER_AUTH_CONFIG is set and comes before what is stored" in said
    assert "DOCKER_AUTH_CONFIG still answers" in str(run(shell, f"%image logout {host}"))


class _Piped:
    def __init__(self, raw):
        self.buffer = io.BytesIO(raw)

    def isatty(self):
        return False


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r"])
def test_in_a_terminal_the_password_is_piped_in_and_loses_one_newline(htpasswd_registry, monkeypatch, capsys, end):
    monkeypatch.setattr(sys, "stdin", _Piped(PASSWORD.encode() + end.encode()))
    assert main(["login", htpasswd_registry.host, "-u", USERNAME, "--password-stdin"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Login Succeeded"
    assert main(["logout", htpasswd_registry.host]) == 0
    assert capsys.readouterr().out == f"Removing login credentials for {htpasswd_registry.host}\n"


def test_a_password_on_a_terminals_line_is_warned_of_as_docker_does(htpasswd_registry, monkeypatch, capsys):
    monkeypatch.setenv("MY_TOKEN", PASSWORD)
    warning = "WARNING! Using --password via the CLI is insecure. Use --password-stdin."
    for password, warned in ((PASSWORD, True), ("env:MY_TOKEN", False)):
        assert main(["login", htpasswd_registry.host, "-u", USERNAME, "-p", password]) == 0
        assert (warning in capsys.readouterr().out) is warned


def test_two_newlines_are_one_too_many(htpasswd_registry, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", _Piped(PASSWORD.encode() + b"\n\n"))
    assert main(["login", htpasswd_registry.host, "-u", USERNAME, "-p", "-"]) == 1
    assert "does not accept this login" in capsys.readouterr().err


def test_in_a_terminal_nobody_to_ask_is_an_error_that_names_the_flag(htpasswd_registry, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", _Piped(b""))
    assert main(["login", htpasswd_registry.host]) == 2
    assert "--password-stdin" in capsys.readouterr().err


def test_a_password_that_is_no_text_is_an_error(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", _Piped(b"\xff\xfe"))
    assert main(["login", "127.0.0.1:1", "-u", "me", "--password-stdin"]) == 2
    assert "not UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize("spelling", ["--auth=me:{pw}", "--auth me:{pw}"])
def test_serve_takes_a_password_from_a_value_in_both_spellings(shell, spelling):
    shell.user_ns["pw"] = "hunter2"
    served = run(shell, f"server = %image serve --samples --port 0 {spelling}\nserver")
    assert "Login Succeeded" in str(run(shell, f"%image login {served.address} -u me -p {{pw}}"))
    assert run(shell, f"%image pull {served.address}/sample/base:1.0")["status"].tolist() == ["downloaded"]
    run(shell, "%image serve --stop")
