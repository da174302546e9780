"""Names: what index.json lists, as values, and how names come, move and go, as pure functions over all of them.

An image of one platform is one entry. An index that is held in part is one entry for each platform held, all of the
same name, each remembering the index that it came from; an index that is wholly held is one entry. So whatever tool
reads the layout finds under a name something that is wholly there.

A name that moves leaves what it pointed at as a *dangling* entry, without name but with the repository it came from,
as Docker keeps it; a name that is removed leaves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jupyimg.model.reference import DEFAULT_TAG, Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Descriptor

    Members = Callable[[Descriptor], Collection[Digest]]
    """The manifests that a descriptor stands for: itself, or all that an index leads to."""

REF_NAME = "org.opencontainers.image.ref.name"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of index.json.

    Attributes:
        name: the full name, or None.
        repository: for an entry without name, the canonical name of the repository it had one in; else None.
        descriptor: the manifest or index, with its platform where that is known; our own annotations are taken off.
        index: the index that the manifest was pulled as part of, where that is held in part; else None.
    """

    name: Reference | None
    repository: str | None
    descriptor: Descriptor
    index: Descriptor | None = None

    @property
    def dangling(self) -> bool:
        """Whether a name pointed at it and has moved on."""
        return self.name is None and self.repository is not None

    @property
    def digest(self) -> Digest:
        """What a pull by digest names: the index where it came from one, else what is listed."""
        return (self.index or self.descriptor).digest

    @property
    def nameless(self) -> bool:
        """Whether nothing at all names it, not even a word that only another tool understands."""
        return self.name is None and REF_NAME not in (self.descriptor.annotations or {})

    @property
    def key(self) -> tuple[Digest, Digest | None]:
        """What makes two entries of one name the same."""
        return self.descriptor.digest, self.index.digest if self.index else None


Entries = tuple[Entry, ...]


def itself(descriptor: Descriptor) -> Collection[Digest]:
    """The members of a descriptor where nobody looks into indexes."""
    return (descriptor.digest,)


def stored_name(reference: Reference) -> Reference:
    """What a reference is stored under: its digest alone where it has one, else its tag (``latest`` if none)."""
    if reference.digest:
        return reference.with_digest(reference.digest)
    return reference if reference.tag else reference.with_tag(DEFAULT_TAG)


def find(entries: Entries, reference: Reference) -> Entries:
    """The entries that a reference names: by name, and for ``name@digest`` also by what the repository holds."""
    name, digest = stored_name(reference), reference.digest
    found = tuple(entry for entry in entries if entry.name == name)
    if digest is None or found:
        return found
    return tuple(
        entry
        for entry in entries
        if (entry.name.name if entry.name else entry.repository) == reference.name
        and digest in {entry.descriptor.digest, entry.digest}
    )


def publish(entries: Entries, images: Entries, members: Members = itself) -> Entries:
    """Give their name to images that were brought; further platforms of the index it has already are added.

    Args:
        entries: all that is listed.
        images: what was brought, at least one entry, all of the same name and index.
        members: see `Members`.
    """
    name, index = images[0].name, images[0].index
    staying = tuple(
        entry
        for entry in entries
        if entry.name == name and index is not None and entry.index is not None and entry.index.digest == index.digest
    )
    return _point(entries, name, staying + images, members)


def keep(entries: Entries, images: Entries, members: Members = itself) -> Entries:
    """List images that have no name, unless something names them already."""
    return _settled((*entries, *images), members)


def retarget(entries: Entries, target: Reference, images: Iterable[Entry], members: Members = itself) -> Entries:
    """Give a name to images that are here, taking it from whatever had it (``docker tag``)."""
    name = stored_name(target)
    return _point(entries, name, tuple(replace(image, name=name, repository=None) for image in images), members)


def untag(entries: Entries, name: Reference) -> Entries:
    """Take a name away, leaving nothing behind (``docker rmi NAME``)."""
    stored = stored_name(name)
    return tuple(entry for entry in entries if entry.name != stored)


def without(
    entries: Entries, gone: Iterable[tuple[Entry, Descriptor]], kept: Iterable[tuple[Entry, Descriptor]] = ()
) -> Entries:
    """Take single platforms away, leaving nothing behind (``docker rmi ID``).

    Args:
        entries: all that is listed.
        gone: what goes: an entry, and the descriptor of the platform in it.
        kept: for an index that is wholly held and loses some of its platforms, those that it keeps; it becomes one
            entry for each of them.
    """
    lost = {(entry.name, entry.key, descriptor.digest) for entry, descriptor in gone}
    losing = {(name, key) for name, key, _ in lost}
    stays = [(e, d) for e, d in kept if (e.name, e.key, d.digest) not in lost]
    result: list[Entry] = []
    for entry in entries:
        if (entry.name, entry.key) not in losing:
            result.append(entry)
        elif (entry.name, entry.key, entry.descriptor.digest) not in lost:
            result += [
                replace(entry, descriptor=descriptor, index=entry.descriptor)
                for owner, descriptor in stays
                if (owner.name, owner.key) == (entry.name, entry.key)
            ]
    return tuple(result)


def _point(entries: Entries, name: Reference | None, images: Entries, members: Members) -> Entries:
    wanted = {image.key: image for image in reversed(images)}  # of equals the first, which was here
    had = [entry for entry in entries if entry.name == name]
    if len(had) == len(wanted) and wanted.keys() == {entry.key for entry in had}:
        return entries
    kept = tuple(entry for entry in entries if entry.name != name)
    gone = tuple(_dangle(entry) for entry in had if entry.key not in wanted)
    return _settled((*kept, *gone, *reversed(wanted.values())), members)


def _dangle(entry: Entry) -> Entry:
    return replace(entry, name=None, repository=entry.name.name if entry.name else entry.repository)


def _settled(entries: Entries, members: Members) -> Entries:
    """Drop nameless entries that have a name elsewhere, or stand twice."""
    if not any(entry.nameless for entry in entries):
        return entries
    seen = {
        digest for entry in entries if entry.name for digest in (entry.descriptor.digest, *members(entry.descriptor))
    }
    result = []
    for entry in entries:
        if entry.nameless:
            if entry.descriptor.digest in seen or seen.issuperset(members(entry.descriptor)):
                continue
            seen.add(entry.descriptor.digest)
        result.append(entry)
    return tuple(result)
