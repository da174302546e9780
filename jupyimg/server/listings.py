"""Listings: tags, repositories and referrers, page by page (distribution-spec, Content Discovery)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from jupyimg.model.codec import encode
from jupyimg.model.documents import OCI_INDEX, Descriptor, Manifest
from jupyimg.server.call import digest_in
from jupyimg.server.message import Answer, json_answer
from jupyimg.server.problems import NAME_UNKNOWN, UNSUPPORTED, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Index
    from jupyimg.server.call import Call
    from jupyimg.server.message import Head
    from jupyimg.server.record import Record

_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)
_PAGE_BYTES = 4 << 20
"""A page of referrers is not larger than a manifest, unless a single entry is."""


class Listings:
    """The endpoints that list."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def tags(self, call: Call) -> Answer:
        """The tags of a repository."""
        view = self._record.view(call.repository)
        if view is None:
            raise Refused(HTTPStatus.NOT_FOUND, NAME_UNKNOWN, "there is no such repository", detail=call.name)
        page, link = _page(call.head, sorted(view.tags))
        return json_answer({"name": call.name, "tags": page}, *link)

    def catalog(self, head: Head) -> Answer:
        """The repositories (not in the specification; Docker's extension that tools rely on)."""
        page, link = _page(head, self._record.names())
        return json_answer({"repositories": page}, *link)

    def referrers(self, call: Call) -> Answer:
        """The manifests that are about another one, which need not exist."""
        subject, wanted = digest_in(call.word), call.head.asked("artifactType")
        view = self._record.view(call.repository)
        about = view.referrers.get(subject, []) if view else []
        last = call.head.asked("last") or ""
        page: list[bytes] = []
        more, size = False, 0
        for digest, raw in self._described([digest for digest in about if digest > last], wanted):
            more = bool(page) and size + len(raw) > _PAGE_BYTES
            if more:
                break
            page.append(raw)
            size, last = size + len(raw), digest
        headers = [("Content-Type", OCI_INDEX)]
        if wanted is not None:
            headers.append(("OCI-Filters-Applied", "artifactType"))
        if more:
            headers.append(_link(call.head, last=last))
        body = b'{"schemaVersion":2,"mediaType":"%s","manifests":[%s]}' % (OCI_INDEX.encode(), b",".join(page))
        return Answer(HTTPStatus.OK, headers, body)

    def _described(self, digests: Sequence[Digest], wanted: str | None) -> Iterator[tuple[Digest, bytes]]:
        for digest in digests:
            document = self._record.read(digest)
            if document is not None:
                descriptor = _descriptor(document)
                if wanted is None or descriptor.artifact_type == wanted:
                    yield digest, encode(descriptor)


def _descriptor(document: Manifest | Index) -> Descriptor:
    fallback = document.config.media_type if isinstance(document, Manifest) else ""
    return Descriptor(
        media_type=document.media_type,
        digest=document.digest,
        size=len(document.raw),
        artifact_type=document.artifact_type or fallback,
        annotations=document.annotations,
    )


def _page(head: Head, items: list[str]) -> tuple[list[str], tuple[tuple[str, str], ...]]:
    """What ``n`` and ``last`` ask for of a sorted list, and a link to what follows."""
    count, last = head.asked("n"), head.asked("last")
    if count is not None and not _COUNT.fullmatch(count):
        raise Refused(HTTPStatus.BAD_REQUEST, UNSUPPORTED, "n is not a number")
    if last is not None:
        items = [item for item in items if item > last]
    if count is None or int(count) >= len(items):
        return items, ()
    page = items[: int(count)]
    return page, (_link(head, last=page[-1]),) if page else ()


def _link(head: Head, *, last: str) -> tuple[str, str]:
    kept = [(key, value) for key, value in head.query if key != "last"]
    return "Link", f'<{head.path}?{urlencode([*kept, ("last", last)])}>; rel="next"'
