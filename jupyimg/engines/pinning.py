"""Pinning: which images the user counts as in use, as pure changes of what the store's pins say.

A pin is what a container is to Docker's image: it holds the image, and no name or the last one of a held image is
removed without ``force``. Pinned by a name, the image that the name means stays, and so does the name and whatever it
comes to mean; pinned again, the name lets go of what it meant before. Pinned by an ID, the image stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyimg.engines import held
from jupyimg.errors import Conflict
from jupyimg.model.records import TransferRecord
from jupyimg.store import by_user, is_users

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from jupyimg.engines.held import Held
    from jupyimg.model.digest import Digest
    from jupyimg.model.records import Status
    from jupyimg.model.reference import Reference
    from jupyimg.store import Entry

    Kept = Mapping[Digest, float]
    Owners = Mapping[str, Kept]

FOR_EVER = 0.0


def is_pinned(image: Held, owners: Owners) -> bool:
    """Whether the user pinned it, by this name or by whatever else."""
    return (image.name is not None and by_user(image.name) in owners) or not _own(owners).isdisjoint(_digests(image))


def pinned(owners: Owners, here: Sequence[Held], word: Reference | str) -> Owners:
    """The owners after one more pin.

    Raises:
        ImageNotFound, Conflict: see `held.find`.
    """
    found = held.find(here, word)
    after = {owner: dict(kept) for owner, kept in owners.items()}
    fresh: set[str] = set()
    for image in found:
        name = _meant(image, here, word)
        owner, digest = by_user(name), (image.entry if name else image).descriptor.digest
        if name and owner not in fresh:
            fresh.add(owner)
            after[owner] = {}
        after.setdefault(owner, {})[digest] = FOR_EVER
    return after


def unpinned(owners: Owners, here: Sequence[Held], word: Reference | str) -> Owners:
    """The owners after the images that a word finds are let go of, however they were pinned."""
    return _without(owners, held.find(here, word))


def after_removal(
    owners: Owners,
    gone: Sequence[Held],
    left: Iterable[Entry],
    members: Callable[[Entry], Collection[Digest]],
    *,
    word: Reference | str,
    force: bool,
) -> Owners:
    """The owners after a removal. What has no name was kept by pins alone, and is let go of.

    Args:
        owners: what each keeps.
        gone: what is removed.
        left: the entries that stay, only gone through where something pinned is removed.
        members: the manifests that an entry stands for.
        word: what was asked to be removed.
        force: let go of what the user pinned.

    Raises:
        Conflict: the user pinned what is removed, without ``force``.
    """
    nameless = [image for image in gone if image.name is None]
    if any(is_pinned(image, owners) for image in gone):
        still = {digest for entry in left for digest in members(entry)}
        blocked = [
            image
            for image in gone
            if (image.name is not None and by_user(image.name) in owners)
            or (is_pinned(image, owners) and image.descriptor.digest not in still)
        ]
        if blocked and not force:
            raise _pinned(word)
        owners = _without(owners, blocked)
    lost = {image.entry.descriptor.digest for image in nameless}
    if not lost:
        return owners
    return {
        owner: {digest: end for digest, end in kept.items() if digest not in lost} for owner, kept in owners.items()
    }


def without_name(owners: Owners, name: Reference, *, force: bool) -> Owners:
    """The owners after the removal of a name whose image can no longer be read.

    Raises:
        Conflict: the user pinned it, without ``force``.
    """
    owner = by_user(name)
    if owner in owners and not force:
        raise _pinned(name.familiar)
    return {other: kept for other, kept in owners.items() if other != owner}


def record(found: Sequence[Held], word: Reference | str, status: Status) -> TransferRecord:
    """What is told of one word."""
    first = found[0]
    images = {image.image_id for image in found}
    content = {child.digest: child.size for image in found for child in image.manifest.children}
    names = {image.name for image in found}
    return TransferRecord(
        reference=first.name.familiar if first.name and len(names) == 1 else str(word),
        digest=first.digest,
        image_id=first.image_id if len(images) == 1 else None,
        status=status,
        size=sum(content.values()),
    )


def _pinned(word: Reference | str) -> Conflict:
    shown = word if isinstance(word, str) else word.familiar
    return Conflict(
        f"{shown} is pinned", hint=f"%image unpin {shown} lets go of it; %image rmi -f {shown} removes it too"
    )


def _meant(image: Held, here: Sequence[Held], word: Reference | str) -> Reference | None:
    """The name that is pinned; None where an image is meant and not what it is called."""
    by_digest = "@" in str(word) and (image.name is None or image.name.digest is None)
    return image.name if held.is_name(here, word) and not by_digest else None


def _without(owners: Owners, images: Iterable[Held]) -> Owners:
    images = list(images)
    names = {by_user(image.name) for image in images if image.name}
    lost = {digest for image in images for digest in _digests(image)}
    return {
        owner: {digest: end for digest, end in kept.items() if digest not in lost} if is_users(owner) else kept
        for owner, kept in owners.items()
        if owner not in names
    }


def _digests(image: Held) -> set[Digest]:
    return {image.descriptor.digest, image.entry.descriptor.digest}


def _own(owners: Owners) -> set[Digest]:
    return {digest for owner, kept in owners.items() if is_users(owner) for digest in kept}
