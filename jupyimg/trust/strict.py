"""Strict JSON: every object has exactly the keys it may have, each once, of the right type, or the place is named.

A policy that two readers understand differently protects nobody, and so does a signed payload; therefore nothing is
skipped, guessed or taken twice (containers/image reads both the same way).
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

_SHOWN = 80


class Malformed(ValueError):
    """A document that is not what it should be; says where."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a JSON document, and where it stands there."""

    value: Any
    place: str

    def fault(self, message: str) -> Malformed:
        """The error that something is wrong here."""
        return Malformed(f"{self.place}: {message}" if self.place else message)

    def fields(self, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Node]:
        """The members of an object that has all of the first and at most the second.

        Raises:
            Malformed: it is no object, a key is missing, or one is unknown.
        """
        members = self.members()
        for key in members:
            if key not in required and key not in optional:
                raise self.fault(f"unknown key {shown(key)}")
        for key in required:
            if key not in members:
                raise self.fault(f"the key {key!r} is missing")
        return members

    def members(self) -> dict[str, Node]:
        """The members of an object with any keys.

        Raises:
            Malformed: it is no object.
        """
        if not isinstance(self.value, dict):
            raise self.fault("an object is expected")
        return {key: Node(value, _inside(self.place, key)) for key, value in self.value.items()}

    def items(self) -> list[Node]:
        """The items of a list that is not empty.

        Raises:
            Malformed: it is no list, or an empty one.
        """
        if not isinstance(self.value, list):
            raise self.fault("a list is expected")
        if not self.value:
            raise self.fault("the list must not be empty")
        return [Node(value, f"{self.place}[{number}]") for number, value in enumerate(self.value)]

    def text(self) -> str:
        """A text that is not empty.

        Raises:
            Malformed: it is none.
        """
        if not isinstance(self.value, str) or not self.value:
            raise self.fault("a text is expected")
        return self.value

    def data(self) -> bytes:
        """Bytes in base64.

        Raises:
            Malformed: they are none.
        """
        try:
            found = base64.b64decode(self.text(), validate=True)
        except (binascii.Error, ValueError):
            found = b""
        if not found:
            raise self.fault("base64 is expected")
        return found


def load(raw: bytes) -> Node:
    """Read a document.

    Raises:
        Malformed: not JSON, a key that stands twice in one object, or nested without end.
    """
    try:
        return Node(json.loads(raw.decode(), object_pairs_hook=_once), "")
    except Malformed:
        raise
    except RecursionError:
        raise Malformed("it is nested without end") from None
    except ValueError as error:  # json's and the codec's errors
        raise Malformed(f"it is not JSON: {error}") from None


def shown(text: str) -> str:
    """Foreign text as it may stand in a message: quoted, and not endless."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Malformed(f"the key {shown(key)} stands twice in one object")
        found[key] = value
    return found


def _inside(place: str, key: str) -> str:
    if key.isidentifier():
        return f"{place}.{key}" if place else key
    return f"{place}[{shown(key)}]"
