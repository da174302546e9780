"""Known: what an engine said last of what it has, so that completion never waits long for one that is slow.

Each question is asked anew in a thread beside the caller's, one at a time. Who is not answered in time gets what was
known before; what comes later is there for the next time.
"""

from __future__ import annotations

from threading import Lock, Thread
from typing import TYPE_CHECKING

from jupyimg.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[[], list[str]]

PATIENCE = 0.25
"""Seconds that completion may take; a front end gives up on it a little later."""


class Known:
    """Answers by question, of one engine."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._answers: dict[str, list[str]] = {}
        self._asking: dict[str, Thread] = {}

    def names(self, question: str, ask: Ask) -> list[str]:
        """What there is, or was when it was last heard of; nothing where nothing was ever heard.

        Args:
            question: what is asked, such as "images".
            ask: asks it, however long that takes; an `ImageError` is no answer.
        """
        with self._lock:
            thread = self._asking.get(question)
            if thread is None or not thread.is_alive():
                thread = Thread(target=self._ask, args=(question, ask), name="jupyimg-completion", daemon=True)
                self._asking[question] = thread
                thread.start()
        thread.join(PATIENCE)
        return self._answers.get(question, [])

    def _ask(self, question: str, ask: Ask) -> None:
        try:
            self._answers[question] = ask()
        except ImageError:
            self._answers.pop(question, None)  # what was there cannot be relied on any more
