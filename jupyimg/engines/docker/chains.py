"""Chains: which bytes images share in a daemon, and what is really freed when a set of them goes.

A daemon keeps a layer under its chain ID: the digest of all layers up to it. So what two images share is a common
beginning, and how much they share is the size of the files up to there. Daemons tell the size of each build step, but
not which of the steps without bytes made a layer; where that leaves a doubt the size is not known and not guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from jupyimg.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EMPTY = Digest("sha256:" + "0" * 64)
"""The chain of no layers."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The layers of one image.

    Attributes:
        ids: chain IDs, base first.
        upto: bytes of the files up to each of them; None where that is in doubt.
    """

    ids: tuple[Digest, ...]
    upto: tuple[int | None, ...]


def chain(diff_ids: Sequence[Digest], steps: Sequence[int]) -> Chain:
    """The chain of an image, given its layers and the bytes of its build steps, both base first."""
    ids: list[Digest] = []
    for diff_id in diff_ids:
        ids.append(Digest.of(f"{ids[-1]} {diff_id}".encode()) if ids else diff_id)
    return Chain(tuple(ids), _upto(len(ids), steps))


def _upto(count: int, steps: Sequence[int]) -> tuple[int | None, ...]:
    """Bytes up to each layer: certain where it is the same wherever the layers without bytes are put."""
    bare = [at for at, size in enumerate(steps) if not size]
    missing = count - (len(steps) - len(bare))
    if not 0 <= missing <= len(bare):
        return (None,) * count
    first, last = bare[:missing], bare[len(bare) - missing :]
    early, late = ([size for at, size in enumerate(steps) if size or at in chosen] for chosen in (first, last))
    both = zip(accumulate(early), accumulate(late), strict=True)
    return tuple(one if one == other else None for one, other in both)


@dataclass(slots=True)
class Graph:
    """The chains of all images.

    Attributes:
        chains: by image ID.
        upto: bytes up to each chain ID, from whichever image knows them.
    """

    chains: dict[str, Chain]
    upto: dict[Digest, int] = field(init=False)

    def __post_init__(self) -> None:
        known = (pair for one in self.chains.values() for pair in zip(one.ids, one.upto, strict=True))
        self.upto = {digest: size for digest, size in known if size is not None} | {EMPTY: 0}

    def size(self, images: Iterable[str]) -> int | None:
        """Bytes of a set of images, each layer once; None where a part of it is in doubt."""
        sizes = self.freed(images, ()).values()
        return None if None in sizes else sum(size or 0 for size in sizes)

    def freed(self, going: Iterable[str], staying: Iterable[str]) -> dict[Digest, int | None]:
        """The layers that go with these images, each once, the top of an image first, and the bytes of each."""
        kept = {digest for image in staying for digest in self.chains[image].ids}
        gone: dict[Digest, int | None] = {}
        for image in going:
            ids = self.chains[image].ids
            for at in range(len(ids) - 1, -1, -1):
                if ids[at] not in kept and ids[at] not in gone:
                    gone[ids[at]] = self._own(ids, at)
        return gone

    def _own(self, ids: Sequence[Digest], at: int) -> int | None:
        """Bytes of one layer."""
        upto, below = self.upto.get(ids[at]), self.upto.get(ids[at - 1] if at else EMPTY)
        return None if upto is None or below is None else upto - below

    def shared(self, image: str) -> int | None:
        """Bytes of an image that others need too."""
        others = {digest for other, one in self.chains.items() if other != image for digest in one.ids}
        common = [digest for digest in self.chains[image].ids if digest in others]
        return self.upto.get(common[-1] if common else EMPTY)
