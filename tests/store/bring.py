"""Bring images from a place made of dictionaries into a store, as a copy would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jupyimg.model.digest import Digest
from jupyimg.model.documents import Descriptor
from jupyimg.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyimg.store import Store, StoreSink
    from tests.places.memory import MemoryPlace


def name(text: str) -> Reference:
    return Reference.parse(text)


def content(place: MemoryPlace, root: Descriptor) -> list[Descriptor]:
    """All that a root needs, leaves first."""
    document = json.loads(place.blobs[root.digest])
    children = document["manifests"] if "manifests" in document else [document["config"], *document["layers"]]
    below = []
    for child in children:
        descriptor = Descriptor(
            child["mediaType"], Digest(child["digest"]), child["size"], urls=tuple(child.get("urls", ()))
        )
        below += content(place, descriptor) if descriptor.is_manifest else [descriptor]
    return [*below, root]


def put(sink: StoreSink, place: MemoryPlace, descriptors: Iterable[Descriptor]) -> None:
    for descriptor in descriptors:
        if not descriptor.urls and not sink.has(descriptor):
            sink.write(descriptor, lambda offset, it=descriptor: place.read(it, offset))


def bring(store: Store, place: MemoryPlace, target: str, root: Descriptor, *held: Descriptor) -> None:
    """Publish a root under a name, with all of it, or of an index only what is ``held``."""
    with store.writer() as sink:
        for image in held or (root,):
            put(sink, place, content(place, image))
        if held:
            put(sink, place, [root])
        sink.publish(name(target), root, held or (root,))


def listed(store: Store) -> list[tuple[str | None, str]]:
    """Name (or ``<repository>`` of a dangling entry) and short digest of each entry."""
    return [
        (
            entry.name.familiar if entry.name else entry.repository and f"<{entry.repository}>",
            entry.descriptor.digest.short,
        )
        for entry in store.entries()
    ]
