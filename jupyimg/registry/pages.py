"""Lists that come in pages: the ``Link`` header, and following it to the end (distribution-spec "Listing Tags").

A registry may give fewer entries than asked for, or none and still a next page; may link relatively, absolutely, or,
behind a proxy, to a name that only it knows. So of a link the path and query count, and always on the host that was
asked first. A list that cannot be followed to its end is an error, never a short list.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx

from jupyimg.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PAGES = 10_000
"""More pages than any real list has."""
_TARGET = re.compile(r"<([^<>]*)>")
_PARAMETER = re.compile(r"""\s*;\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))""")
_BARE = re.compile(r"""\s*([^<>;,\s]+)(?=\s*;)""")


def next_link(headers: Iterable[str]) -> str | None:
    """The target of the first ``rel="next"`` (RFC 8288), read leniently: quotes and angle brackets may be missing."""
    for header in headers:
        at = 0
        while at < len(header):
            target = _TARGET.search(header, at) or _BARE.match(header, at)
            if target is None:
                break
            at, is_next = target.end(), False
            while (parameter := _PARAMETER.match(header, at)) is not None:
                at = parameter.end()
                relations = (parameter[2] or parameter[3] or "").lower().split()
                is_next = is_next or (parameter[1].lower() == "rel" and "next" in relations)
            if is_next:
                return target[1]
    return None


def pages(first: httpx.URL, get: Callable[[httpx.URL], httpx.Response]) -> Iterator[httpx.Response]:
    """All pages of a list, in order.

    Raises:
        ProtocolError: the links go in circles, without end, or nowhere.
    """
    url, seen = first, set[str]()
    while str(url) not in seen:
        seen.add(str(url))
        if len(seen) > PAGES:
            raise ProtocolError(f"{first.host} gives a list without end")
        page = get(url)
        yield page
        link = next_link(page.headers.get_list("link"))
        if link is None:
            return
        url = _following(url, link)
    raise ProtocolError(f"{first.host} gives a list that goes in circles")


def _following(url: httpx.URL, link: str) -> httpx.URL:
    try:
        target = url.join(link)
    except httpx.InvalidURL:
        raise ProtocolError(f"{url.host} links to a next page that is not a URL") from None
    return url.copy_with(raw_path=target.raw_path)
