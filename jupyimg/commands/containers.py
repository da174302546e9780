"""Subcommands about containers: list them, and read what they wrote. Only some engines run any."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from jupyimg.commands.filters import moment
from jupyimg.commands.verbs import VERBS, format_option, is_json, no_trunc_option, quiet_option
from jupyimg.engines.containers import running
from jupyimg.errors import Misuse
from jupyimg.model.content import Phase, Step
from jupyimg.views import words
from jupyimg.views.answer import Answer
from jupyimg.views.columns import columns_of

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from jupyimg.commands.session import Session
    from jupyimg.model.running import LogRecord

    Asked = Generator[Step, None, Answer]

FILTERS = (
    *("ancestor", "before", "exited", "expose", "health", "id", "is-task", "isolation", "label", "name", "network"),
    *("pod", "publish", "since", "status", "until", "volume"),
)
"""Keys of `docker ps --filter` (pod and until are Podman's); the daemon says of each whether it knows it."""
KEPT = 200_000
"""Lines of a followed log that the frame can have; the older ones are forgotten."""


class ContainerName(click.ParamType[str]):
    """A container; completes to the names of those that there are."""

    name = "container"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        session = ctx.obj
        names = session.known.names("containers", lambda: _names(session))
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _names(session: Session) -> list[str]:
    return [one.name for one in running(session.engine).containers(everything=True) if one.name]


class Tail(click.ParamType[int | None]):
    """A number of lines, or "all"."""

    name = "tail"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        if value in {"all", None}:
            return None
        text = str(value)
        return (
            int(text) if text.isascii() and text.isdigit() else self.fail(f'{text} is no number, nor "all"', param, ctx)
        )


@VERBS.verb("ps", docker="docker ps", kind="ps")
@click.option("-a", "--all", "everything", is_flag=True, help="also those that do not run")
@quiet_option
@no_trunc_option
@click.option("-f", "--filter", "filters", multiple=True, metavar="KEY=VALUE", help="name, status, ancestor, label, …")
@click.option("-n", "--last", type=click.IntRange(min=1), help="only the newest so many, running or not")
@click.option("-l", "--latest", is_flag=True, help="only the newest, running or not")
@format_option()
def ps(
    session: Session,
    filters: tuple[str, ...],
    last: int | None,
    form: str | None,
    *,
    everything: bool,
    quiet: bool,
    no_trunc: bool,
    latest: bool,
) -> Answer:
    """List the containers that run.

    Filters are Docker's, such as name=web, status=exited, ancestor=nginx, label=KEY[=VALUE].
    """
    as_json = is_json(form, columns_of("ps"))
    engine = running(session.engine)
    records = engine.containers(everything=everything, filters=_filters(filters), last=1 if latest else last or 0)
    return Answer(kind="ps", records=records, quiet=quiet, no_trunc=no_trunc, json=as_json)


@VERBS.verb("logs", docker="docker logs", kind="logs")
@click.argument("container", type=ContainerName())
@click.option("-n", "--tail", type=Tail(), default="all", metavar="N|all", help="only the last lines")
@click.option("--since", metavar="TIME", help="only what was written from then on")
@click.option("--until", metavar="TIME", help="only what was written before")
@click.option(
    "-t", "--timestamps", is_flag=True, help="show times on a terminal and while following; the data has them"
)
@click.option("-f", "--follow", is_flag=True, help="go on with what is written, until the cell is interrupted")
@click.option("--details", is_flag=True, help="what the logging driver noted, before each line")
def logs(
    session: Session,
    container: str,
    tail: int | None,
    since: str | None,
    until: str | None,
    *,
    timestamps: bool,
    follow: bool,
    details: bool,
) -> Asked:
    """Read what a container wrote: a frame of its lines with times and streams.

    A TIME is such as 10m, 1h30m (back from now), 2026-01-31, 2026-01-31T12:00:00Z or seconds since 1970.
    """
    batches = running(session.engine).log_batches(
        container,
        tail=tail,
        since=moment(since) if since else None,
        until=moment(until) if until else None,
        details=details,
        follow=follow,
    )
    kept: deque[LogRecord] = deque(maxlen=KEPT if follow else None)
    seen = 0
    try:
        with closing(batches):
            for batch in batches:
                seen += len(batch)
                if not session.terminal:
                    kept.extend(batch)
                if session.terminal or follow:
                    yield from _steps(batch, timestamps=timestamps)
    except KeyboardInterrupt:
        if not follow:
            raise
    forgotten = seen - len(kept) if not session.terminal else 0
    notes = (f"the first {words.count(forgotten, 'line')} are not kept",) if forgotten else ()
    return Answer(kind="logs", records=kept, notes=notes)


def _steps(batch: Sequence[LogRecord], *, timestamps: bool) -> Generator[Step]:
    """The lines as steps, and one without text that says that no more are there just now."""
    for record in batch:
        stamp = f"{words.stamp(record.time, record.nanosecond)} " if timestamps and record.time else ""
        yield Step(Phase.NOTE, item=record.stream, text=f"{stamp}{record.line}")
    yield Step(Phase.WAITING)


def _filters(texts: Sequence[str]) -> dict[str, list[str]]:
    """Filters by key.

    Raises:
        Misuse: an unknown key, or no value.
    """
    found: dict[str, list[str]] = {}
    for text in texts:
        key, _, value = text.partition("=")
        if key not in FILTERS or not value:
            raise Misuse(f"--filter {text} is not understood", hint=f"write KEY=VALUE; keys are {', '.join(FILTERS)}")
        found.setdefault(key, []).append(value)
    return found
