"""Outcome: what a subcommand did, in a few lines, where there is no room for a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyimg.views import tongue, words
from jupyimg.views.columns import REMOVAL_KINDS, TRANSFER_KINDS
from jupyimg.views.plain import rows_of, text
from jupyimg.views.totals import footer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyimg.views.answer import Answer

_LINES = 8


def outcome(answer: Answer, lang: str = tongue.ENGLISH) -> str:
    """What was moved, named or removed; what else there is to say of it as a terminal would."""
    lines = [*(tongue.note(lang, words.clean(note)) for note in answer.notes), *_lines(answer, lang)]
    more = [tongue.say(lang, "… {rest} more", rest=len(lines) - _LINES)] if len(lines) > _LINES else []
    return "\n".join([*lines[:_LINES], *more, footer(answer.kind, rows_of(answer), lang)])


def _lines(answer: Answer, lang: str) -> list[str]:
    if answer.kind in TRANSFER_KINDS:
        return [_moved(row, lang) for row in rows_of(answer)]
    if answer.kind in REMOVAL_KINDS:
        return [tongue.note(lang, line) for line in text(answer).splitlines() if line]
    return []


def _moved(row: Mapping[str, object], lang: str) -> str:
    status = tongue.word(lang, str(row["status"])).capitalize()
    return tongue.say(lang, "{status}: {name}", status=status, name=words.clean(str(row["reference"])))
