"""Subcommands about images that are held here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jupyimg.commands.filters import image_filter
from jupyimg.commands.verbs import (
    VERBS,
    ImageName,
    format_option,
    image_argument,
    is_json,
    no_trunc_option,
    platform_option,
    quiet_option,
    widget_option,
)
from jupyimg.errors import NotFound
from jupyimg.views.answer import Answer
from jupyimg.views.columns import columns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from jupyimg.commands.session import Session
    from jupyimg.engines.remote import Looked
    from jupyimg.model.content import Step
    from jupyimg.model.records import HistoryRecord, ImageDetail

    Asked = Generator[Step, None, Answer]

remote_option = click.option("--remote", is_flag=True, help="ask the registry, without pulling")


def there(
    session: Session, names: Sequence[str], platform: str | None, answer: Callable[[list[Looked]], Answer]
) -> Asked:
    """Look at images in registries, and say on the way what there is to say of their mirrors."""
    looked: list[Looked] = []
    missing: list[NotFound] = []
    for name in names:
        try:
            looked.append((yield from session.engine.remote.looking(name, platform=platform)))
        except NotFound as error:
            missing.append(error)
    found = answer(looked)
    _demand_all(found.records, missing)
    return found


def here(session: Session, names: Sequence[str], platform: str | None) -> list[ImageDetail]:
    """Look at images here, at each of them, whatever is missing of the others."""
    found: list[ImageDetail] = []
    missing: list[NotFound] = []
    for name in names:
        try:
            found.append(session.engine.inspect(name, platform=platform))
        except NotFound as error:
            missing.append(error)
    _demand_all(found, missing)
    return found


def _demand_all(found: Sequence[object], missing: Sequence[NotFound]) -> None:
    """Every name was looked at; the first that is missing is told, and what was found goes with it, as in Docker.

    Raises:
        NotFound: there is one.
    """
    if missing:
        first = missing[0]
        first.done = tuple(found)
        first.message += f" (and {len(missing) - 1} more)" if missing[1:] else ""
        first.args = (first.message,)
        raise first


@VERBS.verb("images", "ls", "list", docker="docker images", kind="images")
@click.argument("repository", required=False, type=ImageName(), metavar="[REPOSITORY[:TAG]]")
@click.option(
    "-a",
    "--all",
    "everything",
    is_flag=True,
    help="also what is hidden: dangling images here, steps of builds in a daemon",
)
@quiet_option
@click.option("--digests", is_flag=True, help="show digests")
@no_trunc_option
@click.option("-f", "--filter", "filters", multiple=True, metavar="KEY=VALUE", help="dangling, label, before, since, …")
@format_option()
@widget_option
def images(
    session: Session,
    repository: str | None,
    filters: tuple[str, ...],
    form: str | None,
    *,
    everything: bool,
    quiet: bool,
    digests: bool,
    no_trunc: bool,
    widget: bool,
) -> Answer:
    """List the images that are here.

    Filters: dangling=true|false, pinned=true|false, label=KEY[=VALUE], before=IMAGE, since=IMAGE, reference=GLOB,
    until=TIME.
    A time is such as 24h, 1h30m, 2026-01-31 or 2026-01-31T12:00:00Z.
    """
    as_json = is_json(form, columns_of("images"))
    records = session.engine.images(image_filter(filters, repository), everything=everything)
    return Answer(
        kind="images",
        records=records,
        quiet=quiet,
        digests=digests,
        no_trunc=no_trunc,
        widget=widget and not quiet,
        json=as_json,
    )


@VERBS.verb("inspect", docker="docker image inspect", kind="inspect")
@click.argument("images", nargs=-1, required=True, type=ImageName(), metavar="IMAGE...")
@platform_option
@remote_option
@format_option("-f")
def inspect(
    session: Session, images: tuple[str, ...], platform: str | None, form: str | None, *, remote: bool
) -> Answer | Asked:
    """Show all that images say of themselves, as a tree and as a mapping with Docker's keys."""

    def answer(records: list[ImageDetail]) -> Answer:
        return Answer(kind="inspect", records=records, json=as_json)

    as_json = is_json(form)
    if remote:
        return there(session, images, platform, lambda looked: answer([one.detail() for one in looked]))
    return answer(here(session, images, platform))


@VERBS.verb("history", docker="docker history", kind="history")
@image_argument
@platform_option
@remote_option
@quiet_option
@no_trunc_option
@click.option(
    "-H", "--human", is_flag=True, default=True, help="sizes and times in words; --human=false for exact ones"
)
@format_option()
@widget_option
def history(
    session: Session,
    image: str,
    platform: str | None,
    form: str | None,
    *,
    remote: bool,
    quiet: bool,
    no_trunc: bool,
    human: bool,
    widget: bool,
) -> Answer | Asked:
    """Show how an image was built, the newest step first."""

    def answer(records: list[HistoryRecord]) -> Answer:
        return Answer(
            kind="history",
            records=records,
            quiet=quiet,
            no_trunc=no_trunc,
            human=human,
            widget=widget and not quiet,
            json=as_json,
        )

    as_json = is_json(form, columns_of("history"))
    if remote:
        return there(session, (image,), platform, lambda looked: answer(looked[0].history()))
    return answer(session.engine.history(image, platform=platform))


@VERBS.verb("tag", docker="docker tag", kind="tag")
@click.argument("source", type=ImageName(), metavar="SOURCE[:TAG]")
@click.argument("target", type=ImageName(), metavar="TARGET[:TAG]")
def tag(session: Session, source: str, target: str) -> Answer:
    """Give an image a further name.

    A name without a tag is :latest, SOURCE and TARGET alike.
    """
    return Answer(kind="tag", records=[session.engine.tag(source, target)])


@VERBS.verb("rmi", "rm", "remove", docker="docker rmi", kind="rmi")
@click.argument("images", nargs=-1, required=True, type=ImageName(), metavar="IMAGE...")
@click.option("-f", "--force", is_flag=True, help="all names of an ID, pinned ones too; no error for what is not here")
@click.option("--no-prune", is_flag=True, help="accepted as Docker's; there are no untagged parents here to keep")
def rmi(session: Session, images: tuple[str, ...], *, force: bool, no_prune: bool) -> Answer:  # noqa: ARG001
    """Remove names, and the images that no name is left for."""
    return Answer(kind="rmi", records=session.engine.remove(list(dict.fromkeys(images)), force=force))
