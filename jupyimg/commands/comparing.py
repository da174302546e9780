"""The subcommand that sets two images side by side, whoever holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jupyimg.commands.local import remote_option
from jupyimg.commands.verbs import VERBS, ImageName, format_option, is_json, no_trunc_option, platform_option
from jupyimg.model.comparison import compare as side_by_side
from jupyimg.views.answer import Answer
from jupyimg.views.columns import columns_of

if TYPE_CHECKING:
    from jupyimg.commands.session import Session


@VERBS.verb("compare", docker="", kind="compare")
@click.argument("a", type=ImageName())
@click.argument("b", type=ImageName())
@platform_option
@remote_option
@no_trunc_option
@format_option()
def compare(
    session: Session, a: str, b: str, platform: str | None, form: str | None, *, remote: bool, no_trunc: bool
) -> Answer:
    """Show what two images share and where they differ: layers, environment, labels, commands, ports, sizes.

    The result has two frames: x.layers and x.differences.
    """
    as_json = is_json(form, columns_of("compare"))
    place = session.engine.remote if remote else session.engine
    (first, built), (second, rebuilt) = (
        (place.inspect(name, platform=platform), place.history(name, platform=platform)) for name in (a, b)
    )
    found = side_by_side(first, second, built, rebuilt)
    return Answer(kind="compare", records=[found], no_trunc=no_trunc, json=as_json)
