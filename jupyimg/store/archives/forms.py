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
    from collections.abc import Callable, Sequence

    from jupyimg.store.archives.files import Files


LISTING_LIMIT = 8 << 20
"""The most bytes of a list of images; 10,000 of them take six million."""
IMAGES = 10_000
"""The most images of an archive."""
_MARKS = 150_000
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
    found = _contents(files, check)
    if len(found.entries) + len(found.passed) > IMAGES:
        raise BadManifest(f"{files.shown} lists more than {IMAGES} images")
    return found


def _contents(files: Files, check: Callable[[], None]) -> Contents:
    if files.size("oci-layout") is not None and files.size("index.json") is not None:
        return _layout(files)
    if files.size("manifest.json") is not None:
        raw = _list(files, "manifest.json")
        return _docker_save(files, raw, check) if raw.lstrip().startswith(b"[") else _docker_dir(raw)
    if files.size("repositories") is not None:
        hint = "load it with a Docker of before 2023, and save it again"
        raise Unsupported(f"{files.shown} is of a form that docker save wrote before 2016", hint=hint)
    raise ContentError(
        f"{files.shown} holds no images: it has neither index.json nor manifest.json",
        hint="docker save, podman save, skopeo and %image save write them; docker export writes files alone",
    )


def _list(files: Files, name: str) -> bytes:
    """The bytes of a list of images; a short one may still take much memory once it is read."""
    raw = small(files, name, LISTING_LIMIT)
    if raw.count(b",") + raw.count(b"{") + raw.count(b"[") > _MARKS:
        raise BadManifest(f"the {name} of {files.shown} lists far more than an archive of images holds")
    return raw


def _layout(files: Files) -> Contents:
    mark = decode(small(files, "oci-layout", MANIFEST_LIMIT), dict[str, object], what="oci-layout file")
    if mark.get("imageLayoutVersion") != "1.0.0":
        hint = "only version 1.0.0 is known; save the image again, as docker-archive or oci-archive"
        raise Unsupported(f"{files.shown} is an image layout of version {mark.get('imageLayoutVersion')!r}", hint=hint)
    index = decode(_list(files, "index.json"), dict[str, msgspec.Raw], what="index.json")
    raw = bytes(index.get("manifests", b"null"))
    lines = decode(raw, list[msgspec.Raw] | None, what="index.json", own=True)  # type: ignore[arg-type]
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
    images = _Images(files, found, check)
    for saved in decode(raw, list[_Saved], what="manifest.json"):
        check()
        root = images.manifest(saved)
        names = [_name(text) for text in saved.repo_tags or ()]
        found.entries += [_entry(name, root) for name in names] or [_entry(None, root)]
    return found


class _Images:
    """Manifests for images that have none. Each file is looked at once, however many images and names it has."""

    def __init__(self, files: Files, found: Contents, check: Callable[[], None]) -> None:
        self._files = files
        self._found = found
        self._check = check
        self._configs: dict[str, tuple[Descriptor, tuple[Digest, ...]]] = {}
        self._layers: dict[tuple[str, Digest], Descriptor] = {}

    def manifest(self, saved: _Saved) -> Descriptor:
        """Make a manifest, and note where what it lists lies.

        Raises:
            ContentError: something is missing, or not what it should be.
            Unsupported: a layer is compressed as no image may be.
        """
        layers = saved.layers or ()
        config, diff_ids = self._config(saved.config, len(layers))
        descriptors = [self._layer(name, diff_id) for name, diff_id in zip(layers, diff_ids, strict=True)]
        document: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config}
        made = encode({**document, "layers": descriptors})
        self._found.made[Digest.of(made)] = made
        return Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(made), size=len(made))

    def _config(self, name: str, layers: int) -> tuple[Descriptor, tuple[Digest, ...]]:
        place = self._files.place(name)
        found = self._configs.get(place) or self._read_config(name, place)
        check_layers(found[0].digest, layers, found[1])
        self._configs[place] = found
        return found

    def _read_config(self, name: str, place: str) -> tuple[Descriptor, tuple[Digest, ...]]:
        raw = small(self._files, place, MANIFEST_LIMIT)
        digest = Digest.of(raw)
        stated = _STATED.search(name)
        if stated and stated[1] != digest.encoded:
            raise DigestMismatch(f"{name} in {self._files.shown} has the digest {digest}")
        self._found.places[digest] = place
        return Descriptor(media_type=OCI_CONFIG, digest=digest, size=len(raw)), read_config(raw).diff_ids

    def _layer(self, name: str, diff_id: Digest) -> Descriptor:
        place = self._files.place(name)
        known = self._layers.get((place, diff_id))
        if known is None:
            known = self._layers[place, diff_id] = self._described(place, diff_id)
            self._found.places[known.digest] = place
        return known

    def _described(self, place: str, diff_id: Digest) -> Descriptor:
        size, head = self._files.size(place) or 0, self._files.head(place)
        if head.startswith(_ODD):
            hint = "unpack it, or save the image again with a current tool"
            raise Unsupported(f"{place} in {self._files.shown} is in a compression that layers may not have", hint=hint)
        kind = next((kind for magic, kind in _COMPRESSED.items() if head.startswith(magic)), None)
        if kind is None:
            return Descriptor(media_type=OCI_LAYER, digest=diff_id, size=size)
        hasher = diff_id.hasher()
        for chunk in self._files.read(place, self._check):
            hasher.update(chunk)
        digest = Digest(f"{diff_id.algorithm}:{hasher.hexdigest()}")
        return Descriptor(media_type=OCI_LAYER + kind, digest=digest, size=size)


def check_layers(config: Digest, layers: int, diff_ids: Sequence[Digest]) -> None:
    """Make sure that an image has as many layers as its config says.

    Raises:
        BadManifest: it has not.
    """
    if layers != len(diff_ids):
        raise BadManifest(f"the image {config.short} has {layers} layers, but its config names {len(diff_ids)}")


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
