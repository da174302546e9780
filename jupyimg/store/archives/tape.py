"""Tape: the tar that an archive is written to, as members whose places are known before their bytes come.

Sizes are promised, so the order in which members are placed settles where each lies. A file takes several members at
once, each through a handle of its own; a pipe, and what is compressed on the way, grows at one place and takes one
after the other.
"""

from __future__ import annotations

import tarfile
import threading
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from jupyimg.store.archives.outer import wrapped
from jupyimg.store.archives.target import target_file, writing
from jupyimg.store.tarstream import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_LANES = 4
"""Members that are written to a file at once: more than most machines that hold notebooks have processors."""


class Place(NamedTuple):
    """Where a member lies: the headers before it, those of new folders among them, and how much content follows."""

    offset: int
    head: bytes
    size: int


class Tape:
    """A tar that grows, until `close` gives it its name or `drop` does away with it.

    Args:
        target: a path, whose suffix says how to compress (``.tar``, ``.tar.gz``, ``.tar.zst``); or a stream.

    Attributes:
        shown: what to call it.
        lanes: how many members may be written at once.
        turn: held by whoever places and writes the next member of what takes but one.

    Raises:
        Unsupported: the suffix of a compression that is not written.
        StoreError: there is no such folder, or it may not be written.
    """

    def __init__(self, target: Path | IO[bytes]) -> None:
        self.shown = target.name if isinstance(target, Path) else "the stream"
        self.lanes = 1
        self.turn: AbstractContextManager[object] = threading.Lock()
        self._target = target
        self._fresh = ExitStack()
        self._file, self._out = self._opened()
        self._guard = threading.Lock()
        self._folders: set[str] = set()
        self._end = 0

    def place(self, name: str, size: int) -> Place:
        """Give the next member its place, behind all that were placed before."""
        with self._guard:
            head = b"".join(self._new_folders(name)) + _header(name, size)
            place = Place(self._end, head, size)
            self._end += len(head) + size + -size % BLOCK
        return place

    @contextmanager
    def member(self, place: Place) -> Iterator[IO[bytes]]:
        """Where the content of a member goes; all of it must be written before the block ends.

        Raises:
            DiskFull, StoreError: it could not be written.
        """
        with writing(self.shown), self._lane(place.offset) as out:
            out.write(place.head)
            yield out
            out.write(bytes(-place.size % BLOCK))

    def close(self) -> None:
        """End the tar, and let a file appear under its name."""
        with writing(self.shown):
            with self._lane(self._end) as out:
                out.write(bytes(2 * BLOCK))
            if self._out is not self._file:
                self._out.close()
            self._file.flush()
        self._fresh.close()

    def drop(self) -> None:
        """Leave nothing of a file that has not got its name."""
        unfinished = EOFError()
        self._fresh.__exit__(type(unfinished), unfinished, None)

    # ---- how

    def _opened(self) -> tuple[IO[bytes], IO[bytes]]:
        target = self._target
        if not isinstance(target, Path):
            return target, target
        wrap = wrapped(target.name)
        file = self._fresh.enter_context(target_file(target))
        out = wrap(file)
        if out is file:
            self.lanes, self.turn = _LANES, nullcontext()
        return file, out

    @contextmanager
    def _lane(self, offset: int) -> Iterator[IO[bytes]]:
        """A handle that stands at an offset: of its own, so that none that is late writes where it was closed."""
        if self.lanes == 1:
            yield self._out
        else:
            with Path(self._file.name).open("r+b") as out:
                out.seek(offset)
                yield out

    def _new_folders(self, name: str) -> Iterator[bytes]:
        """Headers of the folders on the way to a member that have none yet."""
        for at in (at for at, letter in enumerate(name) if letter == "/"):
            folder = name[: at + 1]
            if folder not in self._folders:
                self._folders.add(folder)
                yield _header(folder, 0, kind=tarfile.DIRTYPE)


def _header(name: str, size: int, *, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.mode = size, kind, 0o755 if kind == tarfile.DIRTYPE else 0o644
    return info.tobuf(tarfile.PAX_FORMAT)
