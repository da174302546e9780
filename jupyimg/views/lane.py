"""Lane: a thread beside a kernel's own for one sort of work that a page asks for.

Pages ask faster than registries answer. A lane does one thing at a time; of what is asked meanwhile only the last is
done afterwards, since nobody looks at the others any more. Its threads are daemons, so that none holds a kernel that
ends.

Work is given an event that is set when it is to stop, and looks at it between two steps (`content.told`). What waits
for a registry waits in steps of a tenth of a second (`transfer.crew`), so it is heard soon, also where no byte comes.
"""

from __future__ import annotations

from threading import Event, Lock, Thread, current_thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[Event], object]


class Lane:
    """See the module."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._next: Work | None = None
        self._thread: Thread | None = None
        self._working = False
        self._stop = Event()

    @property
    def busy(self) -> bool:
        """Whether something is done, or waits."""
        with self._lock:
            return self._working or self._next is not None

    def put(self, job: Work) -> None:
        """Do this next, instead of what waits; it is given what is set when it is to stop."""
        with self._lock:
            self._next = job
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._work, name="jupyimg-explorer", daemon=True)
                self._thread.start()

    def stop(self, *, leave: bool = False) -> None:
        """Stop what is done, and forget what waits.

        Args:
            leave: do not wait for it before other work begins: for questions, whose end changes nothing.
        """
        with self._lock:
            self._next = None
            self._stop.set()
            if leave:
                self._thread, self._working = None, False

    def wait(self, seconds: float) -> bool:
        """Whether all is done, after waiting for it as long as that at most."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return not self.busy

    def _work(self) -> None:
        while self._take():
            pass

    def _take(self) -> bool:
        with self._lock:
            if self._thread is not current_thread():
                return False  # it was left: another one works here
            job, self._next = self._next, None
            self._working = job is not None
            stop = self._stop = Event()
            if job is None:
                self._thread = None
                return False
        try:
            job(stop)
        finally:
            with self._lock:
                if self._thread is current_thread():
                    self._working = False
        return True
