"""Served, live: the display of a registry of ours while it is pulled from and pushed to.

It is opened in the cell, by the thread that runs it; afterwards a thread of its own updates it by its display id, as
that of a job does: at most twice a second while something moves, and not at all while nothing does. The threads that
serve never touch it. It is plain HTML with a text twin, so that what was last seen stays in the notebook.
"""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from IPython.display import display

from jupyimg.views.served import Served

if TYPE_CHECKING:
    from IPython.display import DisplayHandle

    from jupyimg.model.running import ServerRecord, TrafficRecord
    from jupyimg.views.visits import Live

INTERVAL = 0.5
"""Seconds between two updates, at least."""


class LiveServed(Served):
    """A registry of ours that is served from this notebook."""

    def __init__(self, record: ServerRecord, lang: str, live: Live) -> None:
        super().__init__(record, lang)
        self._live = live

    @property
    def traffic(self) -> TrafficRecord:
        """What it is asked."""
        return self._live.look()

    def _ipython_display_(self) -> None:
        """Show the display that lives, not a copy of it.

        Raises:
            NotImplementedError: it is over; IPython then shows how it ended.
        """
        if not self.traffic.running:
            raise NotImplementedError
        _DISPLAYS.setdefault(self._live, _Display(self._live)).show(self)


class _Display:
    """The one display of what runs; it may stand in several cells."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._served: Served | None = None
        self._bundle: dict[str, str] = {}
        self._handle: DisplayHandle | None = None

    def show(self, served: Served) -> None:
        """Show it in the cell that runs."""
        self._served, self._bundle = served, served.bundle(self._live.look())
        if self._handle is not None:
            self._handle.display(self._bundle, raw=True)  # type: ignore[no-untyped-call]
            return
        self._handle = display(self._bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        Thread(target=self._follow, name="jupyimg display of a server", daemon=True).start()

    def _follow(self) -> None:
        while True:
            look = self._live.look()
            self._publish(look)
            if not look.running:
                _DISPLAYS.pop(self._live, None)
                return
            time.sleep(INTERVAL)
            self._live.wait(look.version, INTERVAL if look.moving else None)

    def _publish(self, look: TrafficRecord) -> None:
        assert self._served is not None
        bundle = self._served.bundle(look)
        if bundle == self._bundle or self._handle is None:
            return
        self._bundle = bundle
        with suppress(Exception):  # what is served goes on where a front end has gone
            self._handle.update(bundle, raw=True)  # type: ignore[no-untyped-call]


_DISPLAYS: dict[Live, _Display] = {}
