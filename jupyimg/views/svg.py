"""Svg: bars as a small picture inside HTML. No script, no ids, nothing to load; only escaped text.

Text and lines take the colour of the page and fills JupyterLab's accent, so that light and dark themes both read
well; parts differ in lightness, which no eye confuses. A screen reader is told the title and the description; a hover
tells the exact values. Where a sanitizer takes the picture away, the words of it that stay still read as a list.
"""

from __future__ import annotations

from dataclasses import dataclass

from jupyimg.views import words
from jupyimg.views.geometry import Box, rows, strip
from jupyimg.views.markup import MONO, element, say, style

WIDTH, HEAD, ROW, GAP = 680, 22, 14, 6
_LABEL, _AMOUNT, _SPACE = 230, 70, 10
_COLUMNS = 33
"""Terminal columns of a label, which stand for its width: a Chinese character takes two."""
_TIP = 300

_FILL = "fill:var(--jp-brand-color1,#1976d2)"
_SHADES = (_FILL, f"{_FILL};fill-opacity:.28")
_TEXT = "fill:currentColor;font-size:11px;direction:ltr;unicode-bidi:isolate;white-space:pre"


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
    height = HEAD + len(picture.bars) * (ROW + GAP)
    places = rows(len(picture.bars), Box(0, HEAD, WIDTH, height - HEAD - GAP), gap=GAP)
    drawn = [_bar(bar, place, whole, nested=picture.nested) for bar, place in zip(picture.bars, places, strict=True)]
    return element(
        "svg",
        element("title", say(picture.title)),
        element("desc", say(picture.says)),
        _legend(picture.title, picture.legend),
        *drawn,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height}",
        width=str(WIDTH),
        role="img",
        aria_label=f"{picture.title}. {picture.says}",
        style="display:block;max-width:100%;height:auto;margin:.4em 0",
    )


def _legend(title: str, names: tuple[str, ...]) -> str:
    parts, x = [_text(title, 0, 11, "font-weight:600")], max(_LABEL + _SPACE, 20 + 7.0 * words.width(title))
    for name, shade in zip(names, _SHADES, strict=False):
        parts += [_rect(Box(x, 3, 9, 9), shade), _text(name, x + 14, 11)]
        x += 34 + 6.5 * words.width(name)
    return "\n".join(parts) + "\n"


def _bar(bar: Bar, place: Box, whole: int, *, nested: bool) -> str:
    area = Box(_LABEL + _SPACE, place.y, WIDTH - _LABEL - _AMOUNT - 2 * _SPACE, place.height)
    if nested:
        dark, *light = (strip([value], area, whole=whole)[0] for value in bar.values)
        thin = dark._replace(y=dark.y + dark.height * 0.3, height=dark.height * 0.4) if light else dark
        boxes = [(box, _SHADES[1]) for box in light] + [(thin, _SHADES[0])]
    else:
        boxes = list(zip(strip(bar.values, area, whole=whole), _SHADES, strict=False))
    end = max(box.x + box.width for box, _ in boxes)
    label = words.ellipsis(words.clean(bar.label), _COLUMNS)
    base = place.y + place.height - 3.5
    return element(
        "g",
        element("title", say(words.ellipsis(words.clean(bar.tip), _TIP))),
        _rect(place, "fill:none;pointer-events:all"),  # so that the whole row answers to a hover
        _text(label, 0, base, MONO if bar.code else ""),
        "\n",
        *(_rect(box, shade) for box, shade in boxes if box.width > 0),
        _text(bar.amount, end + 6, base),
        "\n",
    )


def _rect(box: Box, shade: str) -> str:
    return element(
        "rect",
        x=_number(box.x),
        y=_number(box.y),
        width=_number(max(box.width, 1)),
        height=_number(box.height),
        style=shade,
    )


def _text(text: str, x: float, y: float, more: str = "") -> str:
    return element("text", say(text), x=_number(x), y=_number(y), style=style(_TEXT, more))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
