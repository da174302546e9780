"""Docker Hub's own API, beside its registry: tags with their dates, sizes and platforms, a hundred to a request.

It needs no token, counts no pull, and is not promised to anybody: its fields may be missing or odd (`fields`). Pages
are counted by us; a ``next`` only says that there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jupyimg.errors import BadReference, ProtocolError
from jupyimg.model.platform import Platform
from jupyimg.model.records import TagRecord
from jupyimg.registry import fields
from jupyimg.registry.pages import PAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyimg.model.reference import Reference
    from jupyimg.registry.call import Call
    from jupyimg.registry.desk import Desk

PAGE = 100
"""The most results that Hub gives at a time."""


def hub_pages(desk: Desk, call: Call, path: str, query: dict[str, str], what: str) -> Iterator[list[dict[str, Any]]]:
    """The results of a list, page by page.

    Raises:
        ProtocolError: what came is no such list, or it has no end.
        RegistryError, RemoteNotFound: Hub said no, or nothing.
    """
    before: list[dict[str, Any]] = []
    for number in range(1, PAGES + 1):
        asked = urlencode({"page_size": str(PAGE), **query, "page": str(number)})
        _, body = desk.answer(call, desk.base.join(path).copy_with(query=asked.encode()), what)
        if not isinstance(body.get("results"), list):
            raise ProtocolError(f"{desk.host} answers with something that is no {what}")
        page = fields.rows(body["results"])
        if page and page == before:
            raise ProtocolError(f"{desk.host} gives a list that goes in circles")
        yield page
        if not page or not body.get("next"):
            return
        before = page
    raise ProtocolError(f"{desk.host} gives a list without end")


def hub_tags(desk: Desk, call: Call, repository: Reference, part: str = "") -> Iterator[list[TagRecord]]:
    """The tags of a repository, the last pushed first: for each tag a list of its platforms, each tag once.

    Args:
        desk: of the API.
        call: what this belongs to.
        repository: its name.
        part: only tags whose names hold this.

    Raises:
        RegistryError, RemoteNotFound: see `hub_pages`; private repositories are not found.
    """
    namespace, _, name = repository.path.rpartition("/")
    query = {"ordering": "last_updated", **({"name": part} if part else {})}
    seen: set[str] = set()
    for page in hub_pages(desk, call, f"/v2/namespaces/{namespace}/repositories/{name}/tags", query, "list of tags"):
        for item in page:
            rows = tag_rows(repository, item)
            if rows and rows[0].tag not in seen:
                seen.add(rows[0].tag)
                yield rows


def tag_rows(repository: Reference, item: dict[str, Any]) -> list[TagRecord]:
    """One tag as Hub describes it: a record for each platform, attestations left out; [] where it names no tag."""
    try:
        tag = repository.with_tag(fields.text(item.get("name"))).tag
    except BadReference:
        return []
    images = fields.rows(item.get("images"))
    digest = fields.digest(item.get("digest"))
    if digest is None and len(images) == 1:
        digest = fields.digest(images[0].get("digest"))
    updated = fields.time(item.get("tag_last_pushed")) or fields.time(item.get("last_updated"))

    def row(platform: str | None, size: int | None) -> TagRecord:
        return TagRecord(
            repository=repository.familiar_name, tag=tag, digest=digest, platform=platform, size=size, updated=updated
        )

    found = [(_platform(image), fields.count(image.get("size"))) for image in images]
    known = [row(str(platform) or None, size) for platform, size in found if not platform.unknown]
    return known or [row(None, fields.count(item.get("full_size")))]


def _platform(image: dict[str, Any]) -> Platform:
    return Platform(
        fields.word(image.get("architecture")),
        fields.word(image.get("os")),
        os_version=fields.word(image.get("os_version")),
        variant=fields.word(image.get("variant")),
    )
