"""Session: the current engine and settings, and the only place that reads the environment."""

from __future__ import annotations

import copy
import dataclasses
import os
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from jupyimg.commands.environment import settings_from
from jupyimg.commands.holds import Holds
from jupyimg.commands.jobs import Jobs
from jupyimg.commands.known import Known
from jupyimg.commands.paths import written
from jupyimg.engines import open_engine, open_mirrors, open_serving
from jupyimg.engines.containers import about
from jupyimg.errors import Misuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyimg.engines import Engine
    from jupyimg.engines.mirrors import Mirrors
    from jupyimg.engines.serving import Serving
    from jupyimg.model.running import EngineRecord
    from jupyimg.model.settings import Settings


class Session:
    """What one kernel or one terminal command works with; the engine opens at first use.

    Attributes:
        settings: see `settings_from`; those of the current engine.
        given: the settings that the session began with.
        terminal: whether a line ends when its command ends, so that a server stays in the foreground.
        in_kernel: whether it is a front end that is asked when something is missing, and no terminal.
        serving: what this session serves.
        jobs: what it does in the background.
        known: what its engine was last heard to have.
    """

    def __init__(self, settings: Settings | None = None, *, terminal: bool = False, in_kernel: bool = False) -> None:
        self.given = self.settings = settings or settings_from(os.environ)
        self.terminal = terminal
        self.in_kernel = in_kernel
        self.jobs = Jobs()
        self.known = Known()
        self._holds = Holds()
        self._opening = Lock()
        self._engine: Engine | None = None
        self._serving: Serving | None = None

    @property
    def engine(self) -> Engine:
        """The engine that the settings name.

        Raises:
            Misuse: there is none of that name.
        """
        with self._opening:  # completion asks in a thread of its own
            if self._engine is None:
                self._engine = open_engine(self.settings)
            return self._engine

    def switch(self, settings: Settings) -> EngineRecord:
        """Work with another engine from now on; the one before stays current where the other does not answer.

        What works beside the cells goes on with the one before, which is closed when the last of it has ended.

        Raises:
            Misuse, EngineError: it does not.
        """
        fresh = open_engine(settings)
        try:
            found = about(fresh)
        except BaseException:
            fresh.close()
            raise
        before = self._engine
        self.settings, self._engine, self.known = settings, fresh, Known()
        if before is not None:
            self._holds.leave(before)
        return dataclasses.replace(found, current=True)

    @contextmanager
    def held(self) -> Iterator[Session]:
        """This session as it is now, for work beside the cells: its engine stays open and the same meanwhile.

        Raises:
            Misuse: there is none of that name.
        """
        now = copy.copy(self)
        with self._holds.hold(lambda: self.engine) as now._engine:  # noqa: SLF001 - a Session too
            yield now

    @property
    def serving(self) -> Serving:
        """See the class."""
        if self._serving is None:
            self._serving = open_serving(self.settings)
        return self._serving

    def variable(self, name: str) -> str:
        """A variable of the environment that the user named, such as one that holds a password.

        Raises:
            Misuse: it is not set, or empty.
        """
        value = os.environ.get(name, "")
        if not value:
            raise Misuse(f"the environment has no {name}", hint="set it before this process starts")
        return value

    @property
    def mirrors(self) -> Mirrors:
        """Which registries are read by way of which others."""
        return open_mirrors(self.settings)

    def close(self) -> None:
        """Stop all jobs, give back what the engine holds, and stop serving."""
        self.jobs.close()
        if self._serving is not None:
            self._serving.stop()
        self._holds.close()
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def connected(*, home: str | None = None, engine: str | None = None, host: str | None = None) -> Engine:
    """An engine as the environment says, unless told otherwise; see `jupyimg.connect`."""
    settings = settings_from(os.environ)
    if home is not None:
        settings = dataclasses.replace(settings, home=written(home))
    if engine is not None:
        settings = dataclasses.replace(settings, engine=engine)
    if host is not None:
        daemon = dataclasses.replace(settings.daemon, host=host, podman_host=host)
        settings = dataclasses.replace(settings, daemon=daemon)
    return open_engine(settings)
