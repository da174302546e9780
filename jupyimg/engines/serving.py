"""Serving: a registry made of this machine, and the teaching images to fill one with; the same for every engine."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from jupyimg.errors import Misuse
from jupyimg.model.content import Phase, Step, drain
from jupyimg.model.records import Status, TransferRecord
from jupyimg.model.reference import DOCKER_HUB, Reference
from jupyimg.model.running import ServerRecord
from jupyimg.samples import Samples
from jupyimg.server import ImageServer, ServerSettings, Traffic, read_htpasswd
from jupyimg.store import Store
from jupyimg.transfer import copying

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from jupyimg.engines.asked import Transfers
    from jupyimg.engines.remote import Remote
    from jupyimg.model.content import Sink
    from jupyimg.model.running import VisitRecord
    from jupyimg.model.settings import Settings

TICK = 0.2
"""Seconds between two looks at whether a server in the foreground still runs."""


class Serving:
    """What this process serves."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.running: list[tuple[ImageServer, ServerRecord]] = []

    def start(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 5000,
        read_only: bool = False,
        auth: str = "",
        insecure: bool = False,
        samples: bool = False,
    ) -> ServerRecord:
        """Serve in the background until `stop` or the end of the process; what is served just so already goes on.

        Args:
            host: address to listen on.
            port: 0 for any free one.
            read_only: refuse pushes and deletes.
            auth: ``USER:PASSWORD``, an htpasswd file, or "" for everybody.
            insecure: let everybody on the network write.
            samples: the teaching images, from a store beside the user's own, so that a lesson changes nothing of
                theirs; what is missing in it is made anew.

        Raises:
            Misuse: it would be reckless, or ``auth`` is neither.
            Conflict: the port is taken.
        """
        users = _users(auth) if auth else {}
        chosen = ServerSettings(host=host, port=port, read_only=read_only, users=users, insecure=insecure)
        chosen.check()
        store = Store(self.settings.home / "samples" if samples else self.settings.store)
        for server, record in self.running:
            if server.running and server.settings == chosen and record.store == str(store.root):
                return record
        if samples:
            drain(_telling(store))
        server = ImageServer(store, chosen)
        server.start()
        record = ServerRecord(
            address=server.address,
            store=str(store.root),
            what="the teaching images" if samples else "the local store",
            running=True,
            example=_example(store),
            read_only=read_only,
            login=bool(users),
        )
        self.running.append((server, record))
        return record

    def traffic(self, record: ServerRecord) -> Traffic:
        """What is asked of one that runs."""
        return next(server.traffic for server, served in self.running if served is record)

    def wait(self, record: ServerRecord) -> Iterator[VisitRecord]:
        """Stay until it has been stopped, and give each pull and push that is over; KeyboardInterrupt passes."""
        traffic, told = self.traffic(record), frozenset[int]()
        while (look := traffic.look()).running:
            ended = [visit for visit in look.visits[::-1] if visit.ended]
            yield from (visit for visit in ended if visit.number not in told)
            told = frozenset(visit.number for visit in ended)
            traffic.wait(look.version, TICK)

    def stop(self) -> list[ServerRecord]:
        """Stop all that is served, and say what that was."""
        stopped = []
        while self.running:
            server, record = self.running.pop()
            server.stop()
            stopped.append(dataclasses.replace(record, running=False, traffic=server.traffic.look()))
        return stopped

    def teaching(self, remote: Remote | None = None, host: str = "") -> Transfers:
        """Put the teaching images into the local store, or with ``remote`` into the registry at ``host``.

        Raises:
            Denied, Unreachable, RegistryError: what the registry said.
            DiskFull, StoreDenied: they could not be kept.
        """
        if remote is None:
            return (yield from _telling(Store(self.settings.store)))
        place, done = Samples(), []
        for origin, name in place.story():
            goal = Reference.parse(f"{host}/{name.familiar}")
            sink = remote.registries.repository(goal)
            done.append((yield from _put(place, sink, origin, goal, Status.PUSHED)))
        return _once(done)


def _telling(store: Store) -> Transfers:
    """Fill a store; the images are so small that only their names are worth telling."""
    place, done = Samples(), []
    with store.writer() as sink:
        for origin, name in place.story():
            done.append(drain(_put(place, sink, origin, name, Status.LOADED)))
            yield Step(Phase.NOTE, text=f"{name.familiar}: made")
    return _once(done)


def _put(
    place: Samples, sink: Sink, origin: Reference, name: Reference, status: Status
) -> Generator[Step, None, TransferRecord]:
    copied = yield from copying(place, sink, origin, target=name)
    return copied.record(name, status)


def _once(records: list[TransferRecord]) -> list[TransferRecord]:
    """Each name once, as it is at the end: one of them moves on the way."""
    return list({record.reference: record for record in records}.values())


def _users(auth: str) -> dict[str, str]:
    if _is_file(auth):
        return dict(read_htpasswd(Path(auth)))
    user, _, password = auth.partition(":")
    if not (user and password):
        raise Misuse(f"--auth {user} is neither USER:PASSWORD nor a file", hint="htpasswd -B -c FILE USER makes one")
    if not (_is_text(user) and _is_text(password)):
        raise Misuse("--auth holds what is no text", hint="letters that a browser and docker login can send too")
    return {user: password}


def _is_text(word: str) -> bool:
    """Whether it can be sent at all: half of a pair of surrogates cannot."""
    return not any("\ud800" <= letter <= "\udfff" for letter in word)


def _is_file(auth: str) -> bool:
    """Whether it is; what the system says of a password that cannot be a name must not be heard, as it repeats it."""
    try:
        return Path(auth).is_file()
    except (OSError, ValueError):
        return False


def _example(store: Store) -> str:
    named = sorted(entry.name for entry in store.entries() if entry.name and entry.name.tag)
    return next((name.familiar for name in named if name.host == DOCKER_HUB), "")
