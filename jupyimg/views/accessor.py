"""df.oci: what a frame of jupyimg can do besides being a frame. Registered with pandas when a frame is first made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from jupyimg.views.plans import Look
from jupyimg.views.reading import Reading, read
from jupyimg.views.shown import cell
from jupyimg.views.totals import needs, total

if TYPE_CHECKING:
    from jupyimg.views.columns import Column


@pd.api.extensions.register_dataframe_accessor("oci")
class Oci:
    """Images as words and sums; only on a frame that jupyimg made and whose columns are still its own.

    Raises:
        AttributeError: it is another frame.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        reading = read(frame)
        if reading is None:
            raise AttributeError(
                "df.oci needs a frame of %image with its own columns; this one was made elsewhere or has been changed"
            )
        self._frame = frame
        self._reading: Reading = reading

    def human(self) -> pd.DataFrame:
        """A copy in words: sizes as "198MB", times as "6 days ago", digests shortened. For reading, not computing."""
        reading = self._reading
        look = Look(now=datetime.now(UTC), lang=reading.lang)
        rows = reading.rows(self._frame)
        return pd.DataFrame(
            {column.name: [_text(reading.kind, column, row, look) for row in rows] for column in reading.columns},
            index=self._frame.index,
        )

    def total(self) -> int:
        """Bytes of all rows together; what two rows share by digest counts once.

        Raises:
            AttributeError: the kind of this frame does not add up, or the columns that it needs are gone.
        """
        kind = self._reading.kind
        wanted, here = needs(kind), {column.name for column in self._reading.columns}
        if not wanted or not here.issuperset(wanted):
            gone = ", ".join(name for name in wanted if name not in here)
            why = f"the columns {gone} are needed" if wanted else f"a frame of {kind!r} does not add up"
            raise AttributeError(f"df.oci.total(): {why}")
        return total(kind, self._reading.rows(self._frame))


def _text(kind: str, column: Column, row: dict[str, Any], look: Look) -> str:
    return cell(kind, column, row, look).text
