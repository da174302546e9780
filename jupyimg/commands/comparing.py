"""The subcommand that sets two images side by side, whoever holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jupyimg.commands.local import remote_option, there
from jupyimg.commands.verbs import VERBS, ImageName, format_option, is_json, no_trunc_option, platform_option
from jupyimg.model.comparison import compare as side_by_side
from jupyimg.views.answer import Answer
from jupyimg.views.columns import columns_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from jupyimg.commands.session import Session
    from jupyimg.model.content import Step
    from jupyimg.model.records import HistoryRecord, ImageDetail

    Asked = Generator[Step, None, Answer]
    Side = tuple[ImageDetail, list[HistoryRecord]]


@VERBS.verb("compare", docker="", kind="compare")
@click.argument("a", type=ImageName())
@click.argument("b", type=ImageName())
@platform_option
@remote_option
@no_trunc_option
@format_option()
def compare(
    session: Session, a: str, b: str, platform: str | None, form: str | None, *, remote: bool, no_trunc: bool
) -> Answer | Asked:
    """Show what two images share and where they differ: layers, environment, labels, commands, ports, sizes.

    The result has two frames: x.layers and x.differences.
    """

    def answer(first: Side, second: Side) -> Answer:
        found = side_by_side(first[0], second[0], first[1], second[1])
        return Answer(kind="compare", records=[found], no_trunc=no_trunc, json=as_json)

    as_json = is_json(form, columns_of("compare"))
    if remote:
        return there(session, (a, b), platform, lambda both: answer(*((one.detail(), one.history()) for one in both)))
    engine = session.engine
    return answer(
        *((engine.inspect(name, platform=platform), engine.history(name, platform=platform)) for name in (a, b))
    )
