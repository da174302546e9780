"""Ledger: where a long operation stands, kept from its steps, and the words for it. Pure thought; displays draw it.

How fast it goes is counted over the last few seconds, from bytes that moved in this operation alone: what an earlier
attempt brought is done, but it never moved.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from jupyimg.model.content import ARCHIVE, COUNTED, FREED, Phase
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

_COUNTS = frozenset({COUNTED, FREED})
PATIENCE = {"prune": 0.5}
"""Seconds after which an operation that is mostly over at once is shown to run; nothing is shown of what is quicker."""
_ONE = {"repositories": "repository", "tags": "tag", "images": "image"}
"""What is counted, when there is one of it."""


class Outcome(StrEnum):
    """How an operation ended."""

    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


WINDOW = 5.0
"""Seconds over which the speed is counted."""
MARK = 0.25
"""Seconds between two looks at how much has moved."""
STILL = 3.0
"""Seconds without a byte after which that is said."""
_SURE = 1.0
"""Seconds that something has to run before it is said how long the rest takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Where an operation stood at one moment.

    Attributes:
        phase: "running", "done", "interrupted" or "failed".
        bytes: how many of them are done: moved in this operation or in an earlier attempt.
        total: bytes in all, as far as is known; what was there already counts in neither.
        moved: bytes that moved in this operation.
        seconds: how long it has run, or ran.
        rate: bytes a second: of the last few seconds while it runs, of all when it is over.
        left: seconds that the rest will take at this rate; None where nobody can say.
    """

    phase: str
    bytes: int
    total: int
    moved: int
    seconds: float
    rate: float
    left: float | None = None


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
        marks: what the clock said, and how many bytes had moved, lately.
        stirred: when a byte last moved.
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
    marks: deque[tuple[float, int]] = field(default_factory=deque)
    stirred: float = 0.0

    def take(self, step: Step) -> None:
        """Keep a step."""
        if step.phase is Phase.IDLE:
            return
        if step.phase is Phase.NOTE:
            (self.after if self.items else self.before).append(words.clean(step.text))
        elif step.phase is Phase.PAUSED:
            self.pauses[step.item] = step
        elif step.text in _COUNTS:
            self.counts[step.item] = step
        elif not (step.phase in _AGAIN and step.item in self.items and self.items[step.item].phase in _HERE):
            self.items[step.item] = step

    def mark(self, now: float) -> None:
        """Remember how much has moved by now."""
        if self.marks and now - self.marks[-1][0] < MARK:
            return
        moved = self.moved
        if self.marks and moved < self.marks[-1][1]:  # an archive that has been read counts no more
            self.marks.clear()
        if not self.marks or moved != self.marks[-1][1]:
            self.stirred = now
        self.marks.append((now, moved))
        while len(self.marks) > 1 and now - self.marks[1][0] >= WINDOW:
            self.marks.popleft()

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
        if step.text == ARCHIVE:
            return "Read" if step.phase is Phase.EXISTS else "Reading"
        word = _WORDS.get(self.kind, _WORDS["copy"]).get(step.phase)
        return word or step.phase.value.capitalize()

    @property
    def layers(self) -> list[Step]:
        """The items that people count."""
        return [step for step in self.items.values() if step.text == "layer"]

    @property
    def moved(self) -> int:
        """Bytes that came or went so far; those that were there already are not among them."""
        return self._done - self.earlier

    @property
    def earlier(self) -> int:
        """Bytes that an earlier attempt brought."""
        return sum(step.earlier for step in self.items.values() if step.phase is not Phase.EXISTS)

    @property
    def _done(self) -> int:
        return sum(step.current for step in self.items.values() if step.phase is not Phase.EXISTS)

    @property
    def expected(self) -> int:
        """Bytes to move in all, as far as is known."""
        return sum(step.total for step in self.items.values() if step.phase is not Phase.EXISTS)

    @property
    def share(self) -> tuple[int, int]:
        """How much is done and how much there is: of what is counted last, else bytes."""
        last = next(reversed(self.counts.values()), None)
        return (self._done, self.expected) if last is None else (last.current, last.total)

    def snapshot(self, now: float) -> Snapshot:
        """Where it stands."""
        running = self.outcome is Outcome.RUNNING
        took = max(0.0, (now if running else self.ended) - self.began)
        done, expected, moved = self._done, self.expected, self.moved
        speed = self._speed(now) if running else moved / took if took else 0.0
        left = (expected - done) / speed if running and speed and took >= _SURE else None
        return Snapshot(
            phase=self.outcome.value, bytes=done, total=expected, moved=moved, seconds=took, rate=speed, left=left
        )

    def _speed(self, now: float) -> float:
        """Bytes a second of late."""
        began, moved = self.marks[0] if self.marks else (self.began, 0)
        return (self.moved - moved) / (now - began) if now > began else 0.0

    def sentence(self, now: float) -> str:
        """All of it in one line, such as "7 layers, 71.9MB in 3.1 s (23.2MB/s)"."""
        if self.outcome is Outcome.RUNNING:
            waits = [waiting(step) for step in self.pauses.values() if step.current]
            return "; ".join([*filter(None, [self._counted(now) if self.counts else self._running(now)]), *waits])
        took = self.ended - self.began
        moved = f"{words.size(self.moved, 3)} in {words.seconds(took)}{rate(self.moved, took)}" if self.moved else ""
        if self.earlier:
            moved = ", ".join([*filter(None, [moved]), f"{words.size(self.earlier, 3)} from an earlier attempt"])
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

    def _counted(self, now: float | None = None) -> str:
        """Such as "300 repositories, 812 of 1500 tags", or "3 of 7 images, 12MB of 40MB freed, 2.1 s left"."""
        parts = [*map(_count, self.counts.values())]
        freed = self.counts.get(FREED)
        if freed is not None and freed.current and now is not None and now - self.began >= _SURE:
            shares = [step.current / step.total for step in self.counts.values()]  # files cost time, and so do bytes
            left = (now - self.began) * (len(shares) / sum(shares) - 1)
            parts += [f"{words.seconds(left) if left >= 1 else 'a moment'} left"] if left else []
        return ", ".join(parts)

    def _running(self, now: float) -> str:
        if not self.items:
            return ""
        ended = sum(step.phase in ENDED for step in self.layers)
        at = self.snapshot(now)
        parts = [f"{words.size(at.bytes, 3)} of {words.size(at.total, 3)}{rate(at.rate, 1.0) if at.rate else ''}"]
        if self.layers:
            parts.insert(0, f"{ended} of {words.count(len(self.layers), 'layer')}")
        if (still := now - self.stirred if self.marks else 0.0) >= STILL and not any(
            step.current for step in self.pauses.values()
        ):
            parts.append(f"nothing has moved for {words.count(int(still), 'second')}")
        elif at.left and ended < len(self.layers):
            parts.append(f"{words.seconds(at.left) if at.left >= 1 else 'a moment'} left")
        return ", ".join(parts)


def _count(step: Step) -> str:
    if step.text == FREED:
        done = words.size(step.current, 3)
        return f"{done} of {words.size(step.total, 3)} freed" if step.current < step.total else f"{done} freed"
    if step.current < step.total:
        return f"{step.current} of {step.total} {step.item}"
    return f"{step.current} {_ONE.get(step.item, step.item) if step.current == 1 else step.item}"


def waiting(step: Step) -> str:
    """A pause in words, such as "localhost:5000 takes no more requests: going on in 12 seconds"."""
    return f"{words.clean(step.item)} takes no more requests: going on in {words.count(step.current, 'second')}"
