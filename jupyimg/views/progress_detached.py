"""Progress of a job: its display lives on when the cell is over, with a button that cancels it.

The display is opened in the cell, by the thread that runs it; afterwards the job's own thread updates it by its
display id, which front ends apply wherever it stands, also while another cell runs. The button is a widget, which a
saved notebook cannot open, so at the end a line of text takes its place.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from IPython import get_ipython
from IPython.display import display
from ipywidgets import Button  # type: ignore[import-untyped]

from jupyimg.views import detached, tongue
from jupyimg.views.ledger import Outcome
from jupyimg.views.markup import FAINT, element, say
from jupyimg.views.progress_kernel import KernelProgress
from jupyimg.views.twin import view

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from IPython.display import DisplayHandle

    from jupyimg.model.content import Step
    from jupyimg.views.progress import Clock

_ENDS = {Outcome.INTERRUPTED: "cancelled", Outcome.FAILED: "failed"}
_KEPT = {
    "save": "{outcome}: no archive was written",
    "push": "{outcome}: the layers that arrived whole stay there",
    "copy": "{outcome}: the layers that arrived whole stay there",
}
_GOES_ON = "{outcome}: what arrived is kept; the same line goes on there"
"""What becomes of the bytes of an operation that did not come to its end."""


class DetachedProgress(KernelProgress):
    """The table of `KernelProgress` under the job's title, and a button."""

    def __init__(self, kind: str = "pull", *, clock: Clock = time.monotonic, lang: str = tongue.ENGLISH) -> None:
        super().__init__(kind, clock=clock, lang=lang)
        self._title = ""
        self._error: BaseException | None = None
        self._muted = False
        self._button: Button | None = None
        self._below: DisplayHandle | None = None
        self._cell: int | None = None

    def open(self, title: str, cancel: Callable[[], None]) -> None:
        """Show it in the cell that runs, with a button that calls ``cancel`` whenever the kernel is free."""
        with self.guard:
            self._title, self._cell = title, _cell()
            self._publish(self.clock())
            self._button = _button(cancel, self.ledger.lang)
            self._below = display(self._view(self._button), raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def again(self) -> bool:
        with self.guard:
            if self._handle is not None and self._below is not None and _cell() != self._cell:
                now = self.ledger.ended or self.clock()
                self._handle.display(self.bundle(now), raw=True)  # type: ignore[no-untyped-call]
                self._below.display(self._view(self._button) if self._button else self._end(), raw=True)  # type: ignore[no-untyped-call]
        return True

    def mute(self) -> None:
        with self.guard:
            self._muted = True
            self._put_away()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._error = error
        super().__exit__(kind, error, trace)

    def changed(self, step: Step) -> None:
        if self._title:
            super().changed(step)

    def close(self) -> None:
        self._publish(self.ledger.ended)
        self._put_away()

    def bundle(self, now: float) -> dict[str, str]:
        return {
            "text/html": detached.to_html(self._title, self.ledger, now, self._error),
            "text/plain": detached.to_text(self._title, self.ledger, now, self._error),
        }

    def _publish(self, now: float) -> None:
        if self._muted:
            return
        with suppress(Exception):  # a transfer does not end because a front end has gone
            super()._publish(now)

    def _put_away(self) -> None:
        """Replace the button by words."""
        button, self._button = self._button, None
        if button is None or self._below is None:
            return
        with suppress(Exception):  # see above
            self._below.update(self._end(), raw=True)  # type: ignore[no-untyped-call]
            button.close()
            for part in (button.style, button.layout):
                part.close()

    def _end(self) -> dict[str, str]:
        """What stands where the button was."""
        outcome, lang = self.ledger.outcome, self.ledger.lang
        if outcome in _ENDS:
            kept = _KEPT.get(self.ledger.kind, _GOES_ON)
            text = tongue.say(lang, kept, outcome=tongue.word(lang, _ENDS[outcome]))
        elif outcome is Outcome.DONE:
            text = tongue.say(lang, "over: the .result() of this job is its frame")
        else:
            text = tongue.say(lang, "no longer shown: the extension was unloaded")
        return {"text/html": element("div", say(text), style=FAINT), "text/plain": text}

    def _view(self, button: Button) -> dict[str, Any]:
        without = "(a button that cancels it; without it: .cancel() of this job)"
        return view(button, tongue.say(self.ledger.lang, without))


def _cell() -> int | None:
    return getattr(get_ipython(), "execution_count", None)


def _button(cancel: Callable[[], None], lang: str) -> Button:
    tooltip = tongue.say(lang, "Stop this job; what arrived is kept")
    button = Button(description=tongue.say(lang, "Cancel"), icon="stop", tooltip=tooltip)

    def pressed(_: Button) -> None:
        button.disabled, button.description = True, tongue.say(lang, "Stopping")
        cancel()

    button.on_click(pressed)
    return button
