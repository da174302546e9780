"""Svg: bars as a small picture inside HTML. No script, no ids, nothing to load; only escaped text.

Words stand in a table and bars are SVG, so that where a sanitizer takes pictures away (GitHub, a notebook that is not
trusted) a table of names and sizes is left. Words take the font and colour of the page and bars JupyterLab's accent,
so that light and dark themes both read well; parts differ in lightness, which no eye confuses. A hover tells the exact
values, and a screen reader is told them too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyimg.views import words
from jupyimg.views.geometry import Box, strip
from jupyimg.views.markup import LEFT, MONO, element, say, style

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH, HEIGHT = 380, 14
"""Pixels of the longest bar, and how high each is."""
_COLUMNS = 40
_TIP = 300

_FILL = "fill:var(--jp-brand-color1,#1976d2)"
_SHADES = (_FILL, f"{_FILL};fill-opacity:.28")
_CELL = "padding:2px 10px 2px 0;border:none;white-space:nowrap;direction:ltr;unicode-bidi:isolate"
_BARE = "border:none;background:none"
_CAPTION = "caption-side:top;text-align:left;padding:0 0 2px;color:inherit;white-space:nowrap"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        label: what it is about, foreign text.
        values: one for each part of the legend; negative ones count as nothing.
        amount: the words at its end.
        tip: the exact values, for a hover.
        code: whether the label is a command.
    """

    label: str
    values: tuple[int, ...]
    amount: str
    tip: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Bars on one scale.

    Attributes:
        title: what is to be seen.
        legend: what the parts of each bar are, the darkest first; two at most.
        bars: from top to bottom.
        nested: whether the parts lie in each other from the same start, and not side by side.
        says: the picture in a sentence.
    """

    title: str
    legend: tuple[str, ...]
    bars: tuple[Bar, ...]
    nested: bool = False
    says: str = ""


def draw(picture: Picture) -> str:
    """The picture as HTML; "" where no bar has any length."""
    lengths = [max(bar.values) if picture.nested else sum(bar.values) for bar in picture.bars]
    whole = max(lengths, default=0)
    if whole <= 0:
        return ""
    drawn = [_row(bar, whole, nested=picture.nested) for bar in picture.bars]
    table = element(
        "table",
        _caption(picture),
        element("tbody", *drawn),
        style="margin:.4em 0;font-size:90%;border:none;border-collapse:collapse",
    )
    return element("div", table, style="overflow-x:auto")


def _caption(picture: Picture) -> str:
    parts = [element("b", say(picture.title), title=picture.says)]
    parts += [f" {_swatch(shade)} {say(name)}" for name, shade in zip(picture.legend, _SHADES, strict=False)]
    return element("caption", *parts, style=_CAPTION)


def _swatch(shade: str) -> str:
    return _svg([_rect(Box(0, 0, 9, 9), shade)], 9, 9, "margin-left:1.2em", aria_hidden="true")


def _row(bar: Bar, whole: int, *, nested: bool) -> str:
    tip = words.ellipsis(words.clean(bar.tip), _TIP)
    label = words.ellipsis(words.clean(bar.label), _COLUMNS)
    return element(
        "tr",
        element(
            "th", say(label), scope="row", style=style(_CELL, LEFT, "font-weight:normal", MONO if bar.code else "")
        ),
        element("td", _bar(bar.values, whole, tip, nested=nested), f" {say(bar.amount)}", style=style(_CELL, LEFT)),
        style=_BARE,
        title=tip,
    )


def _bar(values: tuple[int, ...], whole: int, tip: str, *, nested: bool) -> str:
    area = Box(0, 0, WIDTH, HEIGHT)
    if nested:
        dark, *light = (strip([value], area, whole=whole)[0] for value in values)
        thin = dark._replace(y=HEIGHT * 0.3, height=HEIGHT * 0.4) if light else dark
        boxes = [(box, _SHADES[1]) for box in light] + [(thin, _SHADES[0])]
    else:
        boxes = list(zip(strip(values, area, whole=whole), _SHADES, strict=False))
    length = max(1.0, *(box.x + box.width for box, _ in boxes))
    shapes = (_rect(box, shade) for box, shade in boxes if box.width > 0)
    return _svg(shapes, length, HEIGHT, role="img", aria_label=tip)


def _svg(shapes: Iterable[str], width: float, height: float, place: str = "", **attributes: str) -> str:
    return element(
        "svg",
        *shapes,
        xmlns="http://www.w3.org/2000/svg",
        width=_number(width),
        height=_number(height),
        style=style("vertical-align:middle", place),
        **attributes,
    )


def _rect(box: Box, shade: str) -> str:
    places = {"x": box.x, "y": box.y, "width": max(box.width, 1.0), "height": box.height}
    return element("rect", **{name: _number(value) for name, value in places.items()}, style=shade)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
