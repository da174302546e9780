"""Outcome: what a subcommand did, in a few lines, where there is no room for a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyimg.views import words
from jupyimg.views.columns import REMOVAL_KINDS, TRANSFER_KINDS
from jupyimg.views.plain import rows_of, text
from jupyimg.views.totals import footer

if TYPE_CHECKING:
    from jupyimg.views.answer import Answer

_LINES = 8


def outcome(answer: Answer) -> str:
    """What was moved, named or removed; what else there is to say of it as a terminal would."""
    lines = [*map(words.clean, answer.notes), *_lines(answer)]
    more = [f"… {len(lines) - _LINES} more"] if len(lines) > _LINES else []
    return "\n".join([*lines[:_LINES], *more, footer(answer.kind, rows_of(answer))])


def _lines(answer: Answer) -> list[str]:
    if answer.kind in TRANSFER_KINDS:
        return [f"{str(row['status']).capitalize()}: {words.clean(str(row['reference']))}" for row in rows_of(answer)]
    if answer.kind in REMOVAL_KINDS:
        return [line for line in text(answer).splitlines() if line]
    return []
