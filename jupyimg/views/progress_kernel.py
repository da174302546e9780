"""Progress in a notebook: one display that is updated in place, and whose last state is a static table.

It is plain HTML with a text twin and no widget, so it survives saving, nbconvert and a reopened notebook. Updates are
messages to every browser that looks on, so there are at most eight in a second.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from IPython.display import display

from jupyimg.views.progress import Progress
from jupyimg.views.progress_html import to_html, to_text
from jupyimg.views.tongue import ENGLISH

if TYPE_CHECKING:
    from IPython.display import DisplayHandle

    from jupyimg.model.content import Step
    from jupyimg.views.progress import Clock

INTERVAL = 1 / 8
"""Seconds between two updates, at least."""


class KernelProgress(Progress):
    """A table of items with bars while it runs, with words when it is over."""

    def __init__(self, kind: str = "pull", *, clock: Clock = time.monotonic, lang: str = ENGLISH) -> None:
        super().__init__(kind, clock=clock, lang=lang)
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

    def bundle(self, now: float) -> dict[str, str]:
        """The state in the forms that a notebook keeps."""
        return {"text/html": to_html(self.ledger, now), "text/plain": to_text(self.ledger, now)}

    def _publish(self, now: float) -> None:
        if self._handle is None:
            self._handle = display(self.bundle(now), raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(self.bundle(now), raw=True)  # type: ignore[no-untyped-call]


def show(value: object) -> None:
    """Show a value where the cell that runs shows what it does."""
    display(value)  # type: ignore[no-untyped-call]
