"""Subcommands about what goes on in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jupyimg.commands.verbs import VERBS, format_option, is_json
from jupyimg.views.answer import Answer
from jupyimg.views.columns import columns_of

if TYPE_CHECKING:
    from jupyimg.commands.session import Session


@VERBS.verb("jobs", docker="", kind="jobs")
@click.option("--cancel", type=int, metavar="JOB", help="stop the job of that number; what arrived is kept")
@format_option()
def jobs(session: Session, cancel: int | None, form: str | None) -> Answer:
    """List what this notebook does in the background (--detach), and how far it is."""
    as_json = is_json(form, columns_of("jobs"))
    if cancel is not None:
        session.jobs.cancel(cancel)
    return Answer(kind="jobs", records=session.jobs.records(), json=as_json)
