"""Asking: many small requests at once, told as numbers of things, and ended at once by a stop.

Each job runs on a daemon thread (`crew`) and opens the places that it asks through `Asking.at`, so that whoever stops
can cut them all off. What fails is noted beside the name it failed for; a host that takes no more requests for longer
than we wait is not asked on by the jobs behind it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from jupyimg.errors import ImageError, Interrupted, RateLimited, Unreachable
from jupyimg.model.content import COUNTED, Phase, Step
from jupyimg.transfer.crew import Board

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyimg.registry import Desk, Repository

P = TypeVar("P", "Repository", "Desk")

PATIENCE = 8
"""Questions that may go unanswered before no more are asked."""
SHOWN = 20
"""Failures that are told one by one, and what places tell on the way."""


@dataclass(slots=True)
class Asking(Board):
    """The board of one question.

    Attributes:
        totals: how many there are of each thing that is counted.
        ended: those that are done, by thing; threads only append.
        failures: what failed, by name.
        skipped: what was not asked any more.
        unanswered: how many questions nobody answered.
        given_up: whether the host is asked no more, since it takes no more or does not answer.
    """

    totals: dict[str, int] = field(default_factory=dict)
    ended: dict[str, list[object]] = field(default_factory=dict)
    failures: list[tuple[str, ImageError]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    unanswered: int = 0
    given_up: bool = False
    _told: dict[str, tuple[int, int]] = field(default_factory=dict)
    _heard: SimpleQueue[str] = field(default_factory=SimpleQueue)
    _said: set[str] = field(default_factory=set)
    _places: set[Repository | Desk] = field(default_factory=set)
    _guard: Lock = field(default_factory=Lock)

    def news(self) -> Iterator[Step]:
        """What places tell, such as which mirror was passed by, each thing once; numbers that have changed; pauses."""
        with self._guard:
            places = list(self._places)
        for place in places:
            self._hear(place)
        while not self._heard.empty():
            text = self._heard.get()
            if text not in self._said and len(self._said) <= SHOWN:
                self._said.add(text)
                yield Step(Phase.NOTE, text=text if len(self._said) <= SHOWN else "and more of this kind")
        for thing, total in list(self.totals.items()):
            figures = len(self.ended.get(thing, ())), total
            if self._told.get(thing) != figures:
                self._told[thing] = figures
                yield Step(Phase.MOVING, thing, *figures, COUNTED)
        yield from self.pauses.news()

    def count(self, thing: str, total: int) -> None:
        """There are so many of this thing to do."""
        self.ended[thing] = []
        self.totals[thing] = total

    def enter(self, place: P, *, telling: bool = False) -> P:
        """Ask a place, which a stop cuts off.

        Args:
            place: whoever is asked.
            telling: count down the pauses that it is told to make; one place of a host is enough.

        Raises:
            Interrupted: it came already.
        """
        with self._guard:
            if self.stop.is_set():
                raise Interrupted
            self._places.add(place)
            if telling:
                self.pauses.add(place)
        return place

    @contextmanager
    def at(self, place: P) -> Iterator[P]:
        """Ask a place that is of no more use afterwards; a stop cuts it off.

        Raises:
            Interrupted: it came already.
        """
        try:
            yield self.enter(place)
        finally:
            with self._guard:
                self._places.discard(place)
            self._hear(place)

    def _hear(self, place: Repository | Desk) -> None:
        for text in place.notes():
            self._heard.put(text)

    def attempt(self, name: str, thing: str, job: Callable[[], object]) -> bool:
        """Do one of the things; False where it failed, which is noted, or was not tried any more."""
        try:
            if self.given_up:
                self.skipped.append(name)
                return False
            job()
        except ImageError as error:
            self.failures.append((name, error))
            self.unanswered += isinstance(error, Unreachable)
            self.given_up = self.given_up or isinstance(error, RateLimited) or self.unanswered >= PATIENCE
            return False
        finally:
            self.ended[thing].append(name)
        return True

    def notes(self) -> list[str]:
        """What failed, in lines."""
        lines = [f"{name}: {error.message}" for name, error in self.failures[:SHOWN]]
        more = len(self.failures) - SHOWN
        lines += [f"and {more} more that could not be read"] if more > 0 else []
        lines += [f"{len(self.skipped)} more were not asked; run the line again later"] if self.skipped else []
        return lines

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Whatever ends the question early also ends what its threads are doing, soon."""
        try:
            yield
        except KeyboardInterrupt:
            done = ", ".join(f"{len(self.ended[thing])} of {total} {thing}" for thing, total in self.totals.items())
            raise Interrupted(f"interrupted{f'; {done} are read and remembered' if done else ''}") from None
        finally:
            with self._guard:
                self.stop.set()
                places = list(self._places)
            self.end(*places)
