"""Progress on a terminal: finished layers are lines that stay, as Docker's, and what moves is bars below them.

Layers are told in the order of the manifest: one that ended before those above it waits for them among the bars.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from jupyimg.model.content import Phase
from jupyimg.views import words
from jupyimg.views.ledger import ENDED, Outcome
from jupyimg.views.progress import Progress

if TYPE_CHECKING:
    from typing import TextIO

    from jupyimg.model.content import Step
    from jupyimg.views.progress import Clock

INTERVAL = 1 / 8
_BAR = 30
_WHOLE = frozenset({Phase.DONE, Phase.EXISTS})


class TerminalProgress(Progress):
    """Lines and bars; the bars are gone at the end."""

    def __init__(self, kind: str = "pull", *, file: TextIO | None = None, clock: Clock = time.monotonic) -> None:
        super().__init__(kind, clock=clock)
        self.console = Console(file=file or sys.stderr, highlight=False, markup=False, emoji=False)
        # No refresh thread: only the thread that runs the operation draws.
        self._live = Live(console=self.console, auto_refresh=False, transient=True)
        self._drawn = float("-inf")

    def changed(self, step: Step) -> None:
        if step.text == "layer" and step.phase in _WHOLE:
            self._tell_in_order()
        elif line := self.news(step):
            self._tell(line, red=step.phase is Phase.FAILED)
        now = self.clock()
        if step.phase is not Phase.NOTE and now - self._drawn >= INTERVAL:
            self._drawn = now
            self._live.start()
            self._live.update(self._bars(now), refresh=True)

    def close(self) -> None:
        self._live.update(Text())
        self._live.stop()
        for step in self._ended():
            if line := self.news(step):
                self._tell(line)
        if self.ledger.outcome is not Outcome.DONE and (self.ledger.items or self.ledger.counts):
            self._tell(self.ledger.sentence(self.ledger.ended), red=True)

    def _tell(self, line: str, *, red: bool = False) -> None:
        self.console.print(Text(line, style="red" if red else ""), soft_wrap=True)

    def _tell_in_order(self) -> None:
        """The layers that ended, down to the first that has not."""
        for step in self.ledger.layers:
            if step.phase not in ENDED:
                return
            if step.phase in _WHOLE and (line := self.news(step)):
                self._tell(line)

    def _ended(self) -> list[Step]:
        """The layers that ended and wait to be told."""
        return [step for step in self.ledger.layers if step.phase in _WHOLE and step.item not in self._said]

    def _bars(self, now: float) -> Group:
        ended = {step.item for step in self._ended()}
        moving = [step for step in self.ledger.items.values() if step.phase is Phase.MOVING or step.item in ended]
        grid = Table.grid(padding=(0, 1))
        for step in moving[: max(1, self.console.height - 3)]:
            state = Text(f"{words.short(words.clean(step.item))}: {self.ledger.state(step)}")
            if step.phase is not Phase.MOVING:
                grid.add_row(state)
                continue
            bar = ProgressBar(total=max(1, step.total), completed=step.current, width=_BAR)
            whole = f"/{words.size(step.total, 3)}" if step.total else ""
            grid.add_row(state, bar, Text(f"{words.size(step.current, 3)}{whole}"))
        sentence = Text(self.ledger.sentence(now), style="dim")
        done, expected = self.ledger.share
        if self.ledger.counts and expected:
            grid.add_row(ProgressBar(total=expected, completed=done, width=_BAR), sentence)
            return Group(grid)
        return Group(grid, sentence)
