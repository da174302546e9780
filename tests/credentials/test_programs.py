"""Helper programs: asked by standard input alone, given a limited time, and one sentence where they fail."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from jupyimg.errors import CredentialError
from jupyimg.model.reference import Reference
from jupyimg.registry import Credentials
from tests.services.process import environment, run
from tests.services.waiting import AT_ONCE, until

ADA = Credentials("ada", "s3cret")


@pytest.fixture
def stored(homes, vault):
    homes.write(homes.docker, credsStore="vault", auths={})
    return homes.open()


def test_a_login_goes_to_the_helper_and_leaves_a_mark_in_the_file(homes, vault, stored):
    kept = stored.store("quay.io", ADA)
    assert (kept.where, kept.encrypted) == ("docker-credential-vault", True)
    assert vault.kept["quay.io"] == {"ServerURL": "quay.io", "Username": "ada", "Secret": "s3cret"}
    assert homes.read(homes.docker) == {"credsStore": "vault", "auths": {"quay.io": {}}}
    assert stored.find("quay.io") == ADA
    assert stored.find("other.example") is None
    assert stored.source_of("quay.io") == f"docker-credential-vault (credsStore in {homes.docker})"


def test_docker_hub_is_asked_for_as_docker_does(vault, stored):
    vault.keep("https://index.docker.io/v1/", "ada", "s3cret")
    assert stored.find(Reference.parse("nginx")) == ADA
    assert [call[:2] for call in vault.calls] == [["get", "https://index.docker.io/v1/"]]


def test_an_identity_token_goes_in_and_comes_out_as_one(vault, stored):
    stored.store("quay.io", Credentials("ada", identity_token="refresh"))
    assert vault.kept["quay.io"]["Username"] == "<token>"
    assert stored.find("quay.io") == Credentials("", identity_token="refresh")


def test_the_helper_of_a_host_comes_before_the_one_for_all(homes, vault):
    homes.write(homes.docker, credsStore="missing", credHelpers={"quay.io": "vault"})
    homes.open().store("quay.io", ADA)
    assert homes.open().find("quay.io") == ADA
    with pytest.raises(CredentialError, match="docker-credential-missing is not installed"):
        homes.open().find("other.example")


def test_logging_out_erases_in_the_helper_and_in_the_file(homes, vault, stored):
    stored.store("quay.io", ADA)
    vault.keep("https://quay.io", "old", "old")
    vault.keep("other.example", "other", "other")
    done = stored.erase("quay.io")
    assert (done.removed, done.left, done.troubles) == (True, "", ())
    assert list(vault.kept) == ["other.example"]
    assert homes.read(homes.docker)["auths"] == {}
    assert not stored.erase("quay.io").removed


def test_a_helper_that_cannot_list_is_asked_for_the_one_login(vault, stored):
    stored.store("quay.io", ADA)
    program = vault.bin / "docker-credential-vault"
    program.write_text(
        program.read_text().replace('elif verb == "list":', 'elif verb == "list":\n    sys.exit(2)\nelif 0:')
    )
    assert stored.erase("quay.io").removed
    assert not vault.kept
    assert not stored.erase("quay.io").removed


def test_no_secret_is_in_any_command_line(vault, stored):
    stored.store("quay.io", ADA)
    stored.find("quay.io")
    stored.erase("quay.io")
    assert {call[0] for call in vault.calls} == {"get", "store", "list", "erase"}
    assert all("s3cret" not in line for call in vault.calls for line in call[2])


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("1 the keychain is locked\x1b[2J", "failed: the keychain is locked"),
        ("2 ", "failed"),
        ("0 not json", "an answer that is none"),
        ("0 [1]", "an answer that is none"),
        ('0 {"Username": 5, "Secret": "s3cret"}', "an answer that is none"),
        ("flood", "an answer that is none"),
    ],
)
def test_a_helper_that_fails_is_one_sentence(vault, stored, mode, why):
    vault.misbehave(mode)
    with pytest.raises(CredentialError, match=f"docker-credential-vault.*{why}") as failed:
        stored.find("quay.io")
    assert "credsStore in " in failed.value.hint
    assert "s3cret" not in failed.value.message + failed.value.hint
    assert "\x1b" not in failed.value.message
    assert failed.value.__cause__ is None
    assert why in stored.source_of("quay.io")


def test_a_helper_that_repeats_the_secret_when_it_fails_is_not_quoted(vault, stored):
    vault.misbehave("1 cannot keep s3cret")
    with pytest.raises(CredentialError, match=r"docker-credential-vault failed$"):
        stored.store("quay.io", ADA)


def test_a_login_that_could_not_be_kept_leaves_the_file_as_it_was(homes, vault, stored):
    before = homes.docker.read_text()
    vault.misbehave("1 no")
    with pytest.raises(CredentialError):
        stored.store("quay.io", ADA)
    assert homes.docker.read_text() == before


def _gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_helper_that_hangs_is_ended_with_its_children(homes, vault, stored):
    vault.misbehave("hang")
    began = time.monotonic()
    with pytest.raises(CredentialError, match=r"did not answer within 3\.5 seconds"):
        homes.open(helper_timeout=3.5).find("quay.io")
    assert time.monotonic() - began < 3.5 + AT_ONCE
    until(lambda: _gone((vault.folder / "child").read_text()))
    until(lambda: not [thread for thread in threading.enumerate() if "_exchange" in thread.name])


def test_a_helper_that_ends_without_listening_is_understood(tmp_path, homes, monkeypatch):
    program = tmp_path / "deaf" / "docker-credential-deaf"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nexec 0<&-\necho \'{"ServerURL":"x","Username":"ada","Secret":"s3cret"}\'\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    homes.write(homes.docker, credsStore="deaf")
    assert homes.open().find("quay.io") == ADA
    homes.open().store("quay.io", Credentials("ada", "x" * 300_000))


@pytest.mark.parametrize("name", ["../../bin/sh", "a/b", "-x", "", " ", "a\nb", 5, ["vault"]])
def test_a_helpers_name_is_no_path(homes, vault, name):
    homes.write(homes.docker, credHelpers={"quay.io": name})
    if name == "":
        assert homes.open().find("quay.io") is None
    else:
        with pytest.raises(CredentialError, match="is not installed"):
            homes.open().find("quay.io")


def test_a_helper_that_no_program_can_be_is_an_error(homes, vault):
    (vault.bin / "docker-credential-vault").write_text("\x7fELF nonsense")
    homes.write(homes.docker, credsStore="vault")
    with pytest.raises(CredentialError, match="cannot be started"):
        homes.open().find("quay.io")


def test_pass_keeps_and_forgets(homes, tmp_path, monkeypatch):
    env = environment(tmp_path / "home")
    (tmp_path / "home" / ".gnupg").mkdir(mode=0o700, exist_ok=True)
    script = "%no-protection\nKey-Type: eddsa\nKey-Curve: ed25519\nSubkey-Type: ecdh\nSubkey-Curve: cv25519\n"
    script += "Name-Real: tests\nExpire-Date: 0\n%commit\n"
    run(["gpg", "--batch", "--quiet", "--gen-key"], env=env, stdin=script.encode())
    run(["pass", "init", "tests"], env=env)
    try:
        homes.write(homes.docker, credsStore="pass")
        store = homes.open()
        assert store.find("quay.io") is None
        assert store.store("quay.io", ADA).where == "docker-credential-pass"
        assert store.find("quay.io") == ADA
        store.store("docker.io", Credentials("ada", identity_token="refresh"))
        assert store.find(Reference.parse("nginx")) == Credentials("", identity_token="refresh")
        files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
        assert not [path for path in [*files, homes.docker] if b"s3cret" in path.read_bytes()]
        assert store.erase("quay.io").removed
        assert store.find("quay.io") is None
        assert not store.erase("quay.io").removed
    finally:
        run(["gpgconf", "--kill", "all"], env=env)
