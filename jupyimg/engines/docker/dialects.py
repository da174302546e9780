"""Dialects: where daemons that speak Docker's API differ, as rows of one table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one kind of daemon answers.

    Attributes:
        name: what people call it.
        pull_says: whether a finished pull ends with a ``Status:`` line; otherwise the image must be found afterwards.
        pulls_all_tags: whether a pull without a tag fetches every tag; otherwise each tag is asked for.
        prunes_all: whether prune can take unused images that have names; otherwise each is removed by its names.
        takes_gzip: whether load reads a compressed archive.
        completes_names: whether load takes a name without a host for one of Docker Hub, as everything else does.
        trusts_loopback: whether a registry on loopback may speak plain http without a word of ours.
        digest_takes_tags: whether removing ``name@digest`` would take away the tags of the image too.
        cuts_at: bytes at which it cuts a line of a log into several messages, so that a shorter one without a newline
            is the last of what wrote it; 0 where a message may end anywhere.
        inspect_says_digest: whether inspect tells what the list tells of an image's digests.
    """

    name: str
    pull_says: bool = True
    pulls_all_tags: bool = True
    prunes_all: bool = True
    takes_gzip: bool = True
    completes_names: bool = True
    trusts_loopback: bool = True
    digest_takes_tags: bool = False
    cuts_at: int = 16 << 10
    inspect_says_digest: bool = True


DOCKER = Dialect(name="Docker")
PODMAN = Dialect(
    name="Podman",
    pull_says=False,
    pulls_all_tags=False,
    prunes_all=False,
    takes_gzip=False,
    completes_names=False,
    trusts_loopback=False,
    digest_takes_tags=True,
    cuts_at=0,
    inspect_says_digest=False,
)

DIALECTS = {"Docker Engine": DOCKER, "Podman Engine": PODMAN}
"""By what ``GET /version`` calls the daemon; what is not here speaks Docker's."""


def dialect_of(server: str) -> Dialect:
    """The dialect of a daemon that calls itself so."""
    return DIALECTS.get(server, DOCKER)
