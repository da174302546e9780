"""Totals: what a table adds up to, each digest counted once, and the line that says so under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyimg.views import tongue, words
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
    "compare": ("size", ("digest",)),
    "layers": ("compressed", ("layer_digest",)),
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


def footer(kind: str, rows: Sequence[Row], lang: str = tongue.ENGLISH) -> str:
    """The line under a table, such as "12 images, 1.4GB"; only of columns that the rows have."""
    say = _FOOTERS.get(kind)
    if not rows and kind in _EMPTY:
        return tongue.say(lang, _EMPTY[kind], size="0B")
    if say is None or (not rows and kind not in {"catalog", "info", "df"}):
        return tongue.count(lang, len(rows), _NOUNS.get(kind, "row"))
    try:
        return say(kind, rows, lang)
    except KeyError:
        return tongue.count(lang, len(rows), "row")


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
    "compare": "layer",
    "differences": "difference",
    "layers": "layer",
    "jobs": "job",
    **dict.fromkeys(TRANSFER_KINDS, "image"),
}


def _images(kind: str, rows: Sequence[Row], lang: str) -> str:
    """Two names of one image are one image; what images share is in the size of each, and their rows cannot tell it."""
    once = {row["manifest_digest"] or row.get("image_id"): row for row in rows}
    stored = any(row["size"] is not None for row in rows)
    size = total(kind, rows) if stored else sum(row.get("unpacked") or 0 for row in once.values())
    names = len({row.get("reference", at) for at, row in enumerate(rows)})
    template = "{images}, {size}" if len(once) == len(rows) else "{names}, {images}, {size}"
    said = tongue.say(
        lang,
        template if stored else f"{template} unpacked",
        names=tongue.count(lang, names, "name"),
        images=tongue.count(lang, len(once), "image"),
        size=words.size(size, 3),
    )
    return _added_up(said, len(once), lang)


def _added_up(said: str, images: int, lang: str) -> str:
    """A sum of images' sizes, which is not what they take on a disk: `df` counts each layer once."""
    return said if images <= 1 else tongue.say(lang, "{said} (layers that they share count in each)", said=said)


def _history(_kind: str, rows: Sequence[Row], lang: str) -> str:
    layers = [row for row in rows if not row["empty"]]
    known = "size" if any(row["size"] for row in rows) else "compressed"
    return tongue.say(
        lang,
        "{steps}, {layers}, {size}" + (" compressed" if known == "compressed" else ""),
        steps=tongue.count(lang, len(rows), "step"),
        layers=tongue.count(lang, len(layers), "layer"),
        size=words.size(sum(row[known] or 0 for row in rows), 3),
    )


def _tags(_kind: str, rows: Sequence[Row], lang: str) -> str:
    """A tag is counted once, whatever platforms it has; their layers are shared, so that no sum of sizes is true."""
    tags = len({(row["repository"], row["tag"]) for row in rows})
    places = len({row["repository"] for row in rows})
    said = tongue.count(lang, tags, "tag")
    if places > 1:
        said = tongue.say(lang, "{tags} of {repositories}", tags=said, repositories=_repositories(lang, places))
    if len(rows) != tags:
        said = tongue.say(lang, "{tags}, {images}", tags=said, images=tongue.count(lang, len(rows), "image"))
    return said


def _repositories(lang: str, count: int) -> str:
    if lang != tongue.ENGLISH:
        return tongue.count(lang, count, "repository")
    return f"{count} {'repository' if count == 1 else 'repositories'}"


def _catalog(_kind: str, rows: Sequence[Row], lang: str) -> str:
    return _repositories(lang, len(rows))


def _nothing(_kind: str, _rows: Sequence[Row], _lang: str) -> str:
    return ""


def _disk(_kind: str, rows: Sequence[Row], lang: str) -> str:
    """The rows do not overlap; where nobody can tell how much one would give back, no sum is said."""
    known = [row["size"] for row in rows if row["size"] is not None]
    if not known:
        return ""
    back = [row["reclaimable"] for row in rows]
    told = tongue.say(lang, "{size} in all", size=words.size(sum(known), 3))
    if None in back:
        return told
    return tongue.say(
        lang,
        "{size} in all, {reclaimable} reclaimable",
        size=words.size(sum(known), 3),
        reclaimable=words.size(sum(back), 3),
    )


def _compared(_kind: str, rows: Sequence[Row], lang: str) -> str:
    known = "size" if all(row["size"] is not None for row in rows) else "unpacked"
    parts = {}
    for status in ("shared", "only A", "only B"):
        sizes = [row[known] or 0 for row in rows if row["status"] == status]
        told = words.size(sum(sizes), 3) if any(row[known] is not None for row in rows) else words.UNKNOWN
        parts[status] = (tongue.count(lang, len(sizes), "layer"), told)
    return tongue.say(
        lang,
        "{layers} shared ({shared}); only A: {a}; only B: {b}",
        layers=parts["shared"][0],
        shared=parts["shared"][1],
        a=tongue.say(lang, "{layers}, {size}", layers=parts["only A"][0], size=parts["only A"][1]),
        b=tongue.say(lang, "{layers}, {size}", layers=parts["only B"][0], size=parts["only B"][1]),
    )


def _layers(kind: str, rows: Sequence[Row], lang: str) -> str:
    """A layer of several images is one layer."""
    layers = len({row["layer_digest"] for row in rows})
    return tongue.say(
        lang, "{layers}, {size}", layers=tongue.count(lang, layers, "layer"), size=words.size(total(kind, rows), 3)
    )


def _transfers(kind: str, rows: Sequence[Row], lang: str) -> str:
    moved, took = sum(row["transferred"] or 0 for row in rows), sum(row["seconds"] or 0.0 for row in rows)
    images = tongue.count(lang, len(rows), "image")
    if not moved:
        if all(row["size"] is None for row in rows):
            return images
        said = tongue.say(lang, "{images}, {size}", images=images, size=words.size(total(kind, rows), 3))
        return _added_up(said, len({row["digest"] for row in rows}), lang)
    return tongue.say(
        lang,
        "{images}, {size} transferred in {time}{rate}",
        images=images,
        size=words.size(moved, 3),
        time=words.seconds(took),
        rate=rate(moved, took),
    )


def rate(moved: float, took: float) -> str:
    """How fast, such as " (23.4MB/s)"; nothing where the time is too short to say."""
    return f" ({words.size(moved / took, 3)}/s)" if took >= 0.01 else ""  # noqa: PLR2004 - a clock's noise


def _removals(kind: str, rows: Sequence[Row], lang: str) -> str:
    untagged = sum(row["action"] == "untagged" for row in rows)
    would = " would be" if kind == "prune --dry-run" else ""
    done = f"{{untagged}}{would} untagged, {{deleted}} deleted"
    unknown = any(row["freed"] is None for row in rows)
    end = "" if unknown else ", total reclaimed space: {size}" if kind == "prune" else ", {size} freed"
    return tongue.say(
        lang,
        done + end,
        untagged=untagged,
        deleted=len(rows) - untagged,
        size="" if unknown else words.size(total(kind, rows), 3),
    )


_EMPTY = {"prune": "total reclaimed space: {size}", "prune --dry-run": "nothing to remove"}
"""The line where there is no row, for kinds that have a better one than their number."""

_FOOTERS: dict[str, Callable[[str, Sequence[Row], str], str]] = {
    "images": _images,
    "history": _history,
    "tags": _tags,
    "catalog": _catalog,
    "info": _nothing,
    "df": _disk,
    "compare": _compared,
    "layers": _layers,
    **dict.fromkeys(TRANSFER_KINDS, _transfers),
    **dict.fromkeys(REMOVAL_KINDS, _removals),
}
