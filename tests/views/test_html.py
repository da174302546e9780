"""A frame is shown narrow and in words, with the exact values behind them, and never as anything but text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pandas as pd
import pytest

from jupyimg.views import Answer
from jupyimg.views.columns import FRAMES
from jupyimg.views.frames import frame
from jupyimg.views.html import to_html, to_text
from tests.views.samples import HOSTILE, digest, image, removal, step, transfer


class Page(HTMLParser):
    """What a browser would see: tables of texts, their tooltips, and every element and attribute there is."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.titles: list[str] = []
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.titles += [value or "" for name, value in attrs if name == "title"]
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.inside:
            self.rows[-1][-1] += data


def page(made: pd.DataFrame) -> Page:
    html = to_html(made)
    assert html is not None
    return Page(html)


def images(*records: object) -> pd.DataFrame:
    return frame(Answer(kind="images", records=records))


def fresh(**changes: object) -> object:
    return image(created=datetime.now(UTC) - timedelta(days=6, minutes=1), **changes)


def test_images_are_shown_as_words_under_the_names_one_types() -> None:
    shown = page(images(fresh()))
    assert shown.rows == [
        ["repository", "tag", "image_id", "created", "size", "unpacked"],
        ["nginx", "latest", digest("config").short, "6 days ago", "72.9MB", "198MB"],
    ]


def test_exact_values_stand_in_the_tooltips() -> None:
    titles = page(images(image())).titles
    assert {str(digest("config")), "2026-02-23T12:00:00Z", "72,900,123 bytes"} <= set(titles)


def test_headers_say_what_a_column_means() -> None:
    assert "compressed: what is stored and what a pull transfers" in page(images(image())).titles


def test_a_column_that_says_nothing_stays_away_but_is_named() -> None:
    shown = page(images(image(unpacked=None)))
    assert "unpacked" not in shown.rows[0]
    assert "more columns in the data: unpacked, platform, digest, manifest_digest" in shown.text


def test_a_foreign_platform_brings_its_column() -> None:
    assert page(images(image(), image(platform="windows/amd64"))).rows[0][-1] == "platform"


def test_the_foot_counts_an_image_once_however_many_names_it_has() -> None:
    one, other = image(), image(manifest_digest=digest("other"), size=1_000_000)
    three = page(images(one, image(reference="my-nginx:v1"), other)).text
    assert "2 names, 2 images, 73.9MB (layers that they share count in each)" in three
    assert "2 images, 73.9MB" in page(images(one, other)).text
    assert "count in each" not in page(images(one, image(reference="my-nginx:v1"))).text, "one image shares nothing"
    assert "0 images" in page(images()).text


def test_what_is_missing_is_said_in_dockers_words() -> None:
    shown = page(images(image(repository=None, tag=None, created=None, unpacked=None), image()))
    assert shown.rows[1] == ["<none>", "<none>", digest("config").short, "N/A", "72.9MB", "N/A"]
    ids = [
        row[0] for row in page(frame(Answer(kind="history", records=[step(image_id=digest("config")), step()]))).rows
    ]
    assert ids == ["image_id", digest("config").short, "<missing>"]


def test_a_build_time_in_1970_is_no_age_but_its_tooltip_says_why() -> None:
    shown = page(images(image(created=datetime(1970, 1, 1, tzinfo=UTC))))
    assert shown.rows[1][3] == "N/A"
    assert any(title.startswith("1970-01-01T00:00:00Z") for title in shown.titles)


def test_flags_decide_what_is_shown_as_they_do_in_a_terminal() -> None:
    shown = page(frame(Answer(kind="images", records=[image()], digests=True, no_trunc=True)))
    assert shown.rows[0][:4] == ["repository", "tag", "digest", "image_id"]
    assert shown.rows[1][2:4] == [str(digest("index")), str(digest("config"))]
    plain = page(frame(Answer(kind="history", records=[step(size=1234)], human=False)))
    assert plain.rows[1][1] == "2026-02-23T12:00:00Z"
    assert "1234" in plain.rows[1]


def test_a_selection_is_shown_as_it_was_made() -> None:
    shown = page(images(image(), image())[["reference", "digest", "size"]])
    assert shown.rows[0] == ["reference", "digest", "size"]
    assert shown.rows[1] == ["nginx:latest", digest("index").short, "72.9MB"]
    assert "2 rows" in shown.text
    assert "more columns" not in shown.text


def test_filtered_sorted_and_copied_frames_are_still_shown_in_words() -> None:
    made = images(image(), image(size=1000))
    for changed in (made[made["size"] > 5000], made.sort_values("size"), made.head(1), made.copy()):
        assert "72.9MB" in page(changed).text


def test_columns_that_a_user_adds_stand_behind_ours() -> None:
    made = images(image())
    shown = page(made.assign(mb=made["size"].astype("float64") / 1e6, mine=HOSTILE))
    assert shown.rows[0][-2:] == ["mb", "mine"]
    assert shown.rows[1][-2] == "72.9001"


@pytest.mark.parametrize(
    "change",
    [
        lambda made: made.describe(),
        lambda made: made.T,
        lambda made: made.isna(),
        lambda made: made.set_index("reference"),
        lambda made: made.groupby("repository")["size"].count().reset_index(),
        lambda made: made[["size"]].rename(columns={"size": "bytes"}),
        lambda made: made.assign(size=made["size"].astype("float64")),
        lambda made: made.assign(created=made["created"].astype(str)),
        lambda made: pd.concat([made, made], axis=1),
        lambda made: made.drop(columns=list(made.columns)),
        lambda made: pd.DataFrame(made.to_dict("list")),
    ],
)
def test_a_frame_that_is_no_longer_what_it_was_is_left_to_pandas(change: object) -> None:
    changed = change(images(image(), image()))  # type: ignore[operator]
    assert to_html(changed) is None
    assert to_text(changed) is None


@pytest.mark.parametrize("note", [None, "images", {}, {"kind": "nonsense"}, {"kind": ["images"]}])
def test_a_note_that_is_not_ours_is_no_reason_to_fail(note: object) -> None:
    made = images(image())
    made.attrs["jupyimg"] = note
    assert to_html(made) is None


def test_as_many_rows_are_shown_as_pandas_would() -> None:
    made = images(*[image(reference=f"nginx:{at}", tag=str(at)) for at in range(100)])
    with pd.option_context("display.max_rows", 20, "display.min_rows", 4):
        tags = [row[1] for row in page(made).rows[1:]]
        assert tags == ["0", "1", "…", "98", "99"]
        assert "100 names, 1 image" in page(made).text
        text = (to_text(made) or "").splitlines()
        assert len(text) == 7
        assert text[-1].startswith("100 names")
    with pd.option_context("display.max_rows", None):
        assert len(page(made).rows) == 101


def test_a_long_command_is_cut_and_whole_in_its_tooltip() -> None:
    command = "RUN " + "apt-get install " * 30
    shown = page(frame(Answer(kind="history", records=[step(created_by=command)])))
    assert shown.rows[1][2].endswith("…")
    assert command.strip() in " ".join(shown.titles)


def test_a_tooltip_has_an_end() -> None:
    assert max(map(len, page(images(image(repository="x" * 100_000))).titles)) <= 1000


ANSWERS = [
    Answer(kind="images", records=[image(repository=HOSTILE, tag=HOSTILE, platform=HOSTILE)], notes=(HOSTILE,)),
    Answer(kind="history", records=[step(created_by=HOSTILE * 20, comment=HOSTILE)]),
    Answer(kind="pull", records=[transfer(reference=HOSTILE)]),
    Answer(kind="rmi", records=[removal(reference=HOSTILE, action=HOSTILE)]),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=[answer.kind for answer in ANSWERS])
@pytest.mark.parametrize("whole", [True, False])
def test_hostile_text_stays_text(answer: Answer, *, whole: bool) -> None:
    made = frame(answer)
    made = made if whole else made[list(made.columns[::-1])].drop(columns=[made.columns[-1]])
    shown = page(made)
    assert shown.elements == {"div", "table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert shown.attributes == {"class", "style", "title", "scope"}
    assert all(char.isprintable() for char in shown.text + "".join(shown.titles))
    text = to_text(made)
    assert text is not None
    assert all(char.isprintable() or char == "\n" for char in text)


def test_hostile_labels_and_column_names_stay_text() -> None:
    made = images(image(labels={HOSTILE: HOSTILE}))
    assert page(made[["reference", "labels"]]).elements <= {
        "div",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    assert page(made.assign(**{HOSTILE: 1})).elements <= {"div", "table", "caption", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize("kind", FRAMES)
def test_every_kind_can_be_shown_empty(kind: str) -> None:
    made = frame(Answer(kind=kind, records=[]))
    assert to_html(made)
    assert to_text(made)


def test_the_text_is_dockers_table() -> None:
    shown = (to_text(images(fresh())) or "").splitlines()
    assert shown[0].split() == ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"]
    assert shown[1].split()[-4:] == ["6", "days", "ago", "72.9MB"]


def test_no_style_leaks_out_of_the_table() -> None:
    html = to_html(images(image())) or ""
    assert "<style" not in html
    assert "<script" not in html
    assert " id=" not in html


def test_sums_are_in_the_foot_of_what_was_moved_and_removed() -> None:
    assert (
        "1 image, 72.9MB transferred in 3.0 s (24.3MB/s)" in page(frame(Answer(kind="pull", records=[transfer()]))).text
    )
    rows = [removal(), removal(action="deleted", reference=None, freed=5_000_000)]
    assert "1 untagged, 1 deleted, 5MB freed" in page(frame(Answer(kind="rmi", records=rows))).text
    layers = [step(), step(empty=False, size=2_000_000, compressed=1_000_000)]
    assert "2 steps, 1 layer, 2MB" in page(frame(Answer(kind="history", records=layers))).text
    remote = [step(empty=False, size=None, compressed=1_000_000)]
    assert "1 step, 1 layer, 1MB compressed" in page(frame(Answer(kind="history", records=remote))).text
