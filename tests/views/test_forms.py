"""Forms do what was typed or ticked, say what happened in words, and keep no password; none needs a browser here."""

from __future__ import annotations

import dataclasses
import gc
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from jupyimg import views
from jupyimg.errors import Denied, StoreError
from jupyimg.model.content import COUNTED, Phase, Step
from jupyimg.views import Answer, LoginAsk, PruneAsk
from jupyimg.views import twin as room
from jupyimg.views.login_form import LoginForm
from jupyimg.views.prune_form import PruneForm
from tests.views.samples import HOSTILE, digest, image, removal
from tests.views.test_html import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from jupyimg.model.digest import Digest
    from jupyimg.model.records import ImageRecord, RemovalRecord

SECRET = "correct-horse-9"


class Registry:
    """Lets one password in, and keeps who asked."""

    def __init__(self, *, broken: bool = False) -> None:
        self.tried: list[tuple[str, int]] = []
        self.broken = broken

    def login(self, username: str, password: str) -> Sequence[str]:
        self.tried.append((username, len(password)))
        if self.broken:
            raise ValueError(password)
        if password != SECRET:
            raise Denied("the registry does not accept this login", hint="check both; nothing was kept")
        return ("WARNING! kept as it is", "Login Succeeded")


def login_form(registry: Registry) -> LoginForm:
    made = views.to_notebook(
        Answer(kind="login", records=[], form=LoginAsk(server="r.example", login=registry.login, without="%image x"))
    )
    assert isinstance(made, LoginForm)
    return made


def typed(form: LoginForm, password: str) -> list[memoryview]:
    buffers = [memoryview(password.encode())]
    form.widget._handle_custom_msg({"do": "login", "username": "ada"}, buffers)
    return buffers


def state(form: LoginForm | PruneForm) -> str:
    return json.dumps(form.widget.get_state(), default=str)


def test_a_wrong_password_is_refused_in_words_and_a_right_one_let_in() -> None:
    registry = Registry()
    form = login_form(registry)
    typed(form, "wrong-horse-9")
    assert form.widget.state == "failed"
    assert form.widget.lines == ["the registry does not accept this login", "check both; nothing was kept"]
    assert "Login Succeeded" not in repr(form)
    typed(form, SECRET)
    assert form.done
    assert form.widget.lines == ["Logged in as ada.", "WARNING! kept as it is"]
    assert repr(form) == "Login Succeeded for r.example"
    assert Page(form._html()).text == "Login Succeeded for r.example"
    typed(form, SECRET)
    assert registry.tried == [("ada", 13), ("ada", 15)]


@pytest.mark.parametrize("broken", [False, True])
def test_no_password_stays_in_the_form_its_state_or_the_message(broken: bool) -> None:  # noqa: FBT001
    form = login_form(Registry(broken=broken))
    for password in ("wrong-horse-9", SECRET):
        assert typed(form, password) == []
        assert password not in state(form)
        assert password not in repr(vars(form)) + repr(form) + form._html()
    gc.collect()
    kept = [each for each in gc.get_objects() if type(each) is dict and each is not globals()]
    assert not [each for each in kept if any(type(value) is str and value == SECRET for value in [*each.values()])]


def test_what_should_not_go_wrong_is_a_sentence_without_values() -> None:
    form = login_form(Registry(broken=True))
    typed(form, SECRET)
    assert form.widget.lines == ["something went wrong that should not (ValueError)"]


def test_other_messages_log_nobody_in() -> None:
    registry = Registry()
    form = login_form(registry)
    form.widget._handle_custom_msg({"do": "else"}, [memoryview(SECRET.encode())])
    form.widget._handle_custom_msg({}, [])
    assert registry.tried == []


class Shop:
    """Three images, of which two share 5,000 bytes; what goes is decided anew each time."""

    def __init__(self) -> None:
        self.images = [
            image(
                reference=f"{name}:1",
                repository=name,
                tag="1",
                image_id=digest(f"id of {name}"),
                digest=digest(name),
                manifest_digest=None,
            )
            for name in "abc"
        ]
        self.images[2] = dataclasses.replace(self.images[2], reference="c", tag=None, dangling=True)
        self.gone: list[str] = []
        self.pinned: set[str] = set()
        self.held: set[Digest | None] = set()
        self.full = False
        self.slow = 0
        self.telling: Callable[[], str] = str
        self.said: list[str] = []

    def plan(self, only: Sequence[ImageRecord]) -> list[RemovalRecord]:
        if self.full:
            raise StoreError("the disk is not readable", hint="mount it")
        names = [one.reference for one in only if one.reference not in self.pinned]
        shared = 5000 if {"a:1", "b:1"} <= set(names) else 0
        tagged = [one for one in only if one.reference in names and one.tag]
        rows = [removal(action="untagged", reference=one.reference, digest=one.digest, freed=0) for one in tagged]
        gone = [one.image_id for one in only if one.reference in names and one.image_id not in self.held]
        deleted = [removal(action="deleted", reference=None, digest=one, freed=100) for one in dict.fromkeys(gone)]
        return [*rows, *deleted, *([removal(action="deleted", reference=None, freed=shared)] if shared else [])]

    def act(self, only: Sequence[ImageRecord]) -> Generator[Step, None, list[RemovalRecord]]:
        rows = self.plan(only)
        for at in range(self.slow):
            yield Step(Phase.MOVING, "images", at, self.slow, COUNTED)
            time.sleep(0.2)
            self.said.append(self.telling())
        self.gone += [one.reference for one in only if one.reference not in self.pinned]
        return rows


def prune_form(shop: Shop) -> PruneForm:
    ask = PruneAsk(images=shop.images, plan=shop.plan, act=shop.act, without="%image prune -a -f")
    made = views.to_notebook(Answer(kind="prune --dry-run", records=[], form=ask))
    assert isinstance(made, PruneForm)
    return made


def press(form: PruneForm, do: str, *ticked: int) -> None:
    form.widget._handle_custom_msg({"do": do, "ticked": list(ticked)}, [])


def test_only_what_has_no_name_is_ticked_at_first() -> None:
    form = prune_form(Shop())
    assert form.widget.ticked == [2]
    assert form.widget.told["lines"] == ["Frees exactly 100B (100 bytes)."]
    assert form.widget.told["button"] == "Remove 1 image, free 100B"
    assert [row["cells"][0] for row in form.widget.rows] == ["a:1", "b:1", "c:<none>"]


def test_two_names_of_one_image_are_no_two_images() -> None:
    shop = Shop()
    shop.images[1] = dataclasses.replace(shop.images[1], image_id=shop.images[0].image_id)
    form = prune_form(shop)
    form.widget.ticked = [0, 1, 2]
    assert form.widget.told["button"].startswith("Remove 2 images, free ")
    form.widget.ticked = [0, 1]
    assert form.widget.told["button"].startswith("Remove 2 names, 1 image, free ")
    shop.held.add(shop.images[0].image_id)
    form.widget.ticked = [0]
    assert form.widget.told["button"] == "Remove 1 name, free 0B"


def test_ticks_are_answered_with_the_bytes_of_the_set() -> None:
    form = prune_form(Shop())
    for ticked, lines in (
        ([0], ["Frees exactly 100B (100 bytes)."]),
        ([0, 1], ["Frees exactly 5.2kB (5,200 bytes)."]),
        ([], ["Tick what is to go."]),
    ):
        form.widget.ticked = ticked
        assert form.widget.told["lines"] == lines
        assert form.widget.told["ticked"] == ticked
        assert form.widget.told["can"] is bool(ticked)


def test_confirm_removes_exactly_what_was_ticked_and_leaves_a_static_summary() -> None:
    shop = Shop()
    form = prune_form(shop)
    form.widget.ticked = [0, 2]
    press(form, "confirm", 0, 2)
    assert shop.gone == ["a:1", "c"]
    assert form.widget.state == "done"
    assert form.widget.told["lines"] == ["Freed exactly 200B (200 bytes)."]
    assert form.result is not None
    assert form.result["freed"].sum() == 200
    assert "total reclaimed space: 200B" in Page(form._html()).text
    press(form, "confirm", 1)
    assert shop.gone == ["a:1", "c"]


def test_a_removal_that_takes_a_while_says_how_far_it_is() -> None:
    shop = Shop()
    form = prune_form(shop)
    shop.telling, shop.slow = lambda: form.widget.told["lines"][0], 5
    press(form, "confirm", 2)
    assert shop.said[0] == "Frees exactly 100B (100 bytes)."  # nothing moves in what may be over at once
    assert shop.said[-1] == "3 of 5 images"
    assert form.widget.told["lines"] == ["Freed exactly 100B (100 bytes)."]


def test_a_confirmation_of_another_set_than_was_counted_counts_first() -> None:
    shop = Shop()
    form = prune_form(shop)
    press(form, "confirm", 0, 1)
    assert shop.gone == []
    assert form.widget.told["lines"] == ["Frees exactly 5.2kB (5,200 bytes)."]


def test_what_changed_meanwhile_is_said() -> None:
    shop = Shop()
    form = prune_form(shop)
    form.widget.ticked = [0, 1]
    shop.pinned.add("b:1")
    press(form, "confirm", 0, 1)
    assert shop.gone == ["a:1"]
    said = "Things changed since this was shown: 100B freed instead of 5.2kB; left alone: b:1."
    assert form.widget.told["lines"] == [said, "Freed exactly 100B (100 bytes)."]
    assert said in repr(form)
    assert said in Page(form._html()).text


def test_cancel_removes_nothing_and_says_so() -> None:
    shop = Shop()
    form = prune_form(shop)
    press(form, "cancel")
    press(form, "confirm", 2)
    assert shop.gone == []
    assert form.result is None
    assert form.widget.state == "cancelled"
    assert "Cancelled: nothing was removed" in repr(form)


def test_an_error_is_said_in_the_form_and_can_be_tried_again() -> None:
    shop = Shop()
    form = prune_form(shop)
    shop.full = True
    press(form, "confirm", 2)
    assert form.widget.told["lines"] == ["the disk is not readable", "mount it"]
    shop.full = False
    press(form, "confirm", 2)
    assert shop.gone == ["c"]


def test_the_browser_and_the_copy_get_no_markup_from_outside() -> None:
    shop = Shop()
    shop.images = [image(reference=HOSTILE, repository=HOSTILE, tag="1"), image(reference="a" * 10_000, tag="2")]
    form = prune_form(shop)
    assert "\x1b" not in state(form)
    assert "\u202e" not in state(form)
    assert len(state(form)) < 20_000
    assert "<script" not in form._html()


def test_a_saved_notebook_gets_the_copy_first_and_the_form_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(room, "display", lambda bundle, **_: sent.append(bundle))
    monkeypatch.setattr(room, "get_ipython", type("Shell", (), {"kernel": object()}))
    for form in (login_form(Registry()), prune_form(Shop())):
        sent.clear()
        form._ipython_display_()
        static, live = sent
        assert set(static) == {"text/html", "text/plain"}
        assert set(live) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
        assert len(json.dumps(sent)) < 10_000
    assert "%image prune -a -f" in sent[0]["text/plain"]
