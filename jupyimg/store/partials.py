"""Partials: bytes of transfers that have not ended, and whether somebody still brings the rest.

They are kept, so that the next attempt goes on from them, until somebody says which are too old to wait for.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from jupyimg.store import lock
from jupyimg.store.garbage import Freed
from jupyimg.store.ingest import digest_of
from jupyimg.store.layout import Layout, disk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from jupyimg.model.digest import Digest


class Partial(NamedTuple):
    """Bytes of a transfer that has not ended.

    Attributes:
        digest: what they are to become; None for an upload.
        size: bytes that are there.
        written: when they were last written to (seconds since the epoch).
        live: whether a living process writes or relies on them.
    """

    digest: Digest | None
    size: int
    written: float
    live: bool


def partials(layout: Layout, leased: Collection[Digest] = ()) -> list[Partial]:
    """All ingests. Only under the store lock.

    Raises:
        StoreDenied: the store cannot be written, so nobody can say which of them live.
    """
    return [item for _, item in _partials(layout, leased)]


def delete(layout: Layout, leased: Collection[Digest], doomed: Callable[[Partial], bool]) -> list[Freed]:
    """Delete ingests of which no living process needs one. Only under the store lock.

    Args:
        layout: the store.
        leased: what live leases name.
        doomed: which of those that do not live are to go.
    """
    freed = []
    for path, item in _partials(layout, leased):
        if not item.live and doomed(item):
            with disk("clean up downloads"):
                fd = _claimed(path)
                if fd is not None:
                    with lock.releasing(fd):
                        path.unlink()
                        freed.append(Freed(item.digest, os.fstat(fd).st_size))
    return freed


def _partials(layout: Layout, leased: Collection[Digest]) -> Iterator[tuple[Path, Partial]]:
    with disk("look at downloads"):
        for path in sorted(layout.ingests.glob("*")):
            with suppress(FileNotFoundError):  # it has just become content
                fd = lock.claim(path, create=False)
                status = path.stat() if fd is None else os.fstat(fd)
                if fd is not None:
                    lock.release(fd)
                digest = digest_of(path)
                yield path, Partial(digest, status.st_size, status.st_mtime, fd is None or digest in leased)


def _claimed(path: Path) -> int | None:
    try:
        return lock.claim(path, create=False)
    except FileNotFoundError:  # it has just become content
        return None


def unproven(layout: Layout) -> list[Partial]:
    """All ingests of a store that cannot be written; all count as live."""
    found = []
    with disk("look at downloads"):
        for path in sorted(layout.ingests.glob("*")):
            with suppress(FileNotFoundError):
                status = path.stat()
                found.append(Partial(digest_of(path), status.st_size, status.st_mtime, live=True))
    return found
