"""walk(): from the root of an image down to what has to be moved, chosen by platform.

Everything read on the way is proven against its descriptor and bounded; nothing here writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyimg.errors import BadManifest, NotFound, PlatformNotFound, SizeMismatch
from jupyimg.model.config import read_config
from jupyimg.model.content import verified
from jupyimg.model.documents import MANIFEST_LIMIT, Descriptor, Index, Manifest, choose, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jupyimg.model.content import Source
    from jupyimg.model.digest import Digest
    from jupyimg.model.platform import Platform
    from jupyimg.model.reference import Reference

NESTING = 4
"""How deep an index may hold indexes; real ones hold one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which part of an index is wanted.

    Attributes:
        platform: one platform, or None for all that the index lists, attestations included.
        strict: refuse a single manifest of another platform too; Docker takes it when nobody asked for a platform.
        alone: publish the platform's manifest itself, not the index it stands in.
        among: where not all of an index is to be had, the manifests that are.
    """

    platform: Platform | None = None
    strict: bool = False
    alone: bool = False
    among: frozenset[Digest] | None = None

    def takes(self, child: Descriptor) -> bool:
        """Whether this part of an index is to be had."""
        return self.among is None or child.digest in self.among


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What one copy moves, found by walking from the root.

    Attributes:
        root: what the name will point at.
        manifests: every manifest and index on the way, leaves first, the root last.
        held: the image manifests among them.
        blobs: every config and layer once, and what an index lists besides manifests.
        image_id: digest of the config where exactly one image is held.
    """

    root: Descriptor
    manifests: tuple[Descriptor, ...]
    held: tuple[Descriptor, ...]
    blobs: tuple[Descriptor, ...]
    image_id: Digest | None

    @property
    def size(self) -> int:
        """Bytes of all configs and distinct layers."""
        return sum(blob.size for blob in self.blobs)


def walk(source: Source, reference: Reference, selection: Selection) -> Tree:
    """Read the manifests from the root down and say what there is to move.

    Raises:
        PlatformNotFound: no manifest suits the platform; the hint names those that exist.
        BadManifest: a manifest is unusable, too large, or nested without end.
    """
    root, top = resolved(source, reference)
    if isinstance(top, Index):
        if selection.platform is None:
            return _whole(source, root, top, selection)
        chosen = _suitable(source, top, selection.platform, selection.among, reference)
        manifest = fetch_manifest(source, chosen)
        if not isinstance(manifest, Manifest):
            raise BadManifest(f"{chosen.digest.short} is listed as an image but is an index")
        above = () if selection.alone else (root,)
        return _tree(chosen if selection.alone else root, (chosen, *above), [(chosen, manifest)])
    if selection.strict and selection.platform is not None and top.is_image:
        found = read_config(fetch(source, top.config)).platform
        if selection.platform.distance(found) is None:
            raise no_such_platform(reference, selection.platform, [str(found)])
    return _tree(root, (root,), [(root, top)])


def resolved(source: Source, reference: Reference) -> tuple[Descriptor, Manifest | Index]:
    """What a name points at, with its document.

    A registry may say that a name means a digest that it does not have, or bytes of another size; having seen that,
    the source answers by the bytes themselves when it is asked once more. Other bytes than those of the digest are
    damage, which no second question mends.

    Raises:
        NotFound: there is no such name.
        BadManifest, DigestMismatch, SizeMismatch: what is there is not usable.
    """
    root = source.resolve(reference)
    try:
        return root, fetch_manifest(source, root)
    except (NotFound, SizeMismatch) as failure:
        again = source.resolve(reference)
        if again == root or (isinstance(failure, SizeMismatch) and again.digest != root.digest):
            raise
        return again, fetch_manifest(source, again)


def fetch_manifest(source: Source, descriptor: Descriptor) -> Manifest | Index:
    """Read and prove one manifest or index.

    Raises:
        BadManifest, DigestMismatch, SizeMismatch: it is not usable, or not what the descriptor says.
    """
    return read_manifest(fetch(source, descriptor), descriptor.media_type, digest=descriptor.digest)


def platforms(source: Source, index: Index, among: frozenset[Digest] | None = None) -> list[Descriptor]:
    """The image manifests of an index with their platforms filled in, nested indexes opened, attestations left out.

    Raises:
        BadManifest: nested without end.
    """
    return list(_platforms(source, index, among, set(), depth=0))


def _platforms(
    source: Source, index: Index, among: frozenset[Digest] | None, seen: set[Digest], depth: int
) -> Iterator[Descriptor]:
    if depth > NESTING:
        raise _endless()
    for child in index.platforms:
        if child.digest in seen or (among is not None and child.digest not in among):
            continue
        seen.add(child.digest)  # indexes that double at each level are seldom as large as they look
        if child.is_index:
            nested = fetch_manifest(source, child)
            if isinstance(nested, Index):
                yield from _platforms(source, nested, among, seen, depth + 1)
        elif child.platform is None:
            yield from _with_platform(source, child)
        else:
            yield child


def no_such_platform(reference: Reference, wanted: Platform, offered: Sequence[str]) -> PlatformNotFound:
    """The error for an image that exists, but not for this platform."""
    there = ", ".join(dict.fromkeys(offered)) or "none that runs"
    first = f"add --platform {offered[0]}" if offered else "it is no runnable image"
    return PlatformNotFound(
        f"{reference.familiar} has no image for {wanted}; it has {there}", hint=f"{first}, or ask for another tag"
    )


def _whole(source: Source, root: Descriptor, top: Index, selection: Selection) -> Tree:
    leaves: list[tuple[Descriptor, Manifest]] = []
    above: list[Descriptor] = []
    others: list[Descriptor] = []
    for descriptor, document in _below(source, top, selection, {root.digest}, depth=1):
        if document is None:
            others.append(descriptor)
        elif isinstance(document, Index):
            above.append(descriptor)
        else:
            leaves.append((descriptor, document))
    return _tree(root, (*(descriptor for descriptor, _ in leaves), *above, root), leaves, others)


def _below(
    source: Source, index: Index, selection: Selection, seen: set[Digest], depth: int
) -> Iterator[tuple[Descriptor, Manifest | Index | None]]:
    """All that an index leads to, each once, and each index behind what it lists; what is no manifest is not read.

    An index may list anything: a type that is not known is no error (image-spec image-index.md), and moves as a blob.
    """
    if depth > NESTING:
        raise _endless()
    for child in index.children:
        if child.digest in seen or not selection.takes(child):
            continue
        seen.add(child.digest)
        document = fetch_manifest(source, child) if child.is_manifest else None
        if isinstance(document, Index):
            yield from _below(source, document, selection, seen, depth + 1)
        yield child, document


def _endless() -> BadManifest:
    return BadManifest("the index holds indexes without end")


def _tree(
    root: Descriptor,
    order: Sequence[Descriptor],
    leaves: list[tuple[Descriptor, Manifest]],
    others: Sequence[Descriptor] = (),
) -> Tree:
    images = [(descriptor, manifest) for descriptor, manifest in leaves if not descriptor.is_attestation]
    below = [child for _, manifest in leaves for child in manifest.children]
    blobs = {child.digest: child for child in [*below, *others]}
    return Tree(
        root=root,
        manifests=tuple({item.digest: item for item in order}.values()),
        held=tuple(descriptor for descriptor, _ in images),
        blobs=tuple(blobs.values()),
        image_id=images[0][1].config.digest if len(images) == 1 else None,
    )


def _suitable(
    source: Source, index: Index, wanted: Platform, among: frozenset[Digest] | None, reference: Reference
) -> Descriptor:
    offered = platforms(source, index, among=among)
    chosen = choose(wanted, offered)
    if chosen is None:
        raise no_such_platform(reference, wanted, [str(item.platform) for item in offered])
    return chosen


def _with_platform(source: Source, child: Descriptor) -> list[Descriptor]:
    """An index may leave the platform to the config; one that is no image has none to offer."""
    manifest = fetch_manifest(source, child)
    if not isinstance(manifest, Manifest) or not manifest.is_image:
        return []
    found = read_config(fetch(source, manifest.config)).platform
    return [
        Descriptor(
            media_type=child.media_type,
            digest=child.digest,
            size=child.size,
            platform=found,
            annotations=child.annotations,
        )
    ]


def fetch(source: Source, descriptor: Descriptor) -> bytes:
    """Read and prove a small document, a manifest or a config.

    Raises:
        BadManifest: it is too large to be one.
        DigestMismatch, SizeMismatch: it is not what the descriptor says.
    """
    if descriptor.size > MANIFEST_LIMIT:
        raise BadManifest(f"{descriptor.digest.short} has {descriptor.size} bytes, too many for a manifest or config")
    return b"".join(verified(descriptor, source.read(descriptor)))
