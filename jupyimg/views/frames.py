"""Frames: records as a pandas DataFrame with exactly the promised columns and dtypes, for one record or none.

The frame is plain: no subclass. It carries a small note in ``attrs["jupyimg"]`` that says what it is, so that the
formatter can show it in words; the data stays bytes, UTC and whole digests. Works with pandas 2.2 and 3, whose text
columns differ (`object` there, `str` here).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from jupyimg.errors import Misuse
from jupyimg.model.records import (
    DiskImageRecord,
    DiskRecord,
    FactRecord,
    HistoryRecord,
    ImageRecord,
    RemovalRecord,
    RepositoryRecord,
    SearchRecord,
    TagRecord,
    TransferRecord,
)
from jupyimg.model.running import ContainerRecord, EngineRecord, LogRecord
from jupyimg.views import accessor  # noqa: F401 - whoever has a frame has `df.oci`
from jupyimg.views.answer import Answer
from jupyimg.views.columns import Column, Meaning, columns_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyimg.model.records import Record

TEXT: Any = "str" if int(pd.__version__.partition(".")[0]) >= 3 else object  # noqa: PLR2004
_EARLIEST, _LATEST = datetime(1678, 1, 1, tzinfo=UTC), datetime(2262, 1, 1, tzinfo=UTC)


def frame(answer: Answer) -> pd.DataFrame:
    """The records as a frame.

    Raises:
        KeyError: that kind of answer has no frame.
    """
    columns = columns_of(answer.kind, quiet=answer.quiet)
    made = pd.DataFrame({c.name: series(c, [getattr(record, c.name) for record in answer.records]) for c in columns})
    if answer.kind == "logs":
        # Python's times end at microseconds; what a daemon says of a line does not.
        rest = [getattr(record, "nanosecond", 0) for record in answer.records]
        made["time"] += pd.Series(rest, dtype="timedelta64[ns]")
    made.attrs["jupyimg"] = {
        "kind": answer.kind,
        "no_trunc": answer.no_trunc,
        "digests": answer.digests,
        "human": answer.human,
        "notes": list(answer.notes),
    }
    return made


_KINDS: dict[type, str] = {
    ImageRecord: "images",
    HistoryRecord: "history",
    TransferRecord: "pull",
    RemovalRecord: "rmi",
    ContainerRecord: "ps",
    LogRecord: "logs",
    EngineRecord: "engine",
    DiskRecord: "df",
    DiskImageRecord: "df -v",
    SearchRecord: "search",
    TagRecord: "tags",
    RepositoryRecord: "catalog",
    FactRecord: "info",
}


def of_records(records: Sequence[Record], kind: str = "") -> pd.DataFrame:
    """What an engine returned, as the frame that the magics return.

    Args:
        records: all of one type.
        kind: which frame to make; read off the records if "". No records at all make an empty frame of images.

    Raises:
        Misuse: records of several types.
    """
    types = {type(record) for record in records}
    if len(types) > 1 or not types <= _KINDS.keys():
        raise Misuse("a frame is made of records of one kind", hint="pass what one method of the engine returned")
    return frame(Answer(kind=kind or _KINDS[types.pop() if types else ImageRecord], records=records))


def series(column: Column, values: Sequence[Any]) -> pd.Series[Any]:
    """Values of one column in its dtype; None is missing."""
    match column.meaning:
        case Meaning.TEXT | Meaning.DIGEST:
            # str() also makes plain text of a Digest, so that no type of ours stays inside a pickle.
            return pd.Series([None if value is None else str(value) for value in values], dtype=TEXT)
        case Meaning.TIME:
            moments = pd.to_datetime(pd.Series([_in_range(value) for value in values], dtype=object), utc=True)
            return moments.astype("datetime64[ns, UTC]")
        case Meaning.WORD:
            seen = [None if value is None else str(value) for value in values]
            known = [str(value) for value in column.categories]
            extra = sorted({value for value in seen if value is not None} - set(known))
            return pd.Series(pd.Categorical(seen, categories=pd.Index([*known, *extra], dtype=TEXT)))
        case _:
            return pd.Series(list(values), dtype=column.dtype)


def _in_range(moment: datetime | None) -> datetime | None:
    """What nanoseconds cannot hold, such as Go's zero time, is no build time either."""
    return moment if moment is not None and _EARLIEST <= moment < _LATEST else None
