"""Registries: all connections of one engine."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakSet

import httpx

from jupyimg.errors import Denied, Misuse
from jupyimg.model.reference import Reference
from jupyimg.registry.client import Client
from jupyimg.registry.conf import Conf
from jupyimg.registry.desk import Desk
from jupyimg.registry.endpoints import Endpoint, endpoints
from jupyimg.registry.hosts import base_url, host_of
from jupyimg.registry.line import Line, Manner
from jupyimg.registry.login import log_in
from jupyimg.registry.mirrored import Mirrored
from jupyimg.registry.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyimg.model.records import Quota
    from jupyimg.model.settings import Settings
    from jupyimg.registry.auth import Credentials
    from jupyimg.registry.client import Learned
    from jupyimg.registry.endpoints import Rules
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
        self.conf = Conf(settings)
        self._credentials = credentials
        self._lock = threading.Lock()
        self._given: WeakSet[Repository | Desk] = WeakSet()

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

    def desk(self, host: str, api: str = "") -> Desk:
        """Where a host is asked for what belongs to no repository; a new one for each operation.

        Args:
            host: the registry.
            api: "" for its catalog, "host" for an API beside it on the same host, "hub" and "index" for Docker Hub's.

        Raises:
            Denied: the user's files block it.
            Misuse: the settings name an address for Hub's API that is none, or that may not be spoken to plainly.
        """
        if api in {"", "host"}:
            home = endpoints(Reference(host, "catalog"), self.conf.rules())[-1]  # which refuses where it is blocked
            manner = Manner(insecure=home.insecure)
            desk = Desk(self._client, home.reference.host, find=self._credentials, manner=manner, anonymous=bool(api))
        else:
            url = self._hub(host, api)
            desk = Desk(self._client, url.host, api=url, anonymous=True)
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

    def log_in(self, host: str, credentials: Credentials) -> LoggedIn:
        """Prove to a registry who we are; see `login.log_in`.

        Raises:
            Denied: it does not accept them.
            RegistryError: it said something else, or nothing.
        """
        home = endpoints(Reference(host, "any"), self.conf.rules())[-1]  # which refuses where it is blocked
        return log_in(self._client, host, credentials, Manner(insecure=home.insecure))

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
