"""Subcommands that talk to registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jupyimg.commands.verbs import VERBS, ImageName, PlatformName, detach_option, platform_option, quiet_option
from jupyimg.model.content import Phase, Step
from jupyimg.views.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Generator

    from jupyimg.commands.session import Session

    Asked = Generator[Step, None, Answer]

all_tags_option = click.option("-a", "--all-tags", is_flag=True, help="every tag of the repository")
trust_option = click.option(
    "--disable-content-trust",
    "distrust",
    is_flag=True,
    default=None,
    help="take an image without asking the trust policy (policy.json); --disable-content-trust=false wants a signature",
)
UNASKED = "Content trust: skipped; digests are verified, but no policy was asked and no signature looked at"
UNSIGNED = "Content trust: a push signs nothing, with or without this flag; cosign and skopeo --sign-by sign"


@VERBS.verb("pull", docker="docker pull", kind="pull")
@click.argument("name", type=ImageName(), metavar="NAME[:TAG|@DIGEST]")
@all_tags_option
@quiet_option
@detach_option
@click.option("--platform", type=PlatformName(all_allowed=True), help='OS/ARCH[/VARIANT], or "all"')
@trust_option
def pull(
    session: Session, name: str, platform: str | None, *, all_tags: bool, quiet: bool, distrust: bool | None
) -> Asked:
    """Fetch an image from its registry."""
    if distrust:
        yield Step(Phase.NOTE, text=UNASKED)
    trust = None if distrust is None else not distrust
    records = yield from session.engine.pulling(name, platform=platform, all_tags=all_tags, trust=trust)
    return Answer(kind="pull", records=records, quiet=quiet)


@VERBS.verb("push", docker="docker push", kind="push")
@click.argument("name", type=ImageName(), metavar="NAME[:TAG]")
@all_tags_option
@quiet_option
@detach_option
@platform_option
@trust_option
def push(
    session: Session, name: str, platform: str | None, *, all_tags: bool, quiet: bool, distrust: bool | None
) -> Asked:
    """Send an image to the registry that its name names."""
    if distrust is not None or session.settings.content_trust:
        yield Step(Phase.NOTE, text=UNSIGNED)
    records = yield from session.engine.pushing(name, platform=platform, all_tags=all_tags)
    return Answer(kind="push", records=records, quiet=quiet)


@VERBS.verb("copy", "cp", docker="(skopeo copy)", kind="copy")
@click.argument("source", type=ImageName(), metavar="SOURCE")
@click.argument("target", type=ImageName(), metavar="TARGET")
@all_tags_option
@quiet_option
@detach_option
@platform_option
@trust_option
def copy(
    session: Session,
    source: str,
    target: str,
    platform: str | None,
    *,
    all_tags: bool,
    quiet: bool,
    distrust: bool | None,
) -> Asked:
    """Copy an image from a registry to a registry, keeping nothing here.

    SOURCE without a tag is :latest; TARGET without one gets the tag of SOURCE.
    """
    if distrust:
        yield Step(Phase.NOTE, text=UNASKED)
    trust = None if distrust is None else not distrust
    records = yield from session.engine.remote.copying(
        source, target, platform=platform, all_tags=all_tags, trust=trust
    )
    return Answer(kind="copy", records=records, quiet=quiet)
