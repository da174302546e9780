"""copying(): the one algorithm that moves an image from a place to a place.

It resolves the name once, walks from the root to what a platform needs, asks ``admit`` about exactly that, fans the
blobs out over a few daemon threads, writes the manifests from the leaves up, and publishes the name last. What is not
admitted leaves no byte; nothing is visible under the name before all of it is there; who receives bytes proves them
(`Sink.write`).

Threads note what they did on a board; the generator yields steps from it in the caller's thread, which alone may
touch a display. Leaving the generator for any reason (an error, KeyboardInterrupt, close) tells both places to
interrupt what is under way, so that a server that has gone silent holds nobody.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from jupyimg.errors import DigestMismatch, SizeMismatch
from jupyimg.model.content import Expectant, Phase, Step, Telling, WithMirrors
from jupyimg.model.records import TransferRecord
from jupyimg.transfer.crew import Board, Pauses, Stopped, apart, stopping, together
from jupyimg.transfer.walk import Selection, Tree, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from jupyimg.model.content import Sink, Source
    from jupyimg.model.documents import Descriptor
    from jupyimg.model.records import Status
    from jupyimg.model.reference import Reference

    Admit = Callable[[Reference, Tree], Sequence[str]]
    """Given the name in the source and what it stands for: lines to tell, or an error that ends the copy."""

EVERYTHING = Selection()


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a copy did: the tree that is now at its destination, and how many bytes really moved to bring it there."""

    tree: Tree
    transferred: int
    seconds: float

    def record(self, reference: Reference, status: Status) -> TransferRecord:
        """What to say of it."""
        return TransferRecord(
            reference=reference.familiar,
            digest=self.tree.root.digest,
            image_id=self.tree.image_id,
            status=status,
            size=self.tree.size,
            transferred=self.transferred,
            seconds=self.seconds,
        )


def copying(
    source: Source,
    sink: Sink,
    reference: Reference,
    *,
    target: Reference | None = None,
    selection: Selection = EVERYTHING,
    workers: int = 6,
    admit: Admit | None = None,
) -> Generator[Step, None, Copied]:
    """Copy what ``reference`` names in ``source`` to ``target`` (the same name by default) in ``sink``.

    Raises:
        NotFound, PlatformNotFound: the source has no such name, or not for that platform.
        NotTrusted: it was not admitted; nothing was moved.
        ContentError: what came is not what its digest says; nothing was published.
        RegistryError, StoreError: a place said no.
        Interrupted: the user pressed stop; the bytes that arrived are kept where the sink can keep them.
    """
    began = time.monotonic()
    tellers: list[Telling] = [place for place in (source, sink) if isinstance(place, Telling)]
    board = Board(pauses=Pauses(source, sink), tellers=tellers)
    with stopping(source, sink, board):
        tree: Tree = yield from apart(partial(walk, source, reference, selection), board)
        if admit is not None:
            for line in (yield from apart(partial(admit, reference, tree), board)):
                yield Step(Phase.NOTE, text=line)
        for foreign in [blob for blob in tree.blobs if blob.urls]:
            yield Step(Phase.NOTE, text=f"{foreign.digest.short}: not moved, it is only to be had from its vendor")
        blobs = sorted((blob for blob in tree.blobs if not blob.urls), key=lambda blob: -blob.size)
        for blob in tree.blobs:
            yield Step(Phase.WAITING, blob.digest, 0, blob.size, board.name(blob))
        if isinstance(sink, Expectant):
            sink.expect(blobs)
        yield from together([partial(_move, source, sink, blob, board) for blob in blobs], workers, board)
        for manifest in tree.manifests:
            yield from together([partial(_move, source, sink, manifest, board)], 1, board)
        yield from apart(partial(sink.publish, target or reference, tree.root, tree.held), board)
    return Copied(tree=tree, transferred=board.moved, seconds=time.monotonic() - began)


def _move(source: Source, sink: Sink, blob: Descriptor, board: Board) -> None:
    """Bring one blob or manifest over, unless it is there."""

    def read(offset: int) -> Iterator[bytes]:
        at = offset
        for chunk in source.read(blob, offset):
            if board.stop.is_set():
                raise Stopped
            at += len(chunk)
            board.counts[blob.digest] = board.counts.get(blob.digest, 0) + len(chunk)
            board.note(Phase.MOVING, blob, at)
            yield chunk

    try:
        if sink.has(blob):
            board.note(Phase.EXISTS, blob, blob.size)
        else:
            board.note(Phase.MOVING, blob, 0)
            while True:
                try:
                    sink.write(blob, read)
                    break
                except (DigestMismatch, SizeMismatch):
                    if not (isinstance(source, WithMirrors) and source.doubt(blob)):
                        raise
            # A sink may have found the bytes elsewhere: mounted from another repository, brought by another process.
            came = blob.digest in board.counts or blob.size == 0
            board.note(Phase.DONE if came else Phase.EXISTS, blob, blob.size)
    except BaseException:
        if not board.stop.is_set():
            board.note(Phase.FAILED, blob, board.steps[blob.digest].current if blob.digest in board.steps else 0)
        raise
