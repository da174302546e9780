"""Pins: roots that are not names, each set of them kept by an owner, some only until a time.

The served store keeps one set for each repository, under the repository's canonical name. What the user pins is in
use: it is owned by `by_user`, one set for each name that was pinned and one for all that was pinned by ID. An owner's
set is one file, under the name of the owner's hash, because an owner may be any text.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from jupyimg.errors import BadManifest, StoreError
from jupyimg.model.codec import decode, encode
from jupyimg.model.digest import Digest
from jupyimg.store.layout import Layout, disk

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jupyimg.model.reference import Reference

    Kept = Mapping[Digest, float]
    """Digests, and when each stops being kept (seconds since the epoch); 0 is never."""

_USER = "the user: "  # no repository's name holds a space


def by_user(name: Reference | None = None) -> str:
    """The owner of what the user pinned under that name, or by ID."""
    return f"{_USER}{name or ''}"


def is_users(owner: str) -> bool:
    """Whether the user pinned it, and not the served store."""
    return owner.startswith(_USER)


class _File(msgspec.Struct):
    owner: str
    pins: dict[Digest, float]


def pins_of(layout: Layout, owner: str) -> dict[Digest, float]:
    """What an owner keeps now.

    Raises:
        StoreError: the file is damaged.
    """
    found = _read(_path(layout, owner))
    return found.pins if found else {}


def all_pins(layout: Layout) -> dict[str, dict[Digest, float]]:
    """What each owner keeps now; owners that keep nothing are left out.

    Raises:
        StoreError: a file is damaged; nobody may delete anything before that is mended.
    """
    with disk(f"read {layout.pins}"):
        paths = sorted(layout.pins.glob("*.json"))
    files = [found for path in paths if (found := _read(path))]
    return {found.owner: found.pins for found in files if found.pins}


def write_pins(layout: Layout, owner: str, pins: Kept) -> None:
    """Let an owner keep exactly these. Only under the store lock."""
    path = _path(layout, owner)
    with disk(f"write {path}"):
        if pins:
            path.parent.mkdir(exist_ok=True)
            layout.replace(path, [encode(_File(owner, dict(sorted(pins.items()))))])
        else:
            path.unlink(missing_ok=True)


def _read(path: Path) -> _File | None:
    with disk(f"read {path}"):
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
    try:
        found = decode(raw, _File, own=True)
    except BadManifest as error:
        raise StoreError(f"{path} is damaged: {error.message}", hint="put it right or delete it") from None
    now = time.time()
    return _File(found.owner, {digest: end for digest, end in found.pins.items() if not end or end > now})


def _path(layout: Layout, owner: str) -> Path:
    return layout.pins / f"{Digest.of(owner.encode()).encoded}.json"
