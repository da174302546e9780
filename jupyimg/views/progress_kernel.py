"""Progress in a notebook: one display that is updated in place, and whose last state is a static table.

It is plain HTML with a text twin and no widget, so it survives saving, nbconvert and a reopened notebook. Updates are
messages to every browser that looks on, so there are at most eight in a second.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from IPython.display import display

from jupyimg.model.content import Phase
from jupyimg.views import words
from jupyimg.views.ledger import Outcome
from jupyimg.views.markup import FAINT, LEFT, MONO, RED, RIGHT, element, say, style
from jupyimg.views.progress import Progress, line_of

if TYPE_CHECKING:
    from IPython.display import DisplayHandle

    from jupyimg.model.content import Step
    from jupyimg.views.ledger import Ledger
    from jupyimg.views.progress import Clock

INTERVAL = 1 / 8
"""Seconds between two updates, at least."""
ROWS = 40
"""Items that are listed; a repository's every tag may be thousands, which are only counted."""


class KernelProgress(Progress):
    """A table of items with bars while it runs, with words when it is over."""

    def __init__(self, kind: str = "pull", *, clock: Clock = time.monotonic) -> None:
        super().__init__(kind, clock=clock)
        self._handle: DisplayHandle | None = None
        self._shown = float("-inf")

    def changed(self, step: Step) -> None:  # noqa: ARG002 - the ledger has it
        now = self.clock()
        if now - self._shown >= INTERVAL:
            self._shown = now
            self._publish(now)

    def close(self) -> None:
        if self._handle or self.ledger.items or self.ledger.before or self.ledger.counts:
            self._publish(self.ledger.ended)

    def _publish(self, now: float) -> None:
        bundle = {"text/html": to_html(self.ledger, now), "text/plain": to_text(self.ledger, now)}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(bundle, raw=True)  # type: ignore[no-untyped-call]


def to_text(ledger: Ledger, now: float) -> str:
    """The state as lines: Docker's, and a sentence."""
    lines = (line_of(ledger, step) for step in _listed(ledger))
    sentence = ledger.sentence(now)
    return "\n".join([*ledger.before, *filter(None, lines), *ledger.after, *([sentence] if sentence else [])])


def to_html(ledger: Ledger, now: float) -> str:
    """The state as HTML."""
    listed = _listed(ledger)
    rows = "".join(_row(ledger, step) for step in listed)
    rest = len(ledger.items) - len(listed)
    parts = [
        *map(_note, ledger.before),
        element("table", element("tbody", rows), class_="dataframe", style="margin:.3em 0") if rows else "",
        element("div", f"and {words.count(rest, 'more item')}", style=FAINT) if rest else "",
        *map(_note, ledger.after),
        _sentence(ledger, now),
    ]
    return element("div", *parts, class_="jupyimg")


def _listed(ledger: Ledger) -> list[Step]:
    """The items to list, in their order; where there are too many, what failed or moves goes before what is over."""
    items = list(ledger.items.values())
    if len(items) <= ROWS:
        return items
    weight = {Phase.FAILED: 0, Phase.MOVING: 1}
    chosen = sorted(range(len(items)), key=lambda at: weight.get(items[at].phase, 2))[:ROWS]
    return [items[at] for at in sorted(chosen)]


def _note(text: str) -> str:
    return element("div", say(text), style="overflow-wrap:anywhere")


def _row(ledger: Ledger, step: Step) -> str:
    failed = step.phase is Phase.FAILED
    cells = [
        element("td", say(words.short(step.item)), style=style(LEFT, MONO), title=step.item),
        element("td", say(step.text), style=style(LEFT, FAINT)),
        element("td", say(words.size(step.total, 3)), style=RIGHT, title=f"{step.total:,} bytes"),
        element("td", _state(ledger, step), style=style(LEFT, "white-space:nowrap", RED if failed else "")),
    ]
    return element("tr", *cells)


def _state(ledger: Ledger, step: Step) -> str:
    word = say(ledger.state(step))
    if step.phase is not Phase.MOVING or ledger.outcome is not Outcome.RUNNING:
        return word
    share = min(100, step.current * 100 // step.total) if step.total else 0
    text = f"{share}%"
    bar = element("progress", text, value=str(share), max="100", aria_label=f"{words.short(step.item)} {text}")
    return f"{bar} {word} {words.size(step.current, 3)}"


def _sentence(ledger: Ledger, now: float) -> str:
    sentence = ledger.sentence(now)
    if not sentence:
        return ""
    bad = ledger.outcome is Outcome.FAILED
    bar = ""
    done, expected = ledger.share
    if ledger.outcome is Outcome.RUNNING and expected:
        share = min(100, done * 100 // expected)
        bar = element("progress", f"{share}%", value=str(share), max="100", aria_label=f"all {share}%") + " "
    return element("div", bar + say(sentence), style=style(RED if bad else FAINT, "margin:.25em 0"))
