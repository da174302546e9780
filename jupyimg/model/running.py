"""Records of what runs: engines, servers, containers, and what they wrote. None is what nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRecord:
    """One engine: whether it can be worked with, and what it is.

    Attributes:
        engine: the name that chooses it.
        current: whether this notebook works with it.
        reachable: whether it answers.
        version: its own; None where it does not answer.
        api_version: of the API that is spoken with it; None where there is none.
        address: where it is; None where it is in this very process.
    """

    engine: str
    current: bool
    reachable: bool
    version: str | None = None
    api_version: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerRecord:
    """One container (`docker ps`).

    Attributes:
        container_id: 64 hexadecimal digits.
        name: its own name, without the leading slash of the API.
        image: what it was made from, as it was written then, familiar.
        state: "created", "running", "paused", "restarting", "removing", "exited" or "dead".
        created: UTC.
        ports: published and exposed ports, as `docker ps` writes them; "" where there are none.
        status: the daemon's own words when it was asked, such as ``Exited (3) 5 seconds ago``.
        command: what it runs, as the daemon writes it on one line.
        exit_code: what it ended with last; None for one that runs or never ran.
    """

    container_id: str
    name: str | None
    image: str | None
    state: str | None
    created: datetime | None
    ports: str = ""
    status: str | None = None
    command: str | None = None
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One line of a container's log (`docker logs`).

    Attributes:
        time: when the engine received it, UTC, to the microsecond; None where the engine does not say.
        stream: "stdout" or "stderr"; a container with a terminal has only the first.
        line: what was written, without its end: a newline, or a carriage return that began the line anew. Colours and
            other control characters are still in it; whoever shows it takes them out.
        nanosecond: what is left of the time, 0 to 999.
    """

    time: datetime | None
    stream: str
    line: str
    nanosecond: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRecord:
    """A pull from a server of ours, or a push to it, as far as requests tell.

    Attributes:
        number: which one it is, counted from 1.
        who: the address it came from.
        agent: the program, as it calls itself; "" where it does not.
        action: "pull" or "push".
        name: the repository as the client spelled it, and the tag where one was asked for.
        requests: how many were answered.
        bytes: that were sent to it, or came from it.
        seconds: from the first request to the end of the last.
        ended: whether it is over: a tag was given, or nothing was asked for a while.
    """

    number: int
    who: str
    agent: str
    action: str
    name: str
    requests: int
    bytes: int
    seconds: float
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficRecord:
    """What a server of ours was asked.

    Attributes:
        running: whether it may be asked more.
        version: grows with everything that happens.
        requests: all that were answered, also those that were refused.
        sent, received: bytes out and in.
        pulls, pushes: how many there were.
        visits: the latest of them, the last that began first.
    """

    running: bool
    version: int
    requests: int = 0
    sent: int = 0
    received: int = 0
    pulls: int = 0
    pushes: int = 0
    visits: tuple[VisitRecord, ...] = ()

    @property
    def moving(self) -> bool:
        """Whether one of them is not over yet."""
        return any(not visit.ended for visit in self.visits)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRecord:
    """A store that is served, or has just stopped being served, as a registry.

    Attributes:
        address: ``HOST:PORT`` as clients on this machine write it.
        store: the folder; not shown, since a saved notebook need not say where its author's files lie.
        what: what is in it, in words.
        running: whether it serves.
        example: a name in it to try, without host; "" where it holds none.
        read_only: whether pushes are refused.
        login: whether a user and a password are asked for.
        traffic: what it was asked, of one that has stopped.
    """

    address: str
    store: str
    what: str
    running: bool
    example: str = ""
    read_only: bool = False
    login: bool = False
    traffic: TrafficRecord | None = None

    def lines(self) -> list[str]:
        """What to say of it: where it is, and how others pull from it."""
        if not self.running:
            return [f"No longer serving {self.what} at {self.address}"]
        login = [f"  docker login {self.address}"] if self.login else []
        name = f"{self.address}/{self.example or 'NAME'}"
        return [
            f"Serving {self.what} at {self.address}" + (", read-only" if self.read_only else ""),
            *login,
            f"  %image pull {name}",
            f"  docker pull {name}",
            f"  skopeo copy --src-tls-verify=false docker://{name} oci:FOLDER:TAG",
        ]
