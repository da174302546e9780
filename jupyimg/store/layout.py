"""Layout: the folders and files of an OCI image layout, and the few ways in which they are written.

The root is what image-spec's image-layout.md says: ``oci-layout``, ``index.json``, ``blobs/ALGORITHM/HEX``. What only
we need lies in ``.jupyimg`` under it, on the same file system so that a rename is atomic, where other tools do not
look: ``lock`` (the store lock), ``ingest/`` (bytes on their way in), ``leases/`` (what running operations rely on),
``pins/`` (roots that are not names) and ``unpacked.jsonl`` (derived, safe to delete).

Durable order, which is why a store survives ``kill -9`` and a power cut at any moment: a blob's bytes are fsynced
before they are renamed into ``blobs``, the folders of ``blobs`` are fsynced before a name is published, and index.json
is fsynced before it is renamed over its predecessor.
"""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyimg.errors import BadDigest, BadManifest, DiskFull, StoreDenied, StoreError
from jupyimg.model.codec import decode
from jupyimg.model.digest import Digest
from jupyimg.store import lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LAYOUT_VERSION = "1.0.0"
LAYOUT_MARK = b'{"imageLayoutVersion":"1.0.0"}'
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_IN_THE_WAY = frozenset({errno.ENOTDIR, errno.EEXIST, errno.EISDIR})
_LOCKLESS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})


@contextmanager
def disk(doing: str) -> Iterator[None]:
    """The edge where the system's errors become ours; ``doing`` completes "could not ...".

    Raises:
        DiskFull, StoreDenied, StoreError: what the disk said.
    """
    try:
        yield
    except OSError as error:
        raise _converted(error, doing) from error


def _converted(error: OSError, doing: str) -> StoreError:
    message = f"could not {doing}: {error.strerror or error}"
    if error.errno in _FULL:
        return DiskFull(message)
    if error.errno in _DENIED:
        return StoreDenied(message)
    if error.errno in _IN_THE_WAY:
        return StoreError(message, hint="something else lies where the store should be; move it or set JUPYIMG_HOME")
    if error.errno in _LOCKLESS:
        return StoreError(message, hint="that file system has no file locks; set JUPYIMG_HOME to a local disk")
    return StoreError(message, hint="look at the disk, or set JUPYIMG_HOME to another one")


@dataclass(slots=True)
class Layout:
    """Where everything of one store lies; folders are made when something is first written."""

    root: Path
    _ready: bool = field(default=False, init=False, repr=False)
    _looked: dict[tuple[str, int], tuple[Digest, int]] = field(default_factory=dict, init=False, repr=False)

    @property
    def index(self) -> Path:
        """The list of what is held, with its names."""
        return self.root / "index.json"

    @property
    def own(self) -> Path:
        """What only we need."""
        return self.root / ".jupyimg"

    @property
    def ingests(self) -> Path:
        """Bytes on their way in, one file each."""
        return self.own / "ingest"

    @property
    def leases(self) -> Path:
        """One file for each running operation."""
        return self.own / "leases"

    @property
    def pins(self) -> Path:
        """One file for each owner of roots that are not names."""
        return self.own / "pins"

    def blob(self, digest: Digest) -> Path:
        """Where the content of that digest is or will be."""
        return self.root / "blobs" / digest.algorithm / digest.encoded

    def size(self, digest: Digest) -> int | None:
        """Bytes of a blob, or None where it is not here."""
        with disk(f"look at {digest.short}"):
            try:
                return self.blob(digest).stat().st_size
            except FileNotFoundError:
                return None

    def blobs(self) -> dict[Digest, int]:
        """Every blob and its bytes; files that are not named as blobs are left out.

        A file that was looked at before is known by its inode, so that only new ones cost a call: content never
        changes under its name, and what replaces a damaged blob is another file.
        """
        found: dict[Digest, int] = {}
        looked: dict[tuple[str, int], tuple[Digest, int]] = {}
        with disk(f"list {self.root / 'blobs'}"):
            for folder in _listed(self.root / "blobs"):
                if folder.is_dir():
                    for item in _listed(folder.path):
                        key = (item.name, item.inode())
                        known = self._looked.get(key) or _blob(folder.name, item)
                        if known:
                            looked[key] = known
                            found[known[0]] = known[1]
        self._looked = looked
        return found

    def check(self) -> None:
        """Make sure that this is a layout that we understand; a folder without a mark is one to be.

        Raises:
            StoreError: it is another version, or the mark is unreadable.
        """
        mark = self.root / "oci-layout"
        with disk(f"read {mark}"):
            try:
                raw = mark.read_bytes()
            except FileNotFoundError:
                return
        try:
            version = decode(raw, dict[str, object], own=True).get("imageLayoutVersion")
        except BadManifest:
            version = None
        if version != LAYOUT_VERSION:
            said = (
                "has an unreadable oci-layout file" if version is None else f"is an image layout of version {version!r}"
            )
            raise StoreError(
                f"{self.root} {said}; only version {LAYOUT_VERSION} is understood",
                hint="set JUPYIMG_HOME to another folder, or move this one away; nothing in it was touched",
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store lock, making the store first where there is none. Never across network I/O.

        Raises:
            StoreDenied, DiskFull, StoreError: the store cannot be written.
        """
        with ExitStack() as held:
            with disk(f"write to the store at {self.root}"):
                if not self._ready or not self.own.is_dir():
                    self._ready = False
                    self.check()
                    self.own.mkdir(parents=True, exist_ok=True)
                held.enter_context(lock.exclusive(self.own / "lock"))
            if not self._ready:
                self._prepare()
            yield

    def _prepare(self) -> None:
        with disk(f"make a store at {self.root}"):
            for folder in (self.ingests, self.leases, self.root / "blobs" / "sha256"):
                folder.mkdir(parents=True, exist_ok=True)
            if not (self.root / "oci-layout").exists():
                self.replace(self.root / "oci-layout", [LAYOUT_MARK])
            sync_folder(self.root.parent)
        self._ready = True

    def replace(self, path: Path, parts: Iterable[bytes]) -> None:
        """Put a file in place whole and durable, or leave what was there. Only under the store lock.

        The new file has one fixed name until then, so that a crash leaves at most one behind, which the next
        write takes over.
        """
        fresh = self.own / f"{path.name}.new"
        with disk(f"write {path}"):
            with fresh.open("wb") as file:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
            sync_folder(path.parent)

    def sync_blobs(self) -> None:
        """Make every rename into ``blobs`` durable."""
        with disk(f"write to {self.root / 'blobs'}"):
            sync_folder(self.root / "blobs")
            for folder in _listed(self.root / "blobs"):
                if folder.is_dir():
                    sync_folder(folder.path)


def sync_folder(path: Path | str) -> None:
    """Make renames into a folder durable, where the system can (Windows cannot open folders)."""
    if os.name == "nt":
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _listed(path: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as items:
            return list(items)
    except FileNotFoundError:
        return []


def _blob(algorithm: str, item: os.DirEntry[str]) -> tuple[Digest, int] | None:
    digest = _digest(f"{algorithm}:{item.name}")
    if digest is None or not item.is_file(follow_symlinks=False):
        return None
    return digest, item.stat(follow_symlinks=False).st_size


def _digest(text: str) -> Digest | None:
    try:
        return Digest(text)
    except BadDigest:
        return None
