"""Stop: how one thread makes the work of others end soon, while the place stays usable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyimg.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable


class Stop:
    """A counter that work compares with what it was when the work began."""

    def __init__(self) -> None:
        self._count = 0

    def interrupt(self) -> None:
        """End all work that is under way at its next check."""
        self._count += 1

    def watch(self) -> Callable[[], None]:
        """Begin a piece of work: what is returned is called between chunks and raises once work is to end."""
        began = self._count

        def check() -> None:
            if self._count != began:
                raise StoreError("the work on the store was interrupted", hint="run the line again to go on")

        return check
