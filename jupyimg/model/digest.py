"""Digest: the name of bytes, checked before it is ever used as a path or sent to a server."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Self

from jupyimg.errors import BadDigest

if TYPE_CHECKING:
    from hashlib import _Hash

_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_PATTERN = re.compile(r"(sha256|sha384|sha512):([a-f0-9]+)", re.ASCII)


class Digest(str):
    """``algorithm:encoded``, valid once built (image-spec descriptor.md, Digests).

    It is a string, so it can be a key, a cell of a frame and a word of a command; being one proves that
    the algorithm is known and the encoded part is lowercase hexadecimal of the right length.

    Raises:
        BadDigest: the text is no such thing.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        match = _PATTERN.fullmatch(text)
        if match is None or len(match[2]) != _LENGTHS[match[1]]:
            shown = text if len(text) <= 100 else text[:97] + "..."  # noqa: PLR2004 - as much as reads well
            raise BadDigest(f"{shown!r} is not a digest")
        return super().__new__(cls, text)

    @classmethod
    def of(cls, data: bytes, algorithm: str = "sha256") -> Self:
        """The digest of these bytes."""
        return cls(f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}")

    @property
    def algorithm(self) -> str:
        """Such as ``sha256``."""
        return self.partition(":")[0]

    @property
    def encoded(self) -> str:
        """The hexadecimal part."""
        return self.partition(":")[2]

    @property
    def short(self) -> str:
        """The first twelve hexadecimal digits, as Docker shows an ID."""
        return self.encoded[:12]

    def hasher(self) -> _Hash:
        """A fresh hash object of this algorithm."""
        return hashlib.new(self.algorithm)
