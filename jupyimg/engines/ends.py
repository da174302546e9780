"""Ends of a copy that know one thing more than the place they stand for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from jupyimg.model.content import Expectant, Sink
from jupyimg.store.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jupyimg.model.content import Source
    from jupyimg.model.documents import Descriptor
    from jupyimg.model.reference import Reference


@dataclass(frozen=True, slots=True)
class Pinned:
    """A Source whose names all mean one descriptor, chosen beforehand.

    Several operations may read one store at once, so what ends one of them stays here and is not the place's.
    """

    place: Source
    root: Descriptor
    _stop: Stop = field(default_factory=Stop, compare=False, repr=False)

    def resolve(self, reference: Reference) -> Descriptor:  # noqa: ARG002 - that is the point
        """What was chosen."""
        return self.root

    def read(self, descriptor: Descriptor, offset: int = 0) -> Iterator[bytes]:
        """The place's bytes."""
        check = self._stop.watch()
        for chunk in self.place.read(descriptor, offset):
            yield chunk
            check()

    def interrupt(self) -> None:
        """End what is under way by way of this end."""
        self._stop.interrupt()


class Keeper(Sink, Protocol):
    """A Sink that also takes what has no name."""

    def publish(self, reference: Reference | None, root: Descriptor, held: tuple[Descriptor, ...]) -> None:
        """See `Sink.publish`; None lists it without a name."""
        ...


@dataclass(frozen=True, slots=True)
class Nameless:
    """A Sink that lists what comes without a name."""

    sink: Keeper

    def expect(self, descriptors: Sequence[Descriptor]) -> None:
        """Let a sink that has an order know it."""
        if isinstance(self.sink, Expectant):
            self.sink.expect(descriptors)

    def has(self, descriptor: Descriptor) -> bool:
        """Whether the sink has it."""
        return self.sink.has(descriptor)

    def write(self, descriptor: Descriptor, read: Callable[[int], Iterator[bytes]]) -> None:
        """Let the sink take it in."""
        self.sink.write(descriptor, read)

    def publish(self, reference: Reference, root: Descriptor, held: tuple[Descriptor, ...]) -> None:  # noqa: ARG002
        """List it; nobody learns the name."""
        self.sink.publish(None, root, held)

    def interrupt(self) -> None:
        """End what is under way."""
        self.sink.interrupt()


def sink_for(name: Reference | None, keeper: Keeper) -> Sink:
    """The sink itself for what has a name."""
    return keeper if name else Nameless(keeper)
