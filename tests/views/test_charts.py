"""A chart shows where the bytes are, exactly on hover, as text and bars alone, and is small whatever it is made of."""

from __future__ import annotations

import dataclasses
import re

import pytest

from jupyimg.model.records import DiskImageRecord, DiskRecord
from jupyimg.views import Answer, to_text
from jupyimg.views.charts import MOST, instruction, picture
from jupyimg.views.frames import frame
from jupyimg.views.html import to_html
from tests.views.samples import HOSTILE, digest, image, step
from tests.views.test_html import Page

SMALL = 20_000
RTL = "\u05e9\u05dc\u05d5\u05dd" * 100
DRAWN = {"table", "caption", "b", "tbody", "tr", "th", "td", "svg", "rect"}
ATTRIBUTES = {"xmlns", "width", "height", "role", "aria-label", "aria-hidden", "style", "x", "y", "title", "scope"}


def layer(at: int, size: int | None, compressed: int | None, created_by: str = "RUN make") -> object:
    return step(
        created_by=created_by, empty=False, size=size, compressed=compressed, layer_digest=digest(f"layer {at}")
    )


def disk(**changes: object) -> DiskRecord:
    record = DiskRecord(type="Images", total=2, active=1, size=1_400_000_000, reclaimable=900_000_000)
    return dataclasses.replace(record, **changes)


def disk_image(at: int, shared: int, unique: int, **changes: object) -> DiskImageRecord:
    held = {field.name: getattr(image(), field.name) for field in dataclasses.fields(image())}
    held |= {"reference": f"app:{at}", "manifest_digest": digest(str(at)), **changes}
    return DiskImageRecord(**held, shared=shared, unique=unique)


def shown(kind: str, *records: object) -> str:
    return to_html(frame(Answer(kind=kind, records=records))) or ""


def svg(html: str) -> str:
    found = re.search(r"<table[^>]*font-size.*</table>", html, re.DOTALL)
    return found[0] if found else ""


def test_history_has_a_bar_for_each_layer_and_none_for_a_step_without_one() -> None:
    html = svg(shown("history", step(), layer(1, 3000, 1000), layer(2, 9000, 4000)))
    assert html.count("<tr ") == 2
    assert "compressed: 4,000 bytes · unpacked: 9,000 bytes" in html
    assert "</svg> 9kB</td>" in html


def test_the_longest_bar_is_the_biggest_layer() -> None:
    made = picture("history", [dataclasses.asdict(layer(at, size, None)) for at, size in ((1, 10), (2, 40))])
    assert made is not None
    assert [bar.values for bar in made.bars] == [(10,), (40,)]
    html = svg(shown("history", layer(1, 10, None), layer(2, 40, None)))
    widths = [float(width) for width in re.findall(r'<svg [^>]*width="([\d.]+)" height="14"', html)]
    assert widths[1] == pytest.approx(4 * widths[0], abs=0.2)


def test_a_screen_reader_and_a_hover_are_told_exactly() -> None:
    html = svg(shown("df", disk()))
    exact = "Images · in use: 500,000,000 bytes · reclaimable: 900,000,000 bytes"
    assert f'role="img" aria-label="{exact}"' in html
    assert re.search(f'<tr [^>]*title="{exact}"', html)
    assert re.search('<b title="biggest: Images, 1.4GB">Disk in use and reclaimable</b>', html)
    assert 'scope="row"' in html


def test_without_pictures_a_table_of_names_and_sizes_is_left() -> None:
    rows = Page(svg(shown("df", disk(), disk(type="Partial Downloads", size=310, reclaimable=0)))).rows
    assert [[cell.strip() for cell in row] for row in rows] == [["Images", "1.4GB"], ["Partial Downloads", "310B"]]


def test_df_v_parts_what_is_shared_from_what_is_not() -> None:
    html = svg(shown("df -v", disk_image(1, 3000, 7000), disk_image(2, 3000, 0)))
    assert "app:1 · only here: 7,000 bytes · shared: 3,000 bytes" in html


@pytest.mark.parametrize(
    "html",
    [
        shown("history", step(), layer(1, 3000, 1000)),
        shown("history", layer(1, None, None), layer(2, None, None)),
        shown("history", layer(1, 0, 0), layer(2, 0, 0)),
        shown("df", disk(size=0, reclaimable=0), disk(size=None, reclaimable=None)),
        shown("df -v"),
        shown("images", image(), image()),
    ],
)
def test_nothing_to_compare_has_no_chart(html: str) -> None:
    assert "<svg" not in html
    assert "<table" in html


def test_what_was_selected_from_a_frame_has_no_chart() -> None:
    made = frame(Answer(kind="history", records=[layer(1, 3000, 1000), layer(2, 9000, 4000)]))
    assert "<svg" in (to_html(made[made["size"] > 1]) or "")
    assert "<svg" not in (to_html(made[["created_by", "size"]]) or "")


def test_text_and_json_have_no_chart() -> None:
    answer = Answer(kind="history", records=[layer(1, 3000, 1000), layer(2, 9000, 4000)])
    assert "biggest" not in to_text(answer)
    assert "biggest" not in to_text(dataclasses.replace(answer, json=True))
    assert "<svg" not in (to_html(frame(dataclasses.replace(answer, quiet=True))) or "")


def test_a_huge_history_is_a_small_picture() -> None:
    records = [layer(at, at * 1000, at * 400, "RUN " + "x" * 10_000) for at in range(10_000)]
    html = svg(shown("history", *records))
    assert len(html) < SMALL
    assert html.count("<tr ") == MOST
    assert "9989 more" in html
    assert len(svg(shown("df -v", *[disk_image(at, at, at) for at in range(1000)]))) < SMALL


def test_the_rest_is_a_bar_of_its_own_so_that_no_byte_is_missing() -> None:
    made = picture("df -v", [dataclasses.asdict(disk_image(at, at, 2 * at)) for at in range(100)])
    assert made is not None
    assert sum(sum(bar.values) for bar in made.bars) == 3 * sum(range(100))


@pytest.mark.parametrize("text", [HOSTILE, "<script>alert(1)</script>" * 400, "</title></svg><img src=x>", RTL, ""])
def test_hostile_text_stays_text_in_the_picture(text: str) -> None:
    html = svg(shown("history", layer(1, 3000, 1000, text), layer(2, 9000, 4000, text)))
    html += svg(shown("df -v", disk_image(1, 3000, 7000, reference=text)))
    page = Page(html)
    assert page.elements <= DRAWN
    assert page.attributes <= ATTRIBUTES
    assert all(char.isprintable() or char == "\n" for char in page.text)
    assert len(html) < SMALL
    assert "url(" not in html
    assert " id=" not in html


@pytest.mark.parametrize(
    ("created_by", "said"),
    [
        ('/bin/sh -c #(nop)  CMD ["nginx"]', 'CMD ["nginx"]'),
        ("/bin/sh -c apt-get install nginx", "RUN apt-get install nginx"),
        ("RUN /bin/sh -c apt-get install nginx # buildkit", "RUN apt-get install nginx"),
        ("|1 VERSION=2 /bin/sh -c make", "RUN make"),
        ("COPY . /srv # buildkit", "COPY . /srv"),
        ("", ""),
    ],
)
def test_a_label_is_the_instruction_without_its_wrapping(created_by: str, said: str) -> None:
    assert instruction(created_by) == said


def test_sizes_that_a_user_has_filtered_out_are_not_in_the_picture() -> None:
    made = frame(Answer(kind="df", records=[disk(), disk(type="Partial Downloads", size=5, reclaimable=0)]))
    assert "Partial" not in svg(to_html(made.head(1)) or "")
