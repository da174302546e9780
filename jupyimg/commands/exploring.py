"""Subcommands that ask registries what they have, and `info`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from jupyimg.commands.verbs import VERBS, Name, format_option, is_json, no_trunc_option, widget_option
from jupyimg.engines import open_about
from jupyimg.errors import BadReference, ImageError, Misuse
from jupyimg.model.reference import DOCKER_HUB, Reference
from jupyimg.views.answer import Answer
from jupyimg.views.columns import columns_of

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from jupyimg.commands.session import Session
    from jupyimg.model.content import Step

    Asked = Generator[Step, None, Answer]

_TRUE = {"1", "t", "true"}
_FALSE = {"0", "f", "false"}
_KEYS = "stars=N, is-official=true|false, is-automated=true|false"


class RepositoryName(Name):
    """A repository; completes to those of the images that are here."""

    name = "name"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        names = dict.fromkeys(reference.familiar_name for reference in _held(ctx))
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


class HostName(Name):
    """A registry; completes to those that the images here come from."""

    name = "host"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        hosts = dict.fromkeys(reference.host for reference in _held(ctx))
        return [CompletionItem(host) for host in hosts if host != DOCKER_HUB and host.startswith(incomplete)]


def _held(ctx: click.Context) -> list[Reference]:
    found = []
    try:
        names: Sequence[str] = ctx.obj.engine.names()
    except ImageError:
        return []
    for name in names:
        try:
            reference = Reference.parse(name, default_tag="")
        except BadReference:
            continue
        if reference.tag or reference.digest:  # else it is an ID
            found.append(reference)
    return found


@VERBS.verb("search", docker="docker search", kind="search")
@click.argument("term", type=Name(), metavar="[HOST/]TERM")
@click.option("--limit", type=int, default=25, help="how many results at most, 1 to 100; filters run before it")
@click.option("-f", "--filter", "filters", multiple=True, metavar="KEY=VALUE", help=_KEYS)
@no_trunc_option
@format_option()
@widget_option
def search(
    session: Session,
    term: str,
    limit: int,
    filters: tuple[str, ...],
    form: str | None,
    *,
    no_trunc: bool,
    widget: bool,
) -> Asked:
    """Look up images at Docker Hub, or at another registry (HOST/TERM).

    Another registry is asked by its own search where it has one (Harbor, Quay), else its catalog is looked through.
    """
    as_json = is_json(form, columns_of("search"))
    stars, official, automated = search_filter(filters)
    found = yield from session.engine.remote.searching(
        term, limit=limit or 25, stars=stars, official=official, automated=automated
    )
    return Answer(
        kind="search", records=found.records, notes=found.notes, no_trunc=no_trunc, json=as_json, widget=widget
    )


def search_filter(texts: Sequence[str]) -> tuple[int, bool | None, bool | None]:
    """The stars, and whether official and automated images are wanted (`docker search --filter`).

    Raises:
        Misuse: an unknown key or an unreadable value.
    """
    stars, flags = 0, dict[str, bool]()
    for text in texts:
        key, _, value = text.partition("=")
        if key == "stars" and value.isascii() and value.isdigit():
            stars = int(value[:18])
        elif key in {"is-official", "is-automated"} and value.lower() in _TRUE | _FALSE:
            flags[key] = value.lower() in _TRUE
        else:
            raise Misuse(f"--filter {text} is not understood", hint=f"filters are {_KEYS}")
    return stars, flags.get("is-official"), flags.get("is-automated")


@VERBS.verb("tags", docker="(skopeo list-tags)", kind="tags")
@click.argument("name", type=RepositoryName(), metavar="NAME[:TAG]")
@click.argument("pattern", default="", metavar="[PATTERN]")
@click.option("--limit", type=click.IntRange(min=0), default=1000, help="how many tags at most (1000); 0 for all")
@click.option(
    "--details",
    is_flag=True,
    default=None,
    help="read every manifest, also where each counts against a quota (Docker Hub); --details=false: none",
)
@no_trunc_option
@format_option()
@widget_option
def tags(
    session: Session,
    name: str,
    pattern: str,
    limit: int,
    form: str | None,
    *,
    details: bool | None,
    no_trunc: bool,
    widget: bool,
) -> Asked:
    """List the tags of a repository with their platforms, sizes and times, the newest first.

    PATTERN is a glob (1.2*) or a part of the tag. Docker Hub answers with a hundred tags to a request, at no pull
    cost; other registries are asked for manifests and configs, each digest once for ever.
    """
    as_json = is_json(form, columns_of("tags"))
    found = yield from session.engine.remote.tagging(name, pattern=pattern, limit=limit, details=details)
    return Answer(kind="tags", records=found.records, notes=found.notes, no_trunc=no_trunc, json=as_json, widget=widget)


@VERBS.verb("catalog", docker="(curl HOST/v2/_catalog)", kind="catalog")
@click.argument("host", type=HostName(), metavar="HOST[:PORT]")
@click.argument("pattern", default="", metavar="[PATTERN]")
@click.option("--tags", "with_tags", is_flag=True, help="a row for each tag and platform of every repository")
@click.option("--limit", type=click.IntRange(min=0), default=0, help="how many repositories at most; 0 for all")
@no_trunc_option
@format_option()
@widget_option
def catalog(
    session: Session,
    host: str,
    pattern: str,
    limit: int,
    form: str | None,
    *,
    with_tags: bool,
    no_trunc: bool,
    widget: bool,
) -> Asked:
    """List the repositories of a registry, or with --tags everything in it.

    PATTERN is a glob (team/*) or a part of the name. What was read is remembered, so that a line that was interrupted
    goes on when it is run again.
    """
    kind = "tags" if with_tags else "catalog"
    as_json = is_json(form, columns_of(kind))
    found = yield from session.engine.remote.cataloguing(host, pattern=pattern, limit=limit, tags=with_tags)
    return Answer(kind=kind, records=found.records, notes=found.notes, no_trunc=no_trunc, json=as_json, widget=widget)


@VERBS.verb("info", docker="docker info", kind="info")
@click.option("--quota", is_flag=True, help="ask Docker Hub what is left of the pulls that it allows; costs none")
@format_option("-f")
def info(session: Session, form: str | None, *, quota: bool) -> Asked:
    """Say what this session works with: engine, store, registries, and what they taught us."""
    as_json = is_json(form, columns_of("info"))
    trouble = ""
    if quota:
        try:
            known = yield from session.engine.remote.asking_quota()
            trouble = "" if known else "Docker Hub limits nothing here, or does not say so"
        except ImageError as error:  # the rest can be told without a network
            trouble = f"could not be asked: {error.message}"
    records = open_about()(session.engine, session.settings, paths=session.terminal, quota=trouble)
    return Answer(kind="info", records=records, json=as_json)
