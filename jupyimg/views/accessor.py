"""df.oci: what a frame of jupyimg can do besides being a frame. Registered with pandas when a frame is first made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from jupyimg import views
from jupyimg.views.columns import TRANSFER_KINDS, columns_of
from jupyimg.views.plans import Look
from jupyimg.views.reading import Reading, read
from jupyimg.views.series import series
from jupyimg.views.shown import cell
from jupyimg.views.totals import needs, total
from jupyimg.views.tree import KINDS, NEEDED, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyimg.views.columns import Column


@pd.api.extensions.register_dataframe_accessor("oci")
class Oci:
    """Images as words, sums, layers and a tree; only on a frame that jupyimg made and whose columns are still its own.

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
        """Bytes of all rows together; rows of one digest count once, layers that images share in each of them.

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

    def layers(self) -> pd.DataFrame:
        """The layers of these images, a row for each image and layer, from the base up; `total` counts a layer once.

        Asks with ``%image history`` for each image (and the registry, for a frame of tags), so it works where %image
        does. Of a frame of history it takes the rows that are layers.

        Raises:
            AttributeError: the rows are no images, or their columns are gone.
            Misuse: there is no %image here.
            ImageError: whatever the line raises.
        """
        kind = self._reading.kind
        if kind == "history":
            return self._as_layers(self._frame)
        asked = [self._asked(row) for row in self._rows("layers", _LAYERED)]
        made = [self._as_layers(ask.history(), ask.reference, ask.platform) for ask in dict.fromkeys(asked)]
        return pd.concat(made, ignore_index=True) if made else self._made("layers")

    def tree(self) -> Tree:
        """Repository, tag and platform as a tree, in text and in HTML.

        Raises:
            AttributeError: the rows are no images or tags, or their columns are gone.
        """
        rows = self._rows("tree", dict.fromkeys(KINDS, NEEDED))
        return Tree(self._reading.kind, rows, self._reading.lang)

    def explore(self) -> Any:
        """These rows as the `Table` that ``--widget`` gives: to search, sort and select in."""
        return views.explore(self._frame)

    def pull(self, *, platform: str | None = None) -> pd.DataFrame:
        """Pull what the rows name, each name once, with the lines that one would type; one row for each image.

        Works where %image does: a frame knows no engine, so it runs ``%image pull`` in the notebook that it is in.

        Args:
            platform: one for all of them, or "all"; None is the default one, whatever the rows say.

        Raises:
            AttributeError: the rows name nothing to pull, or their columns are gone.
            Misuse: there is no %image here.
            ImageError: whatever the line raises; what was pulled before stays.
        """
        rows = self._rows("pull", _PULLED)
        names = dict.fromkeys(_name(row) for row in rows)
        made = [views.run_line("pull", name, platform=platform) for name in names if name is not None]
        return pd.concat(made, ignore_index=True) if made else self._made("pull")

    def _rows(self, method: str, needed: Mapping[str, tuple[str, ...]]) -> list[dict[str, Any]]:
        """The rows, if this kind of frame has all that the method needs."""
        kind, here = self._reading.kind, {column.name for column in self._reading.columns}
        if kind not in needed:
            raise AttributeError(f"df.oci.{method}(): not for a frame of {kind!r}")
        if not here.issuperset(needed[kind]):
            gone = ", ".join(name for name in needed[kind] if name not in here)
            raise AttributeError(f"df.oci.{method}(): the columns {gone} are needed")
        return self._reading.rows(self._frame)

    def _asked(self, row: dict[str, Any]) -> _Ask:
        if self._reading.kind == "tags":
            return _Ask(str(_name(row)), row["platform"], str(_name(row)), ("--remote",))
        return _Ask(row["reference"], row.get("platform"), row.get("image_id") or row["reference"])

    def _as_layers(self, history: pd.DataFrame, *names: str | None) -> pd.DataFrame:
        layers = history[~history["empty"].fillna(value=False).astype(bool)].iloc[::-1]
        columns = columns_of("layers")
        made: pd.DataFrame = layers[[column.name for column in columns[2:]]].reset_index(drop=True)
        for at, name in enumerate(names or (None, None)):
            made.insert(at, columns[at].name, series(columns[at], [name] * len(made)))
        made.attrs["jupyimg"] = self._note("layers")
        return made

    def _made(self, kind: str) -> pd.DataFrame:
        empty = pd.DataFrame({column.name: series(column, []) for column in columns_of(kind)})
        empty.attrs["jupyimg"] = self._note(kind)
        return empty

    def _note(self, kind: str) -> dict[str, Any]:
        return {"kind": kind, "lang": self._reading.lang}


class _Ask(NamedTuple):
    """Which history to read; an ID means one platform of an image that is here, a name may mean several."""

    reference: str
    platform: str | None
    name: str
    flags: tuple[str, ...] = ()

    def history(self) -> pd.DataFrame:
        made: pd.DataFrame = views.run_line(
            "history", self.name, *self.flags, platform=self.platform if self.flags else None
        )
        return made


_LAYERED = {
    **dict.fromkeys(("images", "df -v"), ("reference", "image_id")),
    **dict.fromkeys(("pull", "push", "load", "tag"), ("reference",)),
    "tags": ("repository", "tag", "platform"),
}
_PULLED = {
    **dict.fromkeys(("images", "df -v", *TRANSFER_KINDS), ("reference",)),
    "tags": ("repository", "tag"),
    "search": ("name",),
    "catalog": ("repository",),
}
"""The kinds whose rows have layers or can be pulled, and the columns that say so."""


def _name(row: dict[str, Any]) -> str | None:
    """What a row is pulled by; None where it names nothing."""
    if "tag" in row and "reference" not in row:
        return f"{row['repository']}:{row['tag']}"
    name: str | None = row.get("reference") or row.get("name") or row.get("repository")
    return name


def _text(kind: str, column: Column, row: dict[str, Any], look: Look) -> str:
    return cell(kind, column, row, look).text
