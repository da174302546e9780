"""Ledger: where a long operation stands, kept from its steps, and the words for it. Pure thought; displays draw it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from jupyimg.model.content import COUNTED, Phase
from jupyimg.views import words
from jupyimg.views.totals import rate

if TYPE_CHECKING:
    from jupyimg.model.content import Step

ENDED = frozenset({Phase.EXISTS, Phase.DONE, Phase.FAILED})

_HERE = frozenset({Phase.EXISTS, Phase.DONE})
_AGAIN = frozenset({Phase.WAITING, Phase.EXISTS})
"""What a second image says of a layer that the first one brought; how it came is the better news."""

_WORDS = {
    "pull": {Phase.EXISTS: "Already exists", Phase.MOVING: "Downloading", Phase.DONE: "Pull complete"},
    "push": {Phase.EXISTS: "Layer already exists", Phase.MOVING: "Pushing", Phase.DONE: "Pushed"},
    "load": {Phase.EXISTS: "Already exists", Phase.MOVING: "Loading layer", Phase.DONE: "Loaded"},
    "save": {Phase.EXISTS: "Already saved", Phase.MOVING: "Saving", Phase.DONE: "Saved"},
    "copy": {Phase.EXISTS: "Already exists", Phase.MOVING: "Copying", Phase.DONE: "Copied"},
}
"""Docker's words for a layer where Docker has one."""

_ONE = {"repositories": "repository", "tags": "tag"}
"""What is counted, when there is one of it."""


class Outcome(StrEnum):
    """How an operation ended."""

    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(slots=True)
class Ledger:
    """What has been reported so far.

    Attributes:
        kind: the operation ("pull", "push" ...), which decides the words.
        began, ended: on whatever clock the caller reads, in seconds.
        items: the latest step of each item, in the order they were first heard of.
        before: notes from before the first item; after: the later ones.
        pauses: the hosts that are not to be asked for some seconds.
        counts: what is counted and not moved, such as tags.
    """

    kind: str
    began: float
    ended: float = 0.0
    items: dict[str, Step] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    pauses: dict[str, Step] = field(default_factory=dict)
    counts: dict[str, Step] = field(default_factory=dict)
    outcome: Outcome = Outcome.RUNNING

    def take(self, step: Step) -> None:
        """Keep a step."""
        if step.phase is Phase.NOTE:
            (self.after if self.items else self.before).append(words.clean(step.text))
        elif step.phase is Phase.PAUSED:
            self.pauses[step.item] = step
        elif step.text == COUNTED:
            self.counts[step.item] = step
        elif not (step.phase in _AGAIN and step.item in self.items and self.items[step.item].phase in _HERE):
            self.items[step.item] = step

    def end(self, now: float, error: BaseException | None) -> None:
        """Keep how it ended."""
        self.ended = now
        if error is None:
            self.outcome = Outcome.DONE
        elif isinstance(error, KeyboardInterrupt | GeneratorExit):
            self.outcome = Outcome.INTERRUPTED
        else:
            self.outcome = Outcome.FAILED

    def state(self, step: Step) -> str:
        """The word for where an item stands."""
        if step.phase in {Phase.WAITING, Phase.MOVING} and self.outcome is not Outcome.RUNNING:
            return f"Stopped at {words.size(step.current, 3)}" if step.current else "Not started"
        word = _WORDS.get(self.kind, _WORDS["copy"]).get(step.phase)
        return word or step.phase.value.capitalize()

    @property
    def layers(self) -> list[Step]:
        """The items that people count."""
        return [step for step in self.items.values() if step.text == "layer"]

    @property
    def moved(self) -> int:
        """Bytes that came or went so far; those that were there already are not among them."""
        return sum(step.current for step in self.items.values() if step.phase is not Phase.EXISTS)

    @property
    def expected(self) -> int:
        """Bytes to move in all, as far as is known."""
        return sum(step.total for step in self.items.values() if step.phase is not Phase.EXISTS)

    @property
    def share(self) -> tuple[int, int]:
        """How much is done and how much there is: of what is counted last, else bytes."""
        last = next(reversed(self.counts.values()), None)
        return (self.moved, self.expected) if last is None else (last.current, last.total)

    def sentence(self, now: float) -> str:
        """All of it in one line, such as "7 layers, 71.9MB in 3.1 s (23.2MB/s)"."""
        if self.outcome is Outcome.RUNNING:
            waits = [waiting(step) for step in self.pauses.values() if step.current]
            return "; ".join([*filter(None, [self._counted() if self.counts else self._running(now)]), *waits])
        took = self.ended - self.began
        moved = f"{words.size(self.moved, 3)} in {words.seconds(took)}{rate(self.moved, took)}" if self.moved else ""
        if self.counts:
            return f"{self.outcome.capitalize()}: {self._counted()} in {words.seconds(took)}"
        if self.outcome is Outcome.DONE:
            return ", ".join(part for part in (self._layers(), moved) if part)
        whole = sum(step.phase in _HERE for step in self.layers)
        # Why it ended is not said here: the error is shown right below.
        kept = f"{whole} of {words.count(len(self.layers), 'layer')} complete" if self.layers else ""
        parts = ", ".join(part for part in (kept, moved) if part)
        return f"{self.outcome.capitalize()}: {parts}" if parts else self.outcome.capitalize()

    def _layers(self) -> str:
        there = sum(step.phase is Phase.EXISTS for step in self.layers)
        if not self.layers:
            return ""
        already = ", all already there" if there == len(self.layers) else f", {there} already there" if there else ""
        return words.count(len(self.layers), "layer") + already

    def _counted(self) -> str:
        """Such as "300 repositories, 812 of 1500 tags"."""
        return ", ".join(map(_count, self.counts.values()))

    def _running(self, now: float) -> str:
        if not self.items and self.pauses:
            return ""
        ended = sum(step.phase in ENDED for step in self.layers)
        speed = rate(self.moved, now - self.began)
        moved = f"{words.size(self.moved, 3)} of {words.size(self.expected, 3)}{speed}"
        return f"{ended} of {words.count(len(self.layers), 'layer')}, {moved}"


def _count(step: Step) -> str:
    if step.current < step.total:
        return f"{step.current} of {step.total} {step.item}"
    return f"{step.current} {_ONE.get(step.item, step.item) if step.current == 1 else step.item}"


def waiting(step: Step) -> str:
    """A pause in words, such as "localhost:5000 takes no more requests: going on in 12 seconds"."""
    return f"{words.clean(step.item)} takes no more requests: going on in {words.count(step.current, 'second')}"
