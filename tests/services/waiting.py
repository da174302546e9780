"""How long a test waits, on a machine where others work too.

What happens at once may take seconds there, and what hangs takes longer still: so a test of "at once" sets whatever
would hold things up (a silent server, a time-out) to far more than `AT_ONCE`, and asks for less than that.
"""

from __future__ import annotations

import gc
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AT_ONCE = 10.0
"""Seconds within which has happened, on the busiest machine, what happens at once."""
PATIENCE = 60.0
"""Seconds after which what is waited for is taken never to come."""


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)


def best(measure: Callable[[], float], enough: float, tries: int = 20) -> float:
    """The shortest of some times, measured until one is short enough: load makes a time longer and never shorter."""
    shortest = measure()
    while shortest >= enough and (tries := tries - 1):
        shortest = min(shortest, measure())
    return shortest


@contextmanager
def pressed(condition: Callable[[], object], pause: float = 0.1) -> Iterator[list[float]]:
    """Press Ctrl-C in this process's main thread once this is true; gives the moment in which it was pressed.

    Meanwhile nothing is collected: Python drops what is raised within a callback of the collector, as hypothesis has one.

    Args:
        condition: what shows that the work to be stopped is under way.
        pause: seconds for it to go on to where it waits.
    """
    moments: list[float] = []
    left = threading.Event()

    def press() -> None:
        until(lambda: left.is_set() or condition())
        if not left.wait(pause):
            moments.append(time.monotonic())
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=press, daemon=True)
    gc.disable()
    thread.start()
    try:
        yield moments
    finally:
        left.set()
        thread.join()
        gc.enable()
