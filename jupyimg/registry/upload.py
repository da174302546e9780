"""A blob on its way up: mounted from a neighbour, sent in one piece, or in chunks (distribution-spec "Pushing Blobs").

One PUT is the fastest way and the one every registry knows, so it comes first. Where it is refused or breaks, the
upload goes on in chunks from wherever the registry says it stands, and where it does not say, from the beginning in a
new session. The registry proves the digest before the blob becomes visible; it is not hashed a second time here.

Each answer may move the session: the newest ``Location`` counts, as it came, with only ``digest=`` added to it.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx

from jupyimg.errors import DigestMismatch, ImageError, RegistryError, SizeMismatch, Unreachable
from jupyimg.registry.answers import complaint
from jupyimg.registry.line import Ask
from jupyimg.registry.retry import TRANSIENT, chance, wait_after_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyimg.model.documents import Descriptor
    from jupyimg.registry.call import Call
    from jupyimg.registry.line import Line

    Read = Callable[[int], Iterator[bytes]]

CHUNK_SIZE = 16 << 20
"""Bytes of one PATCH; what stands between us and the registry often takes no more than 100 MB at a time."""
SLICE = 1 << 17
"""Bytes given to a socket at a time: the time-out is for each, and a slow line must not reach it while it moves."""
_DONE, _TAKEN = frozenset({200, 201, 204}), frozenset({200, 201, 202, 204})
_CREATED, _ACCEPTED, _UNKNOWN, _OUT_OF_ORDER = 201, 202, 404, 416
_REFUSED = frozenset({401, 403})
_MISMATCHES = {"DIGEST_INVALID", "SIZE_INVALID"}
_RANGE = re.compile(r"\s*(?:bytes=)?0-(\d{1,19})\s*", re.ASCII)
_NUMBER = re.compile(r"\d{1,12}", re.ASCII)
_ANY = frozenset(range(100, 600)) - TRANSIENT


class Supply:
    """The bytes to send, from any offset on; going on where it stands does not open them again."""

    def __init__(self, descriptor: Descriptor, read: Read) -> None:
        self._descriptor = descriptor
        self._read = read
        self._at = 0
        self._chunks: Iterator[bytes] | None = None
        self._rest = memoryview(b"")

    def between(self, start: int, stop: int) -> Iterator[memoryview]:
        """The bytes from ``start`` to ``stop``, in slices.

        Raises:
            SizeMismatch: there are fewer, or more than the descriptor says; raised before the last slice is given.
        """
        if self._chunks is None or self._at != start:
            self._chunks, self._at, self._rest = self._read(start), start, memoryview(b"")
        while self._at < stop:
            if not self._rest:
                self._rest = self._next(self._chunks)
            piece = self._rest[: min(SLICE, stop - self._at)]
            self._rest = self._rest[len(piece) :]
            self._at += len(piece)
            yield piece

    def _next(self, chunks: Iterator[bytes]) -> memoryview:
        chunk = next((chunk for chunk in chunks if chunk), b"")
        size, there = self._descriptor.size, self._at + len(chunk)
        if chunk and there == size:
            there += len(next((more for more in chunks if more), b""))
        if not chunk or there > size:
            how = "more" if chunk else f"only {there}"
            raise SizeMismatch(f"{self._descriptor.digest.short} should have {size} bytes, but {how} came")
        return memoryview(chunk)


class Body(httpx.SyncByteStream):
    """Part of a supply as the body of a request; a redirect or a new token goes over it again."""

    def __init__(self, supply: Supply, start: int, stop: int) -> None:
        self._supply, self._start, self._stop = supply, start, stop

    def __iter__(self) -> Iterator[bytes]:
        yield from self._supply.between(self._start, self._stop)  # type: ignore[misc]  # sockets take views too


@dataclass(frozen=True, slots=True)
class Session:
    """An upload that a registry has opened: where to send to, how far it is, and the least that one chunk may hold."""

    location: httpx.URL
    offset: int = 0
    least: int = 0


class Upload:
    """One blob on its way to a repository.

    Args:
        line: the way there.
        call: what may cut it off.
        descriptor: what the bytes must be.
        read: opens them at an offset.
    """

    def __init__(self, line: Line, call: Call, descriptor: Descriptor, read: Read) -> None:
        self._line = line
        self._call = call
        self._descriptor = descriptor
        self._supply = Supply(descriptor, read)
        self._in_chunks = not line.learned.takes_whole
        self._was_refused = False
        self._failures = 0
        self._furthest = 0

    def run(self, mounts: tuple[str, ...]) -> None:
        """Bring it there.

        Args:
            mounts: repositories of the same registry that may have it already.

        Raises:
            DigestMismatch, SizeMismatch: the bytes are not what the descriptor says.
            RegistryError: the registry would not take it.
            Interrupted: it was cut off.
        """
        session = self._begin(mounts)
        try:
            while session is not None:
                session = self._advance(session)
        except ImageError as error:
            if session is not None and not isinstance(error, Unreachable):
                self._abandon(session)
            raise

    # ---- opening and closing a session

    def _begin(self, mounts: tuple[str, ...]) -> Session | None:
        """A session, or None where the registry took the blob from a neighbour."""
        for path in mounts:
            if len(mounts) > 1 and not self._is_at(path):
                continue
            ask = self._opening(f"mount={self._descriptor.digest}&from={path}", accept=_ANY)
            with suppress(RegistryError):  # a registry that fails on mounting may still take an upload
                response = self._line.ask(self._call, ask)
                if response.status_code == _CREATED:
                    return None
                if response.status_code == _ACCEPTED:
                    return self._opened(response)  # refused, but this is a session like any other
            break
        return self._open()

    def _open(self) -> Session:
        return self._opened(self._line.ask(self._call, self._opening("", accept=frozenset({_ACCEPTED}))))

    def _opening(self, query: str, accept: frozenset[int]) -> Ask:
        return Ask(method="POST", url=self._line.url("blobs/uploads/", query), content=b"", accept=accept, pushing=True)

    def _opened(self, response: httpx.Response) -> Session:
        least = response.headers.get("oci-chunk-min-length", "")
        return Session(self._line.onward(response), least=int(least[:12]) if _NUMBER.fullmatch(least) else 0)

    def _is_at(self, path: str) -> bool:
        url = self._line.url(f"blobs/{self._descriptor.digest}", repository=path)
        with suppress(RegistryError):
            return self._line.ask(self._call, Ask(method="HEAD", url=url, accept=_ANY, pushing=True)).is_success
        return False

    def _abandon(self, session: Session) -> None:
        """Tell the registry to forget what was sent; if it does not hear, it will in time."""
        with suppress(httpx.RequestError, ImageError):
            ask = Ask(method="DELETE", url=session.location, accept=_ANY, pushing=True)
            self._line.attempt(self._call, ask)

    # ---- going on

    def _advance(self, session: Session) -> Session | None:
        """Send the next part; None when the blob is there."""
        ask, end = self._part(session)
        try:
            response = self._line.attempt(self._call, ask)
        except httpx.RequestError as failure:
            self._failures += 1
            wait = wait_after_failure(failure, self._failures, self._line.settings.attempts, chance())
            if wait is None:
                raise self._line.failed(failure, ask) from failure
            self._call.wait(wait)
            return self._found_again(session)
        if ask.method == "PUT" and response.status_code in _DONE:
            if self._was_refused:  # and chunks were not, so that is what this host wants
                self._line.learned.takes_whole = False
            return None
        if ask.method == "PATCH" and response.status_code in _TAKEN:
            offset = min(_stands_at(response, end), end)
            if offset > self._furthest:  # what is sent again after a session was lost is no success yet
                self._failures, self._furthest = 0, offset
            elif offset <= session.offset:
                self._failures += 1
            if self._failures < self._line.settings.attempts:
                return replace(session, location=self._line.onward(response, session.location), offset=offset)
        return self._set_right(session, ask, response)

    def _part(self, session: Session) -> tuple[Ask, int]:
        """The next request, and the offset that it leads to."""
        size, start = self._descriptor.size, session.offset
        closing = with_digest(session.location, self._descriptor.digest)
        headers = {"content-type": "application/octet-stream"}
        if start == size:
            return Ask(method="PUT", url=closing, content=b"", headers=headers, pushing=True), size
        end = min(size, start + max(CHUNK_SIZE, session.least)) if self._in_chunks else size
        headers["content-length"] = str(end - start)
        body = Body(self._supply, start, end)
        if not self._in_chunks:
            return Ask(method="PUT", url=closing, stream=body, headers=headers, pushing=True), size
        headers["content-range"] = f"{start}-{end - 1}"
        return Ask(method="PATCH", url=session.location, stream=body, headers=headers, pushing=True), end

    def _set_right(self, session: Session, ask: Ask, response: httpx.Response) -> Session | None:
        """What to do after an answer that is no success; None when the blob is there all the same.

        Raises:
            ImageError: nothing can be done.
        """
        self._failures += 1
        status, said = response.status_code, complaint(response)
        if said.code in _MISMATCHES:
            raise DigestMismatch(f"the bytes sent for {self._descriptor.digest} are not that: {said.text or said.code}")
        if status in TRANSIENT:
            wait = self._line.patience(response, self._failures)
            if wait is None:
                raise self._line.refused(response, ask)
            self._call.wait(wait)
            return self._found_again(session)
        if status in _REFUSED or said.code == "NAME_UNKNOWN" or self._failures >= self._line.settings.attempts:
            raise self._line.refused(response, ask)
        if not self._in_chunks:
            self._in_chunks, self._was_refused = True, status not in {_UNKNOWN, _OUT_OF_ORDER}
            return self._open()
        if status == _OUT_OF_ORDER:
            return self._found_again(session)
        if status == _UNKNOWN:
            return self._open()
        raise self._line.refused(response, ask)

    def _found_again(self, session: Session) -> Session | None:
        """Where the registry says that the upload stands, or a new one; None when only the answer had been lost."""
        response = self._line.ask(self._call, Ask(method="GET", url=session.location, accept=_ANY, pushing=True))
        offset = _stands_at(response, 0)
        if not response.is_success or "range" not in response.headers or offset > self._descriptor.size:
            return None if self._is_at(self._line.reference.path) else self._open()
        self._in_chunks = self._in_chunks or offset > 0
        return replace(session, location=self._line.onward(response, session.location), offset=offset)


def with_digest(location: httpx.URL, digest: str) -> httpx.URL:
    """A session's address with the digest that closes it, and not a letter of it changed."""
    path, _, query = location.raw_path.partition(b"?")
    more = b"&" if query else b""
    return location.copy_with(raw_path=path + b"?" + query + more + b"digest=" + digest.encode())


def _stands_at(response: httpx.Response, sent: int) -> int:
    """How many bytes a session has, after we sent so many; ``0-0`` is how some say that there are none."""
    found = _RANGE.fullmatch(response.headers.get("range", ""))
    if found is None:
        return sent
    return int(found[1]) + 1 if int(found[1]) else min(sent, 1)
