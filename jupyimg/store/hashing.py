"""Hashing: a digest that is worked out beside whatever else is done with the bytes.

Hashing and the work that it accompanies (unpacking a layer, writing an archive) take about the same time, and both
leave the interpreter to others meanwhile; so a second thread hashes, one piece behind.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from jupyimg.model.content import CHUNK

if TYPE_CHECKING:
    from concurrent.futures import Future
    from types import TracebackType
    from typing import Self

    from jupyimg.model.digest import Digest


class Hashing:
    """Takes the bytes of one piece of content in order, and says what digest they have.

    At most two pieces of about 1 MiB are kept; what is shorter than one is hashed where it is asked for.

    Args:
        digest: what it should be, which says the algorithm.
    """

    def __init__(self, digest: Digest) -> None:
        self._hasher = digest.hasher()
        self._piece: list[bytes] = []
        self._size = 0
        self._thread: ThreadPoolExecutor | None = None
        self._behind: Future[None] | None = None

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self._piece.append(data)
        self._size += len(data)
        if self._size >= CHUNK:
            self._wait()
            self._thread = self._thread or ThreadPoolExecutor(1)
            self._behind = self._thread.submit(self._hasher.update, self._taken())

    def hexdigest(self) -> str:
        """The digest of all bytes so far, in hexadecimal."""
        self._wait()
        self._hasher.update(self._taken())
        return self._hasher.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._thread is not None:
            self._thread.shutdown(wait=False)

    def _wait(self) -> None:
        behind, self._behind = self._behind, None
        if behind is not None:
            behind.result()

    def _taken(self) -> bytes:
        piece, self._piece, self._size = self._piece, [], 0
        return piece[0] if len(piece) == 1 else b"".join(piece)
