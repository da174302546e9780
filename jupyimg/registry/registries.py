"""Registries: all connections of one engine."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakSet

from jupyimg.errors import Denied, Misuse
from jupyimg.registry.client import Client
from jupyimg.registry.conf import Conf
from jupyimg.registry.endpoints import Endpoint, endpoints
from jupyimg.registry.line import Line, Manner
from jupyimg.registry.mirrored import Mirrored
from jupyimg.registry.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyimg.model.reference import Reference
    from jupyimg.model.settings import Settings
    from jupyimg.registry.auth import Credentials
    from jupyimg.registry.endpoints import Rules


class Registries:
    """Where repositories come from; may be used from several threads at once.

    Args:
        settings: time-outs, proxies, authorities and the rest.
        credentials: finds who we are by a reference's host, such as ``docker.io``; None is anonymous. Called when a
            registry first asks, once for each repository.
    """

    def __init__(self, settings: Settings, credentials: Callable[[str], Credentials | None] | None = None) -> None:
        self._client = Client(settings)
        self.conf = Conf(settings)
        self._credentials = credentials
        self._lock = threading.Lock()
        self._given: WeakSet[Repository] = WeakSet()

    def repository(self, reference: Reference, *, mounts: Sequence[str] = ()) -> Repository:
        """One repository; ask for a new one for each operation, since interrupting ends all that is under way in it.

        It is read by way of the mirrors that the user's files name for it (`endpoints`), and written where it lives.

        Args:
            reference: names the repository; whether it holds a digest decides which mirrors serve it.
            mounts: paths of repositories on the same host that may hold what is to be written there.

        Raises:
            Denied: the name is blocked.
            Misuse: a file that says where registries are cannot be used.
        """
        rules = self.conf.rules()
        *mirrors, home = endpoints(reference, rules)
        moved = home.reference != reference
        known = _moved(reference, mounts, home.reference, rules) if moved else mounts
        paths = tuple(path for path in known if path != home.reference.path)
        line = self._line(home, paths)
        if mirrors or moved or rules.notes:
            repository: Repository = Mirrored(line, paths, [self._mirror(one) for one in mirrors], rules.notes)
        else:
            repository = Repository(line, paths)
        with self._lock:
            self._given.add(repository)
        return repository

    def places(self, reference: Reference) -> list[Repository]:
        """The mirrors and then the repository itself, each alone, to look at one by one and without much patience.

        Raises:
            Denied, Misuse: see `repository`.
        """
        return [self._mirror(endpoint) for endpoint in endpoints(reference, self.conf.rules(), every=True)]

    def _mirror(self, endpoint: Endpoint) -> Repository:
        return Repository(self._line(endpoint, hurried=True))

    def _line(self, endpoint: Endpoint, mounts: tuple[str, ...] = (), *, hurried: bool = False) -> Line:
        manner = Manner(insecure=endpoint.insecure, hurried=hurried)
        return Line(self._client, endpoint.reference.untagged(), mounts, self._credentials, manner)

    def interrupt(self) -> None:
        """End what is under way in all repositories, at once."""
        with self._lock:
            given = list(self._given)
        for repository in given:
            repository.interrupt()

    def close(self) -> None:
        """End what is under way and give back all connections."""
        self.interrupt()
        self._client.transport.close()


def _moved(reference: Reference, mounts: Sequence[str], home: Reference, rules: Rules) -> list[str]:
    """What repositories beside a reference are called where it really lives, of those that live there too."""
    found: list[str] = []
    for path in mounts:
        with suppress(Denied, Misuse):  # to mount from there would only have saved time
            there = endpoints(replace(reference.untagged(), path=path), rules)[-1].reference
            found += [there.path] if there.host == home.host else []
    return found
