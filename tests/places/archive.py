"""An archive as a place that can be written to again and again: each write makes the whole file anew."""

from __future__ import annotations

import io
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from jupyimg.model.platform import Platform
from jupyimg.store.archives import Archive, ArchiveWriter
from jupyimg.transfer import fetch_manifest
from tests.places.memory import MemoryPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Descriptor
    from jupyimg.model.reference import Reference


class ArchivePlace:
    """`ArchiveWriter` and `Archive` over one file. An image without a name is always in it, since none is no archive."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: dict[Digest, Descriptor] = {}
        self._named: dict[Reference, tuple[Descriptor, tuple[Descriptor, ...]]] = {}
        self._turn = threading.RLock()
        self._first = MemoryPlace()
        self._root = self._first.image(layers=())
        with self._writer() as writer:
            for descriptor in self._first_of():
                writer.write(descriptor, lambda offset, it=descriptor: self._first.read(it, offset))
            writer.publish(None, self._root, (self._root,))

    def resolve(self, reference: Reference) -> Descriptor:
        with self._opened() as archive:
            return archive.resolve(reference)

    def read(self, descriptor: Descriptor, offset: int = 0) -> Iterator[bytes]:
        with self._opened() as archive:
            yield from archive.read(descriptor, offset)

    def has(self, descriptor: Descriptor) -> bool:
        return descriptor.digest in self._held

    def write(self, descriptor: Descriptor, read: Callable[[int], Iterator[bytes]]) -> None:
        with self._turn, self._again() as writer:
            writer.write(descriptor, read)
            self._held[descriptor.digest] = descriptor

    def publish(self, reference: Reference, root: Descriptor, held: tuple[Descriptor, ...]) -> None:
        with self._turn, self._again() as writer:
            writer.publish(reference, root, held)
            self._named[reference] = (root, held)

    def interrupt(self) -> None:
        """Nothing here takes long."""

    def _first_of(self) -> list[Descriptor]:
        return [self._root, fetch_manifest(self._first, self._root).config]

    @contextmanager
    def _opened(self) -> Iterator[Archive]:
        with closing(Archive(self._path, io.BytesIO)) as archive:
            archive.open(lambda _: None)
            yield archive

    def _writer(self) -> ArchiveWriter:
        return ArchiveWriter(self._path, Platform("amd64", "linux"))

    @contextmanager
    def _again(self) -> Iterator[ArchiveWriter]:
        """A new archive with all that the old one holds, in whose place it comes."""
        with self._opened() as old, self._writer() as writer:
            for descriptor in [*self._first_of(), *self._held.values()]:
                writer.write(descriptor, lambda offset, it=descriptor: old.read(it, offset))
            writer.publish(None, self._root, (self._root,))
            for name, (root, held) in self._named.items():
                writer.publish(name, root, held)
            yield writer
