"""Removal: what `rmi` does to the names, as a pure plan (Docker's table of cases, `docker image rm`).

========================================  =========================================================
a name, others are left for the image     only that name goes
a digest, and only tags hold it           a conflict that lists them (there is nothing else to take away)
the last name                             it goes, with the digest it was known by; the image is deleted
an ID with one name (or none)             the name goes, the image is deleted
an ID with several names                  a conflict that lists them; with ``force`` all of them go
========================================  =========================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyimg.engines.held import find, is_name
from jupyimg.errors import Conflict
from jupyimg.model.records import RemovalRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyimg.engines.held import Held
    from jupyimg.errors import ImageError
    from jupyimg.model.reference import Reference


_SHOWN = 8
"""How many names an error lists."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes: these rows of `images`; and what is said of it."""

    held: tuple[Held, ...]
    untagged: tuple[RemovalRecord, ...]


def plan(held: Sequence[Held], word: Reference | str, *, force: bool) -> Removal:
    """Decide what one word of `rmi` removes.

    Raises:
        ImageNotFound: nothing has that name or ID.
        Conflict: an ID that several names hold, without ``force``.
    """
    found = find(held, word)
    if not is_name(held, word):
        named = {item.name for item in found if item.name}
        names = sorted(name.familiar for name in named)
        several = sum(bool(name.tag) for name in named) > 1 or len({name.name for name in named}) > 1
        if several and not force:
            raise Conflict(
                f"{word} has several names: {', '.join(names)}",
                hint=f"remove one by its name, or all of them with -f (%image rmi -f {word})",
            )
    else:
        found = _by_digest(found, word) if "@" in str(word) else [*found, *_left_over(held, found)]
    return Removal(tuple(found), tuple(_untagged(held, found)))


def _by_digest(found: list[Held], word: Reference | str) -> list[Held]:
    """Only what was pulled by digest, or has lost its tag; a tag is never taken away by a digest."""
    exact = [item for item in found if item.name is None or not item.name.tag]
    if not exact:
        tags = ", ".join(sorted({item.name.familiar for item in found if item.name}))
        raise Conflict(f"{word} is only held as {tags}", hint="remove these by their names")
    return exact


def _left_over(held: Sequence[Held], found: Sequence[Held]) -> list[Held]:
    """With a repository's last tag of an image go the digests that the repository knows it by."""
    names, going = {item.name for item in found}, {item.descriptor.digest for item in found}
    repositories = {name.name for name in names if name}
    others = [
        item
        for item in held
        if item.name and item.name not in names and item.name.name in repositories and item.descriptor.digest in going
    ]
    return [] if any(item.name and item.name.tag for item in others) else others


def _untagged(held: Sequence[Held], found: Sequence[Held]) -> list[RemovalRecord]:
    """Each name once that means nothing more; then, as Docker does, the digest of a repository without a name of it."""
    going = {id(item) for item in found}
    staying = {item.name for item in held if id(item) not in going}
    rows: dict[str, RemovalRecord] = {}
    for item in found:
        if item.name is not None and item.name not in staying:  # which may mean another platform yet
            rows[item.name.familiar] = RemovalRecord(
                action="untagged", reference=item.name.familiar, digest=item.digest
            )
    for item in found:
        if item.name is None or item.name.digest is not None:
            continue
        others = [
            other
            for other in held
            if id(other) not in going
            and other.digest == item.digest
            and other.name
            and other.name.name == item.name.name
        ]
        if not others:
            text = item.name.with_digest(item.digest).familiar
            rows[text] = RemovalRecord(action="untagged", reference=text, digest=item.digest)
    return list(rows.values())


def first(failures: list[ImageError], done: list[RemovalRecord]) -> ImageError:
    """The first failure; where others were removed all the same, it says which and carries their records."""
    first = failures[0]
    untagged = [row.reference for row in done if row.reference is not None]
    names = [name for name in untagged if "@" not in name] or untagged
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    if done:
        shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        more += f"; removed all the same: {shown or 'what has no name'}"
    first.done = tuple(done)
    first.message += more
    first.args = (first.message,)
    return first
