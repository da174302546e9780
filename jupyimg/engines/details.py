"""Details: inspect and history, read off a manifest and a config wherever these came from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyimg.model.config import HistoryEntry, document, read_config, read_time
from jupyimg.model.records import HistoryRecord, ImageDetail

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyimg.model.config import ImageConfig
    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Descriptor, Manifest

    SizeOf = Callable[[Descriptor], int | None]


def history(manifest: Manifest, config: ImageConfig, unpacked: SizeOf) -> list[HistoryRecord]:
    """Build steps, newest first (`docker history`).

    A config's history may be absent, too short or too long for its layers (containers.md, trap 12). Docker refuses
    some of these; here every layer gets a row, and a step that claims a layer that is not there has none.
    """
    layers = list(manifest.layers)
    diff_ids: list[Digest | None] = [*config.diff_ids, *[None] * len(layers)]
    rows: list[HistoryRecord] = []
    at = 0
    for entry in (*config.history, *_unexplained(config, len(layers))):
        layer = None if entry.empty_layer or at >= len(layers) else layers[at]
        rows.append(_row(entry, layer, diff_ids[at] if layer else None, unpacked))
        at += layer is not None
    rows.reverse()
    if rows:
        rows[0] = _with_id(rows[0], manifest.config.digest)
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of an image besides its own documents.

    Attributes:
        shown: the name it was asked for by.
        digest: what a pull by digest names.
        platforms: all that its index offers; empty for a single manifest.
        held: those that are held here.
        tags: its names here, familiar; digests: the same with digests.
        unpacked: bytes of its files, where that is known.
    """

    shown: str
    digest: Digest
    platforms: Sequence[str] = ()
    held: Sequence[str] = ()
    tags: Sequence[str] = ()
    digests: Sequence[str] = ()
    unpacked: int | None = None


def detail(known: Known, manifest: Manifest, config_bytes: bytes) -> ImageDetail:
    """One image in full; ``document`` has the keys of Docker's inspect.

    Docker's ``Size`` depends on its version; here it is the compressed content, and ``UnpackedSize`` stands beside it
    where it is known.
    """
    config = read_config(config_bytes)
    raw = document(config_bytes)
    body: dict[str, Any] = {
        "Id": str(manifest.config.digest),
        "RepoTags": list(known.tags),
        "RepoDigests": list(known.digests),
        "Created": raw.get("created"),
        "Author": raw.get("author") or "",
        "Config": raw.get("config") or {},
        "Architecture": raw.get("architecture") or "",
        "Os": raw.get("os") or "",
        "Size": manifest.content_size,
        "RootFS": {"Type": "layers", "Layers": [str(item) for item in config.diff_ids]},
        "Descriptor": {
            "mediaType": manifest.media_type,
            "digest": str(manifest.digest),
            "size": len(manifest.raw),
        },
    }
    if config.platform.variant:
        body["Variant"] = config.platform.variant
    if known.unpacked is not None:
        body["UnpackedSize"] = known.unpacked
    if not manifest.is_image:
        body["ArtifactType"] = manifest.kind
    return ImageDetail(
        reference=known.shown,
        image_id=manifest.config.digest,
        digest=known.digest,
        manifest_digest=manifest.digest,
        platform=config.platform if config.platform.architecture else None,
        platforms=tuple(known.platforms),
        held=tuple(known.held),
        document=body,
        manifest=document(manifest.raw),
        config=raw,
        size=manifest.content_size,
        unpacked=known.unpacked,
    )


def _unexplained(config: ImageConfig, layers: int) -> list[HistoryEntry]:
    explained = sum(not entry.empty_layer for entry in config.history)
    return [HistoryEntry()] * max(0, layers - explained)


def _row(entry: HistoryEntry, layer: Descriptor | None, diff_id: Digest | None, unpacked: SizeOf) -> HistoryRecord:
    return HistoryRecord(
        image_id=None,
        created=read_time(entry.created),
        created_by=entry.created_by or "",
        size=unpacked(layer) if layer else 0,
        compressed=layer.size if layer else 0,
        comment=entry.comment or "",
        empty=layer is None,
        layer_digest=layer.digest if layer else None,
        diff_id=diff_id,
    )


def _with_id(row: HistoryRecord, image_id: Digest) -> HistoryRecord:

    return dataclasses.replace(row, image_id=image_id)
