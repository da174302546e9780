"""What a registry asks for in ``WWW-Authenticate``, read leniently (RFC 9110, 11.6.1).

One header may hold several challenges and several headers may come; commas separate both challenges and parameters,
and may stand inside quotes. Nothing here raises: what cannot be read is left out, so a strange header ends as
"access denied" and not as a crash.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a grammar rule
_GAP = re.compile(r"[\s,]*")
_PARAMETER = re.compile(rf"""({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)(?:"|\\?$)|([^\s,"=][^\s,"]*))""", re.DOTALL)
_SCHEME = re.compile(rf"({_TOKEN})(?=[\s,]|$)")
_JUNK = re.compile(r"[^\s,]+")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in: a scheme in lower case, and its parameters by lower-case name."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def realm(self) -> str:
        """Where a token is to be had (a URL, perhaps relative), for Bearer."""
        return self.parameters.get("realm", "")

    @property
    def service(self) -> str:
        """What the token service calls this registry."""
        return self.parameters.get("service", "")

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the registry would like a token for, such as ``repository:library/nginx:pull``."""
        return tuple(self.parameters.get("scope", "").split())

    @property
    def is_too_small(self) -> bool:
        """Whether the token was good but did not reach far enough (RFC 6750, 3.1)."""
        return self.parameters.get("error") == "insufficient_scope"


def parse_challenges(headers: Iterable[str]) -> list[Challenge]:
    """All challenges of all ``WWW-Authenticate`` headers, in order; of a doubled parameter the first counts."""
    found: list[Challenge] = []
    for header in headers:
        current: Challenge | None = None
        at = 0
        while (at := _skip(header, at)) < len(header):
            match = _PARAMETER.match(header, at)
            if match is not None:
                if current is not None:
                    value = match[3] if match[2] is None else _ESCAPE.sub(r"\1", match[2])
                    current.parameters.setdefault(match[1].lower(), value)
            elif (match := _SCHEME.match(header, at)) is not None:
                current = Challenge(match[1].lower())
                found.append(current)
            else:
                match = _JUNK.match(header, at)
            at = match.end() if match else len(header)
    return found


def choose(challenges: Iterable[Challenge]) -> Challenge | None:
    """The challenge to answer: Bearer where a realm is named, else Basic, else none that we can."""
    offered = [item for item in challenges if item.scheme == "basic" or (item.scheme == "bearer" and item.realm)]
    return next((item for item in offered if item.scheme == "bearer"), offered[0] if offered else None)


def join_scopes(own: Iterable[str], asked: Iterable[str]) -> tuple[str, ...]:
    """Our scopes first, since some servers read only one; then what was asked for beyond them."""
    ours = tuple(dict.fromkeys(own))
    return ours + tuple(scope for scope in dict.fromkeys(asked) if not any(_includes(mine, scope) for mine in ours))


def _includes(mine: str, other: str) -> bool:
    name, _, actions = mine.rpartition(":")
    other_name, _, other_actions = other.rpartition(":")
    return name == other_name and set(other_actions.split(",")) <= set(actions.split(","))


def _skip(header: str, at: int) -> int:
    gap = _GAP.match(header, at)
    return gap.end() if gap else at
