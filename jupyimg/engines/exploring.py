"""Exploring: search, tags and catalogs of registries, for every engine; each question is a generator of steps.

What it costs is said: requests, and where a GET of a manifest counts against a quota, how many there were and what is
left. There, manifests are read only where that was asked for.
"""

from __future__ import annotations

import fnmatch
import re
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from jupyimg.engines.asked import as_reference
from jupyimg.engines.asking import Asking
from jupyimg.engines.describing import Describing, bare, by_version, newest_first
from jupyimg.errors import BadReference, ImageError, Misuse, RateLimited, RemoteNotFound, Unsupported
from jupyimg.model.content import Phase, Step
from jupyimg.model.records import Found, RepositoryRecord, SearchRecord, TagRecord
from jupyimg.model.reference import DOCKER_HUB, Reference
from jupyimg.registry import Wanted, catalog, host_of, hub_tags, search
from jupyimg.store import Descriptions
from jupyimg.transfer.crew import apart, together

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from jupyimg.model.records import Quota
    from jupyimg.model.settings import Settings
    from jupyimg.registry import Desk, Registries

    Searching = Generator[Step, None, Found[SearchRecord]]
    Tagging = Generator[Step, None, Found[TagRecord]]
    Cataloguing = Generator[Step, None, Found[Any]]

WORKERS = 8
"""Questions that are asked of a host at once."""
PORTION = 25
"""Tags of one repository that one thread reads in a row, at most."""
MOST = 1000
"""Tags of one repository that are described unless told otherwise."""
LIMITS = range(1, 101)
"""What Docker takes as the limit of a search."""
_BARE_HOST = re.compile(r"(localhost|\d+(\.\d+){3})(:\d+)?", re.ASCII)
"""What reads as a repository of Docker Hub with a tag, and is meant by nobody as one."""


class Exploring:
    """Questions to registries.

    Args:
        registries: connections.
        settings: where Docker Hub's API and our folder are.
    """

    def __init__(self, registries: Registries, settings: Settings) -> None:
        self._registries = registries
        self._settings = settings
        self._memory = Descriptions(settings.home / "cache" / "descriptions.jsonl")

    # ---- search

    def searching(self, term: str, wanted: Wanted) -> Searching:
        """See `Remote.searching`."""
        if wanted.limit not in LIMITS:
            raise Misuse(f"a search cannot be limited to {wanted.limit}", hint="--limit is from 1 to 100")
        host, word = _asked(_text(term))
        board = Asking()

        def desk(api: str) -> Desk:
            return board.enter(self._registries.desk(host, api), telling=True)

        with board.stoppable():
            return (yield from apart(partial(search, desk, host, word, wanted), board))

    # ---- tags

    def tagging(self, name: Reference | str, pattern: str, limit: int, *, details: bool | None) -> Tagging:
        """See `Remote.tagging`."""
        repository = as_reference(name, default_tag="")
        if _BARE_HOST.fullmatch(str(name)):
            raise Misuse(f"{name} is a registry, not a repository", hint=f"%image catalog {name} lists what it has")
        if repository.digest is not None:
            raise Misuse(f"{repository.familiar} names one image", hint="leave the digest away")
        if repository.tag and pattern:
            raise Misuse("a tag and a pattern are one too many", hint=f"write {repository.familiar_name} {pattern}")
        passes = repository.tag.__eq__ if repository.tag else matcher(_text(pattern))
        notes: list[str] = []
        if host_of(repository.host).hub and not details:
            try:
                found = yield from self._by_hub(repository, repository.tag or literal(pattern), passes, limit)
            except RateLimited:
                raise
            except ImageError as error:
                notes.append(f"Docker Hub's list of tags was of no use ({error.message}): its registry was asked")
            else:
                if repository.tag and not found.records:
                    hint = f"check the spelling; %image tags {repository.familiar_name} lists them"
                    raise RemoteNotFound(f"{repository.familiar_name} has no tag {repository.tag}", hint=hint)
                return found
        found = yield from self._by_registry(repository, passes, limit, details=details)
        return Found(found.records, (*notes, *found.notes))

    def _by_hub(self, repository: Reference, part: str, passes: Callable[[str], bool], limit: int) -> Tagging:
        board = Asking()
        desk = self._registries.desk(repository.host, "hub")
        before = desk.learned.requests
        found: list[list[TagRecord]] = []

        def collect() -> None:
            for rows in hub_tags(desk, desk.calls.begin(), repository, part):
                if passes(rows[0].tag):
                    if limit and len(found) >= limit:
                        board.skipped.append(rows[0].tag)
                        return
                    found.append(rows)

        board.enter(desk, telling=True)
        with board.stoppable():
            yield from apart(collect, board)
        cost = f"{_times(desk.learned.requests - before, 'request')} to {desk.host}, none of which counts as a pull"
        notes = [f"the newest {limit} tags; --limit 0 gives all"] if board.skipped else []
        quota = self._registries.quota(repository.host)
        return Found(newest_first(found), (*notes, "; ".join(filter(None, (cost, left(quota))))))

    def _by_registry(
        self, repository: Reference, passes: Callable[[str], bool], limit: int, *, details: bool | None
    ) -> Tagging:
        board = Asking()
        learned = self._registries.learned(repository.host)
        before = learned.requests, learned.manifests
        metered = host_of(repository.host).metered
        describing = Describing(self._memory, details=not metered if details is None else details, metered=metered)
        place = board.enter(self._registries.repository(repository), telling=True)

        def names() -> list[str]:
            return [repository.tag] if repository.tag else [tag for tag in place.tags() if passes(tag)]

        with board.stoppable():
            tags = sorted((yield from apart(names, board)), key=by_version, reverse=True)
            kept = tags[:limit] if limit else tags
            if metered and describing.details:
                yield from self._warning(repository.host, len(kept))
            rows = yield from self._described(board, describing, [repository.with_tag(tag) for tag in kept])
        if repository.tag and board.failures:
            raise board.failures[0][1]
        notes = board.notes()
        if len(kept) < len(tags):
            notes.insert(0, f"{len(kept)} of {_times(len(tags), 'tag')}, by their version; --limit 0 gives all")
        if metered and not describing.details:
            notes.append(f"platforms and sizes would cost {_times(len(kept), 'pull')} or more; --details reads them")
        return Found(newest_first(rows), (*notes, self._cost(repository.host, *before)))

    def _described(
        self, board: Asking, describing: Describing, tags: Sequence[Reference]
    ) -> Generator[Step, None, list[list[TagRecord]]]:
        """The records of tags, a list for each in their order; one that cannot be read is a record without values."""
        rows: list[list[TagRecord]] = [[] for _ in tags]
        board.count("tags", len(tags))

        def portion(first: int, last: int) -> None:
            with board.at(self._registries.repository(tags[first])) as place:
                for at in range(first, last):
                    if board.stop.is_set():
                        return

                    def one(at: int = at) -> None:
                        rows[at] = describing.tag(place, tags[at])

                    if not board.attempt(tags[at].familiar, "tags", one):
                        rows[at] = [bare(tags[at])]

        jobs = [partial(portion, *span) for span in _spans(tags)]
        if jobs:
            yield from together(jobs, WORKERS, board)
        return rows

    # ---- catalogs

    def cataloguing(self, host: str, pattern: str, limit: int, *, tags: bool) -> Cataloguing:
        """See `Remote.cataloguing`."""
        _check_host(host)
        learned = self._registries.learned(host)
        before = learned.requests, learned.manifests
        board = Asking()
        desk = board.enter(self._registries.desk(host), telling=True)
        passes = matcher(pattern)

        def names() -> tuple[list[Reference], bool]:
            found: list[Reference] = []
            for repository in catalog(desk, desk.calls.begin()):
                if passes(repository.path):
                    if limit and len(found) >= limit:
                        return found, True
                    found.append(repository)
            return found, False

        with board.stoppable():
            repositories, more = yield from apart(names, board)
            notes = [f"the first {limit} repositories; --limit 0 gives all"] if more else []
            if not tags:
                found = [RepositoryRecord(repository=repository.familiar_name) for repository in repositories]
                return Found(found, tuple(notes))
            listed = yield from self._listed(board, repositories)
            rows = yield from self._described(board, Describing(self._memory), listed)
        ordered: dict[str, list[list[TagRecord]]] = {}
        for tag in rows:
            ordered.setdefault(tag[0].repository, []).append(tag)
        records = [record for name in ordered for record in newest_first(ordered[name])]
        return Found(records, (*notes, *board.notes(), self._cost(host, *before)))

    def _listed(self, board: Asking, repositories: Sequence[Reference]) -> Generator[Step, None, list[Reference]]:
        """The tags of all repositories, as references, in their order."""
        found: list[list[Reference]] = [[] for _ in repositories]
        board.count("repositories", len(repositories))

        def job(at: int) -> None:
            repository = repositories[at]

            def names() -> None:
                with board.at(self._registries.repository(repository)) as place:
                    found[at] = [repository.with_tag(tag) for tag in place.tags()]

            board.attempt(repository.familiar_name, "repositories", names)

        if repositories:
            yield from together([partial(job, at) for at in range(len(repositories))], WORKERS, board)
        return [tag for tags in found for tag in tags]

    # ---- what it costs

    def asking_quota(self, host: str) -> Generator[Step, None, Quota | None]:
        """See `Remote.asking_quota`."""
        probe = host_of(host).probe
        if probe:
            reference = Reference.parse(probe)
            board = Asking()
            place = board.enter(self._registries.repository(reference), telling=True)
            with board.stoppable():
                yield from apart(partial(place.resolve, reference), board)
        return self._registries.quota(host)

    def _warning(self, host: str, tags: int) -> Generator[Step, None, None]:
        """What reading manifests is about to cost, and of how much."""
        quota = self._registries.quota(host)
        if quota is None:
            with suppress(ImageError):  # who cannot be asked what is left can be asked for the rest all the same
                quota = yield from self.asking_quota(host)
        text = f"Reading the manifests of {_times(tags, 'tag')} of {host}, each of which counts as a pull"
        yield Step(Phase.NOTE, text="; ".join(filter(None, (text, left(quota)))))

    def _cost(self, host: str, requests: int, manifests: int) -> str:
        learned = self._registries.learned(host)
        text = f"{_times(learned.requests - requests, 'request')} to {host}"
        if host_of(host).metered or learned.quota:
            text += f", {_times(learned.manifests - manifests, 'manifest')} of which count as pulls"
        return "; ".join(filter(None, (text, left(learned.quota))))


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a name is meant: by a glob that fits all of it, or, without ``* ? [``, by a part of it."""
    if re.search(r"[*?\[]", pattern):
        return partial(_fits, re.compile(fnmatch.translate(pattern)))
    return partial(_holds, pattern)


def _fits(pattern: re.Pattern[str], name: str) -> bool:
    return pattern.match(name) is not None


def _holds(part: str, name: str) -> bool:
    return part in name


def literal(pattern: str) -> str:
    """The longest part of a glob that stands in every name it fits."""
    return max(re.split(r"\[.*?(?:\]|$)|[*?]", pattern), key=len)


def left(quota: Quota | None) -> str:
    """What is left of a quota, in words; "" where nothing is known."""
    if quota is None:
        return ""
    of = "" if quota.limit is None else f" of {quota.limit}"
    hours = "" if not quota.window else f" in {quota.window / 3600:g} hours"
    return f"{quota.remaining}{of} pulls{hours} are left"


def _text(word: str) -> str:
    """The word, which can be sent.

    Raises:
        Misuse: half of a pair of surrogates cannot.
    """
    if any("\ud800" <= letter <= "\udfff" for letter in word):
        raise Misuse(f"{word!a} is no text", hint="write what to look for with letters, digits and signs")
    return word


def _asked(term: str) -> tuple[str, str]:
    """The host and the word of ``TERM`` or ``HOST/TERM``."""
    if "://" in term:
        raise Misuse(f"{term!r} is an address, not a term", hint="write TERM, or HOST/TERM for another registry")
    first, slash, rest = term.strip().partition("/")
    is_host = slash and ("." in first or ":" in first or first == "localhost")
    host, word = (first, rest) if is_host else (DOCKER_HUB, term.strip())
    if is_host:
        host = DOCKER_HUB if host == "index.docker.io" else host
        _check_host(host, catalogued=False)
    word = word.removeprefix("library/") if host == DOCKER_HUB else word
    if not word:
        raise Misuse("there is nothing to search for", hint=f"%image catalog {host} lists all" if is_host else "")
    return host, word


def _check_host(host: str, *, catalogued: bool = True) -> None:
    """Refuse what names no registry, or one that lists nothing.

    Raises:
        Misuse, Unsupported: it does.
    """
    try:
        named = Reference.parse(f"{host}/x/x", default_tag="")
    except BadReference:
        named = Reference("", "")
    if catalogued and (host in {DOCKER_HUB, "index.docker.io"} or not host_of(host).has_catalog):
        raise Unsupported(
            "Docker Hub does not list its repositories",
            hint="%image search TERM finds some; %image tags NAME reads one",
        )
    if named.host != host or named.path != "x/x":
        raise Misuse(f"{host!r} is not a registry", hint="write it as HOST[:PORT], such as localhost:5000")


def _spans(tags: Sequence[Reference]) -> Iterable[tuple[int, int]]:
    """Portions of tags that lie in one repository, small enough for every thread to have some."""
    most = max(1, min(PORTION, len(tags) // (2 * WORKERS)))
    first = 0
    for at in range(1, len(tags) + 1):
        if at == len(tags) or tags[at].path != tags[first].path or at - first == most:
            yield first, at
            first = at


def _times(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
