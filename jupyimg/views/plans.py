"""Plans: which columns of an answer people see, in which order, and when.

The data has every column; what is shown is narrow. A column that says nothing here (no sizes known, this machine's
platform only) stays away. Docker's columns come first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyimg.model.platform import Platform
from jupyimg.views.columns import FRAMES, REMOVAL_KINDS, TRANSFER_KINDS
from jupyimg.views.tongue import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from jupyimg.views.columns import Column

    Row = Mapping[str, Any]
    When = Callable[[Sequence[Row], "Look", str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How cells are to be written.

    Attributes:
        now: what ages are counted from.
        rich: for a browser, which has tooltips and room; else for a terminal, as Docker writes it.
        lang: of what stands around the data, "en" or "zh".
    """

    now: datetime
    rich: bool = False
    no_trunc: bool = False
    digests: bool = False
    human: bool = True
    lang: str = ENGLISH


def plan(kind: str, rows: Sequence[Row], look: Look) -> tuple[Column, ...]:
    """The columns to show of these rows."""
    known = {column.name: column for column in FRAMES[kind]}
    return tuple(known[name] for name, when in _PLANS[kind].items() if when(rows, look, name))


def _always(_rows: Sequence[Row], _look: Look, _name: str) -> bool:
    return True


def _asked(_rows: Sequence[Row], look: Look, _name: str) -> bool:
    return look.digests


def _known(rows: Sequence[Row], _look: Look, name: str) -> bool:
    return any(row[name] not in (None, "") for row in rows)


def _some(rows: Sequence[Row], _look: Look, name: str) -> bool:
    return any(row[name] for row in rows)


def _rich_known(rows: Sequence[Row], look: Look, name: str) -> bool:
    return look.rich and _known(rows, look, name)


def _stored(rows: Sequence[Row], _look: Look, name: str) -> bool:
    """Sizes as stored, unless nobody knows them: a daemon may know only those of the files."""
    return any(row[name] is not None for row in rows) or all(row["unpacked"] is None for row in rows)


def _instead(rows: Sequence[Row], look: Look, _name: str) -> bool:
    return not _stored(rows, look, "size")


def _files(rows: Sequence[Row], look: Look, name: str) -> bool:
    return _rich_known(rows, look, name) or _instead(rows, look, name)


def _said(rows: Sequence[Row], look: Look, name: str) -> bool:
    return not look.rich or _known(rows, look, name)


def _several(rows: Sequence[Row], look: Look, name: str) -> bool:
    return look.rich and len({row[name] for row in rows}) > 1


def _size(rows: Sequence[Row], _look: Look, name: str) -> bool:
    return not rows or any(row[name] is not None for row in rows)


def _foreign(rows: Sequence[Row], _look: Look, name: str) -> bool:
    here = str(Platform.host())
    return any(row[name] not in {None, here} for row in rows)


_TRANSFERS: dict[str, When] = {
    "reference": _always,
    "status": _always,
    "digest": _always,
    "image_id": _known,
    "size": _size,
    "transferred": _some,
    "seconds": _some,
}

_REMOVALS: dict[str, When] = {"action": _always, "reference": _known, "digest": _always, "freed": _some}

_PLANS: dict[str, dict[str, When]] = {
    "images": {
        "repository": _always,
        "tag": _always,
        "digest": _asked,
        "image_id": _always,
        "created": _always,
        "size": _stored,
        "unpacked": _files,
        "platform": _foreign,
    },
    "history": {
        "image_id": _always,
        "created": _always,
        "created_by": _always,
        "size": _always,
        "compressed": _rich_known,
        "comment": _said,
    },
    "search": {
        "name": _always,
        "description": _always,
        "stars": _always,
        "official": _always,
        "pulls": _rich_known,
        "source": _several,
    },
    "tags": {
        "repository": _always,
        "tag": _always,
        "digest": _known,
        "platform": _known,
        "size": _known,
        "created": _known,
        "updated": _known,
    },
    "df": {**dict.fromkeys(("type", "total", "active", "size", "reclaimable"), _always), "reported": _known},
    "catalog": {"repository": _always},
    "info": {"field": _always, "value": _always},
    "df -v": {
        **dict.fromkeys(("repository", "tag", "image_id", "created"), _always),
        "size": _stored,
        "unpacked": _instead,
        **dict.fromkeys(("shared", "unique"), _always),
        "containers": _known,
    },
    "ps": dict.fromkeys(("container_id", "image", "command", "created", "status", "ports", "name"), _always),
    "logs": dict.fromkeys(("time", "stream", "line"), _always),
    "engine": {
        **dict.fromkeys(("engine", "current", "reachable", "version"), _always),
        **dict.fromkeys(("api_version", "address"), _known),
    },
    "mirror": dict.fromkeys(("registry", "mirror", "insecure", "pull", "file"), _always),
    "compare": {"digest": _always, "status": _always, "size": _known, "unpacked": _known, "created_by": _some},
    "differences": {"field": _always, "key": _some, "a": _always, "b": _always},
    "layers": {
        "reference": _known,
        "platform": _foreign,
        **dict.fromkeys(("layer_digest", "created_by"), _always),
        **dict.fromkeys(("size", "compressed"), _known),
    },
    "jobs": {
        **dict.fromkeys(("job", "command", "state"), _always),
        **dict.fromkeys(("bytes", "total", "seconds"), _some),
        "error": _known,
    },
    "mirror test": {
        **dict.fromkeys(("registry", "endpoint", "role", "status", "milliseconds"), _always),
        "error": _known,
    },
    **dict.fromkeys(TRANSFER_KINDS, _TRANSFERS),
    **dict.fromkeys(REMOVAL_KINDS, _REMOVALS),
}
