"""Holds: engines that something still works with, which are closed only when the last of it has ended.

Work beside the cells (a job, a question of an explorer) holds the engine that was current as it began. Whoever changes
the current engine leaves the one before: at once where nobody holds it, else the last holder closes it.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyimg.engines import Engine


class Holds:
    """See the module; may be used from several threads at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._holders: Counter[Engine] = Counter()
        self._left: set[Engine] = set()

    @contextmanager
    def hold(self, current: Callable[[], Engine]) -> Iterator[Engine]:
        """Keep the engine that is current just now open."""
        with self._lock:  # so that nobody leaves it between the two lines
            engine = current()
            self._holders[engine] += 1
        try:
            yield engine
        finally:
            with self._lock:
                self._holders[engine] -= 1
                self._holders += Counter()  # which drops what nobody holds
                close = engine in self._left and engine not in self._holders
                self._left -= {engine} - self._holders.keys()
            if close:
                engine.close()

    def leave(self, engine: Engine) -> None:
        """Close an engine that is current no more, now or when its last holder has ended."""
        with self._lock:
            held = engine in self._holders
            if held:
                self._left.add(engine)
        if not held:
            engine.close()

    def close(self) -> None:
        """Close those that were left, whoever holds them."""
        with self._lock:
            left, self._left = self._left, set()
        for engine in left:
            engine.close()
