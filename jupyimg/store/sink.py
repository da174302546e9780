"""StoreSink: the store as the end of a copy, under a lease that names all that the copy relies on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from jupyimg.errors import BadManifest, ContentError
from jupyimg.model.content import prove
from jupyimg.model.documents import Descriptor
from jupyimg.store.ingest import FileIngest, open_download, open_upload
from jupyimg.store.names import Entry, keep, publish, stored_name
from jupyimg.store.presence import is_here, members, missing, platform_of
from jupyimg.store.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jupyimg.model.digest import Digest
    from jupyimg.model.reference import Reference
    from jupyimg.store.documents import Documents
    from jupyimg.store.leases import Lease
    from jupyimg.store.listing import Listing
    from jupyimg.store.names import Entries
    from jupyimg.store.unpacked import Unpacked


class StoreSink:
    """Takes content in and names it (`jupyimg.model.content.Sink`); `Store.writer` makes one.

    Attributes:
        brought: what it wrote, or began to, and was not here before.
    """

    def __init__(
        self,
        documents: Documents,
        listing: Listing,
        lease: Lease,
        unpacked: Unpacked,
        diff_ids: Mapping[Digest, Digest],
    ) -> None:
        self.brought: set[Digest] = set()
        self._layout = documents.layout
        self._documents = documents
        self._listing = listing
        self._lease = lease
        self._unpacked = unpacked
        self._diff_ids = diff_ids
        self._stop = Stop()

    def has(self, descriptor: Descriptor) -> bool:
        """Whether the content is here with its size, and undamaged where it is small; then it stays.

        Raises:
            DigestMismatch: it is a layer that does not unpack to what it must.
            StoreError: the store cannot be written.
        """
        self._lease.add(descriptor.digest)
        here = is_here(self._documents, descriptor)
        if here and descriptor.digest in self._diff_ids:
            self._unpacked.prove(descriptor, self._diff_ids[descriptor.digest])
        return here

    def write(self, descriptor: Descriptor, read: Callable[[int], Iterator[bytes]]) -> None:
        """Take content in, going on from the bytes of an earlier attempt; see `Sink.write`.

        Where another thread or process is bringing the same content, wait for it. Bytes are kept on an interruption
        and on errors of the source or the disk. A resumed attempt that proves wrong is made again from the start.

        Raises:
            DigestMismatch, SizeMismatch: the bytes were not what the descriptor says; nothing was kept.
            DiskFull, StoreError: they could not be written, or `interrupt` was called.
        """
        check = self._stop.watch()
        self._lease.add(descriptor.digest)
        arrived = partial(is_here, self._documents, descriptor)
        ingest = open_download(self._layout, descriptor.digest, self._lease.add, arrived=arrived, check=check)
        if ingest is None:
            return
        self.brought.add(descriptor.digest)
        with ingest:
            resumed = ingest.offset > 0
            size = _fill(ingest, descriptor, read, check)
            if resumed and (size, ingest.encoded) != (descriptor.size, descriptor.digest.encoded):
                ingest.restart()
                size = _fill(ingest, descriptor, read, check)
            if size > descriptor.size:  # what was too much has not been written
                ingest.abort()
                prove(descriptor.digest, "", descriptor.size, size)
            if (size, ingest.encoded) == (descriptor.size, descriptor.digest.encoded):
                self._prove_layer(ingest, descriptor)
            ingest.commit(descriptor.digest, descriptor.size)

    def publish(self, reference: Reference | None, root: Descriptor, held: tuple[Descriptor, ...]) -> None:
        """Give the name to content that is here, or (None) list it without one; see `Sink.publish`.

        An index of which not all is here is listed as the platforms that are; once all is here it is listed itself.

        Raises:
            ContentError: something that the name would need is not here; nothing was changed.
            DiskFull, StoreError: index.json could not be written; it is as it was.
        """
        name = stored_name(reference) if reference else None
        with self._layout.locked():
            images = self._images(name, root, held)
            self._layout.sync_blobs()
            add = publish if name else keep
            self._listing.write(add(self._listing.fresh(), images, partial(members, self._documents)))

    def interrupt(self) -> None:
        """Make every `write` that is under way fail soon."""
        self._stop.interrupt()

    def ingest(self, ident: str | None = None, *, owner: str = "") -> FileIngest:
        """Begin an upload whose digest comes last, or go on with the one of that id.

        From the moment its content becomes visible it is under this writer's lease.

        Args:
            ident: which; None for a new one.
            owner: whom it is for, such as a repository; nobody else goes on with it.

        Raises:
            NotFound: there is no upload of that id and owner.
            Conflict: somebody else is writing it.
        """
        return open_upload(self._layout, ident, owner, self._lease.add)

    def _images(self, name: Reference | None, root: Descriptor, held: tuple[Descriptor, ...]) -> Entries:
        """What is to be listed: the root if all of it is here, else the platforms that were brought."""
        absent = next(missing(self._documents, root), None)
        if absent is None:
            return (Entry(name, None, self._described(root)),)
        if not root.is_index or absent.digest == root.digest:
            raise _incomplete(_shown(name, root), absent)
        if not held:
            raise BadManifest(f"{_shown(name, root)} was not named: nothing of its index was brought")
        for image in held:
            absent = next(missing(self._documents, image), None)
            if absent is not None:
                raise _incomplete(_shown(name, root), absent)
        index = _bare(root)
        return tuple(Entry(name, None, self._described(image), index) for image in held)

    def _prove_layer(self, ingest: FileIngest, descriptor: Descriptor) -> None:
        """Unpack a layer that has arrived whole, where it is known what it must unpack to."""
        diff_id = self._diff_ids.get(descriptor.digest)
        if diff_id is not None:
            try:
                self._unpacked.prove(descriptor, diff_id, ingest.path)
            except ContentError:
                ingest.abort()
                raise

    def _described(self, descriptor: Descriptor) -> Descriptor:
        return msgspec.structs.replace(_bare(descriptor), platform=platform_of(self._documents, descriptor))


def _fill(
    ingest: FileIngest, descriptor: Descriptor, read: Callable[[int], Iterator[bytes]], check: Callable[[], None]
) -> int:
    """Write what is still to come; the bytes that there are then, or one chunk more than promised where more came."""
    if ingest.offset >= descriptor.size:
        return ingest.offset
    try:
        for chunk in read(ingest.offset):
            check()
            if ingest.offset + len(chunk) > descriptor.size:
                return ingest.offset + len(chunk)
            ingest.write(chunk)
    except ContentError:  # a source that knows its bytes to be wrong; there is nothing to go on from
        ingest.abort()
        raise
    return ingest.offset


def _bare(descriptor: Descriptor) -> Descriptor:
    """What the store lists of a descriptor; its annotations stand in the index that it came from."""
    return Descriptor(
        media_type=descriptor.media_type,
        digest=descriptor.digest,
        size=descriptor.size,
        artifact_type=descriptor.artifact_type,
    )


def _shown(name: Reference | None, root: Descriptor) -> str:
    return name.familiar if name else root.digest.short


def _incomplete(shown: str, absent: Descriptor) -> ContentError:
    return ContentError(
        f"{shown} was not named: {absent.digest.short} is missing from the store", hint="pull the image again"
    )
