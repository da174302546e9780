"""One repository's way to its registry: a request, tried until there is an answer or an error saying what failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx

from jupyimg.errors import ImageError, ProtocolError
from jupyimg.registry.answers import Context, problem, unreachable
from jupyimg.registry.auth import RegistryAuth
from jupyimg.registry.call import Calls
from jupyimg.registry.client import absorb
from jupyimg.registry.hosts import base_url
from jupyimg.registry.retry import TOO_MANY, chance, retry_after, wait_after_answer, wait_after_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyimg.model.reference import Reference
    from jupyimg.registry.auth import Credentials
    from jupyimg.registry.call import Call
    from jupyimg.registry.client import Client

ANSWER_LIMIT = 16 << 20
"""Bytes read of an answer that is not content, such as a list of tags."""


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


class Line:
    """One repository's way to its registry: knows where it is, who we are there, and how to name it in an error.

    Args:
        client: what is shared.
        reference: the repository.
        mounts: paths of other repositories there that we need to read while we write.
        find: looks credentials up by host; None is anonymous.
    """

    def __init__(
        self,
        client: Client,
        reference: Reference,
        mounts: tuple[str, ...],
        find: Callable[[str], Credentials | None] | None,
    ) -> None:
        self.settings = client.settings
        self.reference = reference
        self.base = base_url(reference.host, client.settings.insecure)
        self.calls = Calls()
        self.learned = client.learned(self.base)
        self._client = client
        known: list[Credentials | None] = []

        def credentials() -> Credentials | None:
            if not known:
                known.append(find(reference.host) if find else None)
            return known[0]

        self.credentials = credentials
        pull = f"repository:{reference.path}:pull"
        others = tuple(f"repository:{path}:pull" for path in mounts)
        self._reading = RegistryAuth(self.base, (pull,), client.tokens, credentials, client.check)
        self._writing = RegistryAuth(self.base, (f"{pull},push", *others), client.tokens, credentials, client.check)

    def url(self, path: str, query: str = "", *, repository: str = "") -> httpx.URL:
        """The URL of something in the repository (or in another one there), such as ``blobs/sha256:…``."""
        url = self.base.join(f"{repository or self.reference.path}/{path}")
        return url.copy_with(query=query.encode()) if query else url

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
                wait = wait_after_failure(failure, attempt, self.settings.attempts, chance())
                if wait is None:
                    raise self.failed(failure, ask, reference) from failure
            else:
                if response.status_code in ask.accept:
                    return response
                wait = self.patience(response, attempt)
                if wait is None:
                    raise self.refused(response, ask, reference)
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
        extensions = {"call": call, "limit": ask.limit}
        request = (
            httpx.Request(ask.method, ask.url, headers=headers, content=ask.content, extensions=extensions)
            if ask.stream is None
            else httpx.Request(ask.method, ask.url, headers=headers, stream=ask.stream, extensions=extensions)
        )
        response = self._client.dispatch(request, self._writing if ask.pushing else self._reading)
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

    def pauses(self) -> list[tuple[str, float]]:
        """How long the host is not to be asked, if at all (`Patient`)."""
        left = self.learned.left
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
        self._client.check(self.base, url)
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
        )


def _asked(response: httpx.Response) -> float | None:
    return retry_after(response.headers, datetime.now(UTC))
