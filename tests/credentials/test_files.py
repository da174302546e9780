"""Files of logins: what is not ours in them stays, and no moment shows half of one."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat

import pytest

from jupyimg.credentials.files import change, read
from jupyimg.errors import CredentialError
from jupyimg.registry import Credentials
from tests.credentials.conftest import auth

OTHERS = {
    "HttpHeaders": {"X-Meta": "ü"},
    "psFormat": "table {{.ID}}",
    "big": 12345678901234567890,
    "plugins": {"x": {}},
}


def test_other_keys_and_their_order_stay(homes):
    homes.write(homes.docker, **{"zeta": 1, **OTHERS, "auths": {"a.example": auth("a", "1")}, "alpha": [None, True]})
    homes.open().store("b.example", Credentials("b", "2"))
    after = homes.read(homes.docker)
    assert list(after) == ["zeta", *OTHERS, "auths", "alpha"]
    assert {key: after[key] for key in OTHERS} == OTHERS
    assert after["auths"] == {"a.example": auth("a", "1"), "b.example": auth("b", "2")}


def test_a_new_file_is_its_owners_alone_and_an_old_one_becomes_so(homes):
    homes.open().store("a.example", Credentials("a", "1"))
    assert stat.S_IMODE(homes.docker.stat().st_mode) == 0o600
    assert stat.S_IMODE(homes.docker.parent.stat().st_mode) == 0o700
    homes.docker.chmod(0o644)
    homes.open().store("b.example", Credentials("b", "2"))
    assert stat.S_IMODE(homes.docker.stat().st_mode) == 0o600


def test_a_symlink_stays_one(homes, tmp_path):
    real = tmp_path / "dotfiles" / "docker.json"
    homes.write(real, auths={})
    homes.docker.parent.mkdir()
    homes.docker.symlink_to(real)
    homes.open().store("a.example", Credentials("a", "1"))
    assert homes.docker.is_symlink()
    assert homes.read(real)["auths"] == {"a.example": auth("a", "1")}


def test_links_in_a_circle_are_an_error(homes):
    homes.docker.parent.mkdir()
    homes.docker.symlink_to(homes.docker)
    with pytest.raises(CredentialError):
        homes.open().store("a.example", Credentials("a", "1"))


@pytest.mark.parametrize("text", ["{", "[]", '{"auths": [1]}', '"x"', "\x00", "[" * 100_000])
def test_a_file_that_is_no_json_object_is_an_error_and_stays_as_it_is(homes, text):
    homes.docker.parent.mkdir()
    homes.docker.write_text(text)
    for work in (
        lambda: homes.open().find("a.example"),
        lambda: homes.open().store("a.example", Credentials("a", "1")),
    ):
        with pytest.raises(CredentialError, match=r"config\.json") as failed:
            work()
        assert failed.value.hint
    assert homes.docker.read_text() == text


def test_an_empty_file_is_an_empty_object(homes):
    homes.docker.parent.mkdir()
    homes.docker.write_text("\n")
    assert homes.open().find("a.example") is None
    homes.open().store("a.example", Credentials("a", "1"))
    assert homes.open().find("a.example") == Credentials("a", "1")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(homes, monkeypatch):
    homes.write(homes.docker, auths={"a.example": auth("a", "1")})

    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CredentialError, match="No space left"):
        homes.open().store("b.example", Credentials("b", "hunter2"))
    assert homes.read(homes.docker)["auths"] == {"a.example": auth("a", "1")}
    assert "hunter2" not in "".join(path.read_text() for path in homes.docker.parent.iterdir())
    assert {path.name for path in homes.docker.parent.iterdir()} == {"config.json", ".config.json.lock"}


def test_a_folder_where_a_file_should_be_is_an_error(homes):
    homes.docker.mkdir(parents=True)
    with pytest.raises(CredentialError, match="cannot be read"):
        homes.open().find("a.example")


def _log_in_often(path, name):
    for turn in range(20):
        change(path, lambda document: document.setdefault("auths", {}).update({f"{name}-{turn}": auth(name, "x")}))  # noqa: B023


def test_two_processes_lose_no_login_of_each_other(homes):
    homes.docker.parent.mkdir()
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=_log_in_often, args=(homes.docker, name)) for name in "ab"]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert len(read(homes.docker)["auths"]) == 40
    assert json.loads(homes.docker.read_text())
