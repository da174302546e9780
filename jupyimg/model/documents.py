"""The JSON documents of an image: descriptor, manifest, index and config, each keeping the bytes it came as.

`read_manifest` is the one door through which a manifest's bytes become a value: it tells an index from a manifest by
media type *and* by shape, names the two old schema1 formats and refuses a document that claims to be both
(CVE-2021-41190). Types follow image-spec 1.1 (descriptor.md, manifest.md, image-index.md, config.md) and Docker's
schema2, which differs only in media types.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from jupyimg.errors import BadManifest, Unsupported
from jupyimg.model.codec import decode
from jupyimg.model.digest import Digest
from jupyimg.model.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
DOCKER_SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"

INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_INDEX})
IMAGE_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
MANIFEST_TYPES = INDEX_TYPES | IMAGE_TYPES
CONFIG_TYPES = frozenset({OCI_CONFIG, DOCKER_CONFIG})

MANIFEST_LIMIT = 4 << 20
"""The most bytes of a manifest or config; a registry need not take more (distribution-spec, Pushing Manifests)."""

_SIZE_MAX = (1 << 63) - 1
Size = Annotated[int, msgspec.Meta(ge=0, le=_SIZE_MAX)]


class Descriptor(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What points at content: its type, digest and size in bytes (image-spec descriptor.md)."""

    media_type: str
    digest: Digest
    size: Size
    platform: Platform | None = None
    annotations: dict[str, str] | None = None
    artifact_type: str = ""
    urls: tuple[str, ...] = ()
    data: str = ""

    @property
    def is_index(self) -> bool:
        """Whether it points at an index (a Docker manifest list is one)."""
        return self.media_type in INDEX_TYPES

    @property
    def is_manifest(self) -> bool:
        """Whether it points at a manifest or an index, which registries keep apart from blobs."""
        return self.media_type in MANIFEST_TYPES

    @property
    def is_attestation(self) -> bool:
        """Whether an index lists it as BuildKit's attestation, which is never offered as a platform."""
        annotated = (self.annotations or {}).get("vnd.docker.reference.type") == "attestation-manifest"
        return annotated or (self.platform is not None and self.platform.unknown)


def choose(wanted: Platform, offered: Iterable[Descriptor]) -> Descriptor | None:
    """The descriptor whose platform suits best, the first of equals, or None (trap: attestations are no platforms)."""
    best: tuple[int, Descriptor] | None = None
    for descriptor in offered:
        gap = None if descriptor.platform is None else wanted.distance(descriptor.platform)
        if gap is not None and (best is None or gap < best[0]):
            best = (gap, descriptor)
    return best and best[1]


class _ManifestBody(msgspec.Struct, rename="camel"):
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] | None = None
    manifests: tuple[Descriptor, ...] | None = None
    fs_layers: Any = msgspec.field(default=None, name="fsLayers")
    media_type: str = ""
    schema_version: int = 0
    artifact_type: str = ""
    subject: Descriptor | None = None
    annotations: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One image (or artefact): a config and its layers, base first."""

    raw: bytes
    media_type: str
    digest: Digest
    config: Descriptor
    layers: tuple[Descriptor, ...]
    artifact_type: str = ""
    subject: Descriptor | None = None
    annotations: dict[str, str] | None = None

    @property
    def children(self) -> tuple[Descriptor, ...]:
        """What it needs to be whole: the config and each layer once."""
        return tuple({item.digest: item for item in (self.config, *self.layers)}.values())

    @property
    def is_image(self) -> bool:
        """Whether it is a runnable image and not an artefact (Helm chart, signature, SBOM ...)."""
        return self.config.media_type in CONFIG_TYPES and not self.artifact_type

    @property
    def kind(self) -> str:
        """What it is: "image", or the type of the artefact."""
        return "image" if self.is_image else self.artifact_type or self.config.media_type

    @property
    def content_size(self) -> int:
        """Bytes of the config and of each distinct layer, as stored and transferred."""
        return sum(child.size for child in self.children)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Several manifests under one digest, usually one for each platform."""

    raw: bytes
    media_type: str
    digest: Digest
    manifests: tuple[Descriptor, ...]
    artifact_type: str = ""
    subject: Descriptor | None = None
    annotations: dict[str, str] | None = None

    @property
    def children(self) -> tuple[Descriptor, ...]:
        """What it needs to be whole: each manifest once, attestations and whatever else it lists too."""
        return tuple({item.digest: item for item in self.manifests}.values())

    @property
    def platforms(self) -> tuple[Descriptor, ...]:
        """The manifests that are images for a platform; attestations and what is no manifest left out."""
        return tuple(item for item in self.children if item.is_manifest and not item.is_attestation)


def read_manifest(raw: bytes, media_type: str = "", *, digest: Digest | None = None) -> Manifest | Index:
    """Read the bytes of a manifest or an index.

    Args:
        raw: the document, kept as it is.
        media_type: what it was announced as (parameters such as ``charset`` are ignored), or "".
        digest: its digest where that is known to be true of ``raw``; computed where not.

    Raises:
        BadManifest: not such a document, or one that contradicts itself or its announced type.
        Unsupported: a schema1 manifest, which Docker removed too.
    """
    announced = media_type.partition(";")[0].strip()
    if announced in {DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED}:
        raise _schema1()
    body = decode(raw, _ManifestBody, what="manifest")
    if body.fs_layers is not None or body.schema_version == 1:
        raise _schema1()
    if body.manifests is not None and (body.layers is not None or body.config is not None):
        raise BadManifest("the manifest claims to be an image and an index at once", hint="do not trust its origin")
    if body.media_type and announced in MANIFEST_TYPES and body.media_type != announced:
        raise BadManifest(f"the manifest says it is {body.media_type}, but it was announced as {announced}")
    own_type = body.media_type or (announced if announced in MANIFEST_TYPES else "")
    digest = digest or Digest.of(raw)
    if body.manifests is not None:
        _expect(own_type or OCI_INDEX, INDEX_TYPES)
        return Index(
            raw=raw,
            media_type=own_type or OCI_INDEX,
            digest=digest,
            manifests=body.manifests,
            artifact_type=body.artifact_type,
            subject=body.subject,
            annotations=body.annotations,
        )
    if body.config is None:
        raise BadManifest("the document is neither an image manifest nor an index")
    _expect(own_type or OCI_MANIFEST, IMAGE_TYPES)
    return Manifest(
        raw=raw,
        media_type=own_type or OCI_MANIFEST,
        digest=digest,
        config=body.config,
        layers=body.layers or (),
        artifact_type=body.artifact_type,
        subject=body.subject,
        annotations=body.annotations,
    )


def _expect(media_type: str, allowed: frozenset[str]) -> None:
    if media_type not in allowed:
        raise BadManifest(f"the manifest's media type is {media_type}, which does not fit its shape")


def _schema1() -> Unsupported:
    return Unsupported(
        "this is a schema1 manifest, a format from before 2016 that Docker no longer reads either",
        hint="ask its owner to push the image again with a current tool",
    )
