"""Frames: records as a pandas DataFrame with exactly the promised columns and dtypes, for one record or none.

The frame is plain: no subclass. It carries a small note in ``attrs["jupyimg"]`` that says what it is, so that the
formatter can show it in words; the data stays bytes, UTC and whole digests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from jupyimg.views.columns import columns_of
from jupyimg.views.series import series
from jupyimg.views.tongue import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyimg.model.records import Record


def frame(answer: Answer, lang: str = ENGLISH) -> pd.DataFrame:
    """The records as a frame, to be shown with what stands around them in ``lang``.

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
        "lang": lang,
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
