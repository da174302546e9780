"""Describing: what one tag of a registry is, read off its manifests and configs, each digest once for ever.

A manifest costs a request and, at some hosts, a pull of a quota; so a digest that HEAD names is looked up among the
`Descriptions` first. Where nothing of a repository is known, HEAD would only be one request more, and GET is asked at
once, unless it counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyimg.errors import ImageError
from jupyimg.model.config import read_config, read_time
from jupyimg.model.documents import Index
from jupyimg.model.records import TagRecord
from jupyimg.store import Description
from jupyimg.transfer import fetch, fetch_manifest, platforms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Descriptor, Manifest
    from jupyimg.model.reference import Reference
    from jupyimg.registry import Repository
    from jupyimg.store import Descriptions

_CREATED = "org.opencontainers.image.created"
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Describing:
    """Describes tags.

    Attributes:
        memory: what is known by digest.
        details: whether to read manifests and configs; without them a tag is its digest, and what is known of that.
        metered: whether a GET of a manifest counts, so that HEAD always goes first.
        known: repositories, and whether they were known when this began.
    """

    memory: Descriptions
    details: bool = True
    metered: bool = False
    known: dict[str, bool] = field(default_factory=dict)

    def tag(self, place: Repository, reference: Reference) -> list[TagRecord]:
        """A record for each platform of a tag.

        Raises:
            RemoteNotFound, RegistryError, ContentError, Unsupported: it could not be read.
        """
        known = self.known.setdefault(reference.name, self.memory.knows(reference.name))
        by_head = known or self.metered or not self.details
        root = place.resolve(reference) if by_head else place.bring(reference)
        images = self.memory.get(root.digest)
        if images is None and self.details:
            images = self._read(place, reference, root)
        return [_record(reference, root.digest, image) for image in images or (Description(),)]

    def _read(self, place: Repository, reference: Reference, root: Descriptor) -> tuple[Description, ...]:
        top = fetch_manifest(place, root)
        if isinstance(top, Index):
            below = [(child, _below(place, child)) for child in platforms(place, top)]
            images = tuple(image or Description(platform=str(child.platform or "")) for child, image in below)
            whole = all(image is not None for _, image in below)
        else:
            images, whole = (_image(place, top),), True
        if whole:
            self.memory.put(reference.name, root.digest, images)
        return images


def _below(place: Repository, child: Descriptor) -> Description | None:
    """One image of an index; None where the registry does not have it, which often happens to copies made in part."""
    try:
        manifest = fetch_manifest(place, child)
        return None if isinstance(manifest, Index) else _image(place, manifest, child)
    except ImageError:
        return None


def _image(place: Repository, manifest: Manifest, child: Descriptor | None = None) -> Description:
    noted = (manifest.annotations or {}).get(_CREATED, "")
    if not manifest.is_image:
        return Description(size=manifest.content_size, created=noted)
    config = read_config(fetch(place, manifest.config))
    platform = (child.platform if child else None) or config.platform
    created = config.created.isoformat() if config.created else noted
    return Description(platform=str(platform), size=manifest.content_size, created=created)


def _record(reference: Reference, digest: Digest, image: Description) -> TagRecord:
    return TagRecord(
        repository=reference.familiar_name,
        tag=reference.tag,
        digest=digest,
        platform=image.platform or None,
        size=image.size or None,
        created=read_time(image.created),
    )


def bare(reference: Reference) -> TagRecord:
    """A tag of which nothing could be read."""
    return TagRecord(repository=reference.familiar_name, tag=reference.tag)


def by_version(tag: str) -> tuple[bool, list[tuple[int, int, str]]]:
    """A key that sorts tags as people count: 1.9 before 1.10, and latest after all."""
    parts = [part for part in _DIGITS.split(tag) if part]
    pieces = [(1, int(part[:30]), "") if part.isascii() and part.isdigit() else (0, 0, part) for part in parts]
    return tag == "latest", pieces


def newest_first(rows: Iterable[list[TagRecord]]) -> list[TagRecord]:
    """The records of tags, one list for each: the newest tag first, those without a time after all, by version."""

    def key(tag: list[TagRecord]) -> tuple[float, tuple[bool, list[tuple[int, int, str]]]]:
        times = [moment for record in tag if (moment := record.updated or record.created) is not None]
        return max((moment.timestamp() for moment in times), default=float("-inf")), by_version(tag[0].tag)

    return [record for tag in sorted((tag for tag in rows if tag), key=key, reverse=True) for record in tag]
