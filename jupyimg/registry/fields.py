"""Fields of JSON that nobody promised: what is missing, null, of another type or beyond reason becomes None."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jupyimg.errors import BadDigest
from jupyimg.model.config import read_time
from jupyimg.model.digest import Digest

if TYPE_CHECKING:
    from datetime import datetime

LONGEST = 10_000
"""Characters of text that are kept."""
_LARGEST = 1 << 63
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)


def count(value: Any) -> int | None:
    """A number of things."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST else None


def text(value: Any) -> str:
    """A text, "" where there is none."""
    return value[:LONGEST] if isinstance(value, str) else ""


def word(value: Any) -> str:
    """A word such as names an architecture, "" where it is none."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""


def flag(value: Any) -> bool | None:
    """Yes or no."""
    return value if isinstance(value, bool) else None


def time(value: Any) -> datetime | None:
    """A time (RFC 3339)."""
    return read_time(value) if isinstance(value, str) else None


def digest(value: Any) -> Digest | None:
    """A digest."""
    try:
        return Digest(value) if isinstance(value, str) else None
    except BadDigest:
        return None


def rows(value: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
