"""The subcommand that carries images from one engine to another."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from jupyimg.commands.verbs import VERBS, ImageName, platform_option, quiet_option
from jupyimg.engines import ENGINES, open_engine
from jupyimg.engines.sending import sending
from jupyimg.errors import Misuse
from jupyimg.views.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Generator

    from jupyimg.commands.session import Session
    from jupyimg.engines import Engine
    from jupyimg.model.content import Step

_ENGINE = click.Choice(list(ENGINES))


@VERBS.verb("send", docker="docker save | docker load", kind="send")
@click.argument("images", nargs=-1, required=True, type=ImageName(), metavar="IMAGE...")
@click.option("--to", type=_ENGINE, help="the engine that gets them; the current one where --from is given")
@click.option("--from", "origin", type=_ENGINE, help="the engine that has them; the current one unless given")
@platform_option
@quiet_option
def send(
    session: Session, images: tuple[str, ...], to: str | None, origin: str | None, platform: str | None, *, quiet: bool
) -> Generator[Step, None, Answer]:
    """Carry images from one engine to another, such as from this notebook to a Docker daemon, without a file.

    Names and image IDs stay; manifests are the receiving engine's own.
    """
    current = session.settings.engine
    giver, taker = origin or current, to or current
    if giver == taker:
        option, other = "--from" if to else "--to", next(name for name in ENGINES if name != giver)
        hint = f"%image send {images[0]} {option} {other}"
        raise Misuse(f"that is from the {giver} engine to itself", hint=hint)
    with ExitStack() as opened:
        source, target = _engine(session, giver, opened), _engine(session, taker, opened)
        records = yield from sending(source, target, list(dict.fromkeys(images)), platform=platform)
    return Answer(kind="send", records=records, quiet=quiet)


def _engine(session: Session, name: str, opened: ExitStack) -> Engine:
    """The current engine, or another one that is closed afterwards."""
    if name == session.settings.engine:
        return session.engine
    return opened.enter_context(closing(open_engine(replace(session.given, engine=name))))
