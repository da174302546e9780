"""Clearing: a pruning that `reclaim` has decided, done beside the caller's thread, with steps on the way.

The store's lock is held by the thread that deletes and by no one who only looks on, so that a display that stands still
keeps nobody out. What does not come to its end says what went until then; the rest is what the next pruning takes.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from jupyimg.engines.reclaim import deleted, untagged
from jupyimg.errors import ImageError, Interrupted
from jupyimg.model.content import COUNTED, FREED, Phase, Step
from jupyimg.transfer.crew import Board, apart

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jupyimg.engines.asked import Removals
    from jupyimg.engines.reclaim import Pruning
    from jupyimg.model.digest import Digest
    from jupyimg.model.records import RemovalRecord
    from jupyimg.store import Entries, Freed, Usage

    Failure = TypeVar("Failure", bound=ImageError | Interrupted)

AGAIN = "run the line again to remove the rest"


def clearing(pruning: Pruning) -> Removals:
    """Do it; raises as `Engine.pruning`."""
    work, board = _Work(pruning), Board()
    try:
        try:
            yield from apart(partial(work.run, board), board)
        finally:
            board.stop.set()
            board.end()  # no place is interrupted: it stops between two files
    except KeyboardInterrupt:
        raise unfinished(Interrupted(), work.rows(), work.of) from None
    except ImageError as error:
        raise unfinished(error, work.rows(), work.of) from None
    return work.rows()


def progress(images: tuple[int, int], freed: tuple[int, int]) -> Iterator[Step]:
    """Where a pruning stands: images and bytes that went, each of how many."""
    for item, text, (current, total) in (("images", COUNTED, images), (FREED, FREED, freed)):
        if total:
            yield Step(Phase.MOVING, item, min(current, total), total, text)


def unfinished(error: Failure, done: Sequence[RemovalRecord], of: int) -> Failure:
    """The same error, saying and carrying what went before it; ``of`` is how much was to be deleted."""
    gone = sum(row.action == "deleted" for row in done)
    if done:
        error.message += f"; {gone} of {of} were deleted before that"
        error.args = (error.message,)
    error.done = tuple(done)
    if isinstance(error, Interrupted):
        error.hint = AGAIN
    return error


class _Work:
    """One pruning on a thread of its own.

    Attributes:
        of: how much is to be deleted.
    """

    def __init__(self, pruning: Pruning) -> None:
        self._pruning = pruning
        self._chosen: list[RemovalRecord] = []
        self._images: frozenset[Digest] = frozenset()
        self._bytes = 0
        self._names: list[RemovalRecord] = []
        self._parts: list[list[Freed]] = []
        self.of = 0

    def run(self, board: Board) -> None:
        """Delete until all is gone or the board says stop."""
        gone = freed = 0
        with closing(self._pruning.store.pruning(self._choose, self._pruning.dooms)) as parts:
            for part in parts:
                self._names = self._chosen
                self._parts.append(part)
                gone += sum(item.digest in self._images for item in part)
                freed += sum(item.size for item in part)
                for step in progress((gone, len(self._images)), (freed, self._bytes)):
                    board.steps[step.item] = step
                if board.stop.is_set():
                    return

    def rows(self) -> list[RemovalRecord]:
        """What went so far: names, content, and what broken-off transfers left."""
        waited, *rest = self._parts or [[]]
        return [*self._names, *deleted([*(item for part in rest for item in part), *waited])]

    def _choose(self, usage: Usage) -> Entries:
        left = self._pruning.staying(usage)
        gone = usage.unneeded(left)
        partials = [item.size for item in usage.partials if not item.live and self._pruning.dooms(item)]
        self._chosen = untagged(usage.entries, left)
        self._images = frozenset(usage.graph.images.intersection(gone))
        self._bytes, self.of = sum(gone.values()) + sum(partials), len(gone) + len(partials)
        return left
