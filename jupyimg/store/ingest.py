"""FileIngest: bytes on their way in, in one file beside the store's blobs, locked by whoever writes it.

A download has the digest it must become as its id, so that a second process waits for it, takes it over where the
first one died, and goes on from the bytes that are there. An upload has a random id and learns its digest at the end.
Bytes become content in a fixed order: prove size and digest, fsync, rename. Closing keeps them for the next attempt.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from typing import TYPE_CHECKING

from jupyimg.errors import BadDigest, Conflict, ContentError, NotFound
from jupyimg.model.content import CHUNK, prove
from jupyimg.model.digest import Digest
from jupyimg.store import lock
from jupyimg.store.layout import Layout, disk

if TYPE_CHECKING:
    from collections.abc import Callable
    from hashlib import _Hash
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_UPLOAD = re.compile(r"[0-9a-f]{32}", re.ASCII)
_POLL = 0.05


class FileIngest:
    """An open ingest, of one thread at a time.

    Attributes:
        id: names it across processes.
        offset: bytes that are there.
        path: the file.
    """

    def __init__(self, layout: Layout, ident: str, fd: int, algorithm: str, hold: Callable[[Digest], None]) -> None:
        """Take over an open and locked file, reading what it holds.

        Args:
            layout: where it will go.
            ident: its id and file name.
            fd: the file.
            algorithm: of the digest that it will most likely be asked for.
            hold: told the digest before the content becomes visible, so that a lease can name it.
        """
        self.id = ident
        self.offset = 0
        self._layout = layout
        self.path = layout.ingests / ident
        self._fd: int | None = fd
        self._hold = hold
        self._hasher = hashlib.new(algorithm)
        with disk(f"read {self.path}"):
            self.offset = _absorb(fd, self._hasher)

    @property
    def encoded(self) -> str:
        """The hexadecimal digest of the bytes so far."""
        return self._hasher.hexdigest()

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes.

        Raises:
            DiskFull, StoreError: they could not be written; what was written before is kept.
        """
        with disk(f"write {self.path}"):
            view = memoryview(data)
            while view:
                count = os.write(self._opened(), view)
                self._hasher.update(view[:count])
                self.offset += count
                view = view[count:]

    def restart(self) -> None:
        """Throw away the bytes, and stay open."""
        with disk(f"write {self.path}"):
            os.ftruncate(self._opened(), 0)
            os.lseek(self._opened(), 0, os.SEEK_SET)
        self._hasher = hashlib.new(self._hasher.name)
        self.offset = 0

    def commit(self, digest: Digest, size: int | None = None) -> None:
        """Prove size and digest, then make the content visible; the ingest is closed.

        Raises:
            DigestMismatch, SizeMismatch: it is not that content; the bytes are thrown away.
            StoreError: it could not be put in place; the bytes are kept.
        """
        try:
            prove(digest, self._encoded(digest.algorithm), size, self.offset)
        except ContentError:
            self.abort()
            raise
        self._hold(digest)
        target = self._layout.blob(digest)
        with self, disk(f"write {target}"):
            os.fsync(self._opened())
            target.parent.mkdir(parents=True, exist_ok=True)
            if os.name == "nt":  # an open file cannot be renamed there
                self.close()
            self.path.replace(target)

    def abort(self) -> None:
        """Throw the bytes away; the ingest is closed."""
        with self, disk(f"delete {self.path}"):
            if os.name == "nt":
                self.close()
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Keep the bytes, and let another go on."""
        fd, self._fd = self._fd, None
        if fd is not None:
            lock.release(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _opened(self) -> int:
        assert self._fd is not None, "the ingest is closed"
        return self._fd

    def _encoded(self, algorithm: str) -> str:
        if self._hasher.name == algorithm:
            return self.encoded
        hasher = hashlib.new(algorithm)
        with disk(f"read {self.path}"):
            _absorb(self._opened(), hasher)
        return hasher.hexdigest()


def open_download(
    layout: Layout,
    digest: Digest,
    hold: Callable[[Digest], None],
    *,
    arrived: Callable[[], bool],
    check: Callable[[], None],
) -> FileIngest | None:
    """Open the ingest of a digest, waiting for whoever writes it; None once the content has arrived through another.

    Args:
        layout: the store, which must have been made.
        digest: what will come.
        hold: see `FileIngest`; the lease names the digest already.
        arrived: whether the content is here.
        check: called while waiting; raises when the wait is to end.
    """
    ident = f"{digest.algorithm}-{digest.encoded}"
    while not arrived():
        fd = _claimed(layout.ingests / ident)
        if fd is None:
            check()
            time.sleep(_POLL)
            continue
        with lock.handing_on(fd):
            if not arrived():
                return FileIngest(layout, ident, fd, digest.algorithm, hold)
        _discard(layout.ingests / ident, fd)
    return None


def open_upload(layout: Layout, ident: str | None, owner: str, hold: Callable[[Digest], None]) -> FileIngest:
    """Begin an upload, or go on with the one of that id.

    Args:
        layout: the store.
        ident: which; None for a new one.
        owner: whom it is for; see `is_upload_of`.
        hold: see `FileIngest`.

    Raises:
        NotFound: there is no such upload of that owner.
        Conflict: somebody else is writing it.
    """
    with layout.locked():  # so that no collector is just looking whether it lives
        name, fd = _claimed_upload(layout, ident, owner)
    with lock.handing_on(fd):
        return FileIngest(layout, name, fd, "sha256", hold)  # reads all of it, so without that lock


def digest_of(path: Path) -> Digest | None:
    """The digest that a download's file is to become; None for an upload's."""
    try:
        return Digest(path.name.replace("-", ":", 1))
    except BadDigest:
        return None


def _claimed(path: Path) -> int | None:
    with disk(f"write {path}"):
        return lock.claim(path, create=True)


def is_upload_of(owner: str, ident: str) -> bool:
    """Whether an upload's id was given out for that owner; the id itself says so, in whatever process.

    Its second half is a digest of the owner and of the first half, which nobody guesses.
    """
    return _UPLOAD.fullmatch(ident) is not None and _ident(owner, ident[:16]) == ident


def _ident(owner: str, chance: str) -> str:
    return chance + hashlib.sha256(f"{chance} {owner}".encode()).hexdigest()[:16]


def _claimed_upload(layout: Layout, ident: str | None, owner: str) -> tuple[str, int]:
    name = _ident(owner, secrets.token_hex(8)) if ident is None else ident
    if not is_upload_of(owner, name):
        raise NotFound("there is no such upload")
    with disk(f"write {layout.ingests / name}"):
        try:
            fd = lock.claim(layout.ingests / name, create=ident is None)
        except FileNotFoundError:
            raise NotFound("there is no such upload", hint="it ended or was cleaned up; begin it again") from None
    if fd is None:
        raise Conflict("the upload is being written by another")
    return name, fd


def _discard(path: Path, fd: int) -> None:
    with lock.releasing(fd), disk(f"delete {path}"):
        path.unlink(missing_ok=True)


def _absorb(fd: int, hasher: _Hash) -> int:
    """Hash a file from its beginning and stay at its end; the number of bytes."""
    os.lseek(fd, 0, os.SEEK_SET)
    size = 0
    while data := os.read(fd, CHUNK):
        hasher.update(data)
        size += len(data)
    return size
