"""Checks of what a learner's cell left in a variable: a frame of one kind, or an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyimg.testing.sentences import not_yet
from jupyimg.views.columns import names_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 60


def assert_frame(
    value: Any,
    kind: str,
    *,
    rows: int | None = None,
    holds: Mapping[str, Any] | None = None,
    what: str = "x",
    hint: str = "",
) -> None:
    """A value is the frame that a subcommand returns, with all its columns.

    Args:
        value: what the cell left; ``...`` where nothing was done.
        kind: the subcommand, such as "images" or "history".
        rows: how many it must have; None is any number.
        holds: values by column; each must be in its column.
        what: the variable's name, for the sentence.
        hint: what to try, instead of the sentence's own advice.

    Raises:
        NotYet: it is not.
        KeyError: no subcommand of that kind returns a frame.
    """
    columns = names_of(kind)
    if value is ... or value is None:
        raise not_yet("not answered", hint, what=what)
    if not (hasattr(value, "columns") and hasattr(value, "dtypes")):
        command = kind.partition(" ")[0]
        raise not_yet("no frame", hint, what=what, type=type(value).__name__, kind=kind, command=command)
    for column in columns:
        if column not in value.columns:
            raise not_yet("no column", hint, what=what, column=column, kind=kind)
    if rows is not None and len(value) != rows:
        raise not_yet("rows", hint, what=what, found=len(value), rows=rows)
    for column, wanted in (holds or {}).items():
        if wanted not in set(value[column]):
            raise not_yet("no row", hint, what=what, column=column, value=wanted)


def assert_answer(value: Any, expected: Any, *, what: str = "x", hint: str = "") -> None:
    """A value is the answer; numbers, words, sets and lists compare as Python compares them.

    Args:
        value: what the cell left; ``...`` where nothing was done.
        expected: what it must be; it is not told.
        what: the variable's name, for the sentence.
        hint: what to try, instead of the sentence's own advice.

    Raises:
        NotYet: it is something else.
    """
    if value is ... or value is None:
        raise not_yet("not answered", hint, what=what)
    if not _same(value, expected):
        raise not_yet("wrong answer", hint, what=what, value=_short(value))


def _same(value: Any, expected: Any) -> bool:
    try:
        return bool(value == expected)
    except (TypeError, ValueError):  # a frame or an array where one value was asked for
        return False


def _short(value: Any) -> str:
    shown = " ".join(repr(value).split())
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
