"""Reclaim: what pruning takes and what takes how much disk, decided from one look at the store.

To show a plan and to do it is the same decision, made from a look without the store's lock and made again from a look
under it. What is in use stays: what the user pinned, what the served store holds without a tag, what a running
operation relies on. Content that nothing leads to goes with every pruning, whatever its filters say of images.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyimg.engines import held, listing
from jupyimg.engines.base import PruneFilter
from jupyimg.errors import ContentError
from jupyimg.model.records import DiskImageRecord, DiskRecord, RemovalRecord
from jupyimg.model.reference import Reference
from jupyimg.store import Roots, by_user

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from jupyimg.engines.held import Held
    from jupyimg.model.digest import Digest
    from jupyimg.model.records import ImageRecord
    from jupyimg.store import Entries, Entry, Freed, Partial, Store, Usage

    KnownBy = tuple[str | None, str | None, Digest | None]

STALE = 24 * 3600.0
"""Seconds for which the bytes of a broken-off transfer wait for the next attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """What one pruning is to take.

    Attributes:
        store: where configs are read, if the filters ask for them.
        now: seconds since the epoch.
        only: of the images known by these (`known_by`); None is all.
    """

    store: Store
    now: float
    filters: PruneFilter = field(default_factory=PruneFilter)
    everything: bool = False
    all_partial: bool = False
    only: frozenset[KnownBy] | None = None

    def going(self, usage: Usage) -> Entries:
        """The entries that are taken."""
        return tuple(entry for entry in usage.entries if self._goes(entry, usage))

    def staying(self, usage: Usage) -> Entries:
        """The entries that are left."""
        return tuple(entry for entry in usage.entries if not self._goes(entry, usage))

    def dooms(self, partial: Partial) -> bool:
        """Whether a partial transfer goes that no living process needs."""
        return self.all_partial or partial.written <= self.now - STALE

    def plan(self, usage: Usage) -> list[RemovalRecord]:
        """What would go."""
        left = self.staying(usage)
        gone = usage.told(usage.unneeded(left))
        partials = [(item.digest, item.size) for item in usage.partials if not item.live and self.dooms(item)]
        return [*untagged(usage.entries, left), *deleted([*gone.items(), *partials])]

    def _goes(self, entry: Entry, usage: Usage) -> bool:
        if not (self.everything or entry.dangling) or in_use(entry, usage):
            return False
        if self.only is not None and _entry_known_by(entry) not in self.only:
            return False
        if self.filters == PruneFilter():
            return True
        images = held.hold(self.store, [entry])
        return bool(images) and all(self._matches(image) for image in images)

    def _matches(self, image: Held) -> bool:
        labels: dict[str, str] = {}
        created: datetime | None = None
        if image.manifest.is_image:
            try:
                config = self.store.config(image.image_id)
            except ContentError:
                return False
            labels, created = config.labels, config.created
        asked = self.filters
        return (
            (asked.until is None or (created is not None and created < asked.until))
            and all(_has(labels, label) for label in asked.labels)
            and not any(_has(labels, label) for label in asked.without_labels)
        )


def known_by(image: ImageRecord) -> KnownBy:
    """What makes an image that is still held the one that was chosen: its name, and what the name points at."""
    return image.repository, image.tag, image.digest


def _entry_known_by(entry: Entry) -> KnownBy:
    name = entry.name
    repository = name.familiar_name if name else listing.familiar(entry.repository)
    return repository, (name.tag or None) if name else None, entry.digest


def in_use(entry: Entry, usage: Usage) -> bool:
    """Whether pruning leaves an entry."""
    pinned = bool(usage.pins) and entry.name is not None and by_user(entry.name) in usage.pins
    return pinned or usage.relies_on(entry)


def untagged(before: Entries, left: Entries) -> list[RemovalRecord]:
    """A row for each name that goes; then, as Docker's, the digest by which no name of a repository is left."""
    staying = {id(entry) for entry in left}
    known = {(_repository(entry), entry.digest) for entry in left}
    rows: dict[str, RemovalRecord] = {}
    digests: dict[str, RemovalRecord] = {}
    for entry in before:
        repository = _repository(entry)
        if id(entry) in staying or repository is None:
            continue
        if entry.name is not None:
            name = entry.name.familiar
            rows[name] = RemovalRecord(action="untagged", reference=name, digest=entry.digest)
        if (repository, entry.digest) not in known:
            named = entry.name or Reference.parse(repository, default_tag="")
            text = named.with_digest(entry.digest).familiar
            digests[text] = RemovalRecord(action="untagged", reference=text, digest=entry.digest)
    return list((rows | digests).values())


def deleted(freed: Iterable[Freed | tuple[Digest | None, int]]) -> list[RemovalRecord]:
    """A row for each thing that was deleted."""
    return [RemovalRecord(action="deleted", reference=None, digest=digest, freed=size) for digest, size in freed]


def disk(usage: Usage, images: Sequence[Held], everything: Pruning) -> list[DiskRecord]:
    """The rows of `df`.

    Args:
        usage: a look at the store.
        images: what it holds.
        everything: the pruning that takes all that is unused.
    """
    using = {image.descriptor.digest for image in images if in_use(image.entry, usage)}
    partials = usage.partials
    nothing = (DiskRecord(type=what, total=0, active=0, size=0, reclaimable=0) for what in _NOT_HERE)
    return [
        DiskRecord(
            type="Images",
            total=len({image.descriptor.digest for image in images}),
            active=len(using),
            size=sum(usage.blobs.values()),
            reclaimable=sum(usage.unneeded(everything.staying(usage)).values()),
        ),
        *nothing,
        DiskRecord(
            type="Partial Downloads",
            total=len(partials),
            active=sum(item.live for item in partials),
            size=sum(item.size for item in partials),
            reclaimable=sum(item.size for item in partials if not item.live and everything.dooms(item)),
        ),
    ]


_NOT_HERE = ("Containers", "Local Volumes", "Build Cache")
"""What Docker's `df` counts too, and this engine has none of."""


def disk_images(usage: Usage, rows: Iterable[tuple[Held, ImageRecord]]) -> list[DiskImageRecord]:
    """One row for each image, under the first of its names, with what it shares.

    Args:
        usage: a look at the store.
        rows: what it holds, and the records of that.
    """
    first: dict[Digest, ImageRecord] = {}
    whole: defaultdict[Digest, set[Digest]] = defaultdict(set)
    bare: defaultdict[Digest, set[Digest]] = defaultdict(set)
    below: dict[int, set[Digest]] = {}
    listed = [*rows]
    platforms = {image.descriptor.digest for image, _ in listed}
    for image, record in listed:
        digest, entry = image.descriptor.digest, image.entry
        if digest not in first or (first[digest].tag is None and record.tag is not None):
            first[digest] = record
        documents = below.setdefault(id(entry), usage.manifests_of(entry))
        bare[digest] |= documents & usage.graph.indexes
        bare[digest] |= {entry.index.digest} if entry.index else set()
        whole[digest] |= {digest, *(documents - platforms - usage.graph.indexes)}  # and attestations of the index
    covered = platforms.union(*below.values()) if below else platforms
    pinned = {digest for kept in usage.pins.values() for digest in kept}
    weights = usage.weigh(
        {digest: Roots(frozenset(whole[digest]), frozenset(bare[digest])) for digest in first},
        Roots(usage.foreign.union(pinned) - covered),
    )
    names = [item.name for item in dataclasses.fields(next(iter(first.values())))] if first else []
    return [
        DiskImageRecord(**{name: getattr(record, name) for name in names}, **weights[digest]._asdict())
        for digest, record in first.items()
    ]


def _has(labels: dict[str, str], wanted: str) -> bool:
    key, eq, value = wanted.partition("=")
    return key in labels and (not eq or labels[key] == value)


def _repository(entry: Entry) -> str | None:
    return entry.name.name if entry.name else entry.repository
