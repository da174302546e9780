"""Whether to try again, and when: pure decisions about answers and failures.

Waits grow from one try to the next and are spread by chance, so that thirty students who were turned away together do
not come back together. What a server asks for in ``Retry-After`` is obeyed up to a limit; a longer wait is not one to
sit out in a cell, so it becomes an error that says how long.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from jupyimg.registry.transport import NotTLS, Refused, UnknownHost, Untrusted

TRANSIENT = frozenset({408, 429, 499, 500, 502, 503, 504, 522})
"""Statuses that may be gone at the next try; 499 is nginx's and 522 Cloudflare's word for a broken connection."""
TOO_MANY = 429
QUICK = 0.1
"""Seconds before the one further try at a host that is not there: a name server or a restart may hiccup."""
_FIRST, _FIRST_TOO_MANY, _LONGEST, _SPREAD = 0.2, 1.0, 15.0, 0.5
_HOPELESS = (Untrusted, NotTLS, httpx.TooManyRedirects, httpx.UnsupportedProtocol)
_ABSENT = (UnknownHost, Refused, httpx.ConnectTimeout, httpx.ProxyError)


def wait_after_failure(failure: httpx.RequestError, attempt: int, attempts: int, spread: float) -> float | None:
    """Seconds to wait after there was no answer, or None to give up.

    Args:
        failure: what happened.
        attempt: how many tries there have been.
        attempts: how many there may be.
        spread: what `chance` gave.
    """
    if isinstance(failure, _HOPELESS):
        return None
    if isinstance(failure, _ABSENT):
        return QUICK if attempt < min(2, attempts) else None
    return backoff(attempt, spread) if attempt < attempts else None


def wait_after_answer(status: int, asked: float | None, attempt: int, attempts: int, spread: float) -> float | None:
    """Seconds to wait after an answer that was no success, or None to give up; ``asked`` is what `retry_after` read."""
    if status not in TRANSIENT or attempt >= attempts:
        return None
    if asked is not None:
        return asked + spread * _SPREAD
    return backoff(attempt, spread, first=_FIRST_TOO_MANY if status == TOO_MANY else _FIRST)


def backoff(attempt: int, spread: float, first: float = _FIRST) -> float:
    """Seconds to wait after try number ``attempt``: doubling, bounded, and up to half of it left to chance."""
    return float(min(first * 2 ** (attempt - 1), _LONGEST) * (0.5 + spread / 2))


def chance() -> float:
    """A number from 0 to 1 that spreads waits and guards nothing."""
    return random.random()  # noqa: S311


def retry_after(headers: httpx.Headers, now: datetime) -> float | None:
    """Seconds that a server asks us to wait (RFC 9110, 10.2.3: a number or a date), or None.

    A spent quota of Docker Hub (``ratelimit-remaining: 0;w=21600``) asks for its whole window; its API names the
    moment, in Unix time (``X-Retry-After``).
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    until = headers.get("x-retry-after", "").strip()
    if not value and until.isascii() and until.isdigit():
        return max(0.0, float(until[:12]) - now.timestamp())
    spent, _, window = headers.get("ratelimit-remaining", "").partition(";w=")
    if not value and spent.strip() == "0" and window.isascii() and window.isdigit():
        return float(window[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
