"""`jupyimg.testing`: each check passes what is done, and says of the rest what is wrong and what to try."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import pytest

import jupyimg
from jupyimg import testing
from jupyimg.errors import Misuse
from jupyimg.testing import (
    NotYet,
    assert_answer,
    assert_frame,
    assert_image,
    assert_pinned,
    assert_platforms,
    assert_pushed,
    assert_removed,
    assert_saved,
    assert_tagged,
    speak,
)
from jupyimg.testing.sentences import SENTENCES

if TYPE_CHECKING:
    from pathlib import Path


def said(check, *args, **how) -> str:
    with pytest.raises(NotYet) as caught:
        check(*args, **how)
    return str(caught.value)


def test_what_it_names_is_there():
    assert sorted(testing.__all__) == testing.__all__
    assert all(hasattr(testing, name) for name in testing.__all__)


def test_every_sentence_says_the_same_in_both_languages():
    def fields(half: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(half) if name}

    for name, languages in SENTENCES.items():
        assert set(languages) == {"en", "zh"}, name
        assert fields(languages["en"][0]) == fields(languages["zh"][0]), name
        assert fields(languages["en"][1]) == fields(languages["zh"][1]), name


def test_an_image_is_here_or_the_line_that_fetches_it_is_said(engine):
    assert_image("sample/web:1.0")
    assert_image("sample/web:1.0", platform="linux/arm64", engine=engine)
    assert said(assert_image, "sample/nothing:1.0") == (
        "there is no image sample/nothing:1.0 here: %image pull sample/nothing:1.0 fetches it, if it is in its registry"
    )
    assert "linux/s390x" in said(assert_image, "sample/web:1.0", platform="linux/s390x")


def test_a_hint_of_the_caller_stands_in_for_the_advice_and_chinese_is_spoken(engine):
    assert said(assert_image, "none", hint="ask") == "there is no image none here: ask"
    speak("zh")
    assert said(assert_image, "none", hint="再试") == "本机还没有镜像 none：再试"
    with pytest.raises(Misuse):
        speak("fr")


def test_not_yet_is_an_assertion_and_shows_one_line(engine):
    with pytest.raises(AssertionError) as caught:
        assert_image("none", hint="ask")
    assert caught.value._render_traceback_() == ["NotYet: there is no image none here: ask"]


def test_two_names_are_one_image_or_not(engine):
    assert_tagged("sample/web:1.1", "sample/web:latest")
    assert "another image" in said(assert_tagged, "sample/web:1.0", "sample/web:latest")
    assert "%image tag sample/web:1.0 mine:1" in said(assert_tagged, "sample/web:1.0", "mine:1")
    assert "there is no image mine:1" in said(assert_tagged, "mine:1", "sample/web:1.0")


def test_platforms_must_be_these_and_no_others(engine):
    assert_platforms("sample/hello", ["linux/amd64", "linux/arm64", "linux/arm/v7"])
    assert "should be here for linux/amd64, and is for " in said(assert_platforms, "sample/hello", ["linux/amd64"])
    more = ["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x"]
    assert "is here without linux/s390x:" in said(assert_platforms, "sample/hello", more)


def test_a_registry_has_the_image_that_is_here(engine, registry):
    target = registry.reference("me/web:v1")
    assert f"%image push {target}" in said(assert_pushed, target)
    engine.tag("sample/web:1.0", target)
    engine.push(target)
    assert_pushed(target)
    assert_pushed(target, like="sample/web:1.0")
    assert "another image" in said(assert_pushed, target, like="sample/web:1.1")
    assert "there is no image none" in said(assert_pushed, target, like="none")
    engine.tag("sample/web:1.1", target)
    assert "another image" in said(assert_pushed, target)
    engine.remove([target])
    assert_pushed(target)


def test_a_registry_that_asks_for_a_login_or_does_not_answer_is_a_task_not_done(engine, htpasswd_registry):
    host = htpasswd_registry.reference("x").partition("/")[0]
    assert f"%image login {host}" in said(assert_pushed, f"{host}/me/web:v1")
    assert "nobody answers" in said(assert_pushed, "127.0.0.1:1/me/web:v1")


def test_an_archive_holds_names_and_can_be_loaded(engine, tmp_path: Path):
    path = tmp_path / "web.tar"
    assert "there is no archive" in said(assert_saved, path, "sample/web:1.0")
    engine.save(["sample/web:1.0"], path)
    before = engine.images()
    assert_saved(path, "sample/web:1.0")
    assert "holds sample/web:1.0, not sample/web:1.1" in said(assert_saved, path, "sample/web:1.1")
    path.write_bytes(path.read_bytes()[:50_000])
    assert "no archive that can be loaded" in said(assert_saved, path, "sample/web:1.0")
    assert engine.images() == before


def test_what_is_removed_is_not_here(engine):
    assert_removed("none", "nothing:1")
    assert said(assert_removed, "none", "sample/web:1.0") == (
        "sample/web:1.0 is still here: %image rmi sample/web:1.0 removes it"
    )


def test_an_image_is_pinned_by_any_of_its_names(engine):
    assert "%image pin" in said(assert_pinned, "sample/web:1.1")
    engine.pin(["sample/web:latest"])
    assert_pinned("sample/web:1.1")
    assert "not pinned" in said(assert_pinned, "sample/web:1.0")


def test_a_frame_is_of_a_kind_whole_and_as_long_as_it_must_be(engine):
    frame = jupyimg.frame(engine.images())
    assert_frame(frame, "images", rows=13, holds={"reference": "sample/web:1.0"})
    assert "no value yet" in said(assert_frame, ..., "images", what="x")
    assert "a list, not a frame" in said(assert_frame, [], "images")
    assert "lacks the column image_id" in said(assert_frame, frame[["tag"]].assign(repository=""), "images")
    assert "13 rows, not 2" in said(assert_frame, frame, "images", rows=2)
    assert "no row whose tag is 7" in said(assert_frame, frame, "images", holds={"tag": "7"})


def test_an_answer_is_right_or_shown_and_never_told(engine):
    assert_answer({"a"}, {"a"})
    assert "no value yet" in said(assert_answer, ..., 3)
    assert said(assert_answer, 2, 3, what="n").startswith("n is 2, and that is not it")
    assert said(assert_answer, jupyimg.frame(engine.images()), 3)
    assert len(said(assert_answer, "x" * 10_000, 3)) < 200


def test_checks_change_nothing(engine, tmp_path: Path):
    def files():
        found = (path for path in (tmp_path / "jupyimg" / "store").rglob("*") if path.is_file())
        return {path: path.read_bytes() for path in found}

    before = files()
    assert_image("sample/web:1.0")
    assert_tagged("sample/web:1.1", "sample/web:latest")
    said(assert_pinned, "sample/web:1.0")
    assert files() == before
