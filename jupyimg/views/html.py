"""Html: a frame of ours as a narrow table in words, and its twin in text that looks like Docker's.

Both give None for a frame that is not ours (`reading.read`), which then is shown as pandas would. Exact values stand
in the tooltips, the columns left out are named under the table, and as many rows are shown as pandas would show.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from jupyimg.views import tongue, words
from jupyimg.views.charts import chart
from jupyimg.views.columns import Meaning
from jupyimg.views.markup import FAINT, LEFT, MONO, RIGHT, UNSEEN, element, say, style
from jupyimg.views.plain import table
from jupyimg.views.plans import Look
from jupyimg.views.reading import read
from jupyimg.views.shown import Cell, Shown, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyimg.views.shown import Head

_GAP = Cell("…")
_SHORT = 30
"""Characters of prose that are not worth a second line."""


def to_html(frame: pd.DataFrame, *, most: int | None = None) -> str | None:
    """The frame as HTML, or None where it is not ours; of more than ``most`` rows only the first and last are shown."""
    shown = _shown(frame, rich=True, most=most)
    if shown is None:
        return None
    notes = (element("div", escape(note)) for note in _notes(frame, shown.lang))
    return element("div", grid(shown), _chart(frame), *notes, class_="jupyimg")


def to_text(frame: pd.DataFrame) -> str | None:
    """The frame as text, or None where it is not ours."""
    shown = _shown(frame, rich=False)
    if shown is None:
        return None
    lines = [*_notes(frame, shown.lang), table(shown)]
    return "\n".join([*lines, shown.foot] if len(shown.rows) < len(frame) else lines)


def _shown(frame: pd.DataFrame, *, rich: bool, most: int | None = None) -> Shown | None:
    reading = read(frame)
    if reading is None:
        return None
    flags = reading.flags
    look = Look(
        now=datetime.now(UTC),
        rich=rich,
        no_trunc=bool(flags.get("no_trunc")),
        digests=bool(flags.get("digests")),
        human=bool(flags.get("human", True)),
        lang=reading.lang,
    )
    head, tail = _ends(len(frame), most)
    shown = show(
        reading.kind,
        reading.rows(frame),
        look,
        selected=None if reading.whole else reading.columns,
        added=reading.added,
        only=None if head + tail >= len(frame) else [*range(head), *range(len(frame) - tail, len(frame))],
    )
    return shown if head + tail >= len(frame) else _with_gap(shown, head)


def _ends(count: int, most: int | None) -> tuple[int, int]:
    """How many first and last rows to show; by pandas' own options (display.max_rows and display.min_rows) if None."""
    most = most or pd.get_option("display.max_rows") or count
    if count <= most:
        return count, 0
    kept = min(pd.get_option("display.min_rows") or most, most)
    return kept - kept // 2, kept // 2


def _with_gap(shown: Shown, head: int) -> Shown:
    gap = tuple(_GAP for _ in shown.heads)
    return replace(shown, rows=(*shown.rows[:head], gap, *shown.rows[head:]))


def grid(shown: Shown) -> str:
    """The table and the line under it; scrolls sideways by itself where the page is too narrow."""
    heads = "".join(_head(head, shown.lang) for head in shown.heads)
    body = "".join(element("tr", *map(_cell, shown.heads, row)) for row in shown.rows)
    made = element(
        "table",
        element("caption", say(_caption(shown)), style=UNSEEN),
        element("thead", element("tr", heads)),
        element("tbody", body),
        class_="dataframe",
        style="margin:0",
    )
    return element("div", made, style="overflow-x:auto;position:relative") + _foot(shown)


def _caption(shown: Shown) -> str:
    kind = tongue.word(shown.lang, shown.caption)
    return tongue.say(shown.lang, "{kind}: {foot}", kind=kind, foot=shown.foot) if shown.foot else kind


def _head(head: Head, lang: str) -> str:
    """A heading in another language says in its tooltip what one types."""
    align, tip = RIGHT if head.right else LEFT, head.column.says
    if lang != tongue.ENGLISH:
        tip = tongue.say(lang, "column {name}: {says}", name=head.column.name, says=tongue.meaning(lang, tip))
    return element("th", say(head.title), style=style(align, "white-space:nowrap"), title=tip, scope="col")


def _cell(head: Head, cell: Cell) -> str:
    mono = MONO if head.column.meaning is Meaning.DIGEST or head.column.name in {"created_by", "line"} else ""
    wide = head.long and len(cell.text) > _SHORT
    wrap = "overflow-wrap:anywhere;min-width:16em" if wide else "white-space:nowrap"
    faint = FAINT if cell.text in {words.NONE, words.MISSING, words.UNKNOWN, "0B"} else ""
    return element("td", say(cell.text), style=style(RIGHT if head.right else LEFT, wrap, mono, faint), title=cell.full)


def _foot(shown: Shown) -> str:
    more = _also(shown.hidden, shown.lang)
    foot = say(shown.foot)
    inner = f"{foot} · {more}" if foot and more else foot or more
    return element("div", inner, style=style(FAINT, "font-size:90%", "margin:.3em 0 .6em")) if inner else ""


def _also(hidden: Sequence[str], lang: str) -> str:
    return say(tongue.say(lang, "more columns in the data: {names}", names=", ".join(hidden))) if hidden else ""


def _chart(frame: pd.DataFrame) -> str:
    """Where the bytes are; of a selection of columns there is none, which is looked at for something else."""
    reading = read(frame)
    return chart(reading.kind, reading.rows(frame), reading.lang) if reading is not None and reading.whole else ""


def _notes(frame: pd.DataFrame, lang: str) -> list[str]:
    return [tongue.note(lang, words.clean(note)) for note in frame.attrs["jupyimg"].get("notes", ())]
