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
        if not own:
            json.loads(raw, object_pairs_hook=_unambiguous)
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
    raise NotImplementedError(kind)


_OWN_KEYS = frozenset({"mediatype", "digest", "size", "layers", "manifests", "config", "schemaversion", "rootfs"})


def _unambiguous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    # Labels are free maps, where `Path` and `PATH` may both stand; the fields that decide what an image is may not.
    lowered = [key.lower() for key in found]
    if len(set(lowered)) != len(lowered) and any(lowered.count(key) > 1 for key in _OWN_KEYS):
        raise ValueError("two keys of one object differ only in upper and lower case")
    return found
