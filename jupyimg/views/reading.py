"""Reading: whether a frame is one of ours, still is what it was made as, and its rows as plain values again.

attrs survive nearly everything that is done to a frame, also what changes its meaning: a describe, a transpose, a
count. So a frame is only taken for ours if every known column still has its promised dtype and the rows are still
numbered; anything else is left to pandas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from jupyimg.views.columns import FRAMES, Column, Meaning
from jupyimg.views.tongue import CHINESE, ENGLISH


@dataclass(frozen=True, slots=True)
class Reading:
    """What a frame of ours is.

    Attributes:
        kind: of the answer it was made from.
        columns: those it has now, in their order there; what a user added is among them.
        whole: whether all columns of its kind are there.
        flags: what it was asked for with.
    """

    kind: str
    columns: tuple[Column, ...]
    whole: bool
    flags: dict[str, Any]

    @property
    def lang(self) -> str:
        """Of what stands around it."""
        return CHINESE if self.flags.get("lang") == CHINESE else ENGLISH

    @property
    def added(self) -> tuple[Column, ...]:
        """Columns that are not of its kind."""
        own = {column.name for column in FRAMES[self.kind]}
        return tuple(column for column in self.columns if column.name not in own)

    def rows(self, frame: pd.DataFrame) -> list[dict[str, Any]]:
        """The rows as Python values; None is missing."""
        names = [column.name for column in self.columns]
        held = [_plain(frame[name]) for name in names]
        return [dict(zip(names, values, strict=True)) for values in zip(*held, strict=True)]


def read(frame: pd.DataFrame) -> Reading | None:
    """What a frame is, or None where it is not ours or no longer what it was."""
    note = frame.attrs.get("jupyimg")
    kind = note.get("kind") if isinstance(note, dict) else None
    if not isinstance(note, dict) or not isinstance(kind, str) or kind not in FRAMES:
        return None
    if not _is_numbered(frame) or not frame.columns.is_unique:
        return None
    known = {column.name: column for column in FRAMES[kind]}
    if not all(_keeps(known[name], dtype) for name, dtype in frame.dtypes.items() if name in known):
        return None
    names = list(frame.columns)
    whole = known.keys() <= set(names)
    if not names or not (whole or known.keys() >= set(names)):
        return None
    columns = tuple(known[name] if name in known else _foreign(name, frame.dtypes[name]) for name in names)
    return Reading(kind=kind, columns=columns, whole=whole, flags=note)


def _is_numbered(frame: pd.DataFrame) -> bool:
    index = frame.index
    return index.nlevels == 1 and index.name is None and (len(index) == 0 or pd.api.types.is_integer_dtype(index.dtype))


def _keeps(column: Column, dtype: Any) -> bool:
    """Whether a column still holds what it was promised to; text and words may have become other kinds of text."""
    match column.meaning:
        case Meaning.TEXT | Meaning.DIGEST:
            return pd.api.types.is_object_dtype(dtype) or isinstance(dtype, pd.StringDtype)
        case Meaning.WORD:
            return isinstance(dtype, pd.CategoricalDtype | pd.StringDtype) or pd.api.types.is_object_dtype(dtype)
        case Meaning.TIME:
            return isinstance(dtype, pd.DatetimeTZDtype)
        case _:
            return str(dtype) == column.dtype


def _foreign(name: object, dtype: Any) -> Column:
    numeric = pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)
    return Column(str(name), Meaning.NUMBER if numeric else Meaning.TEXT, "not of jupyimg")


def _plain(values: pd.Series[Any]) -> list[Any]:
    plain: list[Any] = values.astype(object).where(values.notna(), None).tolist()
    return plain
