"""A blob as a stream that mends itself.

When a connection breaks, goes silent or ends early, the rest is asked for with a Range from where the reader stands,
always at the registry's own address: the signed address of a redirect may have expired (RFC 9110, 14). What comes is
believed only as far as it says where it starts; a server that ignores ranges is read from the beginning and skipped.
"""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

import httpx

from jupyimg.errors import SizeMismatch
from jupyimg.registry.retry import backoff, chance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyimg.model.documents import Descriptor

    Open = Callable[[dict[str, str]], httpx.Response]

PROGRESS = 1 << 20
"""Bytes that must have come for a break not to count as another failure."""
OK, PARTIAL, BEYOND = 200, 206, 416
_CONTENT_RANGE = re.compile(r"\s*bytes\s+(\d{1,19})-\d+/(?:\d+|\*)\s*", re.ASCII | re.IGNORECASE)


class Download:
    """One blob on its way.

    Args:
        descriptor: what is to come; its size says when it is all there.
        offset: where to start.
        ask: asks the registry for the blob with these headers; answers 200, 206 or 416.
        wait: sleeps for some seconds.
        attempts: how often in a row it may break without progress.
        is_lost: whether it had better not be tried again after this failure.
    """

    def __init__(
        self,
        descriptor: Descriptor,
        offset: int,
        ask: Open,
        wait: Callable[[float], None],
        attempts: int,
        *,
        is_lost: Callable[[httpx.TransportError], bool] = lambda _: False,
    ) -> None:
        self._descriptor = descriptor
        self._at = offset
        self._ask = ask
        self._wait = wait
        self._attempts = attempts
        self._is_lost = is_lost
        self._ranges = True

    def chunks(self) -> Iterator[bytes]:
        """The bytes, to the size that was promised and no further than the chunk that reaches it.

        Raises:
            httpx.TransportError: it broke too often.
            SizeMismatch: the registry has fewer bytes.
        """
        failures = 0
        while self._at < self._descriptor.size:
            before, ranged = self._at, self._ranges
            failure: httpx.TransportError | None = None
            try:
                yield from self._piece()
            except httpx.TransportError as error:
                failure = error
                if self._is_lost(error) and self._at < self._descriptor.size:
                    raise
            if self._at >= self._descriptor.size:
                return
            failures = 1 if self._at - before >= PROGRESS else failures + 1
            if failures >= self._attempts:
                raise failure or self._short()
            if failure is None and self._at == before and not ranged:
                raise self._short()  # an answer from the beginning was whole and ended here: there is no more
            self._wait(backoff(failures, chance()))

    def _piece(self) -> Iterator[bytes]:
        """As much as one answer brings."""
        wanted = self._at if self._ranges else 0
        with closing(self._ask({"range": f"bytes={wanted}-"} if wanted else {})) as response:
            start = starts_at(response, wanted)
            if start is None:
                self._ranges = False
                return
            skip = self._at - start
            for chunk in response.iter_raw():
                if skip >= len(chunk):
                    skip -= len(chunk)
                    continue
                rest = chunk[skip:] if skip else chunk
                skip = 0
                self._at += len(rest)
                yield rest
                if self._at >= self._descriptor.size:
                    return

    def _short(self) -> SizeMismatch:
        return SizeMismatch(
            f"{self._descriptor.digest.short} should have {self._descriptor.size} bytes, but only {self._at} came"
        )


def starts_at(response: httpx.Response, wanted: int) -> int | None:
    """Which byte of the blob an answer starts with, or None where it cannot be used for what was wanted."""
    if response.status_code == OK:
        return 0
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    start = int(found[1]) if found else None
    return start if response.status_code == PARTIAL and start == wanted else None
