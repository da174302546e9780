"""Listing: what is held, as records, and the filters of `docker images`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from jupyimg.engines.held import find, platform_of
from jupyimg.errors import ContentError, Misuse
from jupyimg.model.records import ImageRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from jupyimg.engines.base import ImageFilter
    from jupyimg.engines.held import Held
    from jupyimg.model.config import ImageConfig
    from jupyimg.store import Store

Row = TypeVar("Row", bound=ImageRecord)


def record(store: Store, held: Held) -> ImageRecord:
    """The record of one name and one platform."""
    config = _config(store, held) if held.manifest.is_image else None
    name = held.name
    platform = config.platform if config else platform_of(held)
    return ImageRecord(
        repository=name.familiar_name if name else familiar(held.entry.repository),
        tag=(name.tag or None) if name else None,
        image_id=held.image_id,
        created=config.created if config else None,
        size=held.manifest.content_size,
        unpacked=_unpacked(store, held),
        platform=str(platform) or None,
        digest=held.digest,
        manifest_digest=held.descriptor.digest,
        reference=name.familiar if name else str(held.image_id),
        labels=config.labels if config else {},
        kind=held.manifest.kind,
        dangling=held.entry.dangling,
    )


def familiar(repository: str | None) -> str | None:
    """A canonical repository name as people write it."""
    if repository is None:
        return None
    bare = repository.removeprefix("docker.io/")
    return bare.removeprefix("library/") if bare != repository and bare.count("/") == 1 else bare


def newest_first(records: list[Row]) -> list[Row]:
    """Docker's order: by build time, newest first; then by name so that it is the same each time."""
    return sorted(
        sorted(records, key=lambda item: item.reference),
        key=lambda item: item.created.timestamp() if item.created else float("-inf"),
        reverse=True,
    )


def keep(
    filters: ImageFilter, held: Sequence[Held], created: Callable[[Held], datetime | None]
) -> Callable[[ImageRecord], bool]:
    """The test that a record must pass; names in before and since are looked up once.

    Raises:
        ImageNotFound: a name in ``before`` or ``since`` is not held.
    """
    return test(filters, _times(filters.before, held, created), _times(filters.since, held, created))


def test(filters: ImageFilter, before: Sequence[datetime], since: Sequence[datetime]) -> Callable[[ImageRecord], bool]:
    """The test that a record must pass, given when the images in before and since were built.

    Raises:
        Misuse: a pattern that is none.
    """
    labels = [label.partition("=") for label in filters.labels]
    globs = [glob(pattern) for pattern in filters.references]

    def passes(item: ImageRecord) -> bool:
        return (
            (filters.dangling is None or item.dangling is filters.dangling)
            and (filters.pinned is None or item.pinned is filters.pinned)
            and all(key in item.labels and (not eq or item.labels[key] == value) for key, eq, value in labels)
            and (not before or (item.created is not None and item.created < min(before)))
            and (not since or (item.created is not None and item.created > max(since)))
            and (filters.until is None or (item.created is not None and item.created < filters.until))
            and (not globs or any(pattern.fullmatch(text) for pattern in globs for text in _spellings(item)))
        )

    return passes


def glob(pattern: str) -> re.Pattern[str]:
    """Go's ``path.Match`` as a regular expression: ``*`` and ``?`` do not cross a slash."""
    out, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        closing = pattern.find("]", at + 2) if char == "[" else -1
        if char in "*?":
            out += "[^/]*" if char == "*" else "[^/]"
        elif closing > 0:
            inside = pattern[at + 1 : closing].replace("\\", "\\\\")
            out += f"[{inside.replace('[', chr(92) + '[')}]"
            at = closing
        elif char == "\\" and at + 1 < len(pattern):
            at += 1
            out += re.escape(pattern[at])
        else:
            out += re.escape(char)
        at += 1
    try:
        return re.compile(out)
    except re.error:
        raise Misuse(
            f"reference={pattern} is no pattern", hint="*, ? and [a-z] have a meaning; write \\[ for a bracket"
        ) from None


def _spellings(item: ImageRecord) -> list[str]:
    """What a reference filter may match: familiar and full, with tag and without."""
    if item.repository is None:
        return []
    hub = "/" not in item.repository or not re.match(r"[^/]*[.:]|localhost/", item.repository)
    full = item.repository
    if hub:
        full = "docker.io/" + ("library/" if "/" not in item.repository else "") + item.repository
    tags = [f":{item.tag}", ""] if item.tag else [""]
    return [name + tag for name in (item.repository, full) for tag in tags]


def _times(words: Sequence[str], held: Sequence[Held], created: Callable[[Held], datetime | None]) -> list[datetime]:
    return [moment for word in words for item in find(held, word)[:1] if (moment := created(item)) is not None]


def _config(store: Store, held: Held) -> ImageConfig | None:
    try:
        return store.config(held.image_id)
    except ContentError:
        return None


def _unpacked(store: Store, held: Held) -> int | None:
    sizes = [store.unpacked(layer) for layer in held.manifest.layers]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None
