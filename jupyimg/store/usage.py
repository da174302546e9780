"""Usage: what lies in a store at one moment and what needs it, as a value; and what taking some of it away gives back.

Pure set arithmetic. The bytes that removing a *set* of images gives back are those that nothing needs afterwards: no
other entry, no pin, no live lease. So they are asked of the set and never added up from its members, of which two that
share all their layers would each seem to give back nothing.

Bytes are those of files: configs, layers, manifests and indexes as they are stored.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from jupyimg.store.garbage import Roots, reach, referrers, roots_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyimg.model.digest import Digest
    from jupyimg.store.garbage import Graph
    from jupyimg.store.names import Entries, Entry
    from jupyimg.store.partials import Partial
    from jupyimg.store.pins import Kept

Key = TypeVar("Key")


class Weight(NamedTuple):
    """Bytes of an image's files: those that something else needs too, and those that go with it."""

    shared: int
    unique: int


@dataclass(frozen=True)
class Usage:
    """A store at one moment.

    Attributes:
        entries: what is listed.
        pins: what each owner keeps.
        leased: what running operations rely on.
        foreign: what lines of index.json mention that we do not understand.
        graph: what the documents list.
        blobs: every blob and its bytes.
        partials: transfers that have not ended.
    """

    entries: Entries
    pins: Mapping[str, Kept]
    leased: frozenset[Digest]
    foreign: frozenset[Digest]
    graph: Graph = field(repr=False)
    blobs: Mapping[Digest, int] = field(repr=False)
    partials: tuple[Partial, ...] = ()

    @cached_property
    def _about(self) -> dict[Digest, list[Digest]]:
        return referrers(self.graph.subjects)

    @cached_property
    def relied(self) -> frozenset[Digest]:
        """What is in use by itself: pinned without end, or named by a live lease."""
        pinned = (digest for kept in self.pins.values() for digest, end in kept.items() if not end)
        return self.leased.union(pinned)

    def relies_on(self, entry: Entry) -> bool:
        """Whether a pin or a lease holds an entry, or a manifest that it lists, or a lease the index it came from."""
        fetched = entry.index is not None and entry.index.digest in self.leased
        return fetched or not self.relied.isdisjoint(self.manifests_of(entry))

    def manifests_of(self, entry: Entry) -> set[Digest]:
        """The manifest of an entry; of an index that is held whole, the index and all manifests below."""
        found: set[Digest] = set()
        pending = [entry.descriptor.digest]
        while pending:
            digest = pending.pop()
            if digest not in found:
                found.add(digest)
                pending += self.graph.children[digest] if digest in self.graph.indexes else ()
        return found

    def unneeded(self, entries: Entries) -> dict[Digest, int]:
        """What may be deleted once only these entries are listed, and its bytes."""
        named = roots_of(entries)
        pinned = (digest for kept in self.pins.values() for digest in kept)
        roots = Roots(named.whole.union(pinned, self.foreign, self.leased), named.bare)
        needed = reach(roots, self.graph.children, self._about)
        return {digest: size for digest, size in self.blobs.items() if digest not in needed}

    def told(self, gone: Mapping[Digest, int]) -> dict[Digest, int]:
        """The same in the order in which it is best told."""
        return {digest: gone[digest] for digest in self.graph.told(gone, self.blobs)}

    def freed(self, gone: Entries) -> int:
        """Bytes that removing these entries together gives back, garbage that lies about already left out."""
        dropped = {id(entry) for entry in gone}
        left = tuple(entry for entry in self.entries if id(entry) not in dropped)
        return sum(self.unneeded(left).values()) - sum(self.unneeded(self.entries).values())

    def weigh(self, images: Mapping[Key, Roots], others: Roots) -> dict[Key, Weight]:
        """What each of some images shares and has for itself.

        Args:
            images: what each of them is made of.
            others: what is needed besides, by what is no image.
        """
        needed = {key: reach(roots, self.graph.children, self._about) for key, roots in images.items()}
        uses = Counter(reach(others, self.graph.children, self._about))
        for digests in needed.values():
            uses.update(digests)
        weights = {}
        for key, digests in needed.items():
            own = sum(self.blobs.get(digest, 0) for digest in digests if uses[digest] == 1)
            weights[key] = Weight(sum(self.blobs.get(digest, 0) for digest in digests) - own, own)
        return weights
