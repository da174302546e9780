"""The ports: what any place that holds images can do, and the steps that moving content reports.

A place is a registry's repository, an OCI layout on disk, an archive, or two dictionaries in a test. `transfer.copy`
knows nothing else, so pull, push, save, load and copy are one algorithm with different ends. Bytes are handed over as
iterators of chunks, never as whole layers, except manifests and configs, which `documents.MANIFEST_LIMIT` bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from jupyimg.errors import DigestMismatch, SizeMismatch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from threading import Event

    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Descriptor
    from jupyimg.model.reference import Reference

T = TypeVar("T")

CHUNK = 1 << 20
"""Bytes handed over at a time: 1 MiB measured best between a socket and a disk."""


class Source(Protocol):
    """A place that content comes from. Methods may be called from several threads at once."""

    def resolve(self, reference: Reference) -> Descriptor:
        """What the name points at: the root manifest or index, with its true size.

        Raises:
            NotFound: there is no such name here.
        """
        ...

    def read(self, descriptor: Descriptor, offset: int = 0) -> Iterator[bytes]:
        """The bytes of a blob or manifest from ``offset`` on, in chunks; the receiver verifies them.

        A source that cannot start in the middle skips what was not asked for; a broken connection is mended inside.

        Raises:
            NotFound: it is not here.
            RegistryError, StoreError: it could not be read.
        """
        ...

    def interrupt(self) -> None:
        """Make every read that is under way, in any thread, fail soon; the place stays usable afterwards."""
        ...


@runtime_checkable
class Telling(Protocol):
    """A place that has something to tell on the way, such as that it tries again."""

    def notes(self) -> list[str]:
        """Lines for people on what has happened since this was last asked."""
        ...


@runtime_checkable
class WithMirrors(Telling, Protocol):
    """What a `Source` that reads the same bytes from one of several places offers besides."""

    def doubt(self, descriptor: Descriptor) -> bool:
        """Be told that the bytes read as this were wrong; whether the next read goes elsewhere, so is worth a try."""
        ...


class Sink(Protocol):
    """A place that content goes to. Methods may be called from several threads at once."""

    def has(self, descriptor: Descriptor) -> bool:
        """Whether this content is here, whole, and will stay until the operation has ended."""
        ...

    def write(self, descriptor: Descriptor, read: Callable[[int], Iterator[bytes]]) -> None:
        """Take content in; it becomes visible only once its size and digest are proven.

        Args:
            descriptor: what the bytes must be.
            read: opens the bytes at an offset; may be called again, for a second try or for a resume.

        Raises:
            DigestMismatch, SizeMismatch: the bytes were not what the descriptor says; nothing was kept.
            RegistryError, StoreError: they could not be written.
        """
        ...

    def publish(self, reference: Reference, root: Descriptor, held: tuple[Descriptor, ...]) -> None:
        """Give the name to content that is here; the last act of a copy.

        Args:
            reference: the name.
            root: what it points at: the manifest, or the index that ``held`` belongs to.
            held: the image manifests that were brought; for a single manifest, that one. Fewer than the index
                lists means that it is held in part.
        """
        ...

    def interrupt(self) -> None:
        """Make every write that is under way, in any thread, fail soon; the place stays usable afterwards."""
        ...


@runtime_checkable
class Expectant(Protocol):
    """A `Sink` in which content has an order, whatever comes first."""

    def expect(self, descriptors: Sequence[Descriptor]) -> None:
        """Be told, before the first of them, what will be written and in which order it is to lie."""
        ...


@runtime_checkable
class Patient(Protocol):
    """A place that may be told to wait, such as a registry that counts requests."""

    def pauses(self) -> Sequence[tuple[str, float]]:
        """Who asks for a pause right now, by name, and the seconds that are left of it."""
        ...


class Phase(StrEnum):
    """Where one item of a transfer stands; the words are Docker's where Docker has one."""

    NOTE = "note"
    WAITING = "waiting"
    EXISTS = "exists"
    MOVING = "moving"
    DONE = "done"
    FAILED = "failed"
    PAUSED = "paused"
    IDLE = "idle"


ARCHIVE = "archive"
"""The item and text of steps about the file that images are read from; it EXISTS once it has been read."""
COUNTED = "counted"
"""The text of a step whose figures are numbers of things and not bytes."""
FREED = "freed"
"""The item and text of a step whose figures are bytes of disk that are given back."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a long operation reports on its way, in the thread that asked for it.

    Attributes:
        phase: where the item stands; ``NOTE`` carries a line of text and no item; ``PAUSED`` counts the seconds down
            until a host (the item) may be asked again, 0 when it may; ``IDLE`` says nothing new and only lets whoever
            follows have a say: look at the clock, or stop.
        item: what moves (a digest), what is counted ("tags"), or "".
        current: bytes moved so far, those of an earlier attempt included; things counted; seconds left of a pause.
        total: bytes in all; things to count; seconds that the pause was to take.
        text: for a note, the line; for an item, what it is ("layer", "config", "manifest"), or `COUNTED`.
        earlier: those of the current bytes that did not move in this operation, but in an earlier attempt.
    """

    phase: Phase
    item: str = ""
    current: int = 0
    total: int = 0
    text: str = ""
    earlier: int = 0


def drain(steps: Generator[Step, None, T]) -> T:
    """Run a generator of steps to its end and return its result."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: T = stop.value
            return result


def told(steps: Generator[Step, None, T], tell: Callable[[Step], None], stop: Event) -> T:
    """Run a generator of steps to its end beside the notebook, and tell each; a stop is heard between two of them.

    It is what the interrupt button is to a cell: KeyboardInterrupt in the generator, which closes its connections. No
    other thing may throw into a thread, since it would also hit between taking a lock and noting that it is held.

    Args:
        steps: come ten times a second, also from what has fallen silent.
        tell: takes each.
        stop: set, from any thread, by whoever has had enough.

    Raises:
        KeyboardInterrupt: it was stopped; besides that, whatever the generator raises.
    """
    while True:
        try:
            step = steps.throw(KeyboardInterrupt()) if stop.is_set() else next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        tell(step)


def verified(descriptor: Descriptor, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass chunks on, and raise at the end unless they were exactly what the descriptor says.

    Stops one chunk past the promised size, so that a source cannot send for ever.

    Raises:
        SizeMismatch, DigestMismatch: they were not.
    """
    hasher, size = descriptor.digest.hasher(), 0
    for chunk in chunks:
        size += len(chunk)
        if size > descriptor.size:
            break
        hasher.update(chunk)
        yield chunk
    prove(descriptor.digest, hasher.hexdigest(), descriptor.size, size)


def prove(digest: Digest, found: str, expected: int | None, size: int) -> None:
    """Compare what arrived with what was promised, size first because it says more.

    Raises:
        SizeMismatch, DigestMismatch: they differ.
    """
    if expected is not None and size != expected:
        how = "more" if size > expected else "only"
        raise SizeMismatch(f"{digest.short} should have {expected} bytes, but {how} {size} arrived")
    if found != digest.encoded:
        raise DigestMismatch(f"the bytes of {digest} have the digest {digest.algorithm}:{found}")
