"""Chains: which bytes images share in a daemon, and what is really freed when a set of them goes.

A daemon keeps a layer under its chain ID: the digest of all layers up to it. So what two images share is a common
beginning, and how much they share is the size of the files up to there. Daemons tell the size of each build step, but
not which of the steps without bytes made a layer; where that leaves a doubt the size is not known and not guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from jupyimg.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CONFIG = re.compile(
    r"(?:/bin/sh -c #\(nop\)\s+)?"
    r"(?:ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|STOPSIGNAL|USER|VOLUME)\b"
)
"""Instructions that only change the config, and never make a layer (Dockerfile reference)."""

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


class Step(NamedTuple):
    """One build step, as a daemon's history tells it: the bytes of its files, and its instruction."""

    size: int
    created_by: str


def chain(diff_ids: Sequence[Digest], steps: Sequence[Step]) -> Chain:
    """The chain of an image, given its layers and its build steps, both base first."""
    ids: list[Digest] = []
    for diff_id in diff_ids:
        ids.append(Digest.of(f"{ids[-1]} {diff_id}".encode()) if ids else diff_id)
    early, late = (list(accumulate(steps[at].size for at in at_all)) for at_all in _placed(len(ids), steps))
    if len(early) != len(ids):
        return Chain(tuple(ids), (None,) * len(ids))
    return Chain(tuple(ids), tuple(one if one == other else None for one, other in zip(early, late, strict=True)))


def layers_at(count: int, steps: Sequence[Step]) -> list[int] | None:
    """Which steps made the layers of an image, base first; None where that is in doubt."""
    early, late = _placed(count, steps)
    return early if early == late and len(early) == count else None


def _placed(count: int, steps: Sequence[Step]) -> tuple[list[int], list[int]]:
    """The steps that made layers, with layers that have no bytes as early as they may have been, and as late."""
    bare = [at for at, step in enumerate(steps) if not step.size]
    missing = count - (len(steps) - len(bare))
    likely = [at for at in bare if not _CONFIG.match(steps[at].created_by)]
    bare = likely if len(likely) >= missing else bare
    if not 0 <= missing <= len(bare):
        return [], []
    chosen = set(bare[:missing]), set(bare[len(bare) - missing :])
    early, late = ([at for at, step in enumerate(steps) if step.size or at in among] for among in chosen)
    return early, late


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

    def size(self, images: Iterable[str], staying: Iterable[str] = ()) -> int | None:
        """Bytes that a set of images has beyond those that stay, each layer once; None where it is in doubt."""
        kept = {digest for image in staying for digest in self.chains[image].ids}
        total = 0
        for image in images:
            ids = self.chains[image].ids
            common = [digest for digest in ids if digest in kept]
            whole, shared = (self.upto.get(part[-1] if part else EMPTY) for part in (ids, common))
            if whole is None or shared is None:
                return None
            total += whole - shared
            kept.update(ids)
        return total

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
