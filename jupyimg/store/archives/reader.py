"""Archive: images in a tar or a folder, as a Source (`docker load`)."""

from __future__ import annotations

import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from jupyimg.errors import BadManifest, ContentError, ImageNotFound, NotFound, SizeMismatch, Unsupported
from jupyimg.model.content import verified
from jupyimg.model.documents import MANIFEST_LIMIT, Manifest, read_manifest
from jupyimg.store.archives.files import FolderFiles, TarFiles
from jupyimg.store.archives.forms import Contents, read_contents
from jupyimg.store.archives.outer import plain
from jupyimg.store.layout import disk
from jupyimg.store.names import Entry, find
from jupyimg.store.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Descriptor, Index
    from jupyimg.model.reference import Reference
    from jupyimg.store.archives.files import Files

_NESTING = 4


@dataclass(frozen=True, slots=True)
class Packed:
    """One name, and what it stands for in an archive.

    Attributes:
        name: None for an image that was saved by its ID.
        root: the manifest, or the index.
        held: of an index that is there in part, the manifests that are; None where all is.
    """

    name: Reference | None
    root: Descriptor
    held: frozenset[Digest] | None = None


class Archive:
    """Images in a tar, a compressed tar, a stream of either, or a folder. Nothing of it is ever extracted.

    Args:
        source: a path, or a stream that is read from where it stands.
        spool: makes a file without a name, for what cannot be looked into where it lies.

    Attributes:
        shown: what to call it.
        images: what it holds, once `open` has been called.
        passed: what it lists that is no image, in words.
    """

    def __init__(self, source: Path | IO[bytes], spool: Callable[[], IO[bytes]]) -> None:
        self.shown = source.name if isinstance(source, Path) else "the stream"
        self.images: tuple[Packed, ...] = ()
        self.passed: tuple[str, ...] = ()
        self._source = source
        self._borrowed = False
        self._spool = spool
        self._stop = Stop()
        self._files: Files | None = None
        self._contents = Contents()
        self._held: dict[Digest, tuple[frozenset[Digest], bool]] = {}

    def open(self, told: Callable[[int], None]) -> None:
        """Look what is in it; long for what is compressed or comes through a pipe.

        Args:
            told: called with the bytes of the source that have been read.

        Raises:
            NotFound: there is no such file.
            ContentError, Unsupported: it is no archive of images, damaged, or hostile.
            StoreError: it cannot be read, or there is no room to unpack it.
        """
        check = self._stop.watch()
        self._files = self._opened(check, told)
        self._contents = read_contents(self._files, check)
        self.passed = tuple(self._contents.passed)
        self.images = tuple(self._packed())
        for image in self.images:
            if image.name and image.name.digest and image.name.digest != image.root.digest:
                raise BadManifest(f"{self.shown} lists {image.root.digest.short} as {image.name.familiar}")
        if not self.images:
            raise ContentError(f"{self.shown} holds no image", hint="; ".join(self.passed[:3]))

    @property
    def size(self) -> int:
        """Bytes of the source, where that is known; else 0."""
        with suppress(OSError, ValueError):
            if isinstance(self._source, Path) and stat.S_ISREG((status := self._source.stat()).st_mode):
                return status.st_size
        return 0

    def resolve(self, reference: Reference) -> Descriptor:
        """What a name points at.

        Raises:
            ImageNotFound: the archive has no such name.
        """
        found = find(tuple(Entry(image.name, None, image.root) for image in self.images), reference)
        if not found:
            raise ImageNotFound(f"{self.shown} holds no {reference.familiar}")
        return found[0].descriptor

    def read(self, descriptor: Descriptor, offset: int = 0) -> Iterator[bytes]:
        """The bytes of a blob or manifest from ``offset`` on; the receiver verifies them.

        Raises:
            ContentError: it is not in the archive, or not of its size.
        """
        made = self._contents.made.get(descriptor.digest)
        if made is not None:
            yield made[offset:]
            return
        name = self._place(descriptor.digest)
        size = self._whole.size(name)
        if size is not None and size != descriptor.size:
            hint = "the archive is damaged; save it again"
            raise SizeMismatch(f"{name} in {self.shown} has {size} bytes and should have {descriptor.size}", hint=hint)
        yield from self._whole.read(name, self._stop.watch(), offset)

    def interrupt(self) -> None:
        """Make `open` and every `read` that is under way fail soon."""
        self._stop.interrupt()

    def close(self) -> None:
        """Let go of the files; a stream that can be looked into stays its owner's."""
        if self._files is not None and not self._borrowed:
            self._files.close()

    # ---- how

    @property
    def _whole(self) -> Files:
        assert self._files is not None, "the archive is not open"
        return self._files

    def _opened(self, check: Callable[[], None], told: Callable[[int], None]) -> Files:
        source = self._source
        if not isinstance(source, Path):
            tar = plain(source, self.shown, self._spool, check, told)
            self._borrowed = tar is source
            return self._looked_into(tar, check)
        file = self._file(source)
        if file is None:
            return FolderFiles(source)
        try:
            tar = plain(file, self.shown, self._spool, check, told)
        except BaseException:
            file.close()
            raise
        if tar is not file:
            file.close()
        return self._looked_into(tar, check)

    def _looked_into(self, tar: IO[bytes], check: Callable[[], None]) -> TarFiles:
        try:
            return TarFiles(tar, self.shown, check)
        except BaseException:
            if not self._borrowed:
                tar.close()
            raise

    @staticmethod
    def _file(source: Path) -> IO[bytes] | None:
        """The file, or the pipe that a shell gave a name; None for a folder."""
        with disk(f"read {source}"):
            try:
                kind = source.stat().st_mode
            except (FileNotFoundError, NotADirectoryError, ValueError):
                raise NotFound(f"there is no file {source}", hint="look whether the path is right") from None
            if stat.S_ISDIR(kind):
                return None
            if not stat.S_ISREG(kind) and not stat.S_ISFIFO(kind):
                raise Unsupported(f"{source} is no file", hint="give a file or the folder of an image layout")
            return source.open("rb")

    def _place(self, digest: Digest) -> str:
        return self._contents.places.get(digest) or self._contents.place(digest)

    def _packed(self) -> Iterator[Packed]:
        """The images under their names; platforms that were saved of one index come together again."""
        parts: dict[tuple[Reference | None, Digest], list[Entry]] = {}
        seen: set[tuple[Reference | None, Digest]] = set()
        for entry in self._contents.entries:
            if entry.index is not None and self._has(entry.index):
                parts.setdefault((entry.name, entry.index.digest), []).append(entry)
        for entry in self._contents.entries:
            key = (entry.name, entry.digest)
            if key in seen:
                continue
            if key in parts and entry.index is not None:
                seen.add(key)
                yield Packed(entry.name, entry.index, frozenset(part.descriptor.digest for part in parts[key]))
            elif entry.descriptor.is_index:
                seen.add(key)
                yield Packed(entry.name, entry.descriptor, self._held_of(entry.descriptor))
            elif (entry.name, entry.descriptor.digest) not in seen:
                seen.add((entry.name, entry.descriptor.digest))
                yield Packed(entry.name, entry.descriptor)

    def _held_of(self, root: Descriptor) -> frozenset[Digest] | None:
        """Which manifests of an index are here; None for all.

        Raises:
            ContentError: none is.
        """
        held, whole = self._below(root, 0)
        if not held and not whole:
            raise ContentError(f"{self.shown} lists {root.digest.short}, but holds nothing of it")
        return None if whole else held

    def _below(self, descriptor: Descriptor, depth: int) -> tuple[frozenset[Digest], bool]:
        """The manifests below one that are here with all they need, and whether all are; looked at once."""
        found = self._held.get(descriptor.digest)
        if found is None:
            found = self._held[descriptor.digest] = self._looked_below(descriptor, depth)
        return found

    def _looked_below(self, descriptor: Descriptor, depth: int) -> tuple[frozenset[Digest], bool]:
        if depth > _NESTING:
            raise BadManifest("the index holds indexes without end")
        document = self._document(descriptor)
        if isinstance(document, Manifest):
            return frozenset(), all(self._has(child) or child.urls for child in document.children)
        held: set[Digest] = set()
        whole = True
        for child in document.children:
            below, all_of_it = self._below_child(child, depth + 1) if self._has(child) else (frozenset(), False)
            if all_of_it or below:
                held |= {child.digest, *below}
            whole = whole and all_of_it
        return frozenset(held), whole

    def _below_child(self, child: Descriptor, depth: int) -> tuple[frozenset[Digest], bool]:
        """The same of something that an index lists; what is of a kind that we do not know leads nowhere."""
        return self._below(child, depth) if child.is_manifest else (frozenset(), True)

    def _has(self, descriptor: Descriptor) -> bool:
        if descriptor.digest in self._contents.made:
            return True
        return self._whole.size(self._place(descriptor.digest)) == descriptor.size

    def _document(self, descriptor: Descriptor) -> Manifest | Index:
        if descriptor.size > MANIFEST_LIMIT:
            raise BadManifest(f"{descriptor.digest.short} has {descriptor.size} bytes, too many for a manifest")
        raw = b"".join(verified(descriptor, self.read(descriptor)))
        return read_manifest(raw, descriptor.media_type, digest=descriptor.digest)
