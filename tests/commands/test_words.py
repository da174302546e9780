"""Words that a beginner writes and that are something else here: one sentence, and nothing that would remove anything."""

from __future__ import annotations

import pytest

from jupyimg.commands import run
from jupyimg.commands.session import Session
from jupyimg.errors import ImageNotFound, Misuse
from jupyimg.model.settings import Settings


def refused(tmp_path, line):
    with pytest.raises(Misuse) as caught:
        run(Session(Settings(home=tmp_path), terminal=True), line.split())
    return caught.value


@pytest.mark.parametrize("word", ["run", "exec", "stop", "stats", "start"])
def test_what_is_for_containers_is_not_answered_with_another_command(tmp_path, word):
    error = refused(tmp_path, f"{word} nginx")
    assert "containers" in error.message
    assert "prune" not in error.hint
    assert "did you mean" not in error.hint


def test_what_builds_says_where_images_are_built(tmp_path):
    assert "docker or podman" in refused(tmp_path, "build .").hint


@pytest.mark.parametrize(("typed", "meant"), [("IMAGES", "images"), ("pul", "pull"), ("lgoin", "login")])
def test_a_slip_is_told_the_nearest_word(tmp_path, typed, meant):
    assert refused(tmp_path, typed).hint == f"did you mean {meant}?"


@pytest.mark.parametrize("line", ["pull", "tag app"])
def test_what_is_missing_is_named_whole(tmp_path, line):
    assert "@DIGEST" in refused(tmp_path, line).message or "TARGET" in refused(tmp_path, line).message.upper()


def test_a_port_that_is_no_number_is_told_so(tmp_path):
    assert "'abc' is not a number" in refused(tmp_path, "serve --port abc").message


@pytest.mark.parametrize("host", ["localhost:5000", "localhost", "127.0.0.1:5000"])
def test_the_tags_of_a_host_lead_to_its_catalog(tmp_path, host):
    assert f"catalog {host}" in refused(tmp_path, f"tags {host}").hint


def test_an_id_that_is_too_short_says_so(tmp_path):
    session = Session(Settings(home=tmp_path), terminal=True)
    run(session, ["samples"])
    image_id = str(session.engine.images()[0].image_id).removeprefix("sha256:")
    assert run(session, ["history", image_id[:12]]).records
    with pytest.raises(ImageNotFound) as caught:
        run(session, ["history", image_id[:3]])
    assert "four digits" in caught.value.hint


@pytest.mark.parametrize(("line", "better"), [("send app --to embedded", "--from"), ("send app", "--to")])
def test_sending_to_where_it_is_says_what_to_write(tmp_path, line, better):
    error = refused(tmp_path, line)
    assert "to itself" in error.message
    assert better in error.hint
