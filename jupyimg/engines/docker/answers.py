"""Answers: a daemon's documents as records. Fields come and go with versions, so each is looked for, none assumed.

Which store a daemon has shows in what it answers: with a ``Descriptor`` it is containerd's, which keeps manifests and
calls an image by the digest of its manifest or index; without one it is the classic one, which keeps configs and
unpacked files and calls an image by the digest of its config. Podman keeps both, and tells one digest by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jupyimg.engines.docker.chains import Step, layers_at
from jupyimg.errors import BadDigest, BadReference
from jupyimg.model.digest import Digest
from jupyimg.model.documents import IMAGE_TYPES
from jupyimg.model.platform import Platform
from jupyimg.model.records import HistoryRecord, ImageDetail, ImageRecord
from jupyimg.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Document = dict[str, Any]

NAMELESS = {"<none>:<none>", "<none>@<none>"}


@dataclass(frozen=True, slots=True)
class _Name:
    repository: str | None
    tag: str | None
    digest: Digest | None
    reference: str


@dataclass(frozen=True, slots=True)
class _Variant:
    """One platform of an image, or all that is known of it."""

    size: int | None
    unpacked: int | None
    platform: str | None
    manifest_digest: Digest | None
    containers: int | None


def digest_of(text: object) -> Digest | None:
    """A digest, also as Podman writes it, without ``sha256:``; None for what is none (``<missing>``)."""
    if not text:
        return None  # most fields that may hold one hold none
    word = str(text)
    try:
        return Digest(word if ":" in word else f"sha256:{word}")
    except BadDigest:
        return None


def image_id_of(image: Document) -> Digest | None:
    """The digest of the config; containerd's store does not tell it."""
    return None if image.get("Descriptor") else digest_of(image.get("Id"))


def tags_of(image: Document) -> list[str]:
    """The names of an image, as the daemon writes them; Podman lists a name with a digest among them."""
    return [name for name in _texts(image.get("RepoTags")) if name not in NAMELESS and "@" not in name]


def digests_of(image: Document) -> list[Reference]:
    """``name@digest`` for each digest by which a repository is known to have the image."""
    found = (reference_of(name) for name in _texts(image.get("RepoDigests")) if name not in NAMELESS)
    return [reference for reference in found if reference and reference.digest]


def records(images: Iterable[Document]) -> list[ImageRecord]:
    """The rows of a list: one for each name and each platform that is held under it."""
    listed = list(images)
    parents = {image.get("ParentId") for image in listed}
    return [record for image in listed for record in _rows(image, dangling=image.get("Id") not in parents)]


def _rows(image: Document, *, dangling: bool) -> list[ImageRecord]:
    names, variants = _names(image), _variants(image)
    tagged, image_id, created = bool(tags_of(image)), image_id_of(image), moment(image.get("Created"))
    return [
        ImageRecord(
            repository=name.repository,
            tag=name.tag,
            image_id=image_id,
            created=created,
            size=variant.size,
            unpacked=variant.unpacked,
            platform=variant.platform,
            digest=name.digest,
            manifest_digest=variant.manifest_digest,
            reference=name.reference,
            containers=variant.containers,
            labels=labels_of(image),
            dangling=dangling and not tagged,
        )
        for name in names
        for variant in variants
    ]


def labels_of(image: Document) -> dict[str, str]:
    """Labels; {} where there are none."""
    labels = image.get("Labels")
    return {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}


def _names(image: Document) -> list[_Name]:
    known: dict[str, list[Digest]] = {}
    digests = digests_of(image)
    for reference in digests:
        if reference.digest is not None:
            known.setdefault(reference.name, []).append(reference.digest)
    names, tagged = [], set()
    for text in tags_of(image):
        named = reference_of(text)
        if named is None:
            names.append(_Name(text, None, _source(image, ()), text))
            continue
        tagged.add(named.name)
        digest = _source(image, known.get(named.name, ()))
        names.append(_Name(named.familiar_name, named.tag, digest, named.familiar))
    for only in {item.name: item for item in reversed(digests)}.values():
        if only.name not in tagged:
            digest = _source(image, known[only.name]) or known[only.name][0]
            names.append(_Name(only.familiar_name, None, digest, only.with_digest(digest).familiar))
    return names or [_Name(None, None, _source(image, ()), str(digest_of(image.get("Id")) or image.get("Id")))]


def _source(image: Document, known: Sequence[Digest]) -> Digest | None:
    """What a pull by digest names, of the digests a repository is known by: certain, or not at all."""
    descriptor = image.get("Descriptor")
    told = digest_of(descriptor.get("digest") if isinstance(descriptor, dict) else image.get("Digest"))
    if told is not None and (descriptor or told in known):
        return told
    return known[0] if len(known) == 1 else None


def _variants(image: Document) -> list[_Variant]:
    held = [item for item in documents(image.get("Manifests")) if item.get("Kind") == "image" and item.get("Available")]
    containers = image.get("Containers")
    count = containers if isinstance(containers, int) and containers >= 0 else None
    if held:
        return [_variant(item, count if len(held) == 1 else None) for item in held]
    descriptor = image.get("Descriptor")
    if isinstance(descriptor, dict):
        single = digest_of(descriptor.get("digest")) if descriptor.get("mediaType") in IMAGE_TYPES else None
        return [_Variant(None, None, None, single, count)]
    return [_Variant(None, _bytes(image.get("Size")), None, _own_manifest(image), count)]


def _variant(item: Document, containers: int | None) -> _Variant:
    data, sizes = document(item.get("ImageData")), document(item.get("Size"))
    users = data.get("Containers")
    return _Variant(
        size=_bytes(sizes.get("Content")),
        unpacked=_bytes(document(data.get("Size")).get("Unpacked")),
        platform=str(_platform(document(data.get("Platform")))) or None,
        manifest_digest=digest_of(document(item.get("Descriptor")).get("digest") or item.get("ID")),
        containers=len(users) if isinstance(users, list) else containers,
    )


def _own_manifest(image: Document) -> Digest | None:
    """Podman lists an image's manifest beside the index it came from, and tells the one it was pulled by."""
    told = digest_of(image.get("Digest"))
    if told is None:
        return None
    others = {reference.digest for reference in digests_of(image)} - {told}
    return told if not others else next(iter(others)) if len(others) == 1 else None


def _platform(given: Document) -> Platform:
    return Platform(
        str(given.get("architecture") or given.get("Architecture") or ""),
        str(given.get("os") or given.get("Os") or ""),
        os_version=str(given.get("os.version") or given.get("OsVersion") or ""),
        variant=str(given.get("variant") or given.get("Variant") or ""),
    )


def detail(image: Document, shown: str) -> ImageDetail:
    """One image in full, of what ``GET /images/{name}/json`` answers."""
    one = _variants(image)
    platform = _platform(image)
    offered = [item for item in documents(image.get("Manifests")) if item.get("Kind") == "image"]
    held = [row.platform for row in one if row.platform] or ([str(platform)] if platform.architecture else [])
    name = next((name for name in _names(image) if shown in {name.reference, name.repository}), _names(image)[0])
    mine = next((row for row in one if row.platform == str(platform)), one[0])
    return ImageDetail(
        reference=shown,
        image_id=image_id_of(image),
        digest=name.digest,
        manifest_digest=mine.manifest_digest,
        platform=platform if platform.architecture else None,
        platforms=tuple(str(_platform(document(document(item.get("Descriptor")).get("platform")))) for item in offered),
        held=tuple(held),
        document=image,
        manifest={},
        config={},
        size=mine.size,
        unpacked=mine.unpacked,
    )


def layers_of(image: Document) -> list[Digest]:
    """Digests of the layers, unpacked, base first."""
    found = (digest_of(layer) for layer in _texts(document(image.get("RootFS")).get("Layers")))
    return [digest for digest in found if digest is not None]


def steps_of(steps: Sequence[Document]) -> list[Step]:
    """Build steps, base first."""
    return [Step(_bytes(step.get("Size")) or 0, str(step.get("CreatedBy") or "")) for step in reversed(steps)]


def history(steps: Sequence[Document], image: Document) -> list[HistoryRecord]:
    """Build steps, newest first; which layer belongs to which step only where that is beyond doubt."""
    diff_ids = layers_of(image)
    places = layers_at(len(diff_ids), steps_of(steps))
    layers = (
        None if places is None else {len(steps) - 1 - at: digest for at, digest in zip(places, diff_ids, strict=True)}
    )
    top = image_id_of(image)
    rows = []
    for at, step in enumerate(steps):
        size = _bytes(step.get("Size"))
        empty = at not in layers if layers is not None else False if size else None
        rows.append(
            HistoryRecord(
                image_id=top if at == 0 else digest_of(step.get("Id")) if top else None,
                created=moment(step.get("Created")),
                created_by=str(step.get("CreatedBy") or ""),
                size=size,
                compressed=0 if empty else None,
                comment=str(step.get("Comment") or ""),
                empty=empty,
                layer_digest=None,
                diff_id=layers.get(at) if layers else None,
            )
        )
    return rows


def moment(seconds: object) -> datetime | None:
    """Unix seconds; None for Go's zero time, and for what is no time."""
    try:
        found = datetime.fromtimestamp(float(str(seconds)), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.year > 1 else None


def documents(answer: object) -> list[Document]:
    """A list of objects; whatever else a daemon answered is none."""
    return [item for item in answer if isinstance(item, dict)] if isinstance(answer, list) else []


def document(answer: object) -> Document:
    """An object; whatever else a daemon answered is an empty one."""
    return answer if isinstance(answer, dict) else {}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _bytes(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def reference_of(text: str) -> Reference | None:
    """A name that a daemon told, as a value; None where it is none."""
    try:
        return Reference.parse(text, default_tag="")
    except BadReference:
        return None
