"""Files: names of an archive or a folder, looked up and read where they lie; nothing is ever extracted.

A name is looked up as the path that it is inside the archive. Links are followed inside it only and not without end;
what is no plain file, stands twice, or leads outside is refused when somebody asks for it, and harmless otherwise.
"""

from __future__ import annotations

import os
import posixpath
import stat
import threading
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

from jupyimg.errors import ContentError
from jupyimg.model.content import CHUNK
from jupyimg.store.layout import disk
from jupyimg.store.tarstream import Member, members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Check = Callable[[], None]

MEMBERS = 200_000
"""The most entries of an archive; images have some five for each layer."""
_LINKS = 16


class Files(Protocol):
    """Files by name; methods may be called from several threads."""

    shown: str

    def size(self, name: str) -> int | None:
        """Bytes of a file, or None where there is none.

        Raises:
            ContentError: there is something of that name that cannot be read as a file.
        """
        ...

    def read(self, name: str, check: Check, offset: int = 0) -> Iterator[bytes]:
        """The bytes of a file from ``offset`` on; ``check`` is called before each chunk.

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
    """Where a file lies in an archive; ``twice`` where its name stands more than once."""

    member: Member
    twice: bool = False


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
        with disk(f"read {shown}"):
            total = file.seek(0, os.SEEK_END)
            file.seek(0)
            try:
                for count, member in enumerate(members(file, lambda size: file.seek(size, os.SEEK_CUR))):
                    _bounded(member, count, total)
                    check()
                    self._note(member)
            except ContentError as error:
                raise ContentError(f"{shown} is no archive of images: {error.message}", hint=_AGAIN) from None

    def size(self, name: str) -> int | None:
        place = self._find(name)
        return None if place is None else place.member.stored

    def read(self, name: str, check: Check, offset: int = 0) -> Iterator[bytes]:
        place = self._find(name)
        if place is None:
            raise _missing(self, name)
        at, end = place.member.offset + offset, place.member.offset + place.member.stored
        while at < end:
            check()
            with self._guard, disk(f"read {self.shown}"):
                self._file.seek(at)
                chunk = self._file.read(min(CHUNK, end - at))
            if not chunk:
                raise ContentError(f"{self.shown} is cut off", hint=_AGAIN)
            at += len(chunk)
            yield chunk

    def close(self) -> None:
        self._file.close()

    def _note(self, member: Member) -> None:
        path = _inside(member.path.decode("utf-8", "surrogateescape"))
        if path is None or member.kind == "5":
            return
        self._places[path] = _Place(member, twice=path in self._places)

    def _find(self, name: str) -> _Place | None:
        path = _inside(name)
        for _ in range(_LINKS):
            if path is None:
                raise ContentError(f"{name} leads out of {self.shown}", hint=_DISTRUST)
            place = self._places.get(path)
            if place is None:
                return None
            if place.twice:
                raise ContentError(f"{self.shown} holds {path} twice", hint=_DISTRUST)
            if place.member.kind not in "12":
                return _plain(place, path, self.shown)
            target = place.member.target.decode("utf-8", "surrogateescape")
            # a symbolic link is seen from where it lies, a hard link from the root
            path = _inside(posixpath.join(posixpath.dirname(path), target) if place.member.kind == "2" else target)
        raise ContentError(f"{name} in {self.shown} is a link that leads in a circle", hint=_DISTRUST)


class FolderFiles:
    """A folder on this disk."""

    def __init__(self, root: Path) -> None:
        self.shown = root.name or str(root)
        self._root = root
        with disk(f"read {root}"):
            self._real = root.resolve(strict=True)

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

    def close(self) -> None:
        """Nothing is held between two reads."""

    @contextmanager
    def _opened(self, name: str) -> Iterator[IO[bytes] | None]:
        path = _inside(name)
        with disk(f"read {name}"):
            real = None if path is None else (self._real / path).resolve()
            if real is None or not real.is_relative_to(self._real):
                raise ContentError(f"{name} leads out of {self.shown}", hint=_DISTRUST)
            try:
                kind = real.stat().st_mode
            except (FileNotFoundError, NotADirectoryError):
                kind = None
        if kind is None:
            yield None
            return
        if not stat.S_ISREG(kind):  # a pipe would be waited for
            raise _no_file(name, self.shown)
        with disk(f"read {name}"):
            file = real.open("rb", buffering=0)
        with file:
            yield file


_AGAIN = "bring the archive over again; nothing was loaded from it"
_DISTRUST = "do not trust where it came from; nothing was loaded from it"


def _bounded(member: Member, count: int, total: int) -> None:
    if member.offset + member.stored > total:
        raise ContentError("it is cut off")
    if count >= MEMBERS:
        raise ContentError(f"it holds more than {MEMBERS} entries, as no archive of images does")


def _plain(place: _Place, path: str, shown: str) -> _Place:
    if place.member.kind != "0" or place.member.stored != place.member.size:
        raise _no_file(path, shown)
    return place


def _no_file(name: str, shown: str) -> ContentError:
    return ContentError(f"{name} in {shown} is no plain file", hint=_DISTRUST)


def _missing(files: Files, name: str) -> ContentError:
    return ContentError(f"{name} is missing from {files.shown}", hint="the archive is not whole; save it again")


def _inside(path: str) -> str | None:
    """A path inside an archive in its shortest form; None where it is absolute, leads outside, or is the root."""
    short = posixpath.normpath(path)
    return None if short.startswith(("/", "../")) or short in {".", ".."} or "\0" in short else short
