"""Shelf: what is held while one word of `rmi` after the other is taken from it.

Opening everything anew for each word, as each sees what the ones before it have left, would cost the square of their
number, and all of it under the store's lock. So the rows are opened once and found by name, repository and digest, and
a word is planned (`removal.plan`) on those few of them that can make a difference: what it finds, and of the rest of
their repositories what says whether another name of the same image is left.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from itertools import count, islice
from typing import TYPE_CHECKING

from jupyimg.engines import held, pinning, removal
from jupyimg.engines.asked import as_reference
from jupyimg.errors import BadReference, ImageNotFound
from jupyimg.model.records import RemovalRecord
from jupyimg.store import find, without

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from jupyimg.engines.held import Held
    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Descriptor
    from jupyimg.model.reference import Reference
    from jupyimg.store import Entries, Entry, Store

    Owners = Mapping[str, Mapping[Digest, float]]
    Place = tuple[int, int]
    """Of a row: the slot of its entry, and which of its platforms."""


class Shelf:
    """What is listed and pinned, less what was taken; of one thread, under the store's lock.

    Attributes:
        owners: what each still pins.
    """

    def __init__(self, store: Store, entries: Entries, owners: Owners) -> None:
        self.owners = owners
        self._store = store
        self._slots: dict[int, Entries] = {}  # what has become of each entry; nothing of one that pins alone keep
        self._numbers = count()
        self._rows: dict[Place, Held] = {}
        self._of: dict[int, list[Place]] = {}
        self._known: defaultdict[object, dict[Place, None]] = defaultdict(dict)  # by name, digest, digest of repository
        self._digests: list[Digest] | None = None  # sorted once an ID is looked for, those that are gone too
        self._listed: Counter[Digest] = Counter()
        self._alone: dict[Digest, int] = {}
        for entry in entries:
            self._fill(next(self._numbers), (entry,), (entry,))
        self._look_at_pins()

    def entries(self) -> Entries:
        """What is still listed."""
        return tuple(entry for _, entries in sorted(self._slots.items()) for entry in entries)

    def take(self, word: Reference | str, *, force: bool) -> removal.Removal:
        """Take away what one word names; a name whose image is damaged goes all the same.

        Raises:
            ImageNotFound, Conflict: see `removal.plan` and `pinning.after_removal`; nothing was taken.
        """
        near = self._near(word)
        try:
            plan = removal.plan([self._rows[place] for place in near], word, force=force)
        except ImageNotFound:
            return self._take_unread(word, force=force)
        going = {id(row) for row in plan.held}
        gone = _pairs(plan.held)
        after = {
            slot: without(self._slots[slot], gone, _pairs(self._rows[place] for place in self._of[slot]))
            for slot in dict.fromkeys(place[0] for place in near if id(self._rows[place]) in going)
        }
        left = (entry for slot, entries in self._slots.items() for entry in after.get(slot, entries))
        self.owners = pinning.after_removal(self.owners, plan.held, left, self._members, word=word, force=force)
        for slot, entries in after.items():
            self._drop(slot)
            self._fill(slot, entries, entries)
        self._look_at_pins()
        return plan

    def _take_unread(self, word: Reference | str, *, force: bool) -> removal.Removal:
        try:
            reference = as_reference(word)
        except BadReference:
            reference = None
        gone = find(self.entries(), reference) if reference else ()
        if reference is None or not gone:
            raise held.missing(word)
        self.owners = pinning.without_name(self.owners, reference, force=force)
        for slot in [slot for slot, entries in self._slots.items() if any(entry in gone for entry in entries)]:
            staying = tuple(entry for entry in self._slots[slot] if entry not in gone)
            self._drop(slot)
            self._fill(slot, staying, staying)
        self._look_at_pins()
        row = RemovalRecord(action="untagged", reference=reference.familiar, digest=gone[0].digest)
        return removal.Removal((), (row,))

    # ---- finding

    def _near(self, word: Reference | str) -> list[Place]:
        """Those rows that decide what a word removes, in their order."""
        found = self._found(word)
        names = {self._rows[place].name for place in found}
        near = set(found)
        for row in [self._rows[place] for place in found]:
            if row.name is not None:
                others = self._others(row.name.name, row.descriptor.digest, names)
                tagged = next((place for place in others if self._tag(place)), None)
                near.update(self._others(row.name.name, row.descriptor.digest, names) if tagged is None else [tagged])
        for row in [self._rows[place] for place in found]:
            if row.name is not None:
                beside = (place for place in self._known[row.name.name, row.digest] if place not in near)
                near.update(islice((place for place in beside if self._rows[place].name is not None), 1))
        return sorted(near)

    def _found(self, word: Reference | str) -> list[Place]:
        """What has that name, else what has a digest that begins so."""
        name = held.as_name(word)
        if name is not None:
            by_name = self._known[name if name.digest is None else (name.name, name.digest)]
            if by_name:
                return list(by_name)
        start = held.as_id(word)
        if start is None:
            return []
        if self._digests is None:
            self._digests = sorted({digest for row in self._rows.values() for digest in row.digests})
        at = bisect_left(self._digests, start)
        found: dict[Place, None] = {}
        while at < len(self._digests) and self._digests[at].startswith(start):
            found |= self._known[self._digests[at]]
            at += 1
        return list(found)

    def _others(self, repository: str, manifest: Digest, names: Collection[Reference | None]) -> Iterator[Place]:
        """Rows of other names of the same manifest in a repository."""
        for place in self._known[repository, manifest]:
            row = self._rows[place]
            if row.name is not None and row.name not in names:
                yield place

    def _tag(self, place: Place) -> str:
        name = self._rows[place].name
        return name.tag if name else ""

    # ---- keeping

    def _fill(self, slot: int, listed: Entries, opened: Iterable[Entry]) -> None:
        self._slots[slot] = listed
        self._listed.update(digest for entry in listed for digest in _digests(entry))
        self._of[slot] = []
        for number, row in enumerate(held.hold(self._store, opened)):
            place = (slot, number)
            self._of[slot].append(place)
            self._rows[place] = row
            for key in _keys(row):
                self._known[key][place] = None
            if self._digests is not None:
                for digest in row.digests:
                    insort(self._digests, digest)

    def _drop(self, slot: int) -> None:
        self._listed.subtract(digest for entry in self._slots.pop(slot) for digest in _digests(entry))
        for place in self._of.pop(slot):
            for key in _keys(self._rows.pop(place)):
                del self._known[key][place]

    def _look_at_pins(self) -> None:
        """Show what pins alone keep now, and no longer what they do not."""
        alone = held.kept_alone(self.owners, self._listed) if self.owners else {}
        for digest in self._alone.keys() - alone.keys():
            self._drop(self._alone.pop(digest))
        for digest, owner in alone.items():
            entry = held.unnamed(self._store, digest, owner) if digest not in self._alone else None
            if entry is not None:
                self._alone[digest] = next(self._numbers)
                self._fill(self._alone[digest], (), (entry,))

    def _members(self, entry: Entry) -> Collection[Digest]:
        return self._store.members(entry.descriptor)


def _digests(entry: Entry) -> tuple[Digest, Digest]:
    return entry.descriptor.digest, entry.digest


def _keys(row: Held) -> set[object]:
    """What a row is found by."""
    repository = held.repository_of(row)
    keys: set[object] = {*row.digests, (repository, row.descriptor.digest), (repository, row.digest)}
    return keys | {row.name} if row.name else keys


def _pairs(rows: Iterable[Held]) -> list[tuple[Entry, Descriptor]]:
    return [(row.entry, row.descriptor) for row in rows]
