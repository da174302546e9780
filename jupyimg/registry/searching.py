"""Search: a registry's own where it has one, else its catalog filtered by the term; each way is a row of `WAYS`.

A way gives pages of records and is tried by the order that the host's row names; the one that worked is remembered.
Filters run before the limit, so pages are asked for until it is full, up to `LOOKED` results of a way that ranks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jupyimg.errors import BadReference, ImageError, ProtocolError, RateLimited, Unreachable
from jupyimg.model.records import Found, SearchRecord
from jupyimg.model.reference import DOCKER_HUB, Reference
from jupyimg.registry import fields
from jupyimg.registry.catalogs import catalog
from jupyimg.registry.hosts import host_of
from jupyimg.registry.hub import PAGE, hub_pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyimg.registry.call import Call
    from jupyimg.registry.desk import Desk

    Pages = Iterator[list[SearchRecord]]

LOOKED = 1000
"""Results that are looked through for those that pass the filters."""
_QUAY_PAGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which results are wanted (`docker search --filter`).

    Attributes:
        limit: how many at most.
        stars: at least so many; results whose stars are not known have none.
        official, automated: only such (True), only others (False), or both (None).
    """

    limit: int = 25
    stars: int = 0
    official: bool | None = None
    automated: bool | None = None

    def keeps(self, record: SearchRecord) -> bool:
        """Whether a result passes the filters."""
        return (
            (record.stars or 0) >= self.stars
            and self.official in {None, bool(record.official)}
            and self.automated in {None, record.automated}
        )

    @property
    def filters(self) -> bool:
        """Whether anything may be left out."""
        return bool(self.stars) or self.official is not None or self.automated is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to search.

    Attributes:
        ask: gives the pages, by the term and how many are wanted on one.
        api: which desk is asked: "hub", "index", "host" (anonymously), or "" for the registry's own.
        says: the note on results that were found this way, with ``{host}`` and ``{term}``.
    """

    ask: Callable[[Desk, Call, str, int], Pages]
    api: str = "host"
    says: str = ""


def search(desk: Callable[[str], Desk], host: str, term: str, wanted: Wanted) -> Found[SearchRecord]:
    """Look a term up at a host.

    Args:
        desk: opens the desk that a way asks.
        host: the registry.
        term: what to look for.
        wanted: filters and limit.

    Raises:
        Unreachable: nobody answers there.
        RateLimited: it was asked too often.
        RegistryError, RemoteNotFound: no way led anywhere; what the most telling one said.
        Interrupted: it was cut off.
    """
    front = desk("")
    failures: list[ImageError] = []
    for name in [front.learned.search] if front.learned.search else host_of(host).searches:
        way = WAYS[name]
        try:
            found = _collect(way, desk(way.api), term, wanted)
        except ImageError as error:
            if isinstance(error, RateLimited) or (isinstance(error, Unreachable) and host != DOCKER_HUB):
                raise
            failures.append(error)
            continue
        if host != DOCKER_HUB and all(getattr(error, "status", 0) < 500 for error in failures):  # noqa: PLR2004
            front.learned.search = name  # what failed is not there; a server's own trouble would pass
        why = failures[0].message if failures and host == DOCKER_HUB else ""
        says = way.says.format(host=host, term=term, why=why)
        return Found(found.records, tuple(filter(None, (says, *found.notes))))
    raise failures[0 if host == DOCKER_HUB else -1]


def _collect(way: Way, desk: Desk, term: str, wanted: Wanted) -> Found[SearchRecord]:
    kept: dict[str, SearchRecord] = {}
    looked = 0
    for page in way.ask(desk, desk.calls.begin(), term, PAGE if wanted.filters else wanted.limit):
        looked += len(page)
        for record in page:
            if wanted.keeps(record):
                kept.setdefault(record.name, record)
        if len(kept) >= wanted.limit:
            break
        if looked >= LOOKED and way.api:
            return Found(list(kept.values()), (f"only the first {looked} results were looked through",))
    return Found(list(kept.values())[: wanted.limit])


# ---- the ways


def _hub(desk: Desk, call: Call, term: str, size: int) -> Pages:
    """``/v2/search/repositories/``, which alone says in one request how often each was pulled."""
    query = {"query": term, "page_size": str(size)}
    for page in hub_pages(desk, call, "/v2/search/repositories/", query, "search"):
        yield [record for item in page if (record := _hub_record(item)) is not None]


def _hub_record(item: dict[str, Any]) -> SearchRecord | None:
    return _record(
        DOCKER_HUB,
        fields.text(item.get("repo_name")),
        description=fields.text(item.get("short_description")),
        stars=fields.count(item.get("star_count")),
        official=fields.flag(item.get("is_official")),
        pulls=fields.count(item.get("pull_count")),
        automated=item.get("is_automated") is True,
    )


def _index(desk: Desk, call: Call, term: str, size: int) -> Pages:
    """``/v1/search``, which `docker search` asks; it knows no pulls."""
    for number in range(1, LOOKED // PAGE + 2):
        query = urlencode({"q": term, "n": str(size), "page": str(number)})
        _, body = desk.answer(call, desk.base.join("/v1/search").copy_with(query=query.encode()), "search")
        if not isinstance(body.get("results"), list):
            raise ProtocolError(f"{desk.host} answers with something that is no search")
        yield [
            record
            for item in fields.rows(body["results"])
            if (
                record := _record(
                    DOCKER_HUB,
                    fields.text(item.get("name")),
                    description=fields.text(item.get("description")),
                    stars=fields.count(item.get("star_count")),
                    official=fields.flag(item.get("is_official")),
                    automated=item.get("is_automated") is True,
                )
            )
            is not None
        ]
        if number >= (fields.count(body.get("num_pages")) or 1):
            return


def _harbor(desk: Desk, call: Call, term: str, size: int) -> Pages:  # noqa: ARG001 - it gives all at once
    """Harbor's ``/api/v2.0/search``, which finds repositories by a part of their names."""
    url = desk.base.join("/api/v2.0/search").copy_with(query=urlencode({"q": term}).encode())
    _, body = desk.answer(call, url, "search")
    if not isinstance(body.get("repository"), list):
        raise ProtocolError(f"{desk.host} answers with something that is no search of Harbor's")
    yield [
        record
        for item in fields.rows(body["repository"])
        if (
            record := _record(
                desk.host, fields.text(item.get("repository_name")), pulls=fields.count(item.get("pull_count"))
            )
        )
        is not None
    ]


def _quay(desk: Desk, call: Call, term: str, size: int) -> Pages:  # noqa: ARG001 - it decides itself
    """Quay's ``/api/v1/find/repositories``."""
    for number in range(1, _QUAY_PAGES + 1):
        query = urlencode({"query": term, "page": str(number), "includeUsage": "true"})
        url = desk.base.join("/api/v1/find/repositories").copy_with(query=query.encode())
        _, body = desk.answer(call, url, "search")
        if not isinstance(body.get("results"), list):
            raise ProtocolError(f"{desk.host} answers with something that is no search of Quay's")
        items = fields.rows(body["results"])
        yield [record for item in items if (record := _quay_record(desk.host, item)) is not None]
        if not items or body.get("has_additional") is not True:
            return


def _quay_record(host: str, item: dict[str, Any]) -> SearchRecord | None:
    owner = item.get("namespace")
    namespace = fields.text(owner.get("name")) if isinstance(owner, dict) else fields.text(owner)
    return _record(
        host,
        f"{namespace}/{fields.text(item.get('name'))}",
        description=fields.text(item.get("description")),
        stars=fields.count(item.get("stars")),
    )


def _catalog(desk: Desk, call: Call, term: str, size: int) -> Pages:  # noqa: ARG001 - the catalog has its own pages
    for reference in catalog(desk, call):
        if term.lower() in reference.path:
            yield [SearchRecord(name=reference.familiar_name, source=desk.host)]


def _record(host: str, name: str, **known: Any) -> SearchRecord | None:
    """A result, unless its name is none, which could not be pulled and only do harm where it is shown."""
    try:
        reference = Reference.parse(f"{host}/{name}", default_tag="")
    except BadReference:
        return None
    bare = not reference.tag and reference.digest is None
    return SearchRecord(name=reference.familiar_name, source=host, **known) if bare else None


WAYS = {
    "hub": Way(ask=_hub, api="hub"),
    "index": Way(
        ask=_index, api="index", says="Docker Hub's older search was used, which knows no pulls, because {why}"
    ),
    "harbor": Way(ask=_harbor, says="found by the search of Harbor at {host}, which knows neither stars nor texts"),
    "quay": Way(ask=_quay, says="found by the search of Quay at {host}, which knows no pulls"),
    "catalog": Way(
        ask=_catalog,
        api="",
        says="{host} has no search of its own: these are the repositories of its catalog whose names hold {term!r}",
    ),
}
"""All ways to search, by the names that `hosts.Host.searches` uses."""
