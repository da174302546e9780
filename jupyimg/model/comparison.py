"""Comparison: two images side by side, what they share and what differs. Pure, over what any engine says of an image.

Two layers are the same where their digests as stored are, since that is what a pull and a store share; an engine that
knows no such digests (Docker's own store) is compared by the digests of what is unpacked.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyimg.model.digest import Digest
from jupyimg.model.records import HistoryRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jupyimg.model.records import ImageDetail

SHARED, ONLY_A, ONLY_B, CHANGED = "shared", "only A", "only B", "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerComparison:
    """A layer of one image or of both.

    Attributes:
        digest: of the layer as it is stored; as it is unpacked where an image does not tell.
        size: bytes compressed, as it is stored; None where that is not known.
        unpacked: bytes of its files; None where that is not known.
        status: "shared", "only A" or "only B".
        created_by: the instruction that made it, or "".
    """

    digest: Digest
    size: int | None
    unpacked: int | None
    in_a: bool
    in_b: bool
    status: str
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A setting in which two images differ.

    Attributes:
        field: "environment", "label", "port", "volume", or the setting itself.
        key: which variable, label, port or volume; "" for a setting that is one value.
        a: what the first says; None where it says nothing.
        b: what the second says.
        status: "changed", "only A" or "only B".
    """

    field: str
    key: str
    a: str | None
    b: str | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageComparison:
    """Two images side by side.

    Attributes:
        a: the name of the first.
        b: the name of the second.
        differences: what their configs say differently, in a fixed order.
        layers: all their layers, each once, from the base up: those of A, then those of B alone.
    """

    a: str
    b: str
    differences: tuple[Difference, ...]
    layers: tuple[LayerComparison, ...]


def compare(
    a: ImageDetail, b: ImageDetail, history_a: Sequence[HistoryRecord], history_b: Sequence[HistoryRecord]
) -> ImageComparison:
    """Set two images side by side.

    Args:
        a: the first image; as `Engine.inspect` and `Engine.history` tell of it.
        b: the second.
        history_a: the first one's build steps.
        history_b: the second one's.
    """
    names = [_name(a, b), _name(b, a)]
    return ImageComparison(
        a=names[0],
        b=names[1],
        differences=tuple(_differences(a, b)),
        layers=tuple(_layers(_told(a, history_a), _told(b, history_b))),
    )


def _name(image: ImageDetail, other: ImageDetail) -> str:
    """Two platforms of one name are told apart by their platform."""
    return f"{image.reference} ({image.platform})" if image.reference == other.reference else image.reference


def _layers(history_a: Sequence[HistoryRecord], history_b: Sequence[HistoryRecord]) -> Iterator[LayerComparison]:
    both = [step for step in (*history_a, *history_b) if not step.empty]
    stored = all(step.layer_digest is not None for step in both)
    in_a, in_b = (_by_digest(history, stored=stored) for history in (history_a, history_b))
    for digest in dict.fromkeys([*in_a, *in_b]):
        held, known = (digest in in_a, digest in in_b), in_a.get(digest) or in_b[digest]
        yield LayerComparison(
            digest=digest,
            size=known.compressed,
            unpacked=known.size,
            in_a=held[0],
            in_b=held[1],
            status=SHARED if all(held) else ONLY_A if held[0] else ONLY_B,
            created_by=known.created_by,
        )


def _told(image: ImageDetail, history: Sequence[HistoryRecord]) -> Sequence[HistoryRecord]:
    """The build steps; where a daemon cannot tell which step made which layer, its layers without them."""
    if any(step.layer_digest or step.diff_id for step in history):
        return history
    root = image.document.get("RootFS")
    listed = _listed(root.get("Layers")) if isinstance(root, dict) else ()
    return [_bare(Digest(text)) for text in reversed(listed) if isinstance(text, str) and text.startswith("sha256:")]


def _bare(diff_id: Digest) -> HistoryRecord:
    return HistoryRecord(
        image_id=None,
        created=None,
        created_by="",
        size=None,
        compressed=None,
        comment="",
        empty=False,
        layer_digest=None,
        diff_id=diff_id,
    )


def _by_digest(history: Sequence[HistoryRecord], *, stored: bool) -> dict[Digest, HistoryRecord]:
    """The layers from the base up, each once, however often an image stacks it."""
    found: dict[Digest, HistoryRecord] = {}
    for step in reversed(history):
        digest = step.layer_digest if stored else step.diff_id
        if not step.empty and digest is not None:
            found.setdefault(digest, step)
    return found


def _differences(a: ImageDetail, b: ImageDetail) -> Iterator[Difference]:
    for field, mine, others in zip(_FIELDS, _settings(a), _settings(b), strict=True):
        for key in dict.fromkeys([*mine, *others]):
            was, now = mine.get(key), others.get(key)
            unknown = field in _MEASURED and None in {was, now}  # which is no difference
            if was != now and not unknown:
                status = ONLY_B if was is None else ONLY_A if now is None else CHANGED
                yield Difference(field=field, key=key, a=was, b=now, status=status)


_FIELDS = (
    *("platform", "created", "size", "unpacked", "entrypoint", "cmd", "user", "workdir", "stop signal"),
    *("environment", "label", "port", "volume"),
)
"""What is compared, in the order of `_settings`."""
_MEASURED = {"size", "unpacked"}
"""What every image has, and nobody may have measured yet."""


def _settings(image: ImageDetail) -> Iterator[dict[str, str]]:
    config = image.document.get("Config")
    config = config if isinstance(config, dict) else {}
    yield _one(image.platform)
    for value in (image.document.get("Created"), image.size, image.unpacked):
        yield _one(value)
    for key in ("Entrypoint", "Cmd"):
        yield _one(_command(config.get(key)))
    for key in ("User", "WorkingDir", "StopSignal"):
        yield _one(config.get(key))
    yield dict(_pair(str(item)) for item in _listed(config.get("Env")))
    yield {str(key): str(value) for key, value in _mapped(config.get("Labels")).items()}
    for key in ("ExposedPorts", "Volumes"):
        yield {str(item): str(item) for item in _mapped(config.get(key))}


def _one(value: object) -> dict[str, str]:
    return {} if value is None or value == "" else {"": str(value)}


def _command(value: object) -> str | None:
    """As a shell would be given it; an empty one is none."""
    if isinstance(value, list):
        return shlex.join(map(str, value)) or None
    return str(value) if value else None


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key, value


def _listed(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _mapped(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}
