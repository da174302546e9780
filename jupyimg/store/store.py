"""Store: images on this disk, shared by any number of processes; the floor's front door."""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, cast

from jupyimg.errors import ContentError, DiskFull, ImageNotFound, SizeMismatch, StoreDenied
from jupyimg.model.content import CHUNK
from jupyimg.store import leases, partials, pins
from jupyimg.store.documents import Documents
from jupyimg.store.garbage import Collector, Freed, Roots, mentioned_in, roots_of
from jupyimg.store.layout import Layout, disk
from jupyimg.store.leases import Lease
from jupyimg.store.listing import Listing
from jupyimg.store.names import find
from jupyimg.store.presence import is_here, members, missing
from jupyimg.store.sink import StoreSink
from jupyimg.store.stop import Stop
from jupyimg.store.unpacked import Unpacked
from jupyimg.store.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
    from pathlib import Path

    from jupyimg.model.config import ImageConfig
    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Descriptor, Index, Manifest
    from jupyimg.model.reference import Reference
    from jupyimg.store.names import Entries
    from jupyimg.store.partials import Partial
    from jupyimg.store.pins import Kept

    Edit = Callable[[Entries], Entries]
    Owners = Mapping[str, Kept]
    """What each owner keeps."""
    Doomed = Callable[[Partial], bool]


class Store:
    """An OCI image layout. Making one touches nothing: a folder that is not there is an empty store.

    Every method may be called from several threads, and may raise StoreError (StoreDenied, DiskFull) for what the
    disk says. Reading needs no right to write.

    Attributes:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._layout = Layout(root)
        self._documents = Documents(self._layout)
        self._listing = Listing(self._layout)
        self._unpacked = Unpacked(self._layout)
        self._stop = Stop()

    # ---- a Source, and a Sink

    def resolve(self, reference: Reference) -> Descriptor:
        """What a name points at: its manifest, or the index where all of that is here.

        Of an index that is held in part, the platform that was pulled first.

        Raises:
            ImageNotFound: there is no such name.
        """
        found = find(self.entries(), reference)
        if not found:
            raise ImageNotFound(f"no such image: {reference.familiar}")
        return found[0].descriptor

    def read(self, descriptor: Descriptor, offset: int = 0) -> Iterator[bytes]:
        """The bytes of a blob from ``offset`` on, 1 MiB at a time; the receiver verifies them.

        Raises:
            ContentError: it is not here, or shorter than it should be.
        """
        check = self._stop.watch()
        path, left = self._layout.blob(descriptor.digest), descriptor.size - offset
        with disk(f"read {path}"):
            try:
                file = path.open("rb", buffering=0)
            except FileNotFoundError:
                raise _damaged(descriptor, "is missing from the store", ContentError) from None
            with file:
                file.seek(offset)
                while left > 0 and (chunk := file.read(min(CHUNK, left))):
                    left -= len(chunk)
                    yield chunk
                    check()
        if left > 0:
            raise _damaged(descriptor, f"is {left} bytes too short in the store", SizeMismatch)

    def interrupt(self) -> None:
        """Make every `read` that is under way fail soon."""
        self._stop.interrupt()

    @contextmanager
    def writer(self, diff_ids: Mapping[Digest, Digest] | None = None) -> Iterator[StoreSink]:
        """A sink, whose lease protects all that it is asked about or brings until the block ends.

        Args:
            diff_ids: layers, and what each must unpack to, to be proven before it becomes visible.
        """
        with Lease(self._layout) as lease:
            yield StoreSink(self._documents, self._listing, lease, self._unpacked, diff_ids or {})

    def spool(self) -> IO[bytes]:
        """A file without a name on the store's disk, gone when it is closed."""
        with self._layout.locked():
            pass  # makes the store where there is none
        with disk("make a temporary file"):
            return cast("IO[bytes]", tempfile.TemporaryFile(dir=self._layout.own))

    @contextmanager
    def lease(self, *digests: Digest) -> Iterator[Lease]:
        """Keep content, and all that it leads to, while the block reads it; a read-only store needs no lease."""
        with Lease(self._layout) as lease:
            with suppress(StoreDenied):
                lease.add(*digests)
            yield lease

    def reading(self) -> Lease:
        """A lease that only pruning heeds, for content that others are fetching; the caller closes it."""
        return Lease(self._layout, reading=True)

    # ---- looking

    def entries(self) -> Entries:
        """What index.json lists, read again only when it has changed."""
        return self._listing.entries()

    def manifest(self, digest: Digest) -> Manifest | Index:
        """A manifest or an index.

        Raises:
            ContentError: it is missing or damaged; BadManifest where it is something else.
        """
        return self._documents.manifest(digest)

    def config(self, digest: Digest) -> ImageConfig:
        """The config of an image.

        Raises:
            ContentError: it is missing or damaged; BadManifest where it is something else.
        """
        return self._documents.config(digest)

    def config_bytes(self, digest: Digest) -> bytes:
        """A config (or another document of at most 4 MiB) as it came, its digest proven.

        Raises:
            ContentError: it is missing or damaged.
        """
        return self._documents.raw(digest)

    def blob_path(self, digest: Digest) -> Path:
        """Where content is or would be; for those who send files."""
        return self._layout.blob(digest)

    def blobs(self) -> dict[Digest, int]:
        """Every blob and its bytes on disk."""
        return self._layout.blobs()

    def has(self, descriptor: Descriptor) -> bool:
        """Whether content is here with its size, and undamaged where it is small."""
        return is_here(self._documents, descriptor)

    def missing(self, root: Descriptor) -> Iterator[Descriptor]:
        """What a manifest or an index needs that is not here; nothing where it is whole."""
        return missing(self._documents, root)

    def members(self, root: Descriptor) -> Collection[Digest]:
        """The image manifests that a root stands for; what `retarget` asks."""
        return members(self._documents, root)

    def unpacked(self, layer: Descriptor) -> int | None:
        """Bytes of a layer's files as Docker counts them, where `measure` has found them before."""
        return self._unpacked.known(layer)

    def measure(self, layers: Iterable[Descriptor], diff_ids: Iterable[Digest] | None = None) -> list[int | None]:
        """Bytes of each layer's files, as Docker counts them, found by a walk where they are not known.

        None for what is no layer of ours to read: foreign types, missing, damaged, or absurdly compressed.

        Args:
            layers: which.
            diff_ids: digests of the uncompressed layers, in the same order, to be proven too.

        Raises:
            DigestMismatch: a layer is not what its diff ID says.
        """
        return self._unpacked.measure(layers, diff_ids)

    # ---- changing

    def change(self, edit: Edit) -> Entries:
        """Rewrite what is listed, atomically; ``edit`` may be called in any thread and must not wait for anything."""
        with self._layout.locked():
            after = edit(self._listing.fresh())
            self._listing.write(after)
        return after

    def remove(self, edit: Edit) -> list[Freed]:
        """Rewrite what is listed, and delete what only the dropped entries needed, in one step.

        Returns:
            what was really deleted, in telling order: each image's config, its manifest, its layers.
        """
        return self.drop(lambda entries, kept: (edit(entries), kept))

    def drop(self, edit: Callable[[Entries, Owners], tuple[Entries, Owners]]) -> list[Freed]:
        """`remove`, of what is pinned too."""
        if not self.entries() and not self.pins() and edit((), {}) == ((), {}):
            return []
        with self._layout.locked():
            before, kept = self._listing.fresh(), self.pins()
            after, to_keep = edit(before, kept)
            leased = leases.live(self._layout)
            collector = Collector(self._documents, leased)
            same = (after, to_keep) == (before, kept)
            roots = self._roots(before, kept), self._roots(after, to_keep)
            orphaned = [] if same else collector.orphaned(*roots)
            self._keep(kept, to_keep)
            room = self._write_less(after, leased)
            return [*collector.delete(orphaned), *room]

    def _write_less(self, after: Entries, leased: Collection[Digest]) -> list[Freed]:
        """Write a shorter list, also where the disk is full: what broken-off transfers left then makes room for it."""
        try:
            self._listing.write(after)
        except DiskFull:
            room = partials.delete(self._layout, leased, lambda _: True)
            self._unpacked.forget()
            self._listing.write(after)
            return room
        return []

    def usage(self) -> Usage:
        """What lies here now and what needs it; nothing is kept from changing afterwards.

        In a store that cannot be written, every lease and every partial transfer counts as live.
        """
        leased: set[Digest] = set()
        waiting: list[Partial] = []
        if self._layout.leases.is_dir():
            try:
                with self._layout.locked():  # so that no lease is looked at while its process makes it
                    leased = leases.live(self._layout, reading=True)
                    waiting = partials.partials(self._layout, leased)
            except StoreDenied:
                leased = leases.named(self._layout)
                waiting = partials.unproven(self._layout)
        return self._usage(self.entries(), leased, waiting)

    def prune(self, choose: Callable[[Usage], Entries], doomed: Doomed) -> list[Freed]:
        """Delete in one step all that nothing needs once only the chosen entries are listed.

        Args:
            choose: given what is here, the entries that stay; it must not wait for anything.
            doomed: which partial transfers go too, of those that no living process needs.

        Returns:
            what was really deleted, in telling order; the digest is None for an upload that never got one.
        """
        waited, *rest = [*self.pruning(choose, doomed)] or [[]]
        return [*(freed for part in rest for freed in part), *waited]

    def pruning(self, choose: Callable[[Usage], Entries], doomed: Doomed) -> Generator[list[Freed]]:
        """`prune`, piece by piece, for one thread that does nothing else: the store lock is held until its end.

        Yields:
            what was deleted. The first piece, which may be empty, is what broken-off transfers left, and says that the
            shorter list is written. Who stops asking leaves the rest to the next pruning.
        """
        if not self.entries() and not self.root.exists():
            return
        with self._layout.locked():
            leased = leases.live(self._layout, reading=True)
            usage = self._usage(self._listing.fresh(), leased, partials.partials(self._layout, leased))
            staying = choose(usage)
            gone = usage.told(usage.unneeded(staying))
            waited = partials.delete(self._layout, leased, doomed)
            waited += self._write_less(staying, leased)
            yield waited
            for freed in Collector(self._documents, leased).deleting(gone):
                yield [freed]

    def _usage(self, entries: Entries, leased: Collection[Digest], waiting: Iterable[Partial]) -> Usage:
        kept, blobs = self.pins(), self._layout.blobs()
        roots = self._roots(entries, kept)
        return Usage(
            entries=entries,
            pins=kept,
            leased=frozenset(leased),
            foreign=frozenset(digest for line in self._listing.strange for digest in mentioned_in(line)),
            graph=Collector(self._documents, leased).facts(roots, blobs),
            blobs=blobs,
            partials=tuple(waiting),
        )

    def collect(self) -> list[Freed]:
        """Delete all that neither a name nor a running operation needs, and what broken-off transfers left.

        Returns:
            what was really deleted; the digest is None for an upload that never got one.
        """
        if not self.root.exists():
            return []
        with self._layout.locked():
            leased = leases.live(self._layout)
            collector = Collector(self._documents, leased)
            deleted = collector.delete(collector.unneeded(self._roots(self._listing.fresh(), self.pins())))
            return [*deleted, *partials.delete(self._layout, leased, lambda _: True)]

    def discard(self, digests: Collection[Digest]) -> None:
        """Delete those of these blobs that nothing needs, whole or begun; what a refused image has brought."""
        if digests:
            with self._layout.locked():
                leased = leases.live(self._layout)
                collector = Collector(self._documents, leased)
                unneeded = set(collector.unneeded(self._roots(self._listing.fresh(), self.pins())))
                collector.delete(unneeded.intersection(digests))
                partials.delete(self._layout, leased, lambda item: item.digest in digests)

    def drop_stale_uploads(self, seconds: float) -> None:
        """Delete uploads that no living process writes and that nobody has written to for so long."""
        if self._layout.own.is_dir():
            with self._layout.locked():
                since = time.time() - seconds
                partials.delete(self._layout, (), lambda item: item.digest is None and item.written <= since)

    # ---- roots that are not names

    def pins(self) -> dict[str, dict[Digest, float]]:
        """What each owner keeps: digests, and when each stops being kept (seconds since the epoch; 0 is never)."""
        return pins.all_pins(self._layout)

    def pins_of(self, owner: str) -> dict[Digest, float]:
        """What one owner keeps."""
        return pins.pins_of(self._layout, owner)

    def pin(self, owner: str, edit: Callable[[Kept], Kept]) -> None:
        """Change what an owner keeps from being garbage, with all that it leads to, atomically."""
        self.revise(owner, lambda entries, kept: (entries, edit(kept)))

    def revise(self, owner: str, edit: Callable[[Entries, Kept], tuple[Entries, Kept]]) -> None:
        """Change what is listed and what an owner keeps in one step.

        Whoever looks without the lock, or after a crash, sees what moves between the two in at least one of them.
        """
        with self._layout.locked():
            before, kept = self._listing.fresh(), self.pins_of(owner)
            after, to_keep = edit(before, kept)
            if not to_keep.keys() <= kept.keys():
                self._layout.sync_blobs()
                pins.write_pins(self._layout, owner, {**kept, **to_keep})
                kept = {**kept, **to_keep}
            self._listing.write(after)
            if kept != to_keep:
                pins.write_pins(self._layout, owner, to_keep)

    def repin(self, edit: Callable[[Entries, Owners], Owners]) -> None:
        """Change what several owners keep, in one step; what is newly kept must be kept by something already."""
        with self._layout.locked():
            kept = self.pins()
            self._keep(kept, edit(self._listing.fresh(), kept))

    def _keep(self, before: Owners, after: Owners) -> None:
        for owner in before.keys() | after.keys():
            if before.get(owner, {}) != after.get(owner, {}):
                pins.write_pins(self._layout, owner, after.get(owner, {}))

    def _roots(self, entries: Entries, kept: Owners) -> Roots:
        named = roots_of(entries)
        pinned = (digest for owned in kept.values() for digest in owned)
        foreign = (digest for line in self._listing.strange for digest in mentioned_in(line))
        return Roots(named.whole.union(pinned, foreign), named.bare)


def _damaged(descriptor: Descriptor, what: str, kind: type[ContentError]) -> ContentError:
    hint = "remove the image and pull it again"
    return kind(f"{descriptor.digest.short} {what}", hint=hint)
