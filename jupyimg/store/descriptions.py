"""Descriptions: what images in registries are, remembered by digest on this disk.

What a digest stands for never changes, so a description that was read off proven bytes is true for ever. They lie in
one file of lines beside the store, written at the end only: any number of processes may add to it at once, what a
killed one left half-written is a line that is skipped, and losing the file costs requests and nothing else. Past
`LIMIT` bytes the older half goes.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import msgspec

from jupyimg.model.digest import Digest
from jupyimg.model.documents import Size

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LIMIT = 8 << 20
"""Bytes of the file; about 30,000 images."""
_LINE = 64 << 10
"""Bytes of one line at most; a description that is longer is not kept."""


class Description(msgspec.Struct, frozen=True, omit_defaults=True):
    """One platform's image.

    Attributes:
        platform: "" where it is no image.
        size: bytes of its config and distinct layers.
        created: RFC 3339, "" where it does not say.
    """

    platform: str = ""
    size: Size = 0
    created: str = ""


class _Line(msgspec.Struct, frozen=True):
    repository: str
    digest: str
    images: tuple[Description, ...]


class Descriptions:
    """The memory of one process, and the file behind it. Safe to use from several threads.

    Args:
        path: the file; made when first needed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._made = False
        self._guard = threading.Lock()
        self._known: dict[str, tuple[Description, ...]] | None = None
        self._repositories: set[str] = set()

    def get(self, digest: Digest) -> tuple[Description, ...] | None:
        """What a manifest or index stands for, or None where that is not known."""
        return self._read().get(digest)

    def knows(self, repository: str) -> bool:
        """Whether anything of this repository was described before."""
        self._read()
        return repository in self._repositories

    def put(self, repository: str, digest: Digest, images: tuple[Description, ...]) -> None:
        """Remember a description that was read off proven bytes; a disk that takes no more is no error."""
        known = self._read()
        if digest in known and repository in self._repositories:
            return
        line = msgspec.json.encode(_Line(repository, str(digest), images)) + b"\n"
        with self._guard:
            known[digest] = images
            self._repositories.add(repository)
            if len(line) <= _LINE:
                self._append(line)

    def _append(self, line: bytes) -> None:
        try:
            if not self._made:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._made = True
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError:
            return

    def _read(self) -> dict[str, tuple[Description, ...]]:
        with self._guard:
            if self._known is None:
                self._known = {}
                for line in self._lines():
                    self._known[line.digest] = line.images
                    self._repositories.add(line.repository)
            return self._known

    def _lines(self) -> Iterable[_Line]:
        try:
            with self._path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > LIMIT:
                    file.seek(size - LIMIT // 2)
                raw = file.read(LIMIT)
            if size > LIMIT:
                raw = raw.partition(b"\n")[2]
                beside = self._path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
                beside.write_bytes(raw)
                beside.replace(self._path)
        except OSError:
            return []
        return [line for text in raw.splitlines() if (line := _line(text)) is not None]


_DECODER = msgspec.json.Decoder(_Line)


def _line(text: bytes) -> _Line | None:
    try:
        line = _DECODER.decode(text)
        Digest(line.digest)
    except ValueError:  # msgspec's errors and BadDigest are some
        return None
    return line
