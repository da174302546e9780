"""Subcommands about disk space: what takes it, what is kept from being pruned, and giving it back."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from jupyimg.commands.filters import prune_filter
from jupyimg.commands.verbs import VERBS, ImageName, format_option, is_json, widget_option
from jupyimg.views.answer import Answer
from jupyimg.views.columns import columns_of
from jupyimg.views.forms import PruneAsk
from jupyimg.views.totals import total
from jupyimg.views.words import count, size

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from jupyimg.commands.session import Session
    from jupyimg.model.content import Step
    from jupyimg.model.records import RemovalRecord

    Asked = Generator[Step, None, Answer]

PLAN = "prune --dry-run"
_WARNINGS = {
    False: "WARNING! This will remove all dangling images.",
    True: "WARNING! This will remove all images without at least one container associated to them.",
}
_PINS = "WARNING! This will remove all images that are not pinned or otherwise in use."
_QUESTION = "Are you sure you want to continue? [y/N] "
_SHOWN = 5


@VERBS.verb("prune", docker="docker image prune", kind="prune")
@click.option("-a", "--all", "everything", is_flag=True, help="also images that have a name, unless they are in use")
@click.option("-f", "--force", is_flag=True, help="do it; without it the plan is shown, or a terminal asks")
@click.option("--filter", "filters", multiple=True, metavar="KEY=VALUE", help="until=TIME, label=…, label!=…")
@click.option("--dry-run", is_flag=True, help="only show what would go")
@click.option(
    "--all-partial", is_flag=True, help="all partial downloads that nobody needs, not only those of a day ago"
)
@format_option()
@click.option("--widget", is_flag=True, help="tick in a notebook what is to go, and see exactly what that frees")
def prune(
    session: Session,
    filters: tuple[str, ...],
    form: str | None,
    *,
    everything: bool,
    force: bool,
    dry_run: bool,
    all_partial: bool,
    widget: bool,
) -> Asked:
    """Remove images that are not in use, and what nothing needs.

    Without -a only dangling images go: those whose tag has moved on. In use is what is pinned (%image pin), what a
    container uses, what was pushed to the served store without a tag, and what a running pull or push relies on.
    Filters: until=TIME (built before then: 24h, 2026-01-31), label=KEY[=VALUE], label!=KEY[=VALUE].
    """
    as_json, wanted = is_json(form, columns_of("prune")), prune_filter(filters)
    if widget and session.in_kernel and not as_json:
        return _preview(session, filters, everything=everything, all_partial=all_partial)
    act = force and not dry_run
    if not act:
        rows = session.engine.prune_plan(wanted, everything=everything, all_partial=all_partial)
        if dry_run or as_json or not _can_ask(session):
            line = _again(session, filters, everything=everything, all_partial=all_partial)
            return Answer(kind=PLAN, records=rows, notes=_notes(rows, line, everything=everything), json=as_json)
        if rows and not _agreed(rows, session, everything=everything):
            return Answer(kind=PLAN, records=[])
    rows = yield from session.engine.pruning(wanted, everything=everything, all_partial=all_partial)
    return Answer(kind="prune", records=rows, json=as_json)


@VERBS.verb("pin", docker="", kind="pin")
@click.argument("images", nargs=-1, required=True, type=ImageName(), metavar="IMAGE...")
def pin(session: Session, images: tuple[str, ...]) -> Answer:
    """Count images as in use, so that no pruning takes them.

    A name that is pinned keeps its image, and whatever the name comes to mean; an ID keeps its image. To see what is
    pinned: %image images -f pinned=true.
    """
    return Answer(kind="pin", records=session.engine.pin(list(dict.fromkeys(images))))


@VERBS.verb("unpin", docker="", kind="unpin")
@click.argument("images", nargs=-1, required=True, type=ImageName(), metavar="IMAGE...")
def unpin(session: Session, images: tuple[str, ...]) -> Answer:
    """Let pruning take images again that were pinned."""
    return Answer(kind="unpin", records=session.engine.unpin(list(dict.fromkeys(images))))


@VERBS.verb("df", docker="docker system df", kind="df")
@click.option("-v", "--verbose", is_flag=True, help="each image, with what it shares and what only it needs")
@format_option()
@widget_option
def df(session: Session, form: str | None, *, verbose: bool, widget: bool) -> Answer:
    """Show what takes how much disk, and what prune -a would really give back."""
    kind = "df -v" if verbose else "df"
    as_json = is_json(form, columns_of(kind))
    records = session.engine.disk_images() if verbose else session.engine.disk()
    return Answer(kind=kind, records=records, widget=widget, json=as_json)


def _preview(session: Session, filters: Sequence[str], *, everything: bool, all_partial: bool) -> Answer:
    """What could go, to be chosen from; what is chosen is decided again when it goes."""
    engine, wanted = session.engine, prune_filter(filters)
    asked = PruneAsk(
        images=engine.prunable(wanted, everything=everything),
        plan=lambda only: engine.prune_plan(wanted, everything=everything, all_partial=all_partial, only=only),
        act=lambda only: engine.pruning(wanted, everything=everything, all_partial=all_partial, only=only),
        without=_again(session, filters, everything=everything, all_partial=all_partial),
        more="" if everything else "%image prune -a --widget",
    )
    return Answer(kind=PLAN, records=[], form=asked)


def _can_ask(session: Session) -> bool:
    """Whether somebody sits at a terminal: in a notebook, a script or a pipe there is no one to answer."""
    return session.terminal and sys.stdin.isatty() and sys.stdout.isatty()


def _agreed(rows: Sequence[RemovalRecord], session: Session, *, everything: bool) -> bool:
    """Ask as Docker does, of pins where there are no containers; only yes is yes."""
    warning = _PINS if everything and session.settings.engine == "embedded" else _WARNINGS[everything]
    sys.stdout.write("\n".join([warning, _summary(rows, everything=everything), _QUESTION]))
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _notes(rows: Sequence[RemovalRecord], line: str, *, everything: bool) -> tuple[str, ...]:
    if not rows:
        return ("Nothing to remove",)
    return (f"Nothing was removed yet: {_summary(rows, everything=everything)}", f"To remove it: {line}")


def _summary(rows: Sequence[RemovalRecord], *, everything: bool) -> str:
    """What would go, in one line; of names how many, and which: two may be of one image."""
    freed = size(total(PLAN, [{"freed": row.freed} for row in rows]))
    names = [row.reference for row in rows if row.reference is not None and "@" not in row.reference]
    if not (everything and names):
        return f"{freed} would be freed"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{count(len(names), 'name')} would go ({', '.join(names[:_SHOWN])}{more}), {freed} would be freed"


def _again(session: Session, filters: Sequence[str], *, everything: bool, all_partial: bool) -> str:
    """The line that does what was shown."""
    flags = [*(["-a"] if everything else []), *(["--all-partial"] if all_partial else [])]
    asked = [word for text in filters for word in ("--filter", text)]
    return shlex.join(["jupyimg" if session.terminal else "%image", "prune", *flags, *asked, "-f"])
