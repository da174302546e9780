"""Registries: all connections of one engine."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from weakref import WeakSet

from jupyimg.registry.client import Client
from jupyimg.registry.line import Line
from jupyimg.registry.login import log_in
from jupyimg.registry.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyimg.model.reference import Reference
    from jupyimg.model.settings import Settings
    from jupyimg.registry.auth import Credentials
    from jupyimg.registry.login import LoggedIn


class Registries:
    """Where repositories come from; may be used from several threads at once.

    Args:
        settings: time-outs, proxies, authorities and the rest.
        credentials: finds who we are to a reference's repository; None is anonymous. Called when a registry first
            asks, once for each repository.
    """

    def __init__(
        self, settings: Settings, credentials: Callable[[Reference], Credentials | None] | None = None
    ) -> None:
        self._client = Client(settings)
        self._credentials = credentials
        self._lock = threading.Lock()
        self._given: WeakSet[Repository] = WeakSet()

    def repository(self, reference: Reference, *, mounts: Sequence[str] = ()) -> Repository:
        """One repository; ask for a new one for each operation, since interrupting ends all that is under way in it.

        Args:
            reference: names the repository; its tag and digest do not matter.
            mounts: paths of repositories on the same host that may hold what is to be written there.
        """
        paths = tuple(path for path in mounts if path != reference.path)
        repository = Repository(Line(self._client, reference.untagged(), paths, self._credentials), paths)
        with self._lock:
            self._given.add(repository)
        return repository

    def log_in(self, host: str, credentials: Credentials) -> LoggedIn:
        """Prove to a registry who we are; see `login.log_in`.

        Raises:
            Denied: it does not accept them.
            RegistryError: it said something else, or nothing.
        """
        return log_in(self._client, host, credentials)

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
