"""Words: numbers, times, digests and foreign text as people read them. Pure text, spelled exactly as Docker does.

The rules are those of docker/go-units (HumanSize, HumanDuration) and of Docker's formatter (Ellipsis). Text from
outside is hostile: whatever a terminal or a browser would obey instead of show is taken out here, in one place.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
_BASE = 1000.0

NONE = "<none>"
"""Docker's word for a repository, tag or digest that there is not."""
MISSING = "<missing>"
"""Docker's word for the ID of a build step that has none."""
UNKNOWN = "N/A"
"""Docker's word for a number or time that is not known."""

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""A build time up to this one was not meant (reproducible builds write 1970 or 1980); `docker history` shows none."""


def size(count: float, digits: int = 4) -> str:
    """Bytes in words, base 1000 (units.HumanSizeWithPrecision): 4 digits as in pull and df, 3 as in images."""
    value, step = abs(float(count)), 0
    while value >= _BASE and step < len(_UNITS) - 1:
        value, step = value / _BASE, step + 1
    return f"{'-' if count < 0 else ''}{value:.{digits}g}{_UNITS[step]}"


def duration(seconds: float) -> str:
    """A time span in words (units.HumanDuration): "About an hour", "6 days", "Less than a second"."""
    whole = int(seconds)
    if whole < 1:
        return "Less than a second"
    if whole < 60:  # noqa: PLR2004
        return "1 second" if whole == 1 else f"{whole} seconds"
    minutes = whole // 60
    if minutes < 60:  # noqa: PLR2004
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    return _hours(int(seconds / 3600 + 0.5), seconds)


def _hours(hours: int, seconds: float) -> str:
    if hours == 1:
        return "About an hour"
    for limit, unit, name in (
        (48, 1, "hours"),
        (24 * 7 * 2, 24, "days"),
        (24 * 30 * 2, 24 * 7, "weeks"),
        (24 * 365 * 2, 24 * 30, "months"),
    ):
        if hours < limit:
            return f"{hours // unit} {name}"
    return f"{int(seconds) // 3600 // (24 * 365)} years"


def age(moment: datetime, now: datetime) -> str:
    """How long ago that was, such as "6 days ago"."""
    return f"{duration((now - moment) / timedelta(seconds=1))} ago"


def iso(moment: datetime) -> str:
    """A time for machines: RFC 3339 in UTC, with a fraction only where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def iso_seconds(moment: datetime) -> str:
    """A time for machines that people look at too: RFC 3339 in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def stamp(moment: datetime, nanosecond: int) -> str:
    """A time as daemons write it before a line: RFC 3339 in UTC, to the nanosecond."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}{nanosecond:03}Z"


def seconds(count: float) -> str:
    """A measured time span: "0.04 s", "3.2 s", "128 s"."""
    return f"{count:.0f} s" if count >= 100 else f"{count:.{1 if count >= 1 else 2}f} s"  # noqa: PLR2004


def span(count: float) -> str:
    """About how long: "42 s", "12 min", "3 h"."""
    for unit, size in (("h", 3600), ("min", 60)):
        if count >= 2 * size:
            return f"{count / size:.0f} {unit}"
    return seconds(count)


def short(digest: str) -> str:
    """The twelve digits by which Docker shows an ID; anything that is no digest is only cut."""
    return digest.rpartition(":")[2][:12]


# What is obeyed and not shown, besides the C0 controls: C1 controls, line and paragraph separators, marks that turn the
# direction of writing, invisible joiners and fillers, and the tag characters that can smuggle text past a reader.
_OBEYED = (
    r"\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\U000e0000-\U000e0fff"
)
_SPACES = re.compile(r"[\t\n\r\x0b\x0c\x85\u2028\u2029]+")
_CONTROL = re.compile(rf"[\x00-\x1f{_OBEYED}]")
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_LONE = re.compile(r"[\ud800-\udfff]")
_UNSAFE = re.compile(rf"[{_OBEYED}\ud800-\udfff]")


def clean(text: str) -> str:
    """One line of foreign text, safe to show: without escape sequences, controls, overrides and half characters."""
    if text.isascii() and text.isprintable():
        return text
    text = _SPACES.sub(" ", _ESCAPE.sub("", text))
    return _LONE.sub("\N{REPLACEMENT CHARACTER}", _CONTROL.sub("", text))


def json_safe(text: str) -> str:
    """JSON whose strings hold nothing that a terminal obeys: such characters become escapes that say the same."""
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def width(text: str) -> int:
    """How many terminal columns the text takes: two for wide (Chinese) characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char) or char == "\N{ZERO WIDTH JOINER}" or "\ufe00" <= char <= "\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def ellipsis(text: str, limit: int) -> str:
    """The text in at most ``limit`` columns, its end replaced by "…" where it is longer (Docker's Ellipsis)."""
    head = text[: 8 * max(limit, 1)]  # a megabyte need not be measured
    if len(head) == len(text) and width(text) <= limit:
        return text
    used, kept = 0, []
    for char in head:
        used += _columns(char)
        if used > limit - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """The text filled up with spaces to that many terminal columns."""
    fill = " " * (columns - width(text))
    return fill + text if right else text + fill


def count(number: int, noun: str) -> str:
    """A number of things: "1 image", "3 images"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
