"""The interactive table gives back rows of the original frame, is reused, and always stands under a static twin."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from jupyimg import views
from jupyimg.model.records import DiskImageRecord, DiskRecord, RepositoryRecord, SearchRecord, TagRecord
from jupyimg.views import Answer, twin
from jupyimg.views import table as room
from jupyimg.views.frames import frame
from jupyimg.views.table import Table, table
from tests.views.samples import HOSTILE, digest, image, removal, step
from tests.views.test_html import Page

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(room, "_tables", {})
    return None


def of_disk(**changes: Any) -> DiskImageRecord:
    given = {field.name: getattr(image(), field.name) for field in dataclasses.fields(image())}
    return DiskImageRecord(**{**given, "shared": 1, "unique": 2, **changes})


TWO: dict[str, list[object]] = {
    "images": [image(reference="a:1"), image(reference="b:1")],
    "df -v": [of_disk(), of_disk(manifest_digest=digest("other"))],
    "history": [step(image_id=digest("config")), step(created_by="COPY . /")],
    "df": [DiskRecord(type=what, total=1, active=0, size=9, reclaimable=9) for what in ("Images", "Containers")],
    "search": [SearchRecord(name="nginx"), SearchRecord(name="nginx", source="quay.io")],
    "tags": [TagRecord(repository="app", tag="1"), TagRecord(repository="app", tag="2")],
    "catalog": [RepositoryRecord(repository="a"), RepositoryRecord(repository="b")],
}
"""Two records of each kind that a table can show."""


def images(*sizes: int) -> pd.DataFrame:
    records = [
        image(reference=f"nginx:{size}", tag=str(size), size=size, manifest_digest=digest(str(size))) for size in sizes
    ]
    return frame(Answer(kind="images", records=records))


def test_selected_positions_are_rows_of_the_frame_as_it_was_given() -> None:
    made = images(30, 10, 20, 40).sort_values("size", ascending=False)
    shown = Table(made)
    shown.widget.selected_rows = [3, 1]
    assert shown.references == ["nginx:10", "nginx:30"]
    assert list(shown.selection["size"]) == [10, 30]
    assert list(shown.selection.columns) == list(made.columns)
    assert shown.selection.dtypes.equals(made.dtypes)


def test_nothing_selected_is_an_empty_frame() -> None:
    assert Table(images(1)).selection.empty
    assert Table(images(1)).references == []


def test_words_are_sorted_by_the_numbers_behind_them() -> None:
    widget = Table(images(999, 1_000_000, 20_000)).widget
    definitions = widget._dt_args["columnDefs"]
    header = [head.strip() for head in Page(widget._dt_args["table_html"]).rows[0]]
    size = header.index("size")
    target = next(each["orderData"] for each in definitions if each["targets"] == [size] and "orderData" in each)
    assert header[target[0]] == "size (exact)"
    hidden = {each["targets"][0] for each in definitions if each.get("visible") is False}
    assert hidden == {at for at, head in enumerate(header) if head.endswith("(exact)")}


def test_the_browser_gets_escaped_text() -> None:
    made = frame(Answer(kind="images", records=[image(repository=HOSTILE, tag=HOSTILE)]))
    sent = str(Table(made).widget._dt_args)
    assert "<script" not in sent
    assert "\x1b" not in sent
    assert "&lt;script" in sent


def test_the_same_line_again_updates_the_one_there_is_and_keeps_the_selection() -> None:
    first = table(images(1, 2, 3), "images")
    first.widget.selected_rows = [0, 2]
    second = table(images(3, 4, 1, 5), "images")
    assert second is first
    assert sorted(second.references) == ["nginx:1", "nginx:3"]
    assert len(second.frame) == 4


def test_another_line_has_a_table_of_its_own() -> None:
    first, second = table(images(1, 2), "images"), table(images(2), "images -f dangling=true")
    assert first is not second
    assert len(first.frame) == 2


@pytest.mark.parametrize(
    ("kind", "records", "named"),
    [
        ("images", [image(reference="a:1"), image(reference="a:1", platform="linux/arm64")], ["a:1"]),
        (
            "search",
            [SearchRecord(name="nginx"), SearchRecord(name="localhost:5000/app")],
            ["nginx", "localhost:5000/app"],
        ),
        (
            "tags",
            [TagRecord(repository="app", tag="1"), TagRecord(repository="app", tag="1", platform="linux/s390x")],
            ["app:1"],
        ),
        ("catalog", [RepositoryRecord(repository="localhost:5000/app")], ["localhost:5000/app"]),
    ],
)
def test_selected_rows_give_what_commands_take_each_once(kind: str, records: list[object], named: list[str]) -> None:
    shown = Table(frame(Answer(kind=kind, records=records)))
    assert shown.references == []
    shown.widget.selected_rows = [*range(len(records))]
    assert shown.references == named
    assert len(shown.selection) == len(records)


@pytest.mark.parametrize("kind", TWO)
def test_every_list_can_be_a_table_whose_selection_outlives_an_update(kind: str) -> None:
    made = frame(Answer(kind=kind, records=TWO[kind]))
    shown = table(made, "line")
    shown.widget.selected_rows = [1]
    again = table(frame(Answer(kind=kind, records=TWO[kind][::-1])), "line")
    assert again.widget.selected_rows == [0]
    pd.testing.assert_frame_equal(again.selection.reset_index(drop=True), made.iloc[[1]].reset_index(drop=True))
    assert isinstance(views.to_notebook(Answer(kind=kind, records=TWO[kind]), widget=True, line="x"), Table)


def test_the_library_lies_in_no_state_and_goes_to_each_page_that_asks() -> None:
    widget = Table(images(1)).widget
    assert len(json.dumps(widget.get_state(), default=str)) < 10_000
    sent: list[dict[str, Any]] = []
    widget.send = sent.append  # type: ignore[method-assign]
    widget._handle_custom_msg({"want": "another version"}, [])
    assert sent == []
    widget._handle_custom_msg({"want": widget._library}, [])
    assert len(sent[0]["js"]) > 100_000
    assert "export" in sent[0]["js"]


def test_a_closed_table_is_made_anew() -> None:
    first = table(images(1))
    first.widget.close()
    assert table(images(1)) is not first


def test_a_table_of_what_has_no_references_says_so() -> None:
    shown = Table(frame(Answer(kind="df", records=[])))
    with pytest.raises(AttributeError, match="name no images"):
        _ = shown.references
    with pytest.raises(AttributeError, match="only a frame of %image"):
        Table(images(1).describe())


def bundles(monkeypatch: pytest.MonkeyPatch, shown: Table, kernel: object) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(twin, "display", lambda bundle, **_: sent.append(bundle))
    monkeypatch.setattr(twin, "get_ipython", lambda: kernel)
    shown._ipython_display_()
    return sent


class Kernel:
    kernel = object()


def test_in_a_notebook_the_static_twin_comes_first_and_the_widget_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    static, live = bundles(monkeypatch, Table(images(1, 2)), Kernel())
    assert set(static) == {"text/html", "text/plain"}
    assert "2 images" in Page(static["text/html"]).text
    assert static["text/plain"].startswith("REPOSITORY")
    assert "application/vnd.jupyter.widget-view+json" in live
    assert "text/html" not in live


def test_in_a_terminal_there_is_only_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    for shell in (None, object()):
        (static,) = bundles(monkeypatch, Table(images(1)), shell)
        assert static["text/plain"].startswith("REPOSITORY")


def test_a_thousand_rows_make_a_short_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    static = bundles(monkeypatch, Table(images(*range(1000))), None)[0]
    assert len(Page(static["text/html"]).rows) == 12
    assert "1000 images" in Page(static["text/html"]).text


def test_all_rows_reach_the_browser() -> None:
    assert "downsampling_warning" not in Table(images(*range(3000))).widget._dt_args


def test_the_front_makes_tables_where_they_are_asked_for() -> None:
    images_answer = Answer(kind="images", records=[image()])
    assert isinstance(views.to_notebook(Answer(kind="images", records=[image()], widget=True)), Table)
    assert isinstance(views.to_notebook(images_answer, widget=True), Table)
    assert isinstance(views.to_notebook(images_answer), pd.DataFrame)


def test_a_notebook_that_wants_tables_keeps_frames_where_there_is_nothing_to_choose() -> None:
    assert isinstance(views.to_notebook(Answer(kind="rmi", records=[removal()]), widget=True), pd.DataFrame)
    quiet = Answer(kind="images", records=[image()], quiet=True)
    assert list(views.to_notebook(quiet, widget=True).columns) == ["image_id"]
    assert isinstance(views.to_notebook(Answer(kind="images", records=[], json=True), widget=True), str)
