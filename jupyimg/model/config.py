"""ImageConfig: what an image says of itself (image-spec config.md), read leniently: old tools wrote it freely."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from jupyimg.model.codec import decode
from jupyimg.model.digest import Digest
from jupyimg.model.platform import Platform


class HistoryEntry(msgspec.Struct, frozen=True):
    """One step of how the image was built, oldest first in the config."""

    created: str | None = None
    created_by: str | None = None
    comment: str | None = None
    author: str | None = None
    empty_layer: bool | None = None


class _RootFS(msgspec.Struct):
    diff_ids: tuple[Digest, ...] | None = None


class _Settings(msgspec.Struct):
    labels: dict[str, str | None] | None = msgspec.field(default=None, name="Labels")


class _ConfigBody(msgspec.Struct):
    created: str | None = None
    architecture: str | None = None
    os: str | None = None
    variant: str | None = None
    os_version: str | None = msgspec.field(default=None, name="os.version")
    config: _Settings | None = None
    rootfs: _RootFS | None = None
    history: tuple[HistoryEntry | None, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """A config with its missing parts made plain.

    Attributes:
        created: when the image was built, UTC; None where it is absent or Go's zero time (year 1).
        diff_ids: digests of the uncompressed layers, base first.
        history: build steps, oldest first; may be shorter or longer than diff_ids.
    """

    platform: Platform
    created: datetime | None
    labels: dict[str, str]
    diff_ids: tuple[Digest, ...]
    history: tuple[HistoryEntry, ...]


def read_config(raw: bytes) -> ImageConfig:
    """Read an image's config.

    Raises:
        BadManifest: not a JSON object of that shape.
    """
    body = decode(raw, _ConfigBody, what="image config")
    labels = body.config.labels if body.config and body.config.labels else {}
    return ImageConfig(
        platform=Platform(
            body.architecture or "", body.os or "", os_version=body.os_version or "", variant=body.variant or ""
        ),
        created=read_time(body.created),
        labels={key: value or "" for key, value in labels.items()},
        diff_ids=(body.rootfs.diff_ids if body.rootfs else None) or (),
        history=tuple(entry or HistoryEntry() for entry in body.history or ()),
    )


def document(raw: bytes) -> dict[str, Any]:
    """The same bytes as plain data, for people who want to look at all of it.

    Raises:
        BadManifest: not a JSON object.
    """
    return decode(raw, dict[str, Any], what="image config")


_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?\s*(Z|z|[+-]\d\d:?\d\d)?", re.ASCII)


def read_time(text: str | None) -> datetime | None:
    """An RFC 3339 time as UTC, to the microsecond; None if absent, unreadable or Go's zero time (year 1)."""
    match = _RFC3339.fullmatch(text.strip()) if text else None
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    zone = "+00:00" if zone in {None, "Z", "z"} else zone
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{(fraction or '.0')[:7]}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None if moment.year <= 1 else moment
