"""Clearing: pruning a daemon, by its own doing or image by image, with steps on the way."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import msgspec

from jupyimg.engines.clearing import AGAIN, progress, unfinished
from jupyimg.engines.docker import answers, removing
from jupyimg.engines.docker.api import filters as as_filters
from jupyimg.engines.docker.aside import aside
from jupyimg.errors import Conflict, EngineError, ImageError, ImageNotFound, Interrupted
from jupyimg.model.content import Phase, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence

    from jupyimg.engines.asked import Removals
    from jupyimg.engines.base import PruneFilter
    from jupyimg.engines.docker.answers import Document
    from jupyimg.engines.docker.api import Api
    from jupyimg.engines.docker.space import Space
    from jupyimg.model.digest import Digest
    from jupyimg.model.records import ImageRecord, RemovalRecord


def clearing(
    space: Space, filters: PruneFilter, only: Collection[ImageRecord] | None = None, *, everything: bool
) -> Removals:
    """See `Engine.pruning`."""
    look = space.look()
    if only is not None:
        picked = look.picked(filters, only, everything=everything)
        return (yield from _one_by_one(space.api, [(image, tags) for image, tags, _ in picked], look.plan_of(picked)))
    going, plan = look.going(filters, everything=everything), look.plan(filters, everything=everything)
    if everything and not space.api.dialect.prunes_all:
        return (yield from _one_by_one(space.api, [(one, answers.tags_of(one)) for one in going], plan))
    yield from progress((0, len(going)), (0, _bytes(plan)))
    wanted = {"dangling": [str(not everything).lower()], **_wire(filters)}
    answer = yield from _told(space.api, {"filters": as_filters(wanted)})
    rows = removing.rows(answers.documents(answer.get("ImagesDeleted")), answers.records(look.images))
    return _sized(rows, plan, answer.get("SpaceReclaimed"))


def _told(api: Api, params: dict[str, Any]) -> Generator[Step, None, Document]:
    """A daemon's answer to one request to prune, which comes when all is done."""
    call = api.open()

    def job(_put: object) -> bytes:
        return b"".join(call.send("POST", "/images/prune", params))

    try:
        raw: bytes = yield from _ticking(job, call.interrupt)
        return answers.document(msgspec.json.decode(raw) if raw.strip() else None)
    except ValueError:
        raise EngineError(f"{api.dialect.name} answered /images/prune with what is no JSON") from None
    except KeyboardInterrupt:
        stopped = Interrupted(f"interrupted; {api.dialect.name} may have removed some")
        stopped.hint = AGAIN
        raise stopped from None
    finally:
        call.close()


def _one_by_one(api: Api, going: Sequence[tuple[Document, Sequence[str]]], plan: Sequence[RemovalRecord]) -> Removals:
    """What goes is removed by its names, so that what has come into use meanwhile stays."""
    rows: list[RemovalRecord] = []
    sizes = _sizes(plan)

    def job(put: Callable[[Step], None]) -> None:
        for at, (image, tags) in enumerate(going, 1):
            for name in tags or [str(image.get("Id"))]:
                try:
                    rows.extend(removing.remove(api, name, force=False))
                except (Conflict, ImageNotFound):
                    break
            for step in progress((at, len(going)), (_freed(rows, sizes), _bytes(plan))):
                put(step)

    def done() -> list[RemovalRecord]:
        return _sized([*_only(rows, "untagged"), *_only(rows, "deleted")], plan, None)

    try:
        yield from _ticking(job, lambda: None)
    except KeyboardInterrupt:
        raise unfinished(Interrupted(), done(), len(_only(plan, "deleted"))) from None
    except ImageError as error:
        raise unfinished(error, done(), len(_only(plan, "deleted"))) from None
    return done()


def _ticking(
    job: Callable[[Callable[[Step], None]], Any], interrupt: Callable[[], object]
) -> Generator[Step, None, Any]:
    """A job aside, whose silence is a step too."""
    events = aside(job, interrupt)
    try:
        while True:
            yield next(events) or Step(Phase.IDLE)
    except StopIteration as end:
        return end.value
    finally:
        events.close()


def _sizes(plan: Iterable[RemovalRecord]) -> dict[Digest | None, int | None]:
    return {row.digest: row.freed for row in plan if row.action == "deleted"}


def _freed(rows: Iterable[RemovalRecord], sizes: Mapping[Digest | None, int | None]) -> int:
    return sum(sizes.get(row.digest) or 0 for row in rows if row.action == "deleted")


def _bytes(plan: Iterable[RemovalRecord]) -> int:
    """Bytes that are to be freed; 0 where nobody can tell."""
    sizes = [row.freed for row in plan if row.action == "deleted"]
    return 0 if None in sizes else sum(size or 0 for size in sizes)


def _wire(filters: PruneFilter) -> dict[str, list[str]]:
    """Filters as the API takes them."""
    until = [f"{filters.until.timestamp():.6f}"] if filters.until else []
    given = {"until": until, "label": list(filters.labels), "label!": list(filters.without_labels)}
    return {key: values for key, values in given.items() if values}


def _only(rows: Iterable[RemovalRecord], action: str) -> list[RemovalRecord]:
    return [row for row in rows if row.action == action]


def _sized(rows: list[RemovalRecord], plan: Iterable[RemovalRecord], told: Any) -> list[RemovalRecord]:
    """What went, with the bytes that the plan found for it; where it found none, the first row has the daemon's sum."""
    sizes = _sizes(plan)
    known = [row if row.action == "untagged" else dataclasses.replace(row, freed=sizes.get(row.digest)) for row in rows]
    if all(row.freed is not None for row in known) or not isinstance(told, int):
        return known
    first = next(at for at, row in enumerate(known) if row.action == "deleted")
    return [
        row if row.action == "untagged" else dataclasses.replace(row, freed=told if at == first else 0)
        for at, row in enumerate(known)
    ]
