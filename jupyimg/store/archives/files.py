"""Files: names of an archive or a folder, looked up and read where they lie; nothing is ever extracted.

A name is looked up as the path that it is inside the archive. Links are followed inside it only and not without end;
what is no plain file, stands twice, or leads outside is refused when somebody asks for it, and harmless otherwise.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
import threading
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

from jupyimg.errors import ContentError
from jupyimg.model.content import CHUNK
from jupyimg.store.layout import disk
from jupyimg.store.tarstream import BLOCK, Member, members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Check = Callable[[], None]

MEMBERS = 100_000
"""The most entries of an archive; images have at most five for each layer."""
_LINKS = 16
_HEAD = 8
_NAME, _NAMES = 4096, 32 << 20
"""Bytes of the longest name that anybody asks for (a path of Linux), and of all that are remembered."""
_UNOPENED = (errno.ELOOP, errno.ENXIO, errno.ENAMETOOLONG)
_PLAIN, _HARD, _SYMBOLIC, _FOLDER = "0", "1", "2", "5"


class Files(Protocol):
    """Files by name; methods may be called from several threads."""

    shown: str

    def place(self, name: str) -> str:
        """The name of the file that a name leads to; the same for all names of one file.

        Raises:
            ContentError: there is no such file.
        """
        ...

    def size(self, name: str) -> int | None:
        """Bytes of a file, or None where there is none.

        Raises:
            ContentError: there is something of that name that cannot be read as a file.
        """
        ...

    def read(self, name: str, check: Check, offset: int = 0) -> Iterator[bytes]:
        """The bytes of a file from ``offset`` on; ``check`` is called before each chunk.

        Raises:
            ContentError: there is no such file, or it has become shorter.
        """
        ...

    def head(self, name: str) -> bytes:
        """The first bytes of a file, by which its kind is told.

        Raises:
            ContentError: there is no such file.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def small(files: Files, name: str, limit: int) -> bytes:
    """All of a file that is not larger than ``limit`` bytes.

    Raises:
        ContentError: it is not here, or larger.
    """
    size = files.size(name)
    if size is None:
        raise _missing(files, name)
    if size > limit:
        raise ContentError(f"{files.shown} holds a {name} of {size} bytes, which is more than {limit}")
    return b"".join(files.read(name, lambda: None))


class _Place(NamedTuple):
    """Where a file lies in an archive, or where a link leads; ``twice`` where its name stands more than once."""

    kind: str
    offset: int
    size: int
    target: bytes
    twice: bool


class TarFiles:
    """A tar on this disk, uncompressed.

    Args:
        file: the tar, from its beginning; it is this object's from now on.
        shown: what to call it.
        check: called now and then while its headers are read.

    Raises:
        ContentError: it is not a tar, damaged, cut off, or holds too much.
    """

    def __init__(self, file: IO[bytes], shown: str, check: Check) -> None:
        self.shown = shown
        self._file = file
        self._guard = threading.Lock()
        self._places: dict[str, _Place] = {}
        self._named = 0
        with disk(f"read {shown}"):
            total = file.seek(0, os.SEEK_END)
            file.seek(0)
            try:
                for count, member in enumerate(
                    members(file, lambda size: file.seek(size + -size % BLOCK, os.SEEK_CUR))
                ):
                    check()
                    self._note(member, count, total)
            except ContentError as error:
                raise ContentError(f"{shown} is no archive of images: {error.message}", hint=_AGAIN) from None

    def place(self, name: str) -> str:
        found = self._find(name)
        if found is None:
            raise _missing(self, name)
        return found[0]

    def size(self, name: str) -> int | None:
        found = self._find(name)
        return None if found is None else found[1].size

    def read(self, name: str, check: Check, offset: int = 0) -> Iterator[bytes]:
        place = self._places[self.place(name)]
        at, end = place.offset + offset, place.offset + place.size
        while at < end:
            check()
            chunk = self._bytes(at, min(CHUNK, end - at))
            at += len(chunk)
            yield chunk

    def head(self, name: str) -> bytes:
        place = self._places[self.place(name)]
        return self._bytes(place.offset, min(_HEAD, place.size)) if place.size else b""

    def close(self) -> None:
        self._file.close()

    def _bytes(self, at: int, count: int) -> bytes:
        with self._guard, disk(f"read {self.shown}"):
            self._file.seek(at)
            chunk = self._file.read(count)
        if not chunk:
            raise ContentError(f"{self.shown} has become shorter while it was read", hint=_AGAIN)
        return chunk

    def _note(self, member: Member, count: int, total: int) -> None:
        """Remember where an entry lies.

        Raises:
            ContentError: it goes beyond the end, or there are too many.
        """
        if member.offset + member.stored > total:
            raise ContentError("it is cut off")
        long = max(len(member.path), len(member.target)) > _NAME
        path = None if long else _inside(member.path.decode("utf-8", "surrogateescape"))
        if path is None or member.kind == _FOLDER:
            path = ""  # counts, but is not to be found
        self._named += len(path) + len(member.target) if path else 0
        if count >= MEMBERS or self._named > _NAMES:
            raise ContentError(f"it holds more than {count} entries, as no archive of images does")
        sparse = member.stored != member.size and member.kind == _PLAIN
        kind = "S" if sparse else member.kind
        if path:
            self._places[path] = _Place(kind, member.offset, member.stored, member.target, path in self._places)

    def _find(self, name: str) -> tuple[str, _Place] | None:
        """The path of the file that a name leads to, and where it lies."""
        path = _inside(name)
        for _ in range(_LINKS):
            if path is None:
                raise ContentError(f"{name} leads out of {self.shown}", hint=_DISTRUST)
            place = self._places.get(path)
            if place is None:
                return None
            if place.twice:
                raise ContentError(f"{self.shown} holds {path} twice", hint=_DISTRUST)
            if place.kind == _PLAIN:
                return path, place
            if place.kind not in {_HARD, _SYMBOLIC}:
                raise _no_file(path, self.shown)
            target = place.target.decode("utf-8", "surrogateescape")
            # a symbolic link is seen from where it lies, a hard link from the root
            path = _inside(posixpath.join(posixpath.dirname(path), target) if place.kind == _SYMBOLIC else target)
        raise ContentError(f"{name} in {self.shown} is a link that leads in a circle", hint=_DISTRUST)


class FolderFiles:
    """A folder on this disk; it may change meanwhile, so each file is judged by what was opened."""

    def __init__(self, root: Path) -> None:
        self.shown = root.name or str(root)
        with disk(f"read {root}"):
            self._root = os.path.realpath(root, strict=True)

    def place(self, name: str) -> str:
        with self._opened(name) as file:
            if file is None:
                raise _missing(self, name)
        return os.path.relpath(self._real(name), self._root)

    def size(self, name: str) -> int | None:
        with self._opened(name) as file:
            return None if file is None else os.fstat(file.fileno()).st_size

    def read(self, name: str, check: Check, offset: int = 0) -> Iterator[bytes]:
        with self._opened(name) as file:
            if file is None:
                raise _missing(self, name)
            with disk(f"read {name}"):
                file.seek(offset)
                while chunk := file.read(CHUNK):
                    check()
                    yield chunk

    def head(self, name: str) -> bytes:
        with self._opened(name) as file, disk(f"read {name}"):
            if file is None:
                raise _missing(self, name)
            return file.read(_HEAD)

    def close(self) -> None:
        """Nothing is held between two reads."""

    def _real(self, name: str) -> str:
        path = _inside(name)
        real = os.path.realpath(os.path.join(self._root, path)) if path else ""  # noqa: PTH118 - pathlib's fails at loops
        if os.path.commonpath([real or "/", self._root]) != self._root:
            raise ContentError(f"{name} leads out of {self.shown}", hint=_DISTRUST)
        return real

    @contextmanager
    def _opened(self, name: str) -> Iterator[IO[bytes] | None]:
        with disk(f"read {name}"):
            try:
                # without waiting for whoever might write into a pipe
                fd = os.open(self._real(name), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
            except (FileNotFoundError, NotADirectoryError):
                fd = None
            except OSError as error:
                if error.errno in _UNOPENED:
                    raise _no_file(name, self.shown) from None
                raise
        if fd is None:
            yield None
            return
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise _no_file(name, self.shown)
        with os.fdopen(fd, "rb", buffering=0) as file:
            yield file


_AGAIN = "bring the archive over again; nothing was loaded from it"
_DISTRUST = "do not trust where it came from; nothing was loaded from it"


def _no_file(name: str, shown: str) -> ContentError:
    return ContentError(f"{name} in {shown} is no plain file", hint=_DISTRUST)


def _missing(files: Files, name: str) -> ContentError:
    return ContentError(f"{name} is missing from {files.shown}", hint="the archive is not whole; save it again")


def _inside(path: str) -> str | None:
    """A path inside an archive in its shortest form; None where it is absolute, leads outside, or is the root."""
    short = posixpath.normpath(path)
    return None if short.startswith(("/", "../")) or short in {".", ".."} or "\0" in short else short
