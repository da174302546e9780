"""decode(): the one door from foreign JSON bytes to typed values.

Go's decoder matches keys without regard to case and takes the last of two equal ones; another parser may not. A
document that two tools read differently is how one digest comes to mean two images, so such keys are refused here.
Our own index.json is decoded without that second look (``own=True``), since we wrote it.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from jupyimg.errors import BadManifest
from jupyimg.model.digest import Digest

T = TypeVar("T")
_decoders: dict[type, msgspec.json.Decoder[Any]] = {}


def decode(raw: bytes, shape: type[T], *, what: str = "document", own: bool = False) -> T:
    """Read JSON into ``shape``.

    Raises:
        BadManifest: not UTF-8, not JSON, nested without end, keys that are doubled or differ only in case, or
            fields of the wrong type, sign or size.
    """
    decoder = _decoders.get(shape)
    if decoder is None:
        decoder = _decoders[shape] = msgspec.json.Decoder(shape, dec_hook=_custom)
    try:
        value: T = decoder.decode(raw)
        if not own and not _plainly_unambiguous(raw):
            tree = json.loads(raw, object_pairs_hook=_unambiguous)
            if what == "manifest":
                _undisguised(tree)
    except RecursionError:
        raise BadManifest(f"the {what} is nested without end") from None
    except UnicodeDecodeError:
        raise BadManifest(f"the {what} is not UTF-8 text") from None
    except ValueError as error:  # msgspec's and json's errors, and BadDigest from within
        raise BadManifest(f"the {what} is not usable: {error}") from None
    return value


def encode(value: object) -> bytes:
    """Write a value as compact JSON."""
    return msgspec.json.encode(value, enc_hook=str)


def _custom(kind: type, value: object) -> object:
    if kind is Digest and isinstance(value, str):
        return Digest(value)
    if kind is object:
        return value
    raise ValueError("expected a digest")


_OWN_KEYS: tuple[str, ...] = ("mediaType", "digest", "size", "layers", "manifests", "config", "schemaVersion", "rootfs")
_OWN_KEYS += ("platform", "urls", "subject", "artifactType", "diff_ids")
_FOLDED = frozenset(key.casefold() for key in _OWN_KEYS)
_QUICK = 64 << 10
"""Bytes up to which a document is taken apart once more for a quick look; a large one would only cost memory twice."""
_EXACT = tuple((f'"{key}"'.encode(), f'"{key.lower()}"'.encode()) for key in _OWN_KEYS)


def _plainly_unambiguous(raw: bytes) -> bool:
    """Whether a quick look can rule both out; where it cannot, nothing is said yet.

    Decoding drops the first of two equal keys, so a document that comes back whole had none. Keys in another case
    are found by counting, which non-ASCII letters that fold to ASCII ones could escape.
    """
    if (
        len(raw) > _QUICK
        or not raw.isascii()
        or msgspec.json.encode(msgspec.json.decode(raw)) != msgspec.json.format(raw, indent=-1)
    ):
        return False
    lowered = raw.lower()
    return all(raw.count(exact) == lowered.count(lower) for exact, lower in _EXACT)


_FREE = frozenset({"annotations", "Labels", "labels"})


def _undisguised(tree: object) -> None:
    """A key that Go would take for one of ours and we would not: the same digest would be two images."""
    if isinstance(tree, list):
        for item in tree:
            _undisguised(item)
    elif isinstance(tree, dict):
        for key, value in tree.items():
            if key.casefold() in _FOLDED and key not in _OWN_KEYS:
                raise ValueError(f"the key {key!r} is one of ours in another case")
            if key not in _FREE:
                _undisguised(value)


def _unambiguous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    # Labels are free maps, where `Path` and `PATH` may both stand; the fields that decide what an image is may not.
    # Go compares by folding, where the letter U+017F is an s and the sign U+212A is a k.
    folded = [key.casefold() for key in found]
    if len(set(folded)) != len(folded) and any(folded.count(key) > 1 for key in _FOLDED):
        raise ValueError("two keys of one object differ only in upper and lower case")
    return found
