"""Leases: what running operations rely on, so that nobody deletes it under them.

A lease is one file, locked by the process that holds it, with a digest on each line. A digest is added under the
store lock, and whoever deletes reads all leases and deletes under that same lock; so content that was found here
after its digest was added stays until the lease ends. A lease whose lock can be had is dead: its process ended, in
whatever way, and the next collector removes it.

A lease for reading says that others are fetching content, as clients of a served store do. Pruning heeds it; removing
an image by its name does not.
"""

from __future__ import annotations

import os
import threading
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from jupyimg.errors import BadDigest
from jupyimg.model.digest import Digest
from jupyimg.store import lock
from jupyimg.store.layout import Layout, disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self


_READING = ".read"


class Lease:
    """Digests that stay until the lease ends. The file is made when the first one is added; threads may share it."""

    def __init__(self, layout: Layout, *, reading: bool = False) -> None:
        self._layout = layout
        self._path = layout.leases / (uuid.uuid4().hex + (_READING if reading else ""))
        self._fd: int | None = None
        self._held: set[Digest] = set()
        self._guard = threading.Lock()

    def add(self, *digests: Digest) -> None:
        """Rely on these digests from now on, whether they are here already or not.

        Raises:
            StoreError: the store cannot be written.
        """
        if self._held.issuperset(digests):
            return
        with self._guard, self._layout.locked(), disk("write a lease"):
            if self._fd is None:
                self._fd = lock.claim(self._path, create=True)
                assert self._fd is not None, "collectors look at leases under the store lock only"
            _append(self._fd, "".join(f"{digest}\n" for digest in digests))
            self._held.update(digests)

    def close(self) -> None:
        """End the lease."""
        with self._guard:
            fd, self._fd = self._fd, None
            if fd is not None:
                with lock.releasing(fd), disk("end a lease"):
                    _forget(self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def live(layout: Layout, *, reading: bool = False) -> set[Digest]:
    """What the leases of living processes name; dead leases are removed. Only under the store lock.

    Args:
        layout: the store.
        reading: those for reading too.
    """
    found: set[Digest] = set()
    with disk("read the leases"):
        for path in layout.leases.iterdir():
            with suppress(FileNotFoundError):  # it has just ended
                fd = lock.claim(path, create=False)
                if fd is None and (reading or path.suffix != _READING):
                    found.update(_digests(path.read_bytes()))
                elif fd is not None:
                    with lock.releasing(fd):
                        _forget(path)
    return found


def named(layout: Layout) -> set[Digest]:
    """What all leases name, whether their processes live or not; for those who do not hold the store lock."""
    found: set[Digest] = set()
    with disk("read the leases"):
        for path in layout.leases.glob("*"):
            with suppress(FileNotFoundError):
                found.update(_digests(path.read_bytes()))
    return found


def _append(fd: int, lines: str) -> None:
    """Write lines to the end, behind a line break in case an earlier write broke off in the middle of one."""
    os.lseek(fd, 0, os.SEEK_END)
    left = f"\n{lines}".encode()
    while left:
        left = left[os.write(fd, left) :]


def _digests(raw: bytes) -> Iterator[Digest]:
    for line in raw.decode("ascii", "replace").splitlines():
        with suppress(BadDigest):  # half a line: its writer broke off, before it relied on anything
            yield Digest(line)


def _forget(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except PermissionError:  # Windows keeps files that are open; a later collector removes it
        if os.name != "nt":
            raise
