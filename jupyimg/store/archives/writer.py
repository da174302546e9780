"""ArchiveWriter: images into one tar, as a Sink (`docker save`).

The combined form, which docker load of every age, podman, skopeo and containerd read: an OCI image layout with the
original bytes of every blob, and beside it docker save's manifest.json over the same blobs. The same images give the
same bytes. A file appears under its name when it is whole; until then it lies beside it, for its owner's eyes only.
"""

from __future__ import annotations

import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import msgspec

from jupyimg.model.codec import encode
from jupyimg.model.content import prove
from jupyimg.model.documents import OCI_INDEX, Descriptor, Index, Manifest, choose, read_manifest
from jupyimg.store.archives.outer import wrapped
from jupyimg.store.archives.target import target_file, writing
from jupyimg.store.layout import LAYOUT_MARK
from jupyimg.store.listing import write_entry
from jupyimg.store.names import Entry, stored_name
from jupyimg.store.stop import Stop
from jupyimg.store.tarstream import BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future
    from contextlib import AbstractContextManager
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
        self._target = target
        self._platform = platform
        self._shown = target.name if isinstance(target, Path) else "the stream"
        self._turn = threading.Lock()  # a tar grows at one place
        self._hashing = ThreadPoolExecutor(1)
        self._stop = Stop()
        self._manifests: dict[Digest, Manifest | Index] = {}
        self._written: set[Digest] = set()
        self._entries: list[Entry] = []
        self._folders: set[str] = set()
        self._place = ExitStack()
        self._file, self._out = self._opened()

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
        with self._turn:
            if descriptor.digest in self._written:
                return
            folder = f"blobs/{descriptor.digest.algorithm}"
            self._make_folder("blobs")
            self._make_folder(folder)
            kept = bytearray() if descriptor.is_manifest else None
            with self._writing():
                self._out.write(_header(f"{folder}/{descriptor.digest.encoded}", descriptor.size))
                self._pass_on(descriptor, read(0), check, kept)
                self._out.write(bytes(-descriptor.size % BLOCK))
            if kept is not None:
                found = read_manifest(bytes(kept), descriptor.media_type, digest=descriptor.digest)
                self._manifests[descriptor.digest] = found
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
        self._place.callback(self._hashing.shutdown, wait=False)
        self._place.push(lambda kind, *_: None if kind else self._finish())
        self._place.__exit__(kind, error, at)

    # ---- how

    def _opened(self) -> tuple[IO[bytes], IO[bytes]]:
        target = self._target
        if not isinstance(target, Path):
            return target, target
        wrap = wrapped(target.name)
        file = self._place.enter_context(target_file(target))
        return file, wrap(file)

    def _pass_on(
        self, descriptor: Descriptor, chunks: Iterable[bytes], check: Callable[[], None], kept: bytearray | None
    ) -> None:
        """Write chunks while another thread hashes them, and prove them."""
        hasher, size = descriptor.digest.hasher(), 0
        hashed: Future[None] | None = None
        for chunk in chunks:
            check()
            size += len(chunk)
            if size > descriptor.size:
                break
            if hashed is not None:
                hashed.result()
            hashed = self._hashing.submit(hasher.update, chunk)
            self._out.write(chunk)
            if kept is not None:
                kept += chunk
        if hashed is not None:
            hashed.result()
        prove(descriptor.digest, hasher.hexdigest(), descriptor.size, size)

    def _finish(self) -> None:
        lines = b",".join(write_entry(entry) for entry in self._entries)
        index = b'{"schemaVersion":2,"mediaType":"%s","manifests":[%s]}' % (OCI_INDEX.encode(), lines)
        with self._writing():
            self._add("oci-layout", LAYOUT_MARK)
            self._add("index.json", index)
            self._add("manifest.json", encode(self._saved()))
            self._out.write(bytes(2 * BLOCK))
            if self._out is not self._file:
                self._out.close()
            self._file.flush()

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

    def _make_folder(self, name: str) -> None:
        if name not in self._folders:
            self._folders.add(name)
            with self._writing():
                self._out.write(_header(f"{name}/", 0, kind=tarfile.DIRTYPE))

    def _add(self, name: str, data: bytes) -> None:
        self._out.write(_header(name, len(data)) + data + bytes(-len(data) % BLOCK))

    def _writing(self) -> AbstractContextManager[None]:
        return writing(self._shown)


def _header(name: str, size: int, *, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.mode = size, kind, 0o755 if kind == tarfile.DIRTYPE else 0o644
    return info.tobuf(tarfile.PAX_FORMAT)


def _path(digest: Digest) -> str:
    return f"blobs/{digest.algorithm}/{digest.encoded}"


def _bare(descriptor: Descriptor) -> Descriptor:
    return msgspec.structs.replace(descriptor, annotations=None)
