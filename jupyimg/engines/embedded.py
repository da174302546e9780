"""The embedded engine: our own store and a registry client, no daemon."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property
from typing import IO, TYPE_CHECKING

from jupyimg.engines import clearing, details, held, listing, open_remote, pinning, reclaim, removal
from jupyimg.engines.archiving import Archiving
from jupyimg.engines.asked import as_new_name, as_platform
from jupyimg.engines.base import Engine, ImageFilter, PruneFilter
from jupyimg.engines.moving import Moving
from jupyimg.engines.shelf import Shelf
from jupyimg.errors import ImageError, ImageNotFound
from jupyimg.model.documents import Index
from jupyimg.model.platform import Platform
from jupyimg.model.records import RemovalRecord, Status, TransferRecord
from jupyimg.store import Entry, Store, is_users, retarget

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from jupyimg.engines.asked import Removals, Transfers
    from jupyimg.engines.held import Held
    from jupyimg.engines.remote import Remote
    from jupyimg.model.digest import Digest
    from jupyimg.model.records import DiskImageRecord, DiskRecord, HistoryRecord, ImageDetail, ImageRecord
    from jupyimg.model.reference import Reference
    from jupyimg.model.settings import Settings
    from jupyimg.store import Entries

    Owners = Mapping[str, Mapping[Digest, float]]


class Embedded(Engine):
    """Images in an OCI layout under ``settings.home``; the `Engine` says what each method does and raises."""

    name = "embedded"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.store)

    @cached_property
    def remote(self) -> Remote:  # type: ignore[override]
        """Registries, connected when they are first needed."""
        return open_remote(self.settings)

    def close(self) -> None:
        if "remote" in self.__dict__:
            self.remote.close()

    def pulling(
        self,
        reference: Reference | str,
        *,
        platform: Platform | str | None = None,
        all_tags: bool = False,
        trust: bool | None = None,
    ) -> Transfers:
        return self._moving().pulling(reference, platform, all_tags=all_tags, trust=trust)

    def pushing(
        self, reference: Reference | str, *, platform: Platform | str | None = None, all_tags: bool = False
    ) -> Transfers:
        return self._moving().pushing(reference, platform, all_tags=all_tags)

    def saving(
        self, names: Sequence[Reference | str], target: Path | IO[bytes], *, platform: Platform | str | None = None
    ) -> Transfers:
        return Archiving(self.store, self.settings).saving(self._held(), names, target, platform)

    def loading(self, source: Path | IO[bytes], *, platform: Platform | str | None = None) -> Transfers:
        return Archiving(self.store, self.settings).loading(source, platform)

    def images(self, filters: ImageFilter | None = None, *, everything: bool = False) -> list[ImageRecord]:
        wanted = filters or ImageFilter()
        here = self._held()
        passes = listing.keep(wanted, here, lambda item: listing.record(self.store, item).created)
        hidden = not everything and not wanted.dangling and not wanted.pinned
        records = self._records(here)
        return listing.newest_first(
            [
                record
                for record in records
                if passes(record) and not (hidden and (record.dangling or record.kind != "image"))
            ]
        )

    def inspect(self, name: Reference | str, *, platform: Platform | str | None = None) -> ImageDetail:
        here = self._held()
        found, shown = held.find(here, name), str(name)
        one = self._pick(found, platform, shown)
        same = [item for item in here if item.image_id == one.image_id]
        record = listing.record(self.store, one)
        known = details.Known(
            shown=one.name.familiar if one.name else shown,
            digest=one.digest,
            platforms=self._offered(one),
            held=list(dict.fromkeys(str(held.platform_of(item)) for item in found)),
            tags=list(dict.fromkeys(item.name.familiar for item in same if item.name and item.name.tag)),
            digests=list(dict.fromkeys(item.name.with_digest(item.digest).familiar for item in same if item.name)),
            unpacked=record.unpacked,
        )
        return details.detail(known, one.manifest, self.store.config_bytes(one.image_id))

    def history(self, name: Reference | str, *, platform: Platform | str | None = None) -> list[HistoryRecord]:
        one = self._pick(held.find(self._held(), name), platform, str(name))
        self.store.measure(one.manifest.layers)
        return details.history(one.manifest, self.store.config(one.image_id), self.store.unpacked)

    def tag(self, source: Reference | str, target: Reference | str) -> TransferRecord:
        goal = as_new_name(target)
        held.find(self._held(), source)  # so that a wrong name touches nothing
        chosen: list[Held] = []

        def edit(entries: Entries) -> Entries:
            # Looked up under the store's lock: what was found before it may be gone by now, bytes and all.
            here = self._open(entries)
            found = held.find(here, source)
            one = self._pick(found, None, str(source))
            chosen.append(one)
            by_name = held.is_name(here, source)
            images = [item.entry for item in found if item.name == one.name] if by_name else [_alone(one)]
            return retarget(entries, goal, images, self.store.members)

        self.store.change(edit)
        one = chosen[-1]
        return TransferRecord(
            reference=goal.familiar,
            digest=one.digest,
            image_id=one.image_id,
            status=Status.TAGGED,
            size=one.manifest.content_size,
        )

    def remove(self, names: Sequence[Reference | str], *, force: bool = False) -> list[RemovalRecord]:
        plans: list[removal.Removal] = []
        failures: list[ImageError] = []

        def edit(entries: Entries, owners: Owners) -> tuple[Entries, Owners]:
            # All names in one step under the store's lock, each on what the ones before it have left.
            plans.clear()
            failures.clear()
            shelf = Shelf(self.store, entries, owners)
            for name in names:
                try:
                    plans.append(shelf.take(name, force=force))
                except ImageError as error:
                    if not (force and isinstance(error, ImageNotFound)):
                        failures.append(error)
            return shelf.entries(), shelf.owners

        freed = reclaim.deleted(self.store.drop(edit))
        done = [*(row for plan in plans for row in plan.untagged), *freed]
        if failures:
            raise removal.first(failures, done)
        return done

    def prunable(self, filters: PruneFilter | None = None, *, everything: bool = False) -> list[ImageRecord]:
        going = self._pruning(filters, everything=everything).going(self.store.usage())
        return listing.newest_first(self._records(held.hold(self.store, going)))

    def prune_plan(
        self,
        filters: PruneFilter | None = None,
        *,
        everything: bool = False,
        all_partial: bool = False,
        only: Collection[ImageRecord] | None = None,
    ) -> list[RemovalRecord]:
        return self._pruning(filters, only, everything=everything, all_partial=all_partial).plan(self.store.usage())

    def pruning(
        self,
        filters: PruneFilter | None = None,
        *,
        everything: bool = False,
        all_partial: bool = False,
        only: Collection[ImageRecord] | None = None,
    ) -> Removals:
        return clearing.clearing(self._pruning(filters, only, everything=everything, all_partial=all_partial))

    def disk(self) -> list[DiskRecord]:
        usage = self.store.usage()
        return reclaim.disk(usage, self._open(usage.entries, usage.pins), self._pruning(everything=True))

    def disk_images(self) -> list[DiskImageRecord]:
        usage = self.store.usage()
        here = self._open(usage.entries, usage.pins)
        records = self._records(here, usage.pins)
        return listing.newest_first(reclaim.disk_images(usage, zip(here, records, strict=True)))

    def pin(self, names: Sequence[Reference | str]) -> list[TransferRecord]:
        return self._repin(names, pinning.pinned, Status.PINNED)

    def unpin(self, names: Sequence[Reference | str]) -> list[TransferRecord]:
        return self._repin(names, pinning.unpinned, Status.UNPINNED)

    def holders(self, layers: Collection[Digest]) -> dict[Digest, tuple[str, ...]]:
        found: dict[Digest, dict[str, None]] = {}
        for item in self._held():
            for layer in item.manifest.layers:
                if layer.digest in layers:
                    found.setdefault(layer.digest, {})[item.name.familiar if item.name else str(item.image_id)] = None
        return {digest: tuple(names) for digest, names in found.items()}

    def names(self) -> list[str]:
        entries = self.store.entries()
        named = dict.fromkeys(entry.name.familiar for entry in entries if entry.name)
        return [*named, *dict.fromkeys(item.image_id.short for item in self._held())]

    # ---- how

    def _held(self) -> list[Held]:
        return self._open(self.store.entries())

    def _open(self, entries: Entries, owners: Owners | None = None) -> list[Held]:
        """What is listed, and what pins alone keep, such as manifests that were pushed to the served store untagged."""
        listed = {digest: entry for entry in entries for digest in (entry.descriptor.digest, entry.digest)}
        alone = held.kept_alone(self.store.pins() if owners is None else owners, listed)
        unnamed = [held.unnamed(self.store, digest, owner) for digest, owner in alone.items()]
        return held.hold(self.store, [*entries, *(entry for entry in unnamed if entry)])

    def _records(self, here: Sequence[Held], owners: Owners | None = None) -> list[ImageRecord]:
        kept = self.store.pins() if owners is None else owners
        records = [listing.record(self.store, item) for item in here]
        if not any(is_users(owner) for owner in kept):
            return records
        return [
            replace(record, pinned=pinning.is_pinned(item, kept)) for item, record in zip(here, records, strict=True)
        ]

    def _pruning(
        self,
        filters: PruneFilter | None = None,
        only: Collection[ImageRecord] | None = None,
        *,
        everything: bool = False,
        all_partial: bool = False,
    ) -> reclaim.Pruning:
        return reclaim.Pruning(
            store=self.store,
            now=time.time(),
            filters=filters or PruneFilter(),
            everything=everything,
            all_partial=all_partial,
            only=None if only is None else frozenset(map(reclaim.known_by, only)),
        )

    def _repin(
        self,
        names: Sequence[Reference | str],
        change: Callable[[Owners, Sequence[Held], Reference | str], Owners],
        status: Status,
    ) -> list[TransferRecord]:
        done: list[TransferRecord] = []

        def edit(entries: Entries, owners: Owners) -> Owners:
            done.clear()
            here = self._open(entries, owners)
            for name in names:
                owners = change(owners, here, name)
                done.append(pinning.record(held.find(here, name), name, status))
            return owners

        now = self._held()
        for name in names:
            held.find(now, name)  # so that a wrong name touches nothing
        self.store.repin(edit)
        return done

    def _pick(self, found: Sequence[Held], platform: Platform | str | None, shown: str) -> Held:
        return held.pick(found, as_platform(platform), self.settings.platform or Platform.host(), shown)

    def _offered(self, one: Held) -> tuple[str, ...]:
        """All platforms of the index it came from, whose bytes are kept also where it is held in part."""
        origin = one.entry.index or (one.entry.descriptor if one.entry.descriptor.is_index else None)
        document = self.store.manifest(origin.digest) if origin else None
        if not isinstance(document, Index):
            return ()
        return tuple(str(item.platform) for item in document.platforms if item.platform)

    def _moving(self) -> Moving:
        return Moving(self.store, self.remote, self.settings)


def _alone(one: Held) -> Entry:
    """One platform as an entry of its own: who names it by its ID means it and not its whole index."""
    if not one.entry.descriptor.is_index:
        return one.entry
    return replace(one.entry, descriptor=one.descriptor, index=one.entry.descriptor)
