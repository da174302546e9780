"""Lines that come one after another: a log while it is read or followed. None is kept once it has been shown.

A step with text is a line, and its item is the stream; one without says that no more lines are there just now.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from jupyimg.model.content import Phase
from jupyimg.views import words
from jupyimg.views.progress import Progress
from jupyimg.views.tongue import ENGLISH

if TYPE_CHECKING:
    from typing import TextIO

    from jupyimg.model.content import Step


class Lines(Progress):
    """The form that shows nothing, and what the others share: no ledger that would grow with every line."""

    def __init__(self, lang: str = ENGLISH) -> None:
        super().__init__("logs", lang=lang)

    def __call__(self, step: Step) -> None:
        self.changed(step)


class PrintedLines(Lines):
    """Lines on a terminal or in a pipe, each to the stream that it was written to, as `docker logs` has it."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        super().__init__()
        self._files = {"stdout": out or sys.stdout, "stderr": err or sys.stderr}
        self._last = self._files["stdout"]

    def changed(self, step: Step) -> None:
        if step.phase is not Phase.NOTE:
            self._last.flush()
            return
        file = self._files.get(step.item, self._files["stdout"])
        if file is not self._last:
            self._last.flush()  # so that what stands on one screen stands in its order
            self._last = file
        file.write(f"{printable(step.text)}\n")

    def close(self) -> None:
        self._last.flush()


def printable(line: str) -> str:
    """A line as a terminal may have it: without what it would obey, but with its tabs."""
    return "\t".join(map(words.clean, line.split("\t")))
