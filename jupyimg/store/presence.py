"""Presence: whether content is here, and whether all is here that a manifest or an index needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyimg.errors import ContentError, Unsupported
from jupyimg.model.documents import Index

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Descriptor
    from jupyimg.model.platform import Platform
    from jupyimg.store.documents import Documents

_SMALL = 64 << 10
"""Bytes up to which content is hashed to see whether it is undamaged; that takes less time than opening it."""


def is_here(documents: Documents, descriptor: Descriptor) -> bool:
    """Whether content is here with its size, and undamaged where it is small."""
    if documents.layout.size(descriptor.digest) != descriptor.size:
        return False
    try:
        return descriptor.size > _SMALL or len(documents.raw(descriptor.digest)) == descriptor.size
    except ContentError:
        return False


def missing(documents: Documents, root: Descriptor) -> Iterator[Descriptor]:
    """What a root needs that is not here; content that only its vendor gives out (with ``urls``) is not needed.

    Raises:
        BadManifest, Unsupported: something on the way is not a manifest that we understand.
    """
    pending = [root]
    seen: set[Digest] = set()
    while pending:
        descriptor = pending.pop()
        if descriptor.digest in seen or descriptor.urls:
            continue
        seen.add(descriptor.digest)
        if not is_here(documents, descriptor):
            yield descriptor
        elif descriptor.is_manifest:
            pending += documents.manifest(descriptor.digest).children


def members(documents: Documents, root: Descriptor) -> Collection[Digest]:
    """The image manifests that a name for this root stands for: itself, or those that an index leads to."""
    pending = [root]
    seen: set[Digest] = set()
    found: dict[Digest, Descriptor] = {}
    while pending:
        descriptor = pending.pop()
        children = _platforms(documents, descriptor) if descriptor.is_index else ()
        if not children:
            found[descriptor.digest] = descriptor
        seen.add(descriptor.digest)
        pending += [child for child in children if child.digest not in seen]
    return found.keys()


def platform_of(documents: Documents, descriptor: Descriptor) -> Platform | None:
    """The platform that the descriptor states, else the config's; None for what is no image."""
    if descriptor.platform is not None:
        return descriptor.platform
    try:
        manifest = documents.manifest(descriptor.digest)
        if isinstance(manifest, Index) or not manifest.is_image:
            return None
        return documents.config(manifest.config.digest).platform
    except (ContentError, Unsupported):
        return None


def _platforms(documents: Documents, descriptor: Descriptor) -> tuple[Descriptor, ...]:
    try:
        index = documents.manifest(descriptor.digest)
    except (ContentError, Unsupported):
        return ()
    return index.platforms if isinstance(index, Index) else ()
