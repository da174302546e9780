"""The subcommand that says which engines there are, and changes the one that this notebook works with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from jupyimg.commands.verbs import VERBS, format_option, is_json
from jupyimg.engines import ENGINES, open_engine
from jupyimg.engines.containers import about
from jupyimg.errors import ImageError, Misuse
from jupyimg.model.running import EngineRecord
from jupyimg.views.answer import Answer
from jupyimg.views.columns import columns_of

if TYPE_CHECKING:
    from jupyimg.commands.session import Session
    from jupyimg.model.settings import DaemonSettings, Settings

PATIENCE = 3.0
"""Seconds that an engine which is only looked at has to answer."""


@VERBS.verb("engine", docker="docker context use", kind="engine")
@click.argument("name", required=False, type=click.Choice(list(ENGINES)), metavar="[NAME]")
@click.option("--host", default="", metavar="ADDRESS", help="unix:///SOCKET, tcp://HOST:PORT or ssh://USER@HOST")
@click.option("--context", default="", metavar="NAME", help="a context of the docker command")
@format_option()
def engine(session: Session, name: str | None, host: str, context: str, form: str | None) -> Answer:
    """Show which engines answer, or work with another one: embedded, docker or podman.

    Without --host and --context, docker is where DOCKER_HOST, DOCKER_CONTEXT or the current context say, or at its
    usual socket; podman is where CONTAINER_HOST says, or at its usual socket.
    """
    as_json = is_json(form, columns_of("engine"))
    if name is None and not host and not context:
        records, notes = _every(session)
        return Answer(kind="engine", records=records, notes=notes, json=as_json)
    chosen = name or "docker"
    if session.terminal:
        raise Misuse(
            "another engine would be forgotten when this command ends", hint=f"set JUPYIMG_ENGINE={chosen} instead"
        )
    daemon = _daemon(session.given.daemon, chosen, host, context)
    try:
        found = session.switch(replace(session.given, engine=chosen, daemon=daemon))
    except ImageError as error:
        error.hint = "; ".join(filter(None, [error.hint, f"the engine is still {session.settings.engine}"]))
        raise
    return Answer(kind="engine", records=[found], json=as_json)


def _daemon(given: DaemonSettings, name: str, host: str, context: str) -> DaemonSettings:
    """Where the daemon is, now that the line says so.

    Raises:
        Misuse: the engine has no such choice.
    """
    if name == "embedded" and (host or context):
        raise Misuse("the embedded engine is in this process, not at a host", hint="%image engine docker --host …")
    if host and context:
        raise Misuse("--host and --context both say where the daemon is", hint="give one of them")
    if name == "podman":
        if context:
            raise Misuse("contexts are Docker's", hint="%image engine podman --host …, or docker --context …")
        return replace(given, podman_host=host or given.podman_host)
    if context:
        return replace(given, host="", context=context)
    return replace(given, host=host or given.host)


def _every(session: Session) -> tuple[list[EngineRecord], tuple[str, ...]]:
    """All engines, and why some of them do not answer."""
    records: list[EngineRecord] = []
    notes: list[str] = []
    for name in ENGINES:
        current = name == session.settings.engine
        try:
            found = _looked_at(session.settings if current else replace(session.given, engine=name))
        except ImageError as error:
            found = EngineRecord(engine=name, current=current, reachable=False)
            notes.append(f"{name}: {error.message}")
        records.append(replace(found, current=current))
    return records, tuple(notes)


def _looked_at(settings: Settings) -> EngineRecord:
    """Who answers; also of the current engine a new connection is asked, which is not waited for as long."""
    fresh = open_engine(replace(settings, connect_timeout=PATIENCE, read_timeout=PATIENCE))
    try:
        return about(fresh)
    finally:
        fresh.close()
