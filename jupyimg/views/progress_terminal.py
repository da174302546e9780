"""Progress on a terminal: finished layers are lines that stay, as Docker's, and what moves is bars below them."""

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
from jupyimg.views.ledger import Outcome
from jupyimg.views.progress import Progress

if TYPE_CHECKING:
    from typing import TextIO

    from jupyimg.model.content import Step
    from jupyimg.views.progress import Clock

INTERVAL = 1 / 8
_BAR = 30


class TerminalProgress(Progress):
    """Lines and bars; the bars are gone at the end."""

    def __init__(self, kind: str = "pull", *, file: TextIO | None = None, clock: Clock = time.monotonic) -> None:
        super().__init__(kind, clock=clock)
        self.console = Console(file=file or sys.stderr, highlight=False, markup=False, emoji=False)
        # No refresh thread: only the thread that runs the operation draws.
        self._live = Live(console=self.console, auto_refresh=False, transient=True)
        self._drawn = float("-inf")

    def changed(self, step: Step) -> None:
        line = self.news(step)
        if line:
            self.console.print(Text(line, style="red" if step.phase is Phase.FAILED else ""), soft_wrap=True)
        now = self.clock()
        if step.phase is not Phase.NOTE and now - self._drawn >= INTERVAL:
            self._drawn = now
            self._live.start()
            self._live.update(self._bars(now), refresh=True)

    def close(self) -> None:
        self._live.update(Text())
        self._live.stop()
        if self.ledger.outcome is not Outcome.DONE and (self.ledger.items or self.ledger.counts):
            self.console.print(Text(self.ledger.sentence(self.ledger.ended), style="red"), soft_wrap=True)

    def _bars(self, now: float) -> Group:
        moving = [step for step in self.ledger.items.values() if step.phase is Phase.MOVING]
        grid = Table.grid(padding=(0, 1))
        for step in moving[: max(1, self.console.height - 3)]:
            grid.add_row(
                Text(f"{words.short(words.clean(step.item))}: {self.ledger.state(step)}"),
                ProgressBar(total=max(1, step.total), completed=step.current, width=_BAR),
                Text(f"{words.size(step.current, 3)}/{words.size(step.total, 3)}"),
            )
        sentence = Text(self.ledger.sentence(now), style="dim")
        done, expected = self.ledger.share
        if self.ledger.counts and expected:
            grid.add_row(ProgressBar(total=expected, completed=done, width=_BAR), sentence)
            return Group(grid)
        return Group(grid, sentence)
