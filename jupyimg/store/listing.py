"""Listing: index.json as entries, and entries as index.json.

What we did not write survives: a line that we do not change is written back as the bytes it was, whether we understand
it or not, and so are the fields beside ``manifests``. A line's name is its ``io.containerd.image.name``, else its
``org.opencontainers.image.ref.name`` where that looks like the name of an image; a single word (``latest``, as
``docker save`` and umoci write it) is a tag of nobody knows what, so such a line has no name here.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from jupyimg.errors import BadDigest, BadManifest, BadReference, StoreError
from jupyimg.model.codec import decode, encode
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_INDEX, Descriptor
from jupyimg.model.reference import Reference
from jupyimg.store.layout import Layout, disk
from jupyimg.store.names import REF_NAME, Entries, Entry

if TYPE_CHECKING:
    from os import stat_result

FULL_NAME = "io.containerd.image.name"
REPOSITORY = "org.jupyimg.repository"
INDEX_DIGEST = "org.jupyimg.index.digest"
INDEX_SIZE = "org.jupyimg.index.size"
INDEX_TYPE = "org.jupyimg.index.mediaType"

_EMPTY = b'{"schemaVersion":2,"mediaType":"%s","manifests":[]}' % OCI_INDEX.encode()
_RACY = 50_000_000  # ns; a file this young may change again without a change of its times
_TRIES = 4  # other tools write index.json in place, so half of it may be seen


def read_entry(raw: bytes) -> Entry:
    """One line of index.json.

    Raises:
        BadManifest: not a descriptor.
    """
    descriptor = decode(raw, Descriptor, own=True)
    notes = dict(descriptor.annotations or {})
    name, index = _name(notes), _index(notes)
    if name is not None:
        notes.pop(REF_NAME, None)
        notes.pop(FULL_NAME, None)
    repository = notes.pop(REPOSITORY, None)
    if index is not None:
        for key in (INDEX_DIGEST, INDEX_SIZE, INDEX_TYPE):
            notes.pop(key, None)
    descriptor = msgspec.structs.replace(descriptor, annotations=notes or None)
    return Entry(name, None if name else repository, descriptor, index)


def write_entry(entry: Entry) -> bytes:
    """One line of index.json; `read_entry` gives the same entry back."""
    notes = dict(entry.descriptor.annotations or {})
    if entry.name:
        notes[REF_NAME] = notes[FULL_NAME] = str(entry.name)
    elif entry.repository:
        notes[REPOSITORY] = entry.repository
    if entry.index:
        notes[INDEX_DIGEST] = str(entry.index.digest)
        notes[INDEX_SIZE] = str(entry.index.size)
        notes[INDEX_TYPE] = entry.index.media_type
    return encode(msgspec.structs.replace(entry.descriptor, annotations=notes or None))


def _name(notes: dict[str, str]) -> Reference | None:
    for key in (FULL_NAME, REF_NAME):
        text = notes.get(key, "")
        if any(mark in text for mark in ":/@"):
            try:
                return Reference.parse(text)
            except BadReference:
                continue
    return None


def _index(notes: dict[str, str]) -> Descriptor | None:
    digest, size = notes.get(INDEX_DIGEST), notes.get(INDEX_SIZE, "")
    if digest is None or not (size.isascii() and size.isdecimal()):
        return None
    try:
        return Descriptor(media_type=notes.get(INDEX_TYPE, OCI_INDEX), digest=Digest(digest), size=int(size))
    except BadDigest:
        return None


@dataclass(frozen=True, slots=True)
class _Page:
    """One state of index.json.

    Attributes:
        raw: all of it.
        entries: the lines that we understand.
        lines: each of those as it was written.
        strange: the lines that we do not understand.
        head: the fields beside ``manifests``.
    """

    raw: bytes
    entries: Entries = ()
    lines: dict[bytes, Entry] = field(default_factory=dict)
    strange: tuple[bytes, ...] = ()
    head: dict[str, msgspec.Raw] = field(default_factory=dict)


def _read_page(raw: bytes, before: _Page) -> _Page:
    """Understand index.json; lines that were known before are not read again."""
    head = decode(raw, dict[str, msgspec.Raw], own=True)
    manifests = bytes(head.pop("manifests", b"[]"))
    listed = [] if manifests == b"null" else decode(manifests, list[msgspec.Raw], own=True)  # Go writes null for none
    lines: dict[bytes, Entry] = {}
    entries: list[Entry] = []
    strange: list[bytes] = []
    for item in listed:
        line = bytes(item)
        entry = before.lines.get(line) or lines.get(line)
        if entry is None:
            try:
                entry = read_entry(line)
            except BadManifest:
                strange.append(line)
                continue
        lines[line] = entry
        entries.append(entry)
    return _Page(raw, tuple(entries), lines, tuple(strange), head)


class Listing:
    """index.json, read again only when it has changed. Safe to use from several threads."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._page = _read_page(_EMPTY, _Page(b""))
        self._seen: tuple[int, int, int] | None = None
        self._guard = threading.Lock()

    def entries(self) -> Entries:
        """What is held; nothing where there is no store yet.

        Raises:
            StoreError: index.json is damaged or unreadable, or this is no layout that we understand.
        """
        with self._guard, disk(f"read {self._layout.index}"):
            try:
                signature = _signature(self._layout.index.stat())
            except FileNotFoundError:
                signature = None
            if signature is None or signature != self._seen:
                self._load()
        return self._page.entries

    def fresh(self) -> Entries:
        """What is held, whatever the file's times say; for those who hold the store lock."""
        with self._guard, disk(f"read {self._layout.index}"):
            self._load()
        return self._page.entries

    @property
    def strange(self) -> tuple[bytes, ...]:
        """Lines of the last state seen that are not descriptors."""
        return self._page.strange

    def write(self, entries: Entries) -> None:
        """Write index.json, unless it says so already. Only under the store lock, after `fresh`."""
        page = self._page
        if entries == page.entries and self._layout.index.exists():
            return
        written = {id(entry): line for line, entry in page.lines.items()}
        lines = {written.get(id(entry)) or write_entry(entry): entry for entry in entries}
        raw = _rendered(page, list(lines))
        self._layout.replace(self._layout.index, [raw])
        with self._guard:
            self._page = _Page(raw, tuple(lines.values()), lines, page.strange, page.head)
            self._seen = None

    def _load(self) -> None:
        """Read the file; half a file, as a tool that writes in place leaves it for a moment, is given that moment."""
        for left in reversed(range(_TRIES)):
            raw, status = self._bytes()
            if raw != self._page.raw:
                self._layout.check()
                try:
                    self._page = _read_page(raw, self._page)
                except BadManifest as error:
                    if not left:
                        raise self._damaged(error) from None
                    time.sleep(0.03)
                    continue
            settled = status is not None and time.time_ns() - status.st_mtime_ns > _RACY
            self._seen = _signature(status) if settled and status else None
            return

    def _bytes(self) -> tuple[bytes, stat_result | None]:
        try:
            with self._layout.index.open("rb") as file:
                status = os.fstat(file.fileno())
                return file.read(), status
        except FileNotFoundError:
            self._layout.check()
            return _EMPTY, None

    def _damaged(self, error: BadManifest) -> StoreError:
        return StoreError(
            f"{self._layout.index} is damaged: {error.message}",
            hint="no content was lost; put an older index.json back, or move it away and pull again what you need",
        )


def _rendered(page: _Page, lines: list[bytes]) -> bytes:
    head = page.head or {"schemaVersion": msgspec.Raw(b"2")}
    fields = [b"%s:%s" % (encode(key), bytes(value)) for key, value in head.items()]
    body = b",\n".join([*lines, *page.strange])
    return b'{%s,\n"manifests":[\n%s\n]}\n' % (b",".join(fields), body)


def _signature(status: stat_result) -> tuple[int, int, int]:
    return status.st_mtime_ns, status.st_size, status.st_ino
