"""Shown: what each cell of a table says, in words; one reading for a browser and for a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyimg.views import tongue, words
from jupyimg.views.columns import FRAMES, Column, Meaning
from jupyimg.views.plans import Look, plan
from jupyimg.views.totals import footer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    Row = Mapping[str, Any]


class Cell(NamedTuple):
    """What one cell says, and the exact value behind it where that says more."""

    text: str
    full: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands over a column."""

    column: Column
    title: str

    @property
    def right(self) -> bool:
        """Whether its cells are numbers, which stand at the right."""
        return self.column.meaning in {Meaning.BYTES, Meaning.COUNT, Meaning.SECONDS, Meaning.NUMBER}

    @property
    def long(self) -> bool:
        """Whether its cells are prose or commands, which may be cut to fit."""
        return self.column.name in _LONG and self.column.meaning in {Meaning.TEXT, Meaning.MAPPING}


@dataclass(frozen=True, slots=True)
class Shown:
    """A table in words.

    Attributes:
        caption: what it is of, for who cannot see it.
        lang: of what stands around the data.
        foot: the line under it, or "".
        hidden: the columns that the data has besides.
    """

    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    foot: str
    hidden: tuple[str, ...] = ()
    caption: str = ""
    lang: str = tongue.ENGLISH


_LONG = {"created_by": 45, "description": 45, "labels": 45, "line": 500, "key": 45, "a": 45, "b": 45}
"""Columns that are cut, and the terminal columns that Docker leaves them."""
_RICH_LONG = 90
_ANY_LONG = 200
"""Where everything is cut: a name of a megabyte is nothing to read."""
_COMMAND = 20
"""What Docker leaves of a container's command, before its quotes."""


def show(
    kind: str,
    rows: Sequence[Row],
    look: Look,
    *,
    selected: Sequence[Column] | None = None,
    added: Sequence[Column] = (),
    only: Sequence[int] | None = None,
) -> Shown:
    """Put rows into words.

    Args:
        kind: of the answer.
        rows: values by column name; None is missing.
        look: how.
        selected: exactly the columns to show; None lets the kind decide.
        added: columns to show behind those that the kind decided on.
        only: the rows to write; the others still count in the foot. None is all.
    """
    columns = (*plan(kind, rows, look), *added) if selected is None else tuple(selected)
    written = rows if only is None else [rows[at] for at in only]
    named = {column.name for column in columns}
    return Shown(
        heads=tuple(Head(column, _title(kind, column, look)) for column in columns),
        rows=tuple(tuple(cell(kind, column, row, look) for column in columns) for row in written),
        foot=footer(kind, rows, look.lang),
        hidden=() if selected is not None else tuple(c.name for c in FRAMES[kind] if c.name not in named),
        caption=kind,
        lang=look.lang,
    )


def cell(kind: str, column: Column, row: Row, look: Look) -> Cell:
    """What one value says."""
    value = row[column.name]
    if value is None:
        return Cell(_missing(kind, column))
    return _WRITERS[column.meaning](kind, column, row, look)


def _missing(kind: str, column: Column) -> str:
    if kind == "history" and column.name == "image_id":
        return words.MISSING
    if column.name in {"repository", "tag", "digest"} or kind == "differences":
        return words.NONE
    return "" if column.meaning in {Meaning.TEXT, Meaning.DIGEST, Meaning.WORD, Meaning.FLAG} else words.UNKNOWN


def _text(kind: str, column: Column, row: Row, look: Look) -> Cell:
    full = words.clean(str(row[column.name]))
    if kind == "ps" and column.name == "image" and full.startswith("sha256:") and not look.no_trunc:
        return Cell(words.short(full), full)  # its name has moved on
    limit = _LONG.get(column.name, _ANY_LONG)
    if kind == "ps" and column.name == "command" and not look.rich:
        return Cell(_quoted(full if look.no_trunc else words.ellipsis(full, _COMMAND)))
    text = full if look.no_trunc else words.ellipsis(full, max(limit, _RICH_LONG) if look.rich else limit)
    return Cell(text, full if text != full else "")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def _digest(kind: str, column: Column, row: Row, look: Look) -> Cell:
    full = words.clean(str(row[column.name]))
    whole = look.no_trunc or (kind == "images" and column.name == "digest" and not look.rich)
    return Cell(full) if whole else Cell(words.short(full), full)


def _bytes(kind: str, column: Column, row: Row, look: Look) -> Cell:
    count = int(row[column.name])
    if not look.human:
        return Cell(str(count))
    text = words.size(count, 4 if not look.rich and (kind == "df" or column.name in {"shared", "unique"}) else 3)
    if kind == "df" and column.name == "reclaimable" and row.get("size") and row.get("type") != "Build Cache":
        text += f" ({count * 100 // int(row['size'])}%)"
    return Cell(text, tongue.say(look.lang, "{exact} bytes", exact=f"{count:,}"))


def _count(_kind: str, column: Column, row: Row, _look: Look) -> Cell:
    return Cell(str(int(row[column.name])))


def _seconds(_kind: str, column: Column, row: Row, _look: Look) -> Cell:
    return Cell(words.seconds(float(row[column.name])))


def _number(_kind: str, column: Column, row: Row, _look: Look) -> Cell:
    return Cell(f"{row[column.name]:.6g}")


def _time(kind: str, column: Column, row: Row, look: Look) -> Cell:
    moment: datetime = row[column.name]
    if kind == "logs":
        return Cell(words.iso(moment))
    if not look.human:
        return Cell(words.iso_seconds(moment), words.iso(moment))
    if moment <= words.LONG_AGO and (look.rich or kind == "history"):
        why = tongue.say(look.lang, "{exact}, as reproducible builds write it", exact=words.iso(moment))
        return Cell(words.UNKNOWN, why)
    return Cell(tongue.age(look.lang, moment, look.now), words.iso(moment))


def _flag(_kind: str, column: Column, row: Row, look: Look) -> Cell:
    if column.name == "official":
        return Cell("[OK]" if row["official"] else "")
    return Cell(tongue.word(look.lang, "yes" if row[column.name] else "no"))


def _word(kind: str, column: Column, row: Row, look: Look) -> Cell:
    return _text(kind, column, {column.name: tongue.word(look.lang, str(row[column.name]))}, look)


def _mapping(kind: str, column: Column, row: Row, look: Look) -> Cell:
    value = row[column.name]
    text = ", ".join(f"{key}={item}" for key, item in value.items()) if isinstance(value, dict) else str(value)
    return _text(kind, column, {column.name: text}, look)


_WRITERS: dict[Meaning, Callable[[str, Column, Row, Look], Cell]] = {
    Meaning.TEXT: _text,
    Meaning.DIGEST: _digest,
    Meaning.BYTES: _bytes,
    Meaning.COUNT: _count,
    Meaning.SECONDS: _seconds,
    Meaning.NUMBER: _number,
    Meaning.TIME: _time,
    Meaning.WORD: _word,
    Meaning.FLAG: _flag,
    Meaning.MAPPING: _mapping,
}

_TITLES = {
    ("history", "image_id"): "IMAGE",
    ("df -v", "shared"): "SHARED SIZE",
    ("df -v", "unique"): "UNIQUE SIZE",
    ("ps", "name"): "NAMES",
}


def _title(kind: str, column: Column, look: Look) -> str:
    """A browser shows the column's own name, which is what one types; a terminal shows Docker's."""
    if look.lang != tongue.ENGLISH and column in FRAMES[kind]:
        return tongue.heading(look.lang, column.name)
    if look.rich:
        return column.name
    if column.meaning is Meaning.TIME and not look.human:
        return f"{column.name.upper()} AT"
    return _TITLES.get((kind, column.name), column.name.upper().replace("_", " "))
