"""ArchiveWriter: images into one tar, as a Sink (`docker save`).

The combined form, which docker load of every age, podman, skopeo and containerd read: an OCI image layout with the
original bytes of every blob, and beside it docker save's manifest.json over the same blobs. The same images give the
same bytes. A file appears under its name when it is whole; until then it lies beside it, for its owner's eyes only.
"""

from __future__ import annotations

import threading
from typing import IO, TYPE_CHECKING, cast

import msgspec

from jupyimg.errors import ContentError
from jupyimg.model.codec import encode
from jupyimg.model.content import prove
from jupyimg.model.documents import OCI_INDEX, Descriptor, Index, Manifest, choose, read_manifest
from jupyimg.store.archives.tape import Place, Tape
from jupyimg.store.hashing import Hashing
from jupyimg.store.layout import LAYOUT_MARK
from jupyimg.store.listing import write_entry
from jupyimg.store.names import Entry, stored_name
from jupyimg.store.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from jupyimg.model.digest import Digest
    from jupyimg.model.platform import Platform
    from jupyimg.model.reference import Reference


class ArchiveWriter:
    """Takes images in, one blob after the other; leaving the block without an error makes the archive whole.

    Args:
        target: a path, whose suffix says how to compress (``.tar``, ``.tar.gz``, ``.tar.zst``); or a stream.
        platform: which of several platforms of a name the old form, which can hold but one, is to name.

    Raises:
        Unsupported: the suffix of a compression that is not written.
        StoreError: there is no such folder, or it may not be written.
    """

    def __init__(self, target: Path | IO[bytes], platform: Platform) -> None:
        self._platform = platform
        self._tape = Tape(target)
        self._stop = Stop()
        self._guard = threading.Lock()
        self._places: dict[tuple[Digest, int], Place] = {}
        self._unwritten: set[Place] = set()
        self._manifests: dict[Digest, Manifest | Index] = {}
        self._written: set[Digest] = set()
        self._entries: list[Entry] = []

    @property
    def lanes(self) -> int:
        """How many blobs may be written at once."""
        return self._tape.lanes

    def expect(self, descriptors: Sequence[Descriptor]) -> None:
        """Settle the order of what will come, so that it may be written in any; see `Expectant`."""
        if self.lanes > 1:  # else each is placed where the tar has grown to
            for descriptor in descriptors:
                if not self.has(descriptor):
                    self._placed(descriptor)

    def has(self, descriptor: Descriptor) -> bool:
        """Whether it is in the archive already."""
        return descriptor.digest in self._written

    def write(self, descriptor: Descriptor, read: Callable[[int], Iterator[bytes]]) -> None:
        """Append a blob; see `Sink.write`. Where its bytes prove wrong the whole archive fails.

        Raises:
            DigestMismatch, SizeMismatch: they were not what the descriptor says.
            DiskFull, StoreError: they could not be written.
        """
        check = self._stop.watch()
        with self._tape.turn:
            if descriptor.digest in self._written:
                return
            kept = bytearray() if descriptor.is_manifest else None
            place = self._placed(descriptor)
            with self._tape.member(place) as out:
                for chunk in _proven(descriptor, read(0)):
                    check()
                    out.write(chunk)
                    if kept is not None:
                        kept += chunk
            if kept is not None:
                found = read_manifest(bytes(kept), descriptor.media_type, digest=descriptor.digest)
                self._manifests[descriptor.digest] = found
            self._unwritten.discard(place)
            self._written.add(descriptor.digest)

    def publish(self, reference: Reference | None, root: Descriptor, held: tuple[Descriptor, ...]) -> None:
        """List an image, under a name or (None) without one; of an index that is here in part, what is held of it."""
        name = stored_name(reference) if reference else None
        top = self._manifests.get(root.digest)
        if isinstance(top, Index) and not all(child.digest in self._written for child in top.children):
            entries = [Entry(name, None, _bare(image), _bare(root)) for image in held]
        else:
            entries = [Entry(name, None, _bare(root))]
        if name is not None:  # a name that is given again moves, but platforms of one index stand together
            origin = entries[0].index
            self._entries = [
                entry for entry in self._entries if entry.name != name or (origin and entry.index == origin)
            ]
        self._entries += [entry for entry in entries if entry not in self._entries]

    def interrupt(self) -> None:
        """Make a `write` that is under way fail soon."""
        self._stop.interrupt()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._tape.drop()

    # ---- how

    def _placed(self, descriptor: Descriptor) -> Place:
        """The place of a blob, which is the next free one where it has none."""
        key = descriptor.digest, descriptor.size
        with self._guard:
            if key not in self._places:
                self._places[key] = self._tape.place(_path(descriptor.digest), descriptor.size)
                self._unwritten.add(self._places[key])
        return self._places[key]

    def _finish(self) -> None:
        if self._unwritten:
            raise ContentError(f"{self._tape.shown} was not written: not all that it was to hold has come")
        lines = b",".join(write_entry(entry) for entry in self._entries)
        index = b'{"schemaVersion":2,"mediaType":"%s","manifests":[%s]}' % (OCI_INDEX.encode(), lines)
        for name, data in (
            ("oci-layout", LAYOUT_MARK),
            ("index.json", index),
            ("manifest.json", encode(self._saved())),
        ):
            with self._tape.member(self._tape.place(name, len(data))) as out:
                out.write(data)
        self._tape.close()

    def _saved(self) -> list[dict[str, object]]:
        """What manifest.json says: each image once, with all its names in full, as podman would guess short ones."""
        saved: dict[Digest, dict[str, object]] = {}
        for entry in self._entries:
            image = self._image(entry)
            if image is None or not image.is_image:
                continue
            layers = [_path(layer.digest) for layer in image.layers]
            row = saved.setdefault(
                image.digest, {"Config": _path(image.config.digest), "RepoTags": None, "Layers": layers}
            )
            if entry.name and entry.name.tag:
                names = cast("list[str] | None", row["RepoTags"]) or []
                row["RepoTags"] = list(dict.fromkeys([*names, str(entry.name)]))
        return list(saved.values())

    def _image(self, entry: Entry) -> Manifest | None:
        """The one manifest that stands for a name in the old form; None where another entry of the name does."""
        same = [other.descriptor for other in self._entries if other.name == entry.name and other.index == entry.index]
        if entry.index is not None:
            chosen = choose(self._platform, same) or same[0]
            if entry.name is not None and chosen.digest != entry.descriptor.digest:
                return None
        found = self._manifests[entry.descriptor.digest]
        if isinstance(found, Index):
            offered = found.platforms
            child = choose(self._platform, offered) or (offered[0] if offered else None)
            found = self._manifests[child.digest] if child else found
        return found if isinstance(found, Manifest) else None


def _proven(descriptor: Descriptor, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """`verified`, with the hashing beside what is done with the chunks."""
    size = 0
    with Hashing(descriptor.digest) as hashing:
        for chunk in chunks:
            size += len(chunk)
            if size > descriptor.size:
                break
            hashing.update(chunk)
            yield chunk
        prove(descriptor.digest, hashing.hexdigest(), descriptor.size, size)


def _path(digest: Digest) -> str:
    return f"blobs/{digest.algorithm}/{digest.encoded}"


def _bare(descriptor: Descriptor) -> Descriptor:
    return msgspec.structs.replace(descriptor, annotations=None)
