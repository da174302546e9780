"""Progress: shows the steps of a long operation while it runs, and leaves a static state when it is over.

Every form is used the same way, from the thread that runs the operation, which is the only one that draws::

    with form as show:
        for step in steps:
            show(step)

However the block is left (done, failed, stopped), the form writes its last state and lets the error pass. This module
has the forms that need nothing: none at all, and lines for logs; those for a kernel and a terminal stand beside it.
"""

from __future__ import annotations

import sys
import time
from threading import RLock
from typing import TYPE_CHECKING, Self

from jupyimg.model.content import Phase
from jupyimg.views import words
from jupyimg.views.ledger import ENDED, PATIENCE, Ledger, Outcome, waiting
from jupyimg.views.tongue import ENGLISH, note

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import TextIO

    from jupyimg.model.content import Step

    Clock = Callable[[], float]


class Progress:
    """The form that shows nothing (``-q``), and what the others share: a ledger, a clock, and an end.

    Args:
        kind: the operation, which decides the words ("pull", "push", "load", "save", "copy").
        clock: seconds, going forward.
        lang: of the words; a terminal's and a log's are Docker's.

    Attributes:
        guard: held while the ledger changes; who reads it from another thread takes it.
    """

    def __init__(self, kind: str = "pull", *, clock: Clock = time.monotonic, lang: str = ENGLISH) -> None:
        self.clock = clock
        self.guard = RLock()
        self.ledger = Ledger(kind, clock(), lang=lang)
        self._heard = False
        self._said: set[str] = set()

    def __enter__(self) -> Self:
        self.ledger.began = self.clock()
        self.ledger.mark(self.ledger.began)
        return self

    def __call__(self, step: Step) -> None:
        """Take one step in and show it, or not yet."""
        with self.guard:
            self._begin()
            self.ledger.take(step)
            self.ledger.mark(self.clock())
            if self.due:
                self.changed(step)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.guard:
            self.ledger.end(self.clock(), error)
            if self.due:
                self.close()

    @property
    def due(self) -> bool:
        """Whether it has run for so long that it is shown."""
        return (self.ledger.ended or self.clock()) - self.ledger.began >= PATIENCE.get(self.ledger.kind, 0.0)

    def _begin(self) -> None:
        """What asks before it begins has not begun while it waits for an answer."""
        if self.ledger.kind in PATIENCE and not self._heard:
            self.ledger.began = self.clock()
        self._heard = True

    def news(self, step: Step) -> str:
        """The line that a step is worth; of a layer only the first, since several names of an image share it."""
        line = line_of(self.ledger, step)
        if not line or step.text != "layer" or step.phase is Phase.FAILED:
            return line
        before = step.item in self._said
        self._said.add(step.item)
        return "" if before else line

    def changed(self, step: Step) -> None:
        """Show what has changed."""

    def close(self) -> None:
        """Show the last state."""

    def open(self, title: str, cancel: Callable[[], None]) -> None:
        """Get ready to be drawn from another thread: show what can only be shown from this one."""

    def again(self) -> bool:
        """Show what is shown already once more, here; False where nothing is ever shown."""
        return False

    def mute(self) -> None:
        """Draw nothing any more."""


class LogProgress(Progress):
    """One line for each finished layer and each note, as `docker pull` writes into a file."""

    def __init__(self, kind: str = "pull", *, file: TextIO | None = None, clock: Clock = time.monotonic) -> None:
        super().__init__(kind, clock=clock)
        self.file = file or sys.stderr

    def changed(self, step: Step) -> None:
        line = self.news(step)
        if line:
            self.write(line)

    def close(self) -> None:
        if self.ledger.outcome is not Outcome.DONE and self.ledger.items:  # before the first the error says it all
            self.write(self.ledger.sentence(self.ledger.ended))

    def write(self, line: str) -> None:
        """One line, at once: a log is followed while it grows."""
        print(line, file=self.file, flush=True)


def line_of(ledger: Ledger, step: Step) -> str:
    """What Docker says of a step: a note, or how a layer ended; "" for all else. Failures are always said."""
    if step.phase is Phase.NOTE:
        return note(ledger.lang, words.clean(step.text))
    if step.phase is Phase.PAUSED:
        return (
            waiting(step, ledger.lang) if step.current and step.current == step.total else ""
        )  # once, not every second
    if step.phase not in ENDED or (step.text != "layer" and step.phase is not Phase.FAILED):
        return ""
    return f"{words.short(words.clean(step.item))}: {ledger.state(step)}"
