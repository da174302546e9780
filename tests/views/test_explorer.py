"""The explorer without a browser: what it tells a page, what a page may ask, and that no failure is lost."""

from __future__ import annotations

import json
import re
import shlex
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from jupyimg import views
from jupyimg.errors import ImageError
from jupyimg.model.content import Phase, Step
from jupyimg.model.records import RepositoryRecord, TagRecord
from jupyimg.views import Answer, twin
from jupyimg.views import explorer as room
from jupyimg.views.explorer import Explorer, explorer
from jupyimg.views.explorer_rows import rows_of
from jupyimg.views.explorer_sight import lines, sight
from jupyimg.views.port import Sight
from tests.views.samples import HOSTILE, detail, digest, image, removal, step, transfer

if TYPE_CHECKING:
    from collections.abc import Iterator

LAYER = digest("layer")


class Place:
    """A port whose answers are given; what it was asked stays."""

    def __init__(self, place: str = "", **answers: Any) -> None:
        self.place, self.remote, self.answers = place, bool(place), answers
        self.asked: list[tuple[str, ...]] = []

    def _answer(self, what: str, *how: str) -> Iterator[Step]:
        self.asked.append((what, *how))
        yield Step(Phase.MOVING, LAYER, 10, 40, "layer")
        answer = self.answers[what]
        if isinstance(answer, BaseException):
            raise answer
        return answer(*how) if callable(answer) else answer

    def listing(self, name: str = "") -> Any:
        return self._answer("listing", name)

    def looking(self, name: str, platform: str) -> Any:
        return self._answer("looking", name, platform)

    def doing(self, line: str) -> Any:
        return self._answer("doing", line)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_explorers", {})


class Talk:
    """An explorer, and what it said to its page."""

    def __init__(self, answer: Answer, lang: str = "en") -> None:
        self.explorer = Explorer(answer, lang)
        self.said: list[dict[str, Any]] = []
        self.explorer.widget.send = lambda message: self.said.append(json.loads(json.dumps(message)))
        self.number = 0

    def ask(self, what: str, **more: object) -> dict[str, Any]:
        """The last that is said about a question."""
        self.number += 1
        self.explorer.widget._handle_custom_msg({"id": self.number, "ask": what, **more}, [])
        assert self.explorer.wait(60)
        return ([each for each in self.said if each["id"] == self.number] or [{}])[-1]

    def keys(self) -> list[str]:
        return [row[0] for row in self.ask("rows")["rows"]]


def images(port: Place, *sizes: int) -> Answer:
    records = [
        image(reference=f"nginx:{size}", tag=str(size), size=size, manifest_digest=digest(str(size))) for size in sizes
    ]
    return Answer(kind="images", records=records, port=port)


def seen(**more: Any) -> Sight:
    steps = [step(layer_digest=LAYER, compressed=30), step(layer_digest=digest("base"), compressed=70)]
    return Sight(**{"detail": detail(), "history": steps, "holders": {LAYER: ("other:1", "nginx:1.27")}, **more})


def test_what_is_listed_goes_out_when_asked_for_and_is_no_state():
    talk = Talk(images(Place(), 20, 10))
    told = talk.ask("rows")
    assert [row[1] for row in told["rows"]] == ["nginx:20", "nginx:10"]
    assert [row[3] for row in told["rows"]] == [20, 10]
    assert "nginx" not in str({key: value for key, value in talk.explorer.widget.get_state().items() if key != "_esm"})
    assert len(json.dumps(talk.explorer.widget.get_state(), default=str)) < 50_000


def test_what_is_looked_at_is_the_selection():
    port = Place(looking=seen())
    talk = Talk(images(port, 20, 10))
    assert talk.explorer.selection.empty
    told = talk.ask("look", key=talk.keys()[1])
    assert told["is"] == "sight"
    assert port.asked == [("looking", "nginx:10", "linux/amd64")]
    assert list(talk.explorer.selection["reference"]) == ["nginx:10"]
    assert talk.explorer.selection.dtypes.equals(talk.explorer.frame.dtypes)
    assert talk.explorer.references == ["nginx:10"]


def test_progress_is_told_on_the_way():
    talk = Talk(images(Place(looking=seen()), 1))
    talk.ask("look", key=talk.keys()[0])
    (told,) = [each for each in talk.said if each["is"] == "step"]
    assert (told["done"], told["whole"]) == (10, 40)


@pytest.mark.parametrize("what", ["look", "list", "do"])
def test_every_failure_comes_back_in_words(what):
    trouble = ImageError("the registry said no", hint="ask again")
    talk = Talk(images(Place(looking=trouble, listing=trouble, doing=trouble), 1))
    told = talk.ask(what, key=talk.keys()[0], line="%image pull x")
    assert (told["is"], told["text"], told["hint"]) == ("error", "the registry said no", "ask again")
    fault = Talk(images(Place(looking=KeyError("x"), listing=KeyError("x"), doing=KeyError("x")), 1))
    assert fault.ask(what, key=fault.keys()[0])["text"] == "KeyError: 'x'"


def test_a_row_that_is_gone_is_said_and_not_asked_for():
    port = Place()
    talk = Talk(images(port, 1))
    assert talk.ask("look", key="<script>")["text"] == "this row is gone"
    assert port.asked == []


@pytest.mark.parametrize("asked", [None, [], "rows", {}, {"id": "1", "ask": "rows"}, {"id": 1, "ask": "eval"}])
def test_what_no_page_of_ours_asks_is_left_alone(asked):
    talk = Talk(images(Place(), 1))
    talk.explorer.widget._handle_custom_msg(asked, [])
    assert talk.said == []


def test_what_was_done_is_told_in_lines():
    pulled = Talk(images(Place(doing=Answer(kind="pull", records=[transfer(reference="nginx:1")])), 1))
    assert pulled.ask("do", line="%image pull nginx:1")["text"].startswith("Downloaded: nginx:1\n1 image")
    removed = Talk(images(Place(doing=Answer(kind="rmi", records=[removal(reference=f"a:{n}") for n in range(20)])), 1))
    said = removed.ask("do", line="%image rmi x")["text"].splitlines()
    assert len(said) == 10
    assert said[-2] == "… 12 more"


def test_one_thing_is_done_at_a_time_and_can_be_stopped():
    stopped, reached = threading.Event(), threading.Event()

    def endless(line: str) -> Iterator[Step]:
        try:
            reached.set()
            while True:
                time.sleep(0.05)
                yield Step(Phase.IDLE)  # as `crew` does where no byte comes
        finally:
            stopped.set()

    port = Place()
    port.doing = endless  # type: ignore[method-assign]
    talk = Talk(images(port, 1))
    talk.explorer.widget._handle_custom_msg({"id": 100, "ask": "do", "line": "%image pull x"}, [])
    assert reached.wait(60)
    talk.explorer.widget._handle_custom_msg({"id": 101, "ask": "do", "line": "%image pull y"}, [])
    assert talk.said[-1]["text"] == "something else is still running"
    talk.explorer.widget._handle_custom_msg({"id": 102, "ask": "stop", "acting": True}, [])
    assert talk.explorer.wait(60)
    assert stopped.is_set()
    assert talk.said[-1]["text"] == "stopped"
    assert talk.said[-1]["id"] == 100


def test_a_repository_is_opened_and_left_again():
    tags = [TagRecord(repository="h:5000/app", tag=tag, platform=p) for tag in ("2", "1") for p in ("a/b", "c/d")]
    port = Place("h:5000", listing=lambda name: Answer(kind="tags", records=tags, port=port))
    talk = Talk(Answer(kind="catalog", records=[RepositoryRecord(repository="h:5000/app")], port=port))
    below = talk.ask("list", key="h:5000/app")
    assert (below["below"], [row[1:3] for row in below["rows"]]) == (
        "h:5000/app",
        [["2", ["a/b", "c/d"]], ["1", ["a/b", "c/d"]]],
    )
    talk.ask("choose", key="h:5000/app:1")
    assert list(talk.explorer.selection["platform"]) == ["a/b", "c/d"]
    talk.ask("list")
    assert port.asked == [("listing", "h:5000/app")] * 2
    assert talk.ask("list", back=True)["rows"][0][0] == "h:5000/app"


def test_a_click_on_the_list_that_is_being_replaced_opens_what_was_clicked():
    """The page shows the repositories until the tags of one come; the last click on them counts."""
    tags = [TagRecord(repository="any", tag="1")]
    port = Place("h:5000", listing=lambda _: Answer(kind="tags", records=tags, port=port))
    names = ("h:5000/app", "h:5000/other")
    talk = Talk(Answer(kind="catalog", records=[RepositoryRecord(repository=name) for name in names], port=port))
    assert talk.ask("list", key="h:5000/app")["below"] == "h:5000/app"
    assert talk.ask("list", key="h:5000/other")["below"] == "h:5000/other"
    assert talk.ask("list", key="h:5000/no")["text"] == "this repository is gone"
    assert talk.ask("list")["below"] == "h:5000/other"


def test_hostile_text_is_cleaned_cut_and_still_text():
    long = "x" * 100_000
    document = {"Config": {"Env": [HOSTILE, long], "Labels": {HOSTILE: long}, "Cmd": 7, "ExposedPorts": [None]}}
    told = sight(seen(detail=detail(reference=HOSTILE, document=document)), remote=False)
    text = json.dumps(told, ensure_ascii=False)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "<script>" in text  # as text: the page never makes markup of it
    assert len(text) < 30_000
    (row,) = rows_of(Answer(kind="images", records=[image(reference=HOSTILE, repository=HOSTILE)]))
    assert "\x1b" not in str(row.plain(seen().history[0].created))


@pytest.mark.parametrize("document", [{}, {"Config": None}, {"Config": []}, {"Config": {"Env": {}, "Labels": []}}])
def test_a_config_of_any_shape_is_shown(document):
    assert sight(seen(detail=detail(document=document)), remote=False)["env"] == []


def test_layers_say_who_else_has_them_and_their_boxes_are_their_bytes():
    told = sight(seen(detail=detail(reference="nginx:1.27", document={"RepoTags": ["nginx:1.27"]})), remote=False)
    assert [layer[3] for layer in told["layers"]] == [[], ["other:1"]]
    assert told["sharers"] == [["other:1", 1, "30B"]]
    areas = [width * height for _, _, width, height in told["boxes"]]
    assert areas[0] / areas[1] == pytest.approx(70 / 30)
    assert sight(seen(holders=None), remote=False)["told"] is False


@pytest.mark.parametrize("name", ["nginx:1.27", "localhost:5000/a/b:v1"])
def test_each_button_has_the_line_that_it_runs(name):
    made = lines(name, str(digest("id")), here=True)
    assert {act: shlex.split(each["line"])[1] for act, each in made.items()} == {
        act: act for act in ("pull", "tag", "push", "save", "rmi")
    }
    assert all(name in shlex.split(each["line"]) for each in made.values())
    chosen = {act: each["line"][each["from"] : each["to"]] for act, each in made.items()}
    assert chosen["tag"].endswith(":NEW")
    assert chosen["save"].endswith(".tar")
    assert chosen["rmi"] == ""


def test_what_is_not_here_can_only_be_pulled_and_what_has_no_name_only_kept_or_removed():
    assert set(lines("nginx:1", "sha256:" + "0" * 64, here=False)) == {"pull"}
    assert set(lines("sha256:" + "0" * 64, "sha256:" + "0" * 64, here=True)) == {"tag", "save", "rmi"}


def test_the_same_place_again_updates_the_one_there_is_and_keeps_what_is_selected():
    first = explorer(images(Place(), 1, 2))
    first.widget._handle_custom_msg({"id": 1, "ask": "choose", "key": rows_of(images(Place(), 2))[0].key}, [])
    assert explorer(images(Place(), 2, 3)) is first
    assert first.references == ["nginx:2"]
    assert explorer(replace(images(Place("h:1"), 1), kind="images")) is not first
    first.widget.close()
    assert explorer(images(Place(), 1)) is not first


class Kernel:
    kernel = object()


def test_in_a_notebook_the_static_twin_comes_first_and_elsewhere_there_is_only_text(monkeypatch):
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(twin, "display", lambda bundle, **_: sent.append(bundle))
    shown = views.to_notebook(images(Place(), *range(1, 1000)))
    monkeypatch.setattr(twin, "get_ipython", Kernel)
    shown._ipython_display_()
    assert [set(bundle) for bundle in sent] == [
        {"text/html", "text/plain"},
        {"application/vnd.jupyter.widget-view+json", "text/plain"},
    ]
    assert len(sent[0]["text/html"]) < 50_000
    monkeypatch.setattr(twin, "get_ipython", lambda: None)
    shown._ipython_display_()
    assert len(sent) == 3
    assert sent[2]["text/plain"].startswith("REPOSITORY")


def test_a_terminal_sees_the_list():
    assert "nginx" in views.to_text(images(Place(), 1))


def test_a_question_that_hangs_is_left_and_the_next_one_answered():
    hanging, release = threading.Event(), threading.Event()

    def looking(name: str, platform: str) -> Iterator[Step]:
        if name == "nginx:1":
            hanging.set()
            release.wait(60)  # as a socket: nothing of Python's runs
        yield from ()
        return seen()

    port = Place()
    port.looking = looking  # type: ignore[method-assign]
    talk = Talk(images(port, 1, 2))
    first, second = talk.keys()
    talk.explorer.widget._handle_custom_msg({"id": 100, "ask": "look", "key": first}, [])
    assert hanging.wait(60)
    talk.explorer.widget._handle_custom_msg({"id": 101, "ask": "stop"}, [])
    assert talk.ask("look", key=second)["is"] == "sight"
    release.set()


def test_an_image_that_lost_its_name_twice_is_one_row_and_both_records():
    talk = Talk(Answer(kind="images", records=[image(dangling=True), image(dangling=True)], port=Place()))
    (key,) = talk.keys()
    talk.ask("choose", key=key)
    assert len(talk.explorer.selection) == 2


def test_before_there_is_anything_to_count_the_last_note_is_told():
    def pulling(line: str) -> Iterator[Step]:
        yield Step(Phase.NOTE, text="Pulling from team/app")
        return Answer(kind="pull", records=[transfer()])

    port = Place()
    port.doing = pulling  # type: ignore[method-assign]
    talk = Talk(images(port, 1))
    talk.ask("do", line="%image pull x")
    assert talk.said[0]["text"] == "Pulling from team/app"


def test_the_page_makes_no_markup_and_asks_nobody():
    script = room.Page._esm + room.Page._css
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(|fetch\(|XMLHttp|\bimport\b|https?:|url\("
    assert re.findall(forbidden, str(script)) == []


def test_what_a_daemon_does_not_know_is_left_out():
    record = image(
        size=None,
        image_id=None,
        digest=None,
        manifest_digest=None,
        tag=None,
        repository=None,
        reference="sha256:" + "0" * 64,
    )
    (row,) = rows_of(Answer(kind="images", records=[record]))
    assert (row.shown, row.size) == ("<none> 000000000000", record.unpacked)
    steps = [step(layer_digest=None, diff_id=LAYER, compressed=None, size=9, empty=False), step(empty=None, size=0)]
    known = detail(image_id=None, digest=None, manifest_digest=None, document={"Id": "sha256:" + "1" * 64})
    told = sight(seen(detail=known, history=steps, holders=None), remote=False)
    assert told["facts"] == []
    assert [layer[:3] for layer in told["layers"]] == [[str(LAYER), "9B", 9]]
    assert told["sharers"] == []
