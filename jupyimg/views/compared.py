"""Compared: two images side by side, as tables, a picture and lines; what a browser and a terminal have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jupyimg.views import charts, tongue, words
from jupyimg.views.columns import columns_of
from jupyimg.views.shown import Cell, show
from jupyimg.views.svg import Bar, Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyimg.model.comparison import ImageComparison
    from jupyimg.views.plans import Look
    from jupyimg.views.shown import Shown

_SIZES = frozenset({"size", "unpacked"})
_DIGITS = 20
MOST = 60
"""Rows of one table that a browser shows; the frame has all of them."""


def rows_of(kind: str, records: Sequence[object]) -> list[dict[str, Any]]:
    """Records as values by column name."""
    return [{column.name: getattr(record, column.name) for column in columns_of(kind)} for record in records]


def differences(record: ImageComparison, look: Look) -> Shown:
    """What their configs say differently, with sizes in words."""
    rows = rows_of("differences", record.differences)
    for row in rows:
        if row["field"] in _SIZES:
            row.update({side: _size(look.lang, row[side]) for side in ("a", "b")})
        row["field"] = tongue.say(look.lang, row["field"])
    return _cut("differences", rows, look)


def layers(record: ImageComparison, look: Look) -> Shown:
    """All their layers, from the base up."""
    rows = rows_of("compare", record.layers)
    return _cut("compare", rows, look)


def _cut(kind: str, rows: Sequence[dict[str, Any]], look: Look) -> Shown:
    if not look.rich or len(rows) <= MOST:
        return show(kind, rows, look)
    shown = show(kind, rows, look, only=range(MOST))
    return replace(shown, rows=(*shown.rows, tuple(Cell("…") for _ in shown.heads)))


def picture(record: ImageComparison, lang: str) -> Picture:
    """Two bars: what each image has alone, and what both have."""
    name = "size" if all(layer.size is not None for layer in record.layers) else "unpacked"
    sizes = {
        status: sum(getattr(layer, name) or 0 for layer in record.layers if layer.status == status)
        for status in ("shared", "only A", "only B")
    }
    legend = (tongue.say(lang, "only here"), tongue.say(lang, "shared"))
    bars = []
    for label, own in ((f"A: {record.a}", "only A"), (f"B: {record.b}", "only B")):
        parts = (sizes[own], sizes["shared"])
        tips = [charts.exact(lang, what, part) for what, part in zip(legend, parts, strict=True)]
        bars.append(Bar(label, parts, words.size(sum(parts), 3), " · ".join([label, *tips])))
    says = charts.biggest(bars, lang)
    return Picture(tongue.say(lang, "Bytes that both hold"), legend, tuple(bars), says=says)


def names(record: ImageComparison) -> tuple[str, str]:
    """Which is which: "A: nginx:1.27"."""
    return f"A: {words.clean(record.a)}", f"B: {words.clean(record.b)}"


def _size(lang: str, text: str | None) -> str | None:
    if text is None or not text.isdecimal() or len(text) > _DIGITS:
        return text
    return tongue.say(lang, "{size} ({exact} bytes)", size=words.size(int(text), 3), exact=f"{int(text):,}")
