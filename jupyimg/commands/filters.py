"""``--filter key=value`` of `docker images` and `docker image prune`, read into values."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from jupyimg.engines import ImageFilter, PruneFilter
from jupyimg.errors import Misuse
from jupyimg.model.config import read_time

if TYPE_CHECKING:
    from collections.abc import Sequence

KEYS = ("before", "dangling", "label", "pinned", "reference", "since", "until")
PRUNE_KEYS = ("label", "label!", "until")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_TRUE = {"1", "t", "true"}
_FALSE = {"0", "f", "false"}


def image_filter(texts: Sequence[str], repository: str | None = None) -> ImageFilter:
    """Read all filters of one line.

    Args:
        texts: each ``key=value``.
        repository: ``REPOSITORY[:TAG]``, which is one more reference filter.

    Raises:
        Misuse: an unknown key or an unreadable value.
    """
    found = _read(texts, KEYS)
    if repository:
        found["reference"].append(repository)
    return ImageFilter(
        dangling=_truth("dangling", found["dangling"][-1]) if found["dangling"] else None,
        labels=tuple(found["label"]),
        before=tuple(found["before"]),
        since=tuple(found["since"]),
        references=tuple(found["reference"]),
        until=min(map(moment, found["until"])) if found["until"] else None,
        pinned=_truth("pinned", found["pinned"][-1]) if found["pinned"] else None,
    )


def prune_filter(texts: Sequence[str]) -> PruneFilter:
    """Read all filters of one line of `prune`; ``until`` may stand once, as in Docker.

    Raises:
        Misuse: an unknown key or an unreadable value.
    """
    found = _read(texts, PRUNE_KEYS)
    if len(found["until"]) > 1:
        raise Misuse("more than one until filter is given", hint="give the earliest of the times alone")
    return PruneFilter(
        until=moment(found["until"][0]) if found["until"] else None,
        labels=tuple(found["label"]),
        without_labels=tuple(found["label!"]),
    )


def _read(texts: Sequence[str], keys: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {key: [] for key in keys}
    for text in texts:
        key, eq, value = text.partition("=")
        if key not in found or not eq or not value:
            raise Misuse(f"--filter {text} is not understood", hint=f"write KEY=VALUE; keys are {', '.join(keys)}")
        found[key].append(value)
    return found


def moment(text: str, now: datetime | None = None) -> datetime:
    """A time as Docker takes it: RFC 3339, a date, unix seconds, or a Go duration back from now (``1h30m``).

    Raises:
        Misuse: none of these.
    """
    try:
        return _moment(text, now or datetime.now(UTC))
    except (OverflowError, OSError, ValueError):  # which it is depends on how far off it is
        raise Misuse(f"{text!r} is longer than time itself", hint="such as 24h, 1h30m or 2026-01-31") from None


def _moment(text: str, now: datetime) -> datetime:
    pieces = _DURATION.findall(text)
    if pieces and "".join(number + unit for number, unit in pieces) == text:
        back = timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in pieces))
        return now - back
    if re.fullmatch(r"\d{9,}(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    full = f"{text}T00:00:00" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text
    found = read_time(full if "T" not in full or full.count(":") > 1 else f"{full}:00")
    if found is None:
        raise Misuse(f"{text!r} is not a time", hint="such as 24h, 1h30m, 2026-01-31 or 2026-01-31T12:00:00Z")
    return found


def _truth(key: str, text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise Misuse(f"{key}={text} is not understood", hint="it is true or false")
