"""Held: one name and one platform that the store holds, and how a word of a user finds it.

A word is a name first and an ID second, as in Docker: `cafe` may be both (containers.md, trap 56). An ID is the
beginning (four digits or more) of an image ID, or of a manifest's or index's digest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyimg.errors import BadReference, Conflict, ContentError, ImageNotFound, Unsupported
from jupyimg.model.documents import Descriptor, Manifest
from jupyimg.model.platform import Platform
from jupyimg.model.reference import Reference
from jupyimg.store import Entry, is_users

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from jupyimg.model.digest import Digest
    from jupyimg.store import Store

_ID = re.compile(r"(?:sha256:)?([a-f0-9]{4,64})", re.ASCII)
_SHORT = re.compile(r"(?:sha256:)?[a-f0-9]{1,3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Held:
    """One row of `images`: an entry of the store, opened to one platform.

    Attributes:
        entry: what index.json lists; an index that is held whole gives several of these.
        descriptor: the manifest of this platform.
        manifest: the same, read.
    """

    entry: Entry
    descriptor: Descriptor
    manifest: Manifest

    @property
    def name(self) -> Reference | None:
        return self.entry.name

    @property
    def image_id(self) -> Digest:
        return self.manifest.config.digest

    @property
    def digest(self) -> Digest:
        """What a pull by digest names: the index it came from if there is one."""
        return self.entry.index.digest if self.entry.index else self.entry.descriptor.digest

    @property
    def digests(self) -> frozenset[Digest]:
        return frozenset({self.image_id, self.descriptor.digest, self.digest})


def hold(store: Store, entries: Iterable[Entry]) -> list[Held]:
    """Open entries to their platforms; one whose manifest is damaged is left out, so that the others still show."""
    found: list[Held] = []
    for entry in entries:
        try:
            found += list(_open(store, entry, entry.descriptor, set()))
        except (ContentError, Unsupported):
            continue
    return found


def _open(store: Store, entry: Entry, descriptor: Descriptor, seen: set[Digest]) -> Iterator[Held]:
    document = store.manifest(descriptor.digest)
    seen.add(descriptor.digest)
    if isinstance(document, Manifest):
        yield Held(entry, descriptor, document)
        return
    for child in document.platforms:
        if child.digest not in seen:
            yield from _open(store, entry, child, seen)


def find(held: Sequence[Held], word: Reference | str) -> list[Held]:
    """All that a name or an ID means: every platform under the name, or every name of the image with that ID.

    Raises:
        ImageNotFound: nothing.
        Conflict: the beginning of several IDs.
    """
    by_name = _by_name(held, word)
    if by_name:
        return by_name
    by_id = _by_id(held, word) if isinstance(word, str) else []
    if by_id:
        return by_id
    raise missing(word)


def missing(word: Reference | str) -> ImageNotFound:
    """What is said of a word that finds nothing."""
    hint = "of an ID four digits are needed at least" if _SHORT.fullmatch(str(word)) else ""
    return ImageNotFound(f"no such image: {word.familiar if isinstance(word, Reference) else word}", hint=hint)


def is_name(held: Sequence[Held], word: Reference | str) -> bool:
    """Whether the word finds something as a name, so that its ID is not meant."""
    return bool(_by_name(held, word))


def pick(found: Sequence[Held], platform: Platform | None, default: Platform, shown: str) -> Held:
    """One of several platforms: the one asked for, else the default one, else the first held.

    Raises:
        ImageNotFound: the one asked for is not held.
    """
    wanted = platform or default
    ranked = [(gap, held) for held in found if (gap := wanted.distance(platform_of(held))) is not None]
    if ranked:
        return min(ranked, key=lambda pair: pair[0])[1]
    if platform is not None:
        there = ", ".join(dict.fromkeys(str(platform_of(held)) for held in found))
        raise ImageNotFound(
            f"{shown} is not held for {platform}; it is held for {there}",
            hint=f"%image pull --platform {platform} {shown} fetches it",
        )
    return found[0]


def platform_of(held: Held) -> Platform:
    """The platform that the store noted; unknown where it noted none."""
    return held.descriptor.platform or held.entry.descriptor.platform or Platform()


def as_name(word: Reference | str) -> Reference | None:
    """The word as a name, where it can be one."""
    try:
        return word if isinstance(word, Reference) else Reference.parse(word)
    except BadReference:
        return None


def as_id(word: Reference | str) -> str | None:
    """How digests begin that the word may mean, where it can be the beginning of an ID."""
    match = _ID.fullmatch(word) if isinstance(word, str) else None
    return f"sha256:{match[1]}" if match else None


def kept_alone(owners: Mapping[str, Mapping[Digest, float]], listed: Mapping[Digest, object]) -> dict[Digest, str]:
    """What pins without an end keep and nothing lists, and the first owner of each."""
    kept: dict[Digest, str] = {}
    for owner, pins in sorted(owners.items()):
        for digest, end in pins.items():
            if not end and not listed.get(digest):
                kept.setdefault(digest, owner)
    return kept


def unnamed(store: Store, digest: Digest, owner: str) -> Entry | None:
    """What a pin alone keeps, such as a manifest that was pushed to the served store untagged, as if it were listed."""
    try:
        document = store.manifest(digest)
    except ContentError:
        return None
    root = Descriptor(media_type=document.media_type, digest=digest, size=len(document.raw))
    return Entry(None, None if is_users(owner) else owner, root)


def _by_name(held: Sequence[Held], word: Reference | str) -> list[Held]:
    wanted = as_name(word)
    if wanted is None:
        return []
    if wanted.digest is None:
        return [item for item in held if item.name == wanted]
    return [
        item
        for item in held
        if wanted.digest in {item.descriptor.digest, item.digest} and repository_of(item) == wanted.name
    ]


def repository_of(item: Held) -> str | None:
    """The repository of its name, or the one that it had a name in."""
    return item.name.name if item.name else item.entry.repository


def _by_id(held: Sequence[Held], word: str) -> list[Held]:
    start = as_id(word)
    if start is None:
        return []
    found = [item for item in held if any(digest.startswith(start) for digest in item.digests)]
    images = {item.image_id for item in found}
    # The platforms of one index may be found by its digest together; anything else that is found twice is doubtful.
    by_index = {item.digest for item in found} if all(item.digest.startswith(start) for item in found) else set()
    if len(images) > 1 and len(by_index) != 1:
        shown = ", ".join(sorted(image.short for image in images))
        raise Conflict(f"{word} is the beginning of several image IDs: {shown}", hint="give more digits of the one")
    return found
