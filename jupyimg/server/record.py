"""Record: the store as repositories, read from what it lists and what is pinned, and changed under its one lock.

The record of a repository is a pin set of the store under the repository's canonical name, beside the layout. So it
outlives the server, several servers share it, and whoever collects garbage obeys it. It holds what no name holds:
a manifest from its push until it is deleted or a tag comes to hold it, and a blob from its upload until a manifest
needs it, for a day at most.

A name that comes to hold a manifest takes it over from the record, and a delete by way of the API hands it back; so
what was pushed as a part of an image goes when the image is removed by any other way, and nothing is kept for ever
that nobody can name.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from jupyimg.errors import ContentError, Unsupported
from jupyimg.model.documents import Index
from jupyimg.model.reference import Reference
from jupyimg.server.membership import FOR_EVER, View, group, reach, roots_of, view
from jupyimg.server.spelling import spelled
from jupyimg.store import is_users

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Descriptor, Manifest
    from jupyimg.server.membership import Reached
    from jupyimg.store import Entries, Entry, Store

    Pins = Mapping[Digest, float]
    _Seen = tuple[list[Entry], Pins, View]

LOOSE_SECONDS = 24 * 3600.0
"""How long a blob is kept for a manifest that will need it."""

_VIEWS = 64


class Record:
    """The repositories of a store. Safe to use from several threads, beside other processes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._guard = threading.Lock()
        self._groups: tuple[Entries, dict[str, list[Entry]]] = ((), {})
        self._views: dict[str, _Seen] = {}

    # ---- looking

    def names(self) -> list[str]:
        """Every repository that can be spelled, as it is spelled, in the order of the alphabet."""
        owners = self._grouped().keys() | {owner for owner in self.store.pins() if not is_users(owner)}
        known = (spelled(Reference.parse(owner, default_tag="")) for owner in owners)
        return sorted(name for name in known if name)

    def view(self, repository: Reference) -> View | None:
        """A repository as it is now, or None where there is no such."""
        owner = repository.name
        entries, pins = self._now(owner)
        if not entries and not pins:
            return None
        with self._guard:
            known = self._views.get(owner)
            if known is None or known[0] is not entries or known[1] != pins:
                # one at a time, which also bounds how many documents are in memory while they are read
                known = self._looked_at(owner, entries, pins)
        return known[2]

    def _looked_at(self, owner: str, entries: list[Entry], pins: Pins) -> _Seen:
        """What is seen now; it is remembered if it is all there, as what is missing may come back under its name."""
        absent: list[Digest] = []

        def read(digest: Digest) -> Manifest | Index | None:
            found = self.read(digest)
            if found is None:
                absent.append(digest)
            return found

        seen = (entries, pins, view(entries, pins, read))
        self._views.pop(owner, None)
        if not absent:
            self._views[owner] = seen
            while len(self._views) > _VIEWS:
                self._views.pop(next(iter(self._views)))
        return seen

    def _now(self, owner: str) -> tuple[list[Entry], Pins]:
        """What is listed and what is pinned, of one moment: what moves between the two is never seen in neither."""
        pins = self.store.pins_of(owner)
        while True:
            before, entries = pins, self._grouped().get(owner, [])
            pins = self.store.pins_of(owner)
            if pins == before:
                return entries, pins

    def _grouped(self) -> dict[str, list[Entry]]:
        entries = self.store.entries()
        known = self._groups
        if known[0] is not entries:
            before, fresh = known[1], group(entries)
            fresh = {owner: before[owner] if before.get(owner) == held else held for owner, held in fresh.items()}
            known = self._groups = (entries, fresh)
        return known[1]

    def read(self, digest: Digest) -> Manifest | Index | None:
        try:
            return self.store.manifest(digest)
        except (ContentError, Unsupported):
            return None

    # ---- changing

    def add_blob(self, repository: Reference, digest: Digest) -> None:
        """Keep a blob that is here or about to be, until a manifest needs it."""
        self.store.pin(repository.name, lambda pins: {digest: time.time() + LOOSE_SECONDS} | dict(pins))

    def mount(self, repository: Reference, digest: Digest) -> bool:
        """Keep a blob if it is in the store; whether it is."""
        found = False

        def edit(pins: Pins) -> Pins:
            nonlocal found
            found = self.store.blob_path(digest).exists()  # under the lock that a collector would need to delete it
            return {digest: time.time() + LOOSE_SECONDS} | dict(pins) if found else pins

        self.store.pin(repository.name, edit)
        return found

    def add_manifest(self, repository: Reference, root: Descriptor, *, tagged: bool) -> None:
        """Keep a manifest that was pushed; where it was tagged, its name keeps it."""

        def edit(entries: Entries, pins: Pins) -> tuple[Entries, Pins]:
            now_held = reach({root.digest: root.media_type}, self.read)
            kept = {digest: end for digest, end in pins.items() if digest not in now_held}
            return entries, kept if tagged else kept | {root.digest: FOR_EVER}

        self.store.revise(repository.name, edit)

    def delete_blob(self, repository: Reference, digest: Digest) -> None:
        """Stop keeping a blob that no manifest needs."""
        self.store.pin(repository.name, lambda pins: {kept: end for kept, end in pins.items() if kept != digest})

    def delete_tag(self, repository: Reference, tag: str) -> None:
        """Take a tag away; what it pointed at stays in the repository."""

        def edit(entries: Entries, pins: Pins) -> tuple[Entries, Pins]:
            own = group(entries).get(repository.name, [])
            going = [entry for entry in own if entry.name and entry.name.tag == tag]
            still = reach(roots_of([entry for entry in own if entry not in going], pins), self.read)
            left = {held for entry in going for held in (entry.digest, entry.descriptor.digest)}
            return _without(entries, going), dict(pins) | self._handed_back(left, still)

        self.store.revise(repository.name, edit)

    def delete_manifest(self, repository: Reference, digest: Digest) -> bool:
        """Take a manifest away with every tag that points at it; False where an index that stays here lists it."""
        deleted = False

        def edit(entries: Entries, pins: Pins) -> tuple[Entries, Pins]:
            nonlocal deleted
            own = group(entries).get(repository.name, [])
            going = [entry for entry in own if digest in {entry.digest, entry.descriptor.digest}]
            kept = {pinned: end for pinned, end in pins.items() if pinned != digest}
            still = reach(roots_of([entry for entry in own if entry not in going], kept), self.read)
            deleted = digest not in still
            if not deleted:
                return entries, pins
            document = self.read(digest)
            below = document.children if isinstance(document, Index) else ()
            left = [child.digest for child in below if child.is_manifest]
            return _without(entries, going), kept | self._handed_back(left, still)

        self.store.revise(repository.name, edit)
        return deleted

    def _handed_back(self, manifests: Iterable[Digest], still: Reached) -> dict[Digest, float]:
        """Pins for those manifests that are here and that nothing else in the repository holds."""
        return {
            digest: FOR_EVER for digest in manifests if digest not in still and self.store.blob_path(digest).exists()
        }


def _without(entries: Entries, going: list[Entry]) -> Entries:
    return tuple(entry for entry in entries if entry not in going)
