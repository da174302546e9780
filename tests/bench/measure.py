"""Measure whole processes: wall and CPU seconds and peak memory, as the operating system accounts for each that ended.

Two commands are run in turn, A B A B …, so that a machine whose speed drifts is fair to both; the ratio is the median
of the ratios pair by pair.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figures:
    """One run: seconds, CPU seconds, and the most MB resident."""

    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True, slots=True)
class Run:
    """A command and where it runs."""

    argv: Sequence[str]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: medians of both sides, and the median of the ratios of their walls."""

    what: str
    against: str
    ours: Figures
    theirs: Figures
    ratio: float
    goal: float | None

    def __str__(self) -> str:
        goal = "" if self.goal is None else f"<= {self.goal:g}"
        ok = "" if self.goal is None else ("yes" if self.ratio <= self.goal else "NO")
        cells = [
            f"{self.what:34} {self.ours.wall:7.2f} {self.ours.cpu:7.2f} {self.ours.peak:7.0f}",
            f"{self.against:28} {self.theirs.wall:7.2f} {self.theirs.cpu:7.2f} {self.theirs.peak:7.0f}",
            f"{self.ratio:6.2f} {goal:8} {ok}",
        ]
        return " | ".join(cells)


HEAD = (
    f"{'jupyimg':34} {'wall s':>7} {'cpu s':>7} {'peak MB':>7} | "
    f"{'peer':28} {'wall s':>7} {'cpu s':>7} {'peak MB':>7} | {'ratio':>6} {'goal':8}"
)


def once(run: Run, log: Path) -> Figures:
    """Run a command to its end.

    Raises:
        AssertionError: it failed; the end of its output is in the message.
    """
    with log.open("wb") as out:
        began = time.monotonic()
        pid = os.posix_spawnp(
            run.argv[0],
            list(run.argv),
            dict(run.env),
            file_actions=[
                (os.POSIX_SPAWN_DUP2, out.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, out.fileno(), 2),
            ],
        )
        _, status, used = os.wait4(pid, 0)
        wall = time.monotonic() - began
    assert status == 0, f"{' '.join(run.argv)} failed: {log.read_text(errors='replace')[-2000:]}"
    return Figures(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def versus(
    what: str,
    against: str,
    ours: Callable[[int], Run],
    theirs: Callable[[int], Run],
    *,
    log: Path,
    goal: float | None = None,
    runs: int = 5,
) -> Row:
    """Run both in turn, once to warm up and then ``runs`` times; each call makes a run with fresh places of its own."""
    pairs = []
    for number in range(runs + 1):
        pair = once(ours(number), log), once(theirs(number), log)
        if number:
            pairs.append(pair)
    return Row(
        what,
        against,
        _median([mine for mine, _ in pairs]),
        _median([other for _, other in pairs]),
        statistics.median(mine.wall / other.wall for mine, other in pairs),
        goal,
    )


def _median(figures: Sequence[Figures]) -> Figures:
    return Figures(
        statistics.median(item.wall for item in figures),
        statistics.median(item.cpu for item in figures),
        statistics.median(item.peak for item in figures),
    )
