"""One repository's way to its registry: a request, tried until there is an answer or an error saying what failed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import httpx

from jupyimg.errors import ImageError, ProtocolError
from jupyimg.registry.answers import Context, problem, unreachable
from jupyimg.registry.auth import RegistryAuth
from jupyimg.registry.call import Calls
from jupyimg.registry.client import absorb
from jupyimg.registry.hosts import origin
from jupyimg.registry.pace import Pace
from jupyimg.registry.retry import TOO_MANY, chance, retry_after, wait_after_answer, wait_after_failure
from jupyimg.registry.wire import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyimg.model.reference import Reference
    from jupyimg.model.settings import Settings
    from jupyimg.registry.auth import Credentials
    from jupyimg.registry.call import Call
    from jupyimg.registry.client import Client, Learned

ANSWER_LIMIT = 16 << 20
"""Bytes read of an answer that is not content, such as a list of tags."""
HURRIED = {"connect_timeout": 3.0, "read_timeout": 15.0, "attempts": 3, "longest_wait": 0.0}
"""The most patience that one has with a mirror, for there is another place to ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request, put so that it can be tried again.

    Attributes:
        content: a small body.
        stream: a large one, which can be gone over again, or None; its length stands in ``headers``.
        accept: the statuses that are an answer; others are an error.
        limit: bytes of body to read; None is all.
        whole: read the body at once; otherwise whoever asked reads and closes.
        pushing: whether it needs the right to write.
        item: what is asked for, for a message, where that is not the name itself.
    """

    method: str
    url: httpx.URL
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    stream: httpx.SyncByteStream | None = None
    accept: frozenset[int] = frozenset({200})
    limit: int | None = ANSWER_LIMIT
    whole: bool = True
    pushing: bool = False
    item: str = ""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a registry is asked.

    Attributes:
        insecure: plain http and certificates that prove nothing are taken from it.
        hurried: do not wait long, nor for what comes too slowly: there are others to ask.
    """

    insecure: bool = False
    hurried: bool = False


PATIENT = Manner()


class Line:
    """One repository's way to its registry: knows where it is, who we are there, and how to name it in an error.

    Args:
        client: what is shared.
        reference: the repository.
        mounts: paths of other repositories there that we need to read while we write.
        find: looks credentials up; None is anonymous.
        manner: how it is asked.
        auth: how to authorize every request, in place of the usual ways to read and to write.

    Attributes:
        pace: what answers must keep up with where one is hurried, else None.
    """

    def __init__(
        self,
        client: Client,
        reference: Reference,
        mounts: tuple[str, ...],
        find: Callable[[Reference], Credentials | None] | None,
        manner: Manner = PATIENT,
        *,
        auth: RegistryAuth | None = None,
    ) -> None:
        self.settings = _hurried(client.settings) if manner.hurried else client.settings
        self.reference = reference
        self.calls = Calls()
        self.client = client
        self._manner = manner
        self.pace = Pace() if manner.hurried else None
        self._patience = Patience(self.settings.connect_timeout, self.settings.read_timeout)
        self._mounts = mounts
        self._find = find
        self._auth = auth
        self._known: list[Credentials | None] = []
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._told: dict[str, bool] = {}

    @cached_property
    def base(self) -> httpx.URL:
        """Where the API is, which an insecure registry must first be asked.

        Raises:
            Unreachable, ProtocolError: it did not answer.
            Interrupted: it was cut off.
        """
        call, insecure = self.calls.begin(), self._manner.insecure
        try:
            return self.client.base(self.reference.host, call, insecure=insecure, patience=self._patience)
        except httpx.RequestError as failure:
            raise unreachable(failure, Context(reference=self.reference), failure.request.url) from failure

    @cached_property
    def learned(self) -> Learned:
        """What is known of the host."""
        return self.client.learned(self.base)

    @cached_property
    def _reading(self) -> RegistryAuth:
        return self._authority(f"repository:{self.reference.path}:pull")

    @cached_property
    def _writing(self) -> RegistryAuth:
        others = tuple(f"repository:{path}:pull" for path in self._mounts)
        return self._authority(f"repository:{self.reference.path}:pull,push", *others)

    def _authority(self, *scopes: str) -> RegistryAuth:
        return self._auth or RegistryAuth(self.base, scopes, self.client.tokens, self.credentials, self.client.check)

    def credentials(self) -> Credentials | None:
        """Who we are there; looked up once.

        Raises:
            Interrupted: it was cut off.
        """
        call = self.calls.begin()
        with self._looking:  # a helper program may be behind it, which six workers need not start six times
            call.check()
            if not self._known:
                with call.here():
                    self._known.append(self._find(self.reference) if self._find else None)
            return self._known[0]

    def url(self, path: str, query: str = "", *, repository: str = "") -> httpx.URL:
        """The URL of something in the repository (or in another one there), such as ``blobs/sha256:…``."""
        url = self.base.join(f"{repository or self.reference.path}/{path}")
        return url.copy_with(query=query.encode()) if query else url

    def may_be_plain(self, url: httpx.URL) -> bool:
        """Whether this URL, on whatever host, may be asked over http."""
        return self.client.may_be_plain(url)

    def ask(self, call: Call, ask: Ask, reference: Reference | None = None) -> httpx.Response:
        """Send a request, as often as it takes.

        Raises:
            RegistryError, RemoteNotFound: what the registry said, or that it said nothing.
            Interrupted: the call was cut off.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                response = self.attempt(call, ask)
            except httpx.RequestError as failure:
                attempts = 1 if self.is_lost(failure) else self.settings.attempts
                wait = wait_after_failure(failure, attempt, attempts, chance())
                if wait is None:
                    raise self.failed(failure, ask, reference) from failure
                self.tell("does not answer, or broke off")
            else:
                if response.status_code in ask.accept:
                    return response
                wait = self.patience(response, attempt)
                if wait is None:
                    raise self.refused(response, ask, reference)
                if response.status_code != TOO_MANY:  # which is a pause, and counted down
                    self.tell(f"answers {response.status_code}")
            call.wait(wait)

    def attempt(self, call: Call, ask: Ask) -> httpx.Response:
        """Send a request once; an answer that was not hoped for has its body read already.

        Raises:
            httpx.RequestError: there was no answer.
            ImageError: the way there is not safe, or a body that was to be sent could not be read.
            Interrupted: the call was cut off.
        """
        while (left := self.learned.left) > 0:  # which another thread may lengthen meanwhile
            call.wait(left)
        headers = {"user-agent": "jupyimg", "accept": "*/*", "accept-encoding": "identity", **ask.headers}
        extensions: dict[str, Any] = {"call": call, "limit": ask.limit, "patience": self._patience, "pace": self.pace}
        if self._manner.insecure:
            extensions["unproven"] = origin(self.base)
        request = (
            httpx.Request(ask.method, ask.url, headers=headers, content=ask.content, extensions=extensions)
            if ask.stream is None
            else httpx.Request(ask.method, ask.url, headers=headers, stream=ask.stream, extensions=extensions)
        )
        response = self.client.dispatch(request, self._writing if ask.pushing else self._reading)
        self.learned.note(request, response)
        return absorb(response) if ask.whole or response.status_code not in ask.accept else response

    def patience(self, response: httpx.Response, attempt: int) -> float | None:
        """Seconds to wait before trying again after this answer, or None; on 429 all who use this host wait."""
        asked = _asked(response)
        if asked is not None and asked > self.settings.longest_wait:
            return None
        wait = wait_after_answer(response.status_code, asked, attempt, self.settings.attempts, chance())
        if wait is not None and response.status_code == TOO_MANY:
            self.learned.pause(wait)
        return wait

    def is_lost(self, failure: httpx.RequestError) -> bool:
        """Whether who is hurried had better not try again: it took its time, and the next try would too."""
        return isinstance(failure, httpx.TimeoutException) and self._manner.hurried

    def tell(self, what: str) -> None:
        """Note that the registry is asked once more, and why; each reason is told once, whoever meets it."""
        self.say(f"{self.reference.host} {what}: trying again")

    def say(self, text: str) -> None:
        """Note something for people, once."""
        with self._lock:
            self._told.setdefault(text, False)

    def notes(self) -> list[str]:
        """What was noted since this was last asked."""
        with self._lock:
            fresh = [text for text, told in self._told.items() if not told]
            self._told |= dict.fromkeys(fresh, True)
        return fresh

    def pauses(self) -> list[tuple[str, float]]:
        """How long the host is not to be asked, if at all (`Patient`)."""
        # A host that was never asked has asked for nothing, and finding out where it is may take a while.
        left = self.learned.left if "learned" in self.__dict__ else 0.0
        return [(self.reference.host, left)] if left else []

    def onward(self, response: httpx.Response, otherwise: httpx.URL | None = None) -> httpx.URL:
        """Where an answer says to go on, or ``otherwise`` where it says nothing.

        A registry behind a proxy that ends TLS may call itself http; it is asked over https all the same.

        Raises:
            ProtocolError: nowhere, or to where it is not safe to go.
        """
        location = response.headers.get("location")
        if not location and otherwise is not None:
            return otherwise
        try:
            url = response.request.url.join(location)
        except (httpx.InvalidURL, TypeError):
            raise ProtocolError(f"{self.reference.host} opens an upload without saying where") from None
        if url.host == self.base.host and url.scheme == "http" and self.base.scheme == "https":
            url = url.copy_with(scheme="https", port=self.base.port)
        self.client.check(self.base, url)
        return url

    def refused(self, response: httpx.Response, ask: Ask, reference: Reference | None = None) -> ImageError:
        """The error that an answer is."""
        return problem(response, self._context(ask, reference), _asked(response))

    def failed(self, failure: httpx.RequestError, ask: Ask, reference: Reference | None = None) -> ImageError:
        """The error that no answer is."""
        return unreachable(failure, self._context(ask, reference), self.base)

    def _context(self, ask: Ask, reference: Reference | None) -> Context:
        return Context(
            reference=reference or self.reference,
            pushing=ask.pushing,
            item=ask.item,
            logged_in=self._reading.is_known or self._writing.is_known,
            login_refused=self._reading.is_refused or self._writing.is_refused,
        )


def _hurried(settings: Settings) -> Settings:
    limits: dict[str, Any] = {name: min(getattr(settings, name), most) for name, most in HURRIED.items()}
    return replace(settings, **limits)


def _asked(response: httpx.Response) -> float | None:
    return retry_after(response.headers, datetime.now(UTC))
