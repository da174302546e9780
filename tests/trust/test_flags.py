"""The policy as a user meets it: where it is looked for, Docker's variable and flag, and what is said."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path

import pytest

from jupyimg.commands.environment import settings_from
from jupyimg.commands.run import run
from jupyimg.commands.session import Session
from jupyimg.errors import NotTrusted
from jupyimg.model.content import Phase

REJECT = json.dumps({"default": [{"type": "reject"}]})


@pytest.fixture
def user_policy():
    """The user's own policy, which tests find as one that takes anything."""
    return Path.home() / ".config/containers/policy.json"


@pytest.fixture
def said(tmp_path):
    """Runs a line as the terminal does, under these settings of the environment; gives what was noted on the way."""

    def said(*words, **environ):
        session = Session(settings_from({"JUPYIMG_HOME": str(tmp_path / "jupyimg"), **environ}))
        notes = []

        @contextmanager
        def follow(kind, quiet, detach):
            yield lambda step: notes.append(step.text) if step.phase is Phase.NOTE else None

        try:
            run(session, words, follow)
        finally:
            session.close()
        return [note for note in notes if note.startswith("Content trust")]

    return said


def test_the_users_policy_comes_before_the_systems_and_a_variable_before_both(user_policy, tmp_path):
    assert settings_from({}).policy == user_policy
    assert settings_from({"JUPYIMG_POLICY": str(tmp_path / "mine.json")}).policy == tmp_path / "mine.json"
    user_policy.unlink()
    system = Path("/etc/containers/policy.json")
    assert settings_from({}).policy == (system if system.exists() else None)


def test_registries_d_and_lookaside_folders_are_the_users_where_there_are_some(user_policy):
    folder, signatures = user_policy.parent / "registries.d", Path.home() / ".local/share/containers/sigstore"
    folder.mkdir()
    signatures.mkdir(parents=True)
    assert settings_from({}).registries_d == folder
    assert settings_from({}).lookaside == signatures


@pytest.mark.parametrize(
    ("text", "on"), [("1", True), ("true", True), ("yes", True), ("0", False), ("false", False), ("", False)]
)
def test_dockers_variable_is_read_as_docker_reads_it(text, on):
    assert settings_from({"DOCKER_CONTENT_TRUST": text}).content_trust is on


def test_without_a_policy_of_ones_own_everything_works_as_ever(said, stocked):
    assert said("pull", stocked.reference("sample/hello")) == []


def test_dockers_variable_refuses_where_no_policy_wants_a_signature(said, stocked):
    with pytest.raises(NotTrusted, match="content trust is on") as caught:
        said("pull", stocked.reference("sample/hello"), DOCKER_CONTENT_TRUST="1")
    assert "policy.json" in caught.value.hint


def test_the_flag_skips_the_policy_and_says_so(said, user_policy, stocked, second_registry):
    user_policy.write_text(REJECT)
    name, goal = stocked.reference("sample/hello"), second_registry.reference("hello:1")
    for words in (("pull", name), ("copy", name, goal)):
        with pytest.raises(NotTrusted):
            said(*words)
        (note,) = said(*words, "--disable-content-trust")
        assert "skipped" in note
    assert said("pull", name, "--disable-content-trust", DOCKER_CONTENT_TRUST="1")


def test_the_flag_switched_off_wants_a_signature(said, stocked):
    with pytest.raises(NotTrusted, match="wants no signature"):
        said("pull", stocked.reference("sample/hello"), "--disable-content-trust=false")


def test_a_push_says_that_it_signs_nothing(said, stocked):
    name = stocked.reference("sample/hello:latest")
    said("pull", name)
    (note,) = said("push", name, "--disable-content-trust")
    assert "signs nothing" in note
    assert said("push", name, DOCKER_CONTENT_TRUST="1") == [note]
    assert said("push", name) == []
