"""Series: values of one column in its promised dtype.

Works with pandas 2.2 and 3, whose text columns differ (`object` there, `str` here).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from jupyimg.views.columns import Column, Meaning

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXT: Any = "str" if int(pd.__version__.partition(".")[0]) >= 3 else object  # noqa: PLR2004
_EARLIEST, _LATEST = datetime(1678, 1, 1, tzinfo=UTC), datetime(2262, 1, 1, tzinfo=UTC)


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
