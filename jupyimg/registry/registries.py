"""Registries: all connections of one engine."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from weakref import WeakSet

import httpx

from jupyimg.errors import Misuse
from jupyimg.registry.client import Client
from jupyimg.registry.desk import Desk
from jupyimg.registry.hosts import base_url, host_of
from jupyimg.registry.line import Line
from jupyimg.registry.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyimg.model.records import Quota
    from jupyimg.model.reference import Reference
    from jupyimg.model.settings import Settings
    from jupyimg.registry.auth import Credentials
    from jupyimg.registry.client import Learned


class Registries:
    """Where repositories come from; may be used from several threads at once.

    Args:
        settings: time-outs, proxies, authorities and the rest.
        credentials: finds who we are by a reference's host, such as ``docker.io``; None is anonymous. Called when a
            registry first asks, once for each repository.
    """

    def __init__(self, settings: Settings, credentials: Callable[[str], Credentials | None] | None = None) -> None:
        self._client = Client(settings)
        self._credentials = credentials
        self._lock = threading.Lock()
        self._given: WeakSet[Repository | Desk] = WeakSet()

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

    def desk(self, host: str, api: str = "") -> Desk:
        """Where a host is asked for what belongs to no repository; a new one for each operation.

        Args:
            host: the registry.
            api: "" for its catalog, "host" for an API beside it on the same host, "hub" and "index" for Docker Hub's.

        Raises:
            Misuse: the settings name an address for Hub's API that is none, or that may not be spoken to plainly.
        """
        if not api:
            desk = Desk(self._client, host, find=self._credentials)
        else:
            url = base_url(host, self._client.settings.insecure) if api == "host" else self._hub(host, api)
            desk = Desk(self._client, host if api == "host" else url.host, api=url)
        with self._lock:
            self._given.add(desk)
        return desk

    def learned(self, host: str) -> Learned:
        """What a registry has taught us since we began."""
        return self._client.learned(base_url(host, self._client.settings.insecure))

    def quota(self, host: str) -> Quota | None:
        """What a registry last said is left of its quota; None where it said nothing."""
        return self.learned(host).quota

    def known(self) -> dict[str, Learned]:
        """All hosts that have answered since we began, by HOST[:PORT]."""
        usual = {"http": 80, "https": 443}
        return {
            host if port == usual[scheme] else f"{host}:{port}": learned
            for (scheme, host, port), learned in self._client.known()
        }

    def _hub(self, host: str, api: str) -> httpx.URL:
        text = self._client.settings.hub_api or f"https://{getattr(host_of(host), api)}"
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL:
            url = httpx.URL()
        plain = url.scheme == "http" and self._client.may_be_plain(url)
        if not url.host or not (plain or url.scheme == "https"):
            hint = "write JUPYIMG_HUB_API as https://HOST; http only for this machine and what JUPYIMG_INSECURE lists"
            raise Misuse("the address of Docker Hub's API is not one to ask", hint=hint)
        return url

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
