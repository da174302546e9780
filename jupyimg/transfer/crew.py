"""Threads that move bytes, and the board they write on.

Daemon threads of our own and not an executor: an executor's are joined when Python ends, so one of them inside a
stalled connection would hold the whole kernel.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, Protocol, TypeVar

from jupyimg.errors import Conflict, Interrupted
from jupyimg.model.content import Patient, Phase, Step, Telling

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from jupyimg.model.content import Sink, Source
    from jupyimg.model.documents import Descriptor

    Place = Source | Sink

T = TypeVar("T")

TICK = 0.1
"""Seconds between two looks at the board: often enough for a display, rare enough to cost nothing."""
JOIN = 0.3
"""Seconds that threads may take to notice an interrupt before they are left to die alone."""


class Interruptible(Protocol):
    """Whatever can be made to fail soon."""

    def interrupt(self) -> None:
        """See `Source.interrupt`."""
        ...


class Pauses:
    """The pauses that places were told to make, counted down in whole seconds.

    Args:
        places: whoever may have to wait; the others are never asked.
    """

    def __init__(self, *places: object) -> None:
        self._places = [place for place in places if isinstance(place, Patient)]
        self._shown: dict[str, Step] = {}

    def add(self, place: Patient) -> None:
        """One more place."""
        self._places.append(place)

    def news(self) -> Iterator[Step]:
        """A step for each pause that began, went on by a second, or is over."""
        left = {host: math.ceil(seconds) for place in tuple(self._places) for host, seconds in place.pauses()}
        for host in [host for host in self._shown if host not in left]:
            yield Step(Phase.PAUSED, host, 0, self._shown.pop(host).total)
        for host, seconds in left.items():
            before = self._shown.get(host)
            if before is None or before.current != seconds:
                total = before.total if before and seconds < before.current else seconds
                self._shown[host] = Step(Phase.PAUSED, host, seconds, total)
                yield self._shown[host]


@dataclass(slots=True)
class Board:
    """What the threads have done so far. Each item is written by one thread; the caller's thread only reads."""

    steps: dict[str, Step] = field(default_factory=dict)
    seen: dict[str, Step] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    threads: list[Thread] = field(default_factory=list)
    stop: Event = field(default_factory=Event)
    pauses: Pauses = field(default_factory=Pauses)
    tellers: list[Telling] = field(default_factory=list)

    @property
    def moved(self) -> int:
        return sum(self.counts.values())

    def news(self) -> Iterator[Step]:
        for teller in self.tellers:
            for text in teller.notes():
                yield Step(Phase.NOTE, text=text)
        for item, step in list(self.steps.items()):
            if self.seen.get(item) is not step:
                self.seen[item] = step
                yield step
        yield from self.pauses.news()

    def note(self, phase: Phase, blob: Descriptor, current: int) -> None:
        earlier = max(0, current - self.counts.get(blob.digest, 0))
        self.steps[blob.digest] = Step(phase, blob.digest, current, blob.size, self.name(blob), earlier)

    def end(self, *places: Interruptible) -> None:
        """End what the threads are doing at these places, within `JOIN` seconds; ``stop`` is set already."""
        if any(thread.is_alive() for thread in self.threads):
            for place in places:
                place.interrupt()
            deadline = time.monotonic() + JOIN
            for thread in self.threads:
                thread.join(max(0.0, deadline - time.monotonic()))

    @staticmethod
    def name(blob: Descriptor) -> str:
        if blob.is_manifest:
            return "index" if blob.is_index else "manifest"
        return "config" if "config" in blob.media_type or "container.image" in blob.media_type else "layer"


class Stopped(Exception):
    """A thread noticed that the copy is over."""


def together(jobs: Sequence[Callable[[], object]], workers: int, board: Board) -> Iterator[Step]:
    """Run jobs on daemon threads, yield news of the board meanwhile, raise the first failure.

    Where there is no news for a while that is a step too, so that the caller can stop what has fallen silent.

    Raises:
        Conflict: this process can have no more threads, not even one.
    """
    todo: SimpleQueue[Callable[[], object]] = SimpleQueue()
    ended: SimpleQueue[BaseException | None] = SimpleQueue()
    for job in jobs:
        todo.put(job)
    running = 0
    for _ in range(min(workers, len(jobs))):
        thread = Thread(target=_work, args=(todo, ended, board.stop), daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            if not running:
                hint = "end what runs in this process, or raise its limit of threads"
                raise Conflict(f"nothing can be moved: {error}", hint=hint) from None
            break  # those that there are do it all
        board.threads.append(thread)
        running += 1
    while running:
        try:
            failure = ended.get(timeout=TICK)
        except Empty:
            told = False
            for step in board.news():
                told = True
                yield step
            if not told:
                yield Step(Phase.IDLE)
            continue
        running -= 1
        if failure is not None:
            yield from board.news()
            raise failure
    yield from board.news()


def _work(todo: SimpleQueue[Callable[[], object]], ended: SimpleQueue[BaseException | None], stop: Event) -> None:
    failure: BaseException | None = None
    try:
        while not stop.is_set():
            todo.get_nowait()()
    except Empty:
        pass
    except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
        failure = error
    ended.put(failure)


def apart(job: Callable[[], T], board: Board) -> Generator[Step, None, T]:
    """Run one job on a thread too: the caller's thread is never inside a system call that a stop cannot end."""
    result: list[T] = []
    yield from together([lambda: result.append(job())], 1, board)
    return result[0]


def aside(place: Place, job: Callable[[Callable[[Step], None]], T]) -> Generator[Step, None, T]:
    """Run one long job on a place beside the caller's thread; whatever ends it early interrupts the place.

    Args:
        place: what the job works on.
        job: is given a function that takes news of it.
    """
    board = Board(tellers=[place] if isinstance(place, Telling) else [])

    def tell(step: Step) -> None:
        board.steps[step.item] = step

    with stopping(place, place, board):
        return (yield from apart(partial(job, tell), board))


@contextmanager
def stopping(source: Place, sink: Place, board: Board) -> Iterator[None]:
    """Whatever ends the copy early also ends what its threads are doing."""
    try:
        yield
    except KeyboardInterrupt:
        done = sum(step.phase in {Phase.DONE, Phase.EXISTS} for step in board.steps.values())
        raise Interrupted(f"interrupted; {done} of {len(board.steps)} items are whole and kept") from None
    finally:
        board.stop.set()
        board.end(source, sink)
