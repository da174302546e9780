"""Forms: the shapes that an archive of images may have, each read into what it holds.

============  ==================================================================  =================================
form          written by                                                          how it is told
============  ==================================================================  =================================
OCI layout    skopeo, umoci, podman, docker save since 25 (beside manifest.json)  ``oci-layout`` and ``index.json``
docker save   docker before 25, podman, skopeo, crane                             ``manifest.json``, a list
docker dir    podman and skopeo (``dir:``)                                        ``manifest.json``, a manifest
============  ==================================================================  =================================

Only documents are read here; blobs are read, and proven, when they are moved. `docker save`'s old form has no manifest,
so one is made: an uncompressed layer is found by the diff ID that its config states, a compressed one is hashed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from jupyimg.errors import BadManifest, BadReference, ContentError, DigestMismatch, Unsupported
from jupyimg.model.codec import decode, encode
from jupyimg.model.config import read_config
from jupyimg.model.digest import Digest
from jupyimg.model.documents import (
    MANIFEST_LIMIT,
    OCI_CONFIG,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    read_manifest,
)
from jupyimg.model.reference import Reference
from jupyimg.store.archives.files import small
from jupyimg.store.listing import read_entry
from jupyimg.store.names import Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyimg.store.archives.files import Files


LISTING_LIMIT = 20 << 20
"""The most bytes of a list of images, as containerd reads it."""
_STATED = re.compile(r"(?:^|/|sha256:)([0-9a-f]{64})(?:\.json)?$", re.ASCII)
_COMPRESSED = {b"\x1f\x8b": "+gzip", b"\x28\xb5\x2f\xfd": "+zstd"}
_ODD = (b"BZh", b"\xfd7zXZ")


@dataclass(slots=True)
class Contents:
    """What an archive holds.

    Attributes:
        entries: its images, as index.json or another list names them.
        places: where blobs lie whose name is not their digest's.
        made: documents that were made and are not in it.
        passed: what it lists that is no image, in words.
        place: where all other blobs lie.
    """

    entries: list[Entry] = field(default_factory=list)
    places: dict[Digest, str] = field(default_factory=dict)
    made: dict[Digest, bytes] = field(default_factory=dict)
    passed: list[str] = field(default_factory=list)
    place: Callable[[Digest], str] = lambda digest: f"blobs/{digest.algorithm}/{digest.encoded}"


def read_contents(files: Files, check: Callable[[], None]) -> Contents:
    """Tell the form, and read what there is.

    Args:
        files: the archive.
        check: called between pieces of long work.

    Raises:
        ContentError: it is none of these, or damaged.
        Unsupported: it is of a form that nobody reads any longer.
    """
    if files.size("oci-layout") is not None and files.size("index.json") is not None:
        return _layout(files)
    if files.size("manifest.json") is not None:
        raw = small(files, "manifest.json", LISTING_LIMIT)
        return _docker_save(files, raw, check) if raw.lstrip().startswith(b"[") else _docker_dir(raw)
    if files.size("repositories") is not None:
        hint = "load it with a Docker of before 2023, and save it again"
        raise Unsupported(f"{files.shown} is of a form that docker save wrote before 2016", hint=hint)
    raise ContentError(
        f"{files.shown} holds no images: it has neither index.json nor manifest.json",
        hint="docker save, podman save, skopeo and %image save write them; docker export writes files alone",
    )


def _layout(files: Files) -> Contents:
    mark = decode(small(files, "oci-layout", MANIFEST_LIMIT), dict[str, object], what="oci-layout file")
    if mark.get("imageLayoutVersion") != "1.0.0":
        raise Unsupported(f"{files.shown} is an image layout of version {mark.get('imageLayoutVersion')!r}")
    index = decode(small(files, "index.json", LISTING_LIMIT), dict[str, msgspec.Raw], what="index.json")
    lines = decode(bytes(index.get("manifests", b"null")), list[msgspec.Raw] | None, what="index.json")  # type: ignore[arg-type]
    found = Contents()
    for line in lines or []:
        entry = read_entry(bytes(line))
        if entry.descriptor.is_manifest:
            found.entries.append(entry)
        else:
            found.passed.append(f"{entry.descriptor.digest.short}: not loaded, it is {entry.descriptor.media_type}")
    return found


class _Saved(msgspec.Struct, rename="pascal"):
    """One image of `docker save`'s manifest.json."""

    config: str
    layers: tuple[str, ...] | None = None
    repo_tags: tuple[str, ...] | None = None


def _docker_save(files: Files, raw: bytes, check: Callable[[], None]) -> Contents:
    found = Contents()
    hashed: dict[str, Descriptor] = {}
    for saved in decode(raw, list[_Saved], what="manifest.json"):
        root = _made_manifest(files, saved, found, hashed, check)
        names = [_name(text) for text in saved.repo_tags or ()]
        found.entries += [_entry(name, root) for name in names] or [_entry(None, root)]
    return found


def _made_manifest(
    files: Files, saved: _Saved, found: Contents, hashed: dict[str, Descriptor], check: Callable[[], None]
) -> Descriptor:
    raw = small(files, saved.config, MANIFEST_LIMIT)
    config = Digest.of(raw)
    stated = _STATED.search(saved.config)
    if stated and stated[1] != config.encoded:
        raise DigestMismatch(f"{saved.config} in {files.shown} has the digest {config}")
    diff_ids, layers = read_config(raw).diff_ids, saved.layers or ()
    if len(diff_ids) != len(layers):
        raise BadManifest(f"the image {config.short} has {len(layers)} layers, but its config names {len(diff_ids)}")
    descriptors = []
    for name, diff_id in zip(layers, diff_ids, strict=True):
        descriptor = _layer(files, name, diff_id, hashed, check)
        found.places[descriptor.digest] = name
        descriptors.append(descriptor)
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": Descriptor(media_type=OCI_CONFIG, digest=config, size=len(raw)),
        "layers": descriptors,
    }
    made = encode(document)
    found.places[config] = saved.config
    found.made[Digest.of(made)] = made
    return Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(made), size=len(made))


def _layer(
    files: Files, name: str, diff_id: Digest, hashed: dict[str, Descriptor], check: Callable[[], None]
) -> Descriptor:
    size = files.size(name)
    if size is None:
        raise ContentError(f"{name} is missing from {files.shown}", hint="the archive is not whole; save it again")
    head = next(files.read(name, check), b"")
    if head.startswith(_ODD):
        raise Unsupported(f"{name} in {files.shown} is a layer in a compression that no registry knows")
    kind = next((kind for magic, kind in _COMPRESSED.items() if head.startswith(magic)), None)
    if kind is None:
        return Descriptor(media_type=OCI_LAYER, digest=diff_id, size=size)
    if name not in hashed:
        hasher = diff_id.hasher()
        for chunk in files.read(name, check):
            hasher.update(chunk)
        digest = Digest(f"{diff_id.algorithm}:{hasher.hexdigest()}")
        hashed[name] = Descriptor(media_type=OCI_LAYER + kind, digest=digest, size=size)
    return hashed[name]


def _docker_dir(raw: bytes) -> Contents:
    document = read_manifest(raw)
    root = Descriptor(media_type=document.media_type, digest=document.digest, size=len(raw))
    found = Contents(place=lambda digest: digest.encoded, places={root.digest: "manifest.json"})
    if not isinstance(document, Manifest):
        found.places |= {child.digest: f"{child.digest.encoded}.manifest.json" for child in document.children}
    found.entries.append(_entry(None, root))
    return found


def _entry(name: Reference | None, root: Descriptor) -> Entry:
    return Entry(name, None, root)


def _name(text: str) -> Reference:
    try:
        return Reference.parse(text)
    except BadReference as error:
        raise BadManifest(f"the archive names an image wrongly: {error.message}") from None
