"""Totals: what a table adds up to, each digest counted once, and the line that says so under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyimg.views import words
from jupyimg.views.columns import REMOVAL_KINDS, TRANSFER_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Row = Mapping[str, Any]

_SUMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "images": ("size", ("manifest_digest",)),
    "df -v": ("size", ("manifest_digest",)),
    "tags": ("size", ("digest", "platform")),
    "history": ("size", ()),
    "df": ("size", ()),
    **dict.fromkeys(TRANSFER_KINDS, ("size", ("digest",))),
    **dict.fromkeys(REMOVAL_KINDS, ("freed", ())),
}
"""For each kind that adds up: the column of bytes, and the columns that say whether two rows are the same content."""


def needs(kind: str) -> tuple[str, ...]:
    """The columns that `total` looks at; empty for a kind that does not add up."""
    column, key = _SUMS.get(kind, ("", ()))
    return (column, *key) if column else ()


def total(kind: str, rows: Sequence[Row]) -> int:
    """Bytes of all rows; rows with the same digest are one content. Unknown sizes count nothing."""
    column, key = _SUMS[kind]
    once = {tuple(row[name] for name in key) if key else (at,): row[column] or 0 for at, row in enumerate(rows)}
    return int(sum(once.values()))


def footer(kind: str, rows: Sequence[Row]) -> str:
    """The line under a table, such as "12 images, 1.4GB"; only of columns that the rows have."""
    say = _FOOTERS.get(kind)
    if not rows and kind in _EMPTY:
        return _EMPTY[kind]
    if say is None or (not rows and kind not in {"catalog", "info"}):
        return words.count(len(rows), _NOUNS.get(kind, "row")) if kind != "df" else ""
    try:
        return say(kind, rows)
    except KeyError:
        return words.count(len(rows), "row")


_NOUNS = {
    "images": "image",
    "df -v": "image",
    "history": "step",
    "search": "result",
    "tags": "tag",
    "ps": "container",
    "logs": "line",
    "engine": "engine",
    "mirror": "mirror",
    "mirror test": "endpoint",
    **dict.fromkeys(TRANSFER_KINDS, "image"),
}


def _images(kind: str, rows: Sequence[Row]) -> str:
    """Two names of one image are one image: the count and the bytes are those of distinct content."""
    once = {row["manifest_digest"] or row.get("image_id"): row for row in rows}
    names = f"{len(rows)} names, " if len(once) != len(rows) else ""
    stored = any(row["size"] is not None for row in rows)
    size = total(kind, rows) if stored else sum(row.get("unpacked") or 0 for row in once.values())
    return f"{names}{words.count(len(once), 'image')}, {words.size(size, 3)}{'' if stored else ' unpacked'}"


def _history(_kind: str, rows: Sequence[Row]) -> str:
    layers = [row for row in rows if not row["empty"]]
    known = "size" if any(row["size"] for row in rows) else "compressed"
    size = words.size(sum(row[known] or 0 for row in rows), 3) + (" compressed" if known == "compressed" else "")
    return f"{words.count(len(rows), 'step')}, {words.count(len(layers), 'layer')}, {size}"


def _tags(_kind: str, rows: Sequence[Row]) -> str:
    """A tag is counted once, whatever platforms it has; their layers are shared, so that no sum of sizes is true."""
    tags = len({(row["repository"], row["tag"]) for row in rows})
    places = len({row["repository"] for row in rows})
    images = f", {words.count(len(rows), 'image')}" if len(rows) != tags else ""
    return words.count(tags, "tag") + (f" of {places} repositories" if places > 1 else "") + images


def _catalog(_kind: str, rows: Sequence[Row]) -> str:
    return f"{len(rows)} {'repository' if len(rows) == 1 else 'repositories'}"


def _nothing(_kind: str, _rows: Sequence[Row]) -> str:
    return ""


def _transfers(kind: str, rows: Sequence[Row]) -> str:
    moved, took = sum(row["transferred"] or 0 for row in rows), sum(row["seconds"] or 0.0 for row in rows)
    images = words.count(len(rows), "image")
    if not moved:
        known = any(row["size"] is not None for row in rows)
        return f"{images}, {words.size(total(kind, rows), 3)}" if known else images
    return f"{images}, {words.size(moved, 3)} transferred in {words.seconds(took)}{rate(moved, took)}"


def rate(moved: float, took: float) -> str:
    """How fast, such as " (23.4MB/s)"; nothing where the time is too short to say."""
    return f" ({words.size(moved / took, 3)}/s)" if took >= 0.01 else ""  # noqa: PLR2004 - a clock's noise


def _removals(kind: str, rows: Sequence[Row]) -> str:
    untagged = sum(row["action"] == "untagged" for row in rows)
    would = " would be" if kind == "prune --dry-run" else ""
    done = f"{untagged}{would} untagged, {len(rows) - untagged} deleted"
    if any(row["freed"] is None for row in rows):
        return done
    freed = words.size(total(kind, rows), 3)
    return f"{done}, total reclaimed space: {freed}" if kind == "prune" else f"{done}, {freed} freed"


_EMPTY = {"prune": "total reclaimed space: 0B", "prune --dry-run": "nothing to remove"}
"""The line where there is no row, for kinds that have a better one than their number."""

_FOOTERS: dict[str, Callable[[str, Sequence[Row]], str]] = {
    "images": _images,
    "df -v": _images,
    "history": _history,
    "tags": _tags,
    "catalog": _catalog,
    "info": _nothing,
    **dict.fromkeys(TRANSFER_KINDS, _transfers),
    **dict.fromkeys(REMOVAL_KINDS, _removals),
}
