"""A log that is followed in a cell: its newest lines in one display that is updated in place, at the end a sentence.

The lines themselves come back as the cell's value, so what stays is how many there were.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from IPython.display import display

from jupyimg.model.content import Phase
from jupyimg.views import tongue, words
from jupyimg.views.ledger import Outcome
from jupyimg.views.lines import Lines
from jupyimg.views.markup import FAINT, MONO, RED, element, say, style

if TYPE_CHECKING:
    from IPython.display import DisplayHandle

    from jupyimg.model.content import Step

INTERVAL = 1 / 8
"""Seconds between two updates, at least."""
LINES = 40
"""Lines that are seen at a time."""
COLUMNS = 500
"""Terminal columns of a line that are seen."""
_ANY = 8 * COLUMNS
"""Characters of a line that are looked at: more is not seen, and a megabyte would be slow to clean."""


class KernelLines(Lines):
    """The end of the log while it grows; interrupt the kernel to stop."""

    def __init__(self, lang: str = tongue.ENGLISH) -> None:
        super().__init__(lang=lang)
        self.began = self.clock()
        self.seen = 0
        self.newest: deque[tuple[str, str]] = deque(maxlen=LINES)
        self._handle: DisplayHandle | None = None
        self._shown = float("-inf")
        self._pending = True

    def changed(self, step: Step) -> None:
        if step.phase is Phase.NOTE:
            self.seen += 1
            self.newest.append((step.item, words.ellipsis(words.clean(step.text[:_ANY]), COLUMNS)))
            self._pending = True
        now = self.clock()
        if self._pending and now - self._shown >= INTERVAL:
            self._shown, self._pending = now, False
            self._publish(self._html(), self._text())

    def close(self) -> None:
        if self._handle is None and self.ledger.outcome is Outcome.DONE:
            return  # it was read and not followed: the frame says how many lines there are
        sentence = self._sentence()
        self._publish(element("div", say(sentence), style=FAINT, class_="jupyimg"), sentence)

    def _html(self) -> str:
        lines = (element("div", say(line) or "&nbsp;", style=RED if of == "stderr" else "") for of, line in self.newest)
        body = element("div", *lines, style=style(MONO, "white-space:pre-wrap", "overflow-wrap:anywhere"))
        return element("div", body, element("div", say(self._now()), style=FAINT), class_="jupyimg")

    def _text(self) -> str:
        return "\n".join([*(line for _, line in self.newest), self._now()])

    def _now(self) -> str:
        return tongue.say(self._lang, "{lines} so far; interrupt the kernel to stop", lines=self._lines())

    def _sentence(self) -> str:
        took = words.seconds(time.monotonic() - self.began)
        said = tongue.say(self._lang, "{lines} in {time}", lines=self._lines(), time=took)
        if self.ledger.outcome is Outcome.DONE:
            return said
        outcome = tongue.word(self._lang, self.ledger.outcome.value).capitalize()
        return tongue.say(self._lang, "{outcome}: {what}", outcome=outcome, what=said)

    def _lines(self) -> str:
        return tongue.count(self._lang, self.seen, "line")

    @property
    def _lang(self) -> str:
        return self.ledger.lang

    def _publish(self, html: str, text: str) -> None:
        bundle = {"text/html": html, "text/plain": text}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(bundle, raw=True)  # type: ignore[no-untyped-call]
