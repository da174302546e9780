"""What some engines can do besides: run containers, and say who answers. Small protocols, for isinstance to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypedDict, Unpack, runtime_checkable

from jupyimg.errors import Unsupported
from jupyimg.model.running import EngineRecord

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from datetime import datetime

    from jupyimg.engines.base import Engine
    from jupyimg.model.running import ContainerRecord, LogRecord


@runtime_checkable
class Answers(Protocol):
    """An engine that is a server somewhere."""

    def about(self) -> EngineRecord:
        """Who answers, and where; asks it.

        Raises:
            NoDaemon, DaemonDenied, EngineError: it does not, or not to us.
        """
        ...


class Wanted(TypedDict, total=False):
    """Which lines of a log, and whether to wait for more.

    Attributes:
        tail: only the last so many of what is there; None is all.
        since: only those from then on.
        until: only those before.
        details: what the logging driver noted stands before each line.
        follow: go on with what is written from now on, until the container stops or the caller does.
    """

    tail: int | None
    since: datetime | None
    until: datetime | None
    details: bool
    follow: bool


@runtime_checkable
class RunsContainers(Protocol):
    """An engine that has containers."""

    def containers(
        self, *, everything: bool = False, filters: Mapping[str, Sequence[str]] | None = None, last: int = 0
    ) -> list[ContainerRecord]:
        """The containers, newest first (`docker ps`).

        Args:
            everything: also those that do not run.
            filters: values by key, as `docker ps --filter` takes them; None is all.
            last: only the newest so many, running or not; 0 is all.
        """
        ...

    def logs(self, name: str, **wanted: Unpack[Wanted]) -> Iterator[LogRecord]:
        """The lines that a container wrote, as they come (`docker logs`).

        Args:
            name: a name, an ID or the beginning of one.
            wanted: see `Wanted`.

        Raises:
            ContainerNotFound: there is no such container.
            EngineError: its log cannot be read, or the daemon went away.
        """
        ...

    def log_batches(self, name: str, **wanted: Unpack[Wanted]) -> Generator[list[LogRecord]]:
        """`logs` for those who show them: lines in the groups that they arrived in, and [] where nothing came.

        While it follows, something comes at least every `docker.logs.PAUSE` seconds.
        """
        ...


def about(engine: Engine) -> EngineRecord:
    """Who does the work: a server that is asked, or this very process.

    Raises:
        NoDaemon, DaemonDenied, EngineError: see `Answers.about`.
    """
    if isinstance(engine, Answers):
        return engine.about()
    from importlib.metadata import PackageNotFoundError, version  # 10 ms that nothing else needs

    try:
        ours = f"jupyimg {version('jupyimg')}"
    except PackageNotFoundError:  # run from its sources
        ours = "jupyimg"
    return EngineRecord(engine=engine.name, current=False, reachable=True, version=ours)


def running(engine: Engine) -> RunsContainers:
    """The engine as one that has containers.

    Raises:
        Unsupported: it has none.
    """
    if isinstance(engine, RunsContainers):
        return engine
    hint = "%image engine docker (or podman) works with a daemon that does; %image engine says which answer"
    raise Unsupported(f"the {engine.name} engine runs no containers", hint=hint)
