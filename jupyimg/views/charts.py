"""Charts: where the bytes of an answer are, as bars under its table. What has no bytes to compare has no chart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jupyimg.views import tongue, words
from jupyimg.views.svg import Bar, Picture, draw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Row = Mapping[str, Any]

MOST = 12
"""Bars in a chart: the biggest, and one for all the rest."""
_SHELL = re.compile(r"^(?:\|\d+ .*?)?/bin/(?:ba)?sh (?:-\w+ )*-\w*c (?:#\(nop\) +)?")
_RUNS = re.compile(r"(?:RUN )?(?:\|\d+ .*?)?/bin/(?:ba)?sh ")
_AS_BUILT = " # buildkit"


def chart(kind: str, rows: Sequence[Row], lang: str = tongue.ENGLISH) -> str:
    """The picture of these rows as HTML, "" for a kind that has none or rows that it cannot be drawn of."""
    made = picture(kind, rows, lang)
    return draw(made) if made is not None else ""


def picture(kind: str, rows: Sequence[Row], lang: str = tongue.ENGLISH) -> Picture | None:
    """The bars of these rows, for who draws them otherwise; None where `chart` is ""."""
    return _CHARTS[kind](rows, lang) if kind in _CHARTS else None


def instruction(created_by: str) -> str:
    """What a build step does, without the words that every builder puts around it."""
    text = words.clean(created_by[:2000]).strip().removesuffix(_AS_BUILT)
    return _SHELL.sub("" if "#(nop)" in text else "RUN ", text.removeprefix("RUN ")) if _RUNS.match(text) else text


def exact(lang: str, what: str, count: int | None) -> str:
    """A number of bytes, said exactly: "compressed: 27,676,000 bytes"; "" where it is not known."""
    return "" if count is None else tongue.say(lang, "{what}: {bytes} bytes", what=what, bytes=f"{count:,}")


def biggest(bars: Sequence[Bar], lang: str) -> str:
    """The picture in a sentence, for who cannot see it."""
    most = max(bars, key=lambda bar: sum(bar.values))
    label = words.ellipsis(words.clean(most.label), 60)
    return tongue.say(lang, "biggest: {label}, {size}", label=label, size=most.amount)


def _history(rows: Sequence[Row], lang: str) -> Picture | None:
    layers = [row for row in rows if not row["empty"] and (row["empty"] is not None or row["size"])]
    known = [name for name in ("compressed", "size") if any(row[name] for row in layers)]
    if len(layers) < 2 or not known:  # noqa: PLR2004 - one bar compares nothing
        return None
    spoken = {"compressed": tongue.say(lang, "compressed"), "size": tongue.say(lang, "unpacked")}
    bars = [
        Bar(
            label=instruction(row["created_by"] or "") or words.short(row["layer_digest"] or ""),
            values=tuple(row[name] or 0 for name in known),
            amount=_amount(row[known[-1]]),
            tip=" · ".join([words.clean(row["created_by"] or ""), *(exact(lang, spoken[n], row[n]) for n in known)]),
            code=True,
        )
        for row in layers
    ]
    return _picture("The layers of this image, newest first", [spoken[name] for name in known], bars, lang, nested=True)


def _disk(rows: Sequence[Row], lang: str) -> Picture | None:
    told = [row for row in rows if row["size"]]
    legend = [tongue.say(lang, "in use"), tongue.say(lang, "reclaimable")]
    bars = []
    for row in told:
        back = min(row["reclaimable"] or 0, row["size"])
        parts = (row["size"] - back, back)
        bars.append(_parts(tongue.word(lang, str(row["type"])), parts, legend, lang))
    return _picture("Disk in use and reclaimable", legend, bars, lang)


def _disk_images(rows: Sequence[Row], lang: str) -> Picture | None:
    told = [row for row in rows if row["unique"] is not None and row["shared"] is not None]
    legend = [tongue.say(lang, "only here"), tongue.say(lang, "shared")]
    bars = [_parts(row["reference"] or "", (row["unique"], row["shared"]), legend, lang) for row in told]
    return _picture("What each image shares, and what only it needs", legend, bars, lang)


def _parts(label: str, parts: tuple[int, ...], legend: Sequence[str], lang: str) -> Bar:
    tips = [exact(lang, what, part) for what, part in zip(legend, parts, strict=True)]
    return Bar(label=label, values=parts, amount=words.size(sum(parts), 3), tip=" · ".join([label, *tips]))


def _amount(count: int | None) -> str:
    return words.UNKNOWN if count is None else words.size(count, 3)


def _picture(
    title: str, legend: Sequence[str], bars: Sequence[Bar], lang: str, *, nested: bool = False
) -> Picture | None:
    if not any(any(bar.values) for bar in bars):
        return None
    said = biggest(bars, lang)
    return Picture(tongue.say(lang, title), tuple(legend), tuple(_bounded(bars, lang)), nested=nested, says=said)


def _bounded(bars: Sequence[Bar], lang: str) -> list[Bar]:
    """The biggest in their order, and the rest as one bar."""
    if len(bars) <= MOST:
        return list(bars)
    order = sorted(range(len(bars)), key=lambda at: -max(bars[at].values))
    kept, rest = sorted(order[: MOST - 1]), [bars[at] for at in order[MOST - 1 :]]
    sums = tuple(map(sum, zip(*(bar.values for bar in rest), strict=True)))
    label = tongue.say(lang, "{rest} more", rest=len(rest))
    whole = max(sums) if rest[0].code else sum(sums)
    return [*(bars[at] for at in kept), Bar(label, sums, words.size(whole, 3), label)]


_CHARTS: dict[str, Callable[[Sequence[Row], str], Picture | None]] = {
    "history": _history,
    "df": _disk,
    "df -v": _disk_images,
}
