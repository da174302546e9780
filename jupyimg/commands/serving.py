"""Subcommands that make a registry out of this machine: serve a store, and fill one with the teaching images."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from jupyimg.commands.line import Expanded
from jupyimg.commands.paths import is_file
from jupyimg.commands.verbs import VERBS, Name, Secret, quiet_option
from jupyimg.errors import Misuse
from jupyimg.model.content import Phase, Step
from jupyimg.views.answer import Answer
from jupyimg.views.visits import visited

if TYPE_CHECKING:
    from collections.abc import Generator

    from jupyimg.commands.session import Session

    Asked = Generator[Step, None, Answer]


@VERBS.verb("serve", docker="(docker run registry)", kind="serve")
@click.option("--port", type=click.IntRange(0, 65535), default=5000, help="5000 by default; 0 for any free one")
@click.option("--host", type=Name(), default="127.0.0.1", help="address to listen on; this machine alone by default")
@click.option("--read-only", is_flag=True, help="refuse pushes and deletes")
@click.option("--auth", type=Secret(), default="", help="who may come in: USER:{pw}, or an htpasswd file (bcrypt)")
@click.option("--insecure", is_flag=True, help="let everybody on the network write")
@click.option("--samples", "teaching", is_flag=True, help="the teaching images, from a store of their own")
@click.option("--stop", is_flag=True, help="stop what this notebook serves")
def serve(
    session: Session, port: int, host: str, auth: str, *, read_only: bool, insecure: bool, teaching: bool, stop: bool
) -> Asked:
    """Serve the local store as a registry, for docker, podman, skopeo and %image elsewhere.

    In a notebook it serves in the background until --stop, and shows what is pulled and pushed; the same line again
    shows where that stands. In a terminal it serves in the foreground until Ctrl-C.
    """
    serving = session.serving
    if stop:
        stopped = serving.stop()
        if not stopped:
            raise Misuse("nothing is served from this notebook", hint="%image serve begins")
        return Answer(kind="serve", records=stopped)
    if not session.terminal:
        _refuse_typed(auth)
    record = serving.start(host=host, port=port, read_only=read_only, auth=auth, insecure=insecure, samples=teaching)
    if not session.terminal:
        return Answer(kind="serve", records=[record], live=serving.traffic(record) if session.in_kernel else None)
    for line in (*record.lines(), "Ctrl-C stops it"):
        yield Step(Phase.NOTE, text=line)
    with contextlib.suppress(KeyboardInterrupt):
        for visit in serving.wait(record):
            yield Step(Phase.NOTE, text=visited(visit))
    return Answer(kind="serve", records=serving.stop())


@VERBS.verb("samples", docker="", kind="pull")
@click.option("--push", "host", metavar="HOST[:PORT]", help="to that registry instead of the local store")
@quiet_option
def samples(session: Session, host: str | None, *, quiet: bool) -> Asked:
    """Put the teaching images into the local store: small, for two platforms and more, needing no internet."""
    remote = session.engine.remote if host else None
    records = yield from session.serving.teaching(remote, host or "")
    return Answer(kind="pull", records=records, quiet=quiet)


def _refuse_typed(auth: str) -> None:
    """A password that was written in a cell is in the notebook, in its history and in everybody's copy.

    Raises:
        Misuse: it was.
    """
    user, colon, password = auth.partition(":")
    if colon and password and not isinstance(auth, Expanded) and not is_file(auth):
        raise Misuse(
            "a password that is written in a cell stays in the notebook and its history",
            hint=f"first: from getpass import getpass; pw = getpass() - then: --auth {user}:{{pw}}",
        )
