"""Quotas: what a registry says is left of the requests that it allows.

Docker Hub writes ``ratelimit-limit: 100;w=21600`` and ``ratelimit-remaining: 76;w=21600`` on answers about manifests:
pulls in so many seconds. Others write the same without a window, and where nothing is limited nothing is said.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jupyimg.model.records import Quota

if TYPE_CHECKING:
    import httpx

_COUNT = re.compile(r"\s*(\d{1,9})\s*(?:[;,]|$)", re.ASCII)
_WINDOW = re.compile(r";\s*w\s*=\s*\"?(\d{1,9})", re.ASCII)


def read_quota(headers: httpx.Headers) -> Quota | None:
    """What an answer says is left, or None where it says nothing that can be understood."""
    left = headers.get("ratelimit-remaining")
    if left is None:
        return None
    remaining, allowed = _COUNT.match(left), headers.get("ratelimit-limit", "")
    if remaining is None:
        return None
    limit, window = _COUNT.match(allowed), _WINDOW.search(left) or _WINDOW.search(allowed)
    return Quota(
        remaining=int(remaining[1]),
        limit=int(limit[1]) if limit else None,
        window=int(window[1]) if window else None,
    )
