"""Plain: an answer as a terminal shows it, in Docker's columns and spellings. No pandas, no colours."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from jupyimg.errors import Unsupported
from jupyimg.model.comparison import ImageComparison
from jupyimg.model.records import ImageDetail
from jupyimg.model.reference import Reference
from jupyimg.views import compared, tongue, visits, words
from jupyimg.views.columns import QUIET, TRANSFER_KINDS, columns_of
from jupyimg.views.plans import Look
from jupyimg.views.shown import show
from jupyimg.views.totals import total

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jupyimg.model.running import ServerRecord
    from jupyimg.views.answer import Answer
    from jupyimg.views.shown import Shown

    Row = Mapping[str, Any]

SPOKEN = frozenset({"login", "logout"})
"""The kinds whose answer is its notes, and no table."""
_GAP = 3
_NARROWEST = 10
_LEAST = 20
"""What a column of prose keeps however narrow the terminal is."""


def text(answer: Answer, *, width: int | None = None, now: datetime | None = None) -> str:
    """The answer without what is said beside it, and without a newline at its end; "" where Docker says nothing.

    Args:
        answer: what to write.
        width: columns of the terminal; prose is cut to fit. None is as wide as it gets.
        now: what ages are counted from.
    """
    if answer.kind in SPOKEN and not answer.json:
        return "\n".join(notes(answer))
    return json_text(answer) if answer.json else _body(answer, width, now or datetime.now(UTC))


def notes(answer: Answer) -> list[str]:
    """What is said beside the answer, and where that is all, the answer."""
    return [words.clean(note) for note in answer.notes]


def rows_of(answer: Answer) -> list[dict[str, Any]]:
    """The records as values by column name, in the order of the columns."""
    columns = columns_of(answer.kind, quiet=answer.quiet and answer.json)
    return [{column.name: getattr(record, column.name) for column in columns} for record in answer.records]


def _body(answer: Answer, width: int | None, now: datetime) -> str:
    if answer.kind == "inspect":
        return json_text(answer)
    if answer.kind in SPOKEN:
        return ""
    if answer.kind == "compare":
        look = Look(now=now, no_trunc=answer.no_trunc)
        return "\n\n".join(comparison_text(record, look, width) for record in _compared(answer))
    if answer.kind == "serve":
        servers = cast("Sequence[ServerRecord]", answer.records)
        return "\n".join(words.clean(line) for server in servers for line in [*server.lines(), *_totals(server)])
    if answer.quiet and answer.kind in QUIET:
        return _identifiers(answer)
    if answer.quiet and answer.kind == "push":
        return "\n".join(_references(rows_of(answer)))
    if answer.kind in _SENTENCES:
        return "\n".join(_SENTENCES[answer.kind](rows_of(answer)))
    look = Look(now=now, no_trunc=answer.no_trunc, digests=answer.digests, human=answer.human)
    head = "Images space usage:\n\n" if answer.kind == "df -v" else ""
    return head + table(show(answer.kind, rows_of(answer), look), width=None if answer.no_trunc else width)


def _totals(server: ServerRecord) -> list[str]:
    return [visits.summary(server.traffic)] if server.traffic is not None else []


def _compared(answer: Answer) -> list[ImageComparison]:
    return [record for record in answer.records if isinstance(record, ImageComparison)]


def comparison_text(record: ImageComparison, look: Look, width: int | None = None) -> str:
    """Two images side by side: their names, what differs, their layers, and what that sums up to."""
    different, layers = compared.differences(record, look), compared.layers(record, look)
    cut = None if look.no_trunc else width
    told = table(different, width=cut) if different.rows else tongue.say(look.lang, "nothing differs in configuration")
    return "\n\n".join(["\n".join(compared.names(record)), told, table(layers, width=cut), layers.foot])


def _identifiers(answer: Answer) -> str:
    values = [getattr(record, QUIET[answer.kind]) for record in answer.records]
    shown = [words.MISSING if value is None else words.clean(str(value)) for value in values]
    return "\n".join(value if answer.no_trunc or value == words.MISSING else words.short(value) for value in shown)


def table(shown: Shown, *, width: int | None = None) -> str:
    """Columns side by side, three spaces apart (Docker's tabwriter); no line ends in spaces."""
    lines = [[head.title for head in shown.heads], *([cell.text for cell in row] for row in shown.rows)]
    widths = [max(words.width(line[at]) for line in lines) for at in range(len(shown.heads))]
    limits = _fit(shown, widths, width)
    return "\n".join(_line(line, limits) for line in lines)


def _fit(shown: Shown, widths: list[int], width: int | None) -> list[int]:
    """Widths of the columns, those of prose made smaller where the table is wider than the terminal."""
    padded = [max(_NARROWEST, wide + _GAP) for wide in widths[:-1]] + widths[-1:]
    over = sum(padded) - width if width else 0
    for at, head in enumerate(shown.heads):
        if over > 0 and head.long:
            cut = min(over, max(0, padded[at] - _GAP - _LEAST))
            padded[at], over = padded[at] - cut, over - cut
    return padded


def _line(cells: Sequence[str], padded: Sequence[int]) -> str:
    rooms = (*(room - _GAP for room in padded[:-1]), padded[-1])
    *before, last = map(words.ellipsis, cells, rooms)
    return "".join([*map(words.pad, before, padded), last]).rstrip()


def _references(rows: Sequence[Row]) -> list[str]:
    """What `docker pull` and `docker push` end with: the full name (their other lines are notes on the way)."""
    return [str(Reference.parse(row["reference"], default_tag="")) for row in rows]


def _nothing(_rows: Sequence[Row]) -> list[str]:
    """`docker tag`, `docker save` and, unless quiet, `docker push` say nothing more when all is well."""
    return []


def _loaded(rows: Sequence[Row]) -> list[str]:
    return [
        f"Loaded image{' ID' if row['reference'].startswith('sha256:') else ''}: {words.clean(row['reference'])}"
        for row in rows
    ]


def _removed(rows: Sequence[Row]) -> list[str]:
    return [f"{row['action'].capitalize()}: {_removed_name(row)}" for row in rows]


def _removed_name(row: Row) -> str:
    name = row["reference"] if row["reference"] is not None else row["digest"]
    return words.clean(name) if name is not None else "an upload that broke off"


def _planned(rows: Sequence[Row]) -> list[str]:
    """No words of Docker's, which shows no plan, and none that could be read as done."""
    if not rows:
        return []
    lines = (f"{row['action']}: {_removed_name(row)}" for row in rows)
    return ["Would be removed:", *lines, "", f"Space that would be reclaimed: {words.size(total('prune', rows))}"]


def _pinned(rows: Sequence[Row]) -> list[str]:
    return [f"{row['status'].capitalize()}: {words.clean(row['reference'])}" for row in rows]


def _pruned(rows: Sequence[Row]) -> list[str]:
    lines = ["Deleted Images:", *(f"{row['action']}: {_removed_name(row)}" for row in rows), ""] if rows else []
    return [*lines, f"Total reclaimed space: {words.size(total('prune', rows))}"]


def _log_lines(rows: Sequence[Row]) -> list[str]:
    return [words.clean(row["line"]) for row in rows]


_SENTENCES: dict[str, Callable[[Sequence[Row]], list[str]]] = {
    **dict.fromkeys(TRANSFER_KINDS, _references),
    "load": _loaded,
    "push": _nothing,
    "tag": _nothing,
    "save": _nothing,
    "rmi": _removed,
    "prune": _pruned,
    "prune --dry-run": _planned,
    "pin": _pinned,
    "unpin": _pinned,
    "logs": _log_lines,
}
"""The kinds that Docker answers in lines and not in a table."""


def json_text(answer: Answer) -> str:
    """The records as a JSON array: objects with the frame's columns, numbers as numbers and times as RFC 3339.

    For "inspect" it is what `docker inspect` prints, for "compare" an object with the rows of both its frames.
    """
    if answer.kind == "inspect":
        details = [record.document for record in answer.records if isinstance(record, ImageDetail)]
        return dump(details, indent=4)
    if answer.kind == "compare":
        return dump([asdict(record) for record in _compared(answer)], indent=4)
    lines = ",\n".join(f"  {dump(row)}" for row in rows_of(answer))
    return f"[\n{lines}\n]" if lines else "[]"


def dump(value: object, *, indent: int | None = None) -> str:
    """A value as JSON that is readable (Chinese stays Chinese) and harmless (controls are escaped).

    Raises:
        Unsupported: it is nested too deeply to be written.
    """
    try:
        return words.json_safe(json.dumps(value, indent=indent, ensure_ascii=False, default=_plain_value))
    except RecursionError:
        raise Unsupported("the document is nested too deeply to be shown") from None


def _plain_value(value: object) -> str:
    return words.iso(value) if isinstance(value, datetime) else str(value)
