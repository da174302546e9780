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
from jupyimg.views import tongue, words
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
_KNOWN = 0.01
"""The share that must be done before it is said how long the rest takes: less says nothing."""


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
        lang: of the words.
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
    lang: str = tongue.ENGLISH

    def take(self, step: Step) -> None:
        """Keep a step."""
        if step.phase is Phase.IDLE:
            return
        if step.phase is Phase.NOTE:
            (self.after if self.items else self.before).append(tongue.note(self.lang, words.clean(step.text)))
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
            begun = step.current or step.phase is Phase.MOVING  # on a slow line without a byte so far
            return tongue.say(
                self.lang, "Stopped at {size}" if begun else "Not started", size=words.size(step.current, 3)
            )
        word = _WORDS.get(self.kind, _WORDS["copy"]).get(step.phase)
        if step.text == ARCHIVE:
            word = "Read" if step.phase is Phase.EXISTS else "Reading"
        return tongue.word(self.lang, word or step.phase.value.capitalize())

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
        lang = self.lang
        if self.outcome is Outcome.RUNNING:
            waits = [waiting(step, lang) for step in self.pauses.values() if step.current]
            now_said = self._counted(now) if self.counts else self._running(now)
            return tongue.listed(lang, [*filter(None, [now_said]), *waits], "; ")
        if self.counts:
            took = words.seconds(self.ended - self.began)
            return self._ended(tongue.say(lang, "{what} in {time}", what=self._counted(), time=took))
        if self.outcome is Outcome.DONE:
            return tongue.listed(lang, [part for part in (self._layers(), self._transferred()) if part])
        whole = sum(step.phase in _HERE for step in self.layers)
        layers = tongue.count(lang, len(self.layers), "layer")
        # Why it ended is not said here: the error is shown right below.
        kept = tongue.say(lang, "{done} of {layers} complete", done=whole, layers=layers) if self.layers else ""
        return self._ended(tongue.listed(lang, [part for part in (kept, self._transferred()) if part]))

    def _ended(self, what: str) -> str:
        outcome = tongue.word(self.lang, self.outcome.value).capitalize()
        return tongue.say(self.lang, "{outcome}: {what}", outcome=outcome, what=what) if what else outcome

    def _transferred(self) -> str:
        """What moved, and what an earlier attempt had brought."""
        took, parts = self.ended - self.began, []
        if self.moved:
            size, time = words.size(self.moved, 3), words.seconds(took)
            parts.append(
                tongue.say(self.lang, "{size} in {time}{rate}", size=size, time=time, rate=rate(self.moved, took))
            )
        if self.earlier:
            parts.append(tongue.say(self.lang, "{size} from an earlier attempt", size=words.size(self.earlier, 3)))
        return tongue.listed(self.lang, parts)

    def _layers(self) -> str:
        layers = tongue.count(self.lang, len(self.layers), "layer")
        there = sum(step.phase is Phase.EXISTS for step in self.layers)
        if not self.layers or not there:
            return layers if self.layers else ""
        every = there == len(self.layers)
        template = "{layers}, all already there" if every else "{layers}, {there} already there"
        return tongue.say(self.lang, template, layers=layers, there=there)

    def _counted(self, now: float | None = None) -> str:
        """Such as "300 repositories, 812 of 1500 tags", or "3 of 7 images, 12MB of 40MB freed, 2.1 s left"."""
        parts = [_count(self.lang, step) for step in self.counts.values()]
        freed = self.counts.get(FREED)
        if freed is not None and freed.current and now is not None and now - self.began >= _SURE:
            shares = [step.current / step.total for step in self.counts.values()]  # files cost time, and so do bytes
            left = (now - self.began) * (len(shares) / sum(shares) - 1)
            parts += [self._left(left)] if left and sum(shares) >= _KNOWN * len(shares) else []
        return tongue.listed(self.lang, parts)

    def _running(self, now: float) -> str:
        if not self.items:
            return ""
        lang, at = self.lang, self.snapshot(now)
        ended = sum(step.phase in ENDED for step in self.layers)
        done, whole, fast = words.size(at.bytes, 3), words.size(at.total, 3), rate(at.rate, 1.0) if at.rate else ""
        known = at.total >= at.bytes  # nobody knows how long a stream will be
        parts = [tongue.say(lang, "{done} of {all}{rate}", done=done, all=whole, rate=fast) if known else done + fast]
        if self.layers:
            layers = tongue.count(lang, len(self.layers), "layer")
            parts.insert(0, tongue.say(lang, "{done} of {all}", done=ended, all=layers))
        if (still := now - self.stirred if self.marks else 0.0) >= STILL and not any(
            step.current for step in self.pauses.values()
        ):
            parts.append(
                tongue.say(lang, "nothing has moved for {time}", time=tongue.count(lang, int(still), "second"))
            )
        elif at.left and ended < len(self.layers) and at.bytes >= _KNOWN * at.total:
            parts.append(self._left(at.left))
        return tongue.listed(lang, parts)

    def _left(self, seconds: float) -> str:
        template = "{time} left" if seconds >= 1 else "a moment left"
        return tongue.say(self.lang, template, time=words.span(seconds))


def _count(lang: str, step: Step) -> str:
    """So many of so many things; only English knows one from many."""
    under_way = step.current < step.total
    if step.text == FREED:
        template, whole = "{done} of {all} freed" if under_way else "{done} freed", words.size(step.total, 3)
        return tongue.say(lang, template, done=words.size(step.current, 3), all=whole)
    one, number = _ONE.get(step.item, step.item), step.total if under_way else step.current
    things = f"{number} {step.item if under_way or number != 1 else one}"
    if lang != tongue.ENGLISH:
        things = tongue.count(lang, number, one)
    return tongue.say(lang, "{done} of {all}", done=step.current, all=things) if under_way else things


def waiting(step: Step, lang: str = tongue.ENGLISH) -> str:
    """A pause in words, such as "localhost:5000 takes no more requests: going on in 12 seconds"."""
    return tongue.say(
        lang,
        "{host} takes no more requests: going on in {time}",
        host=words.clean(step.item),
        time=tongue.count(lang, step.current, "second"),
    )
