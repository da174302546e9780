"""Subcommands that make a registry out of this machine: serve a store, and fill one with the teaching images."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jupyimg.commands.line import Expanded
from jupyimg.commands.verbs import VERBS, Secret, quiet_option
from jupyimg.errors import Misuse
from jupyimg.model.content import Phase, Step, drain
from jupyimg.model.records import ServerRecord, Status, TransferRecord
from jupyimg.model.reference import Reference
from jupyimg.samples import Samples
from jupyimg.server import ImageServer, ServerSettings, read_htpasswd
from jupyimg.store import Store
from jupyimg.transfer import copying
from jupyimg.views.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Generator

    from jupyimg.commands.session import Session
    from jupyimg.model.content import Sink

    Asked = Generator[Step, None, Answer]

FOREGROUND_TICK = 0.2


@VERBS.verb("serve", docker="(docker run registry)", kind="serve")
@click.option("--port", type=click.IntRange(0, 65535), default=5000, help="5000 by default; 0 for any free one")
@click.option("--host", default="127.0.0.1", help="address to listen on; this machine alone by default")
@click.option("--read-only", is_flag=True, help="refuse pushes and deletes")
@click.option(
    "--auth", type=Secret(), metavar="USER:{pw}|FILE", help="who may come in: a user, or an htpasswd file (bcrypt)"
)
@click.option("--insecure", is_flag=True, help="let everybody on the network write")
@click.option("--samples", "teaching", is_flag=True, help="the teaching images, from a store of their own")
@click.option("--stop", is_flag=True, help="stop what this notebook serves")
def serve(
    session: Session,
    port: int,
    host: str,
    auth: str | None,
    *,
    read_only: bool,
    insecure: bool,
    teaching: bool,
    stop: bool,
) -> Asked:
    """Serve the local store as a registry, for docker, podman, skopeo and %image elsewhere.

    In a notebook it serves in the background until --stop; in a terminal in the foreground until Ctrl-C.
    """
    if stop:
        return Answer(kind="serve", records=_stopped(session))
    users = _users(auth, typed=session.terminal) if auth else {}
    settings = ServerSettings(host=host, port=port, read_only=read_only, users=users, insecure=insecure)
    settings.check()
    store = Store(_samples_store(session) if teaching else session.settings.store)
    server = ImageServer(store, settings)
    server.start()
    record = _record(server, store, "the teaching images" if teaching else "the local store")
    if not session.terminal:
        session.servers.append((server, record))
        return Answer(kind="serve", records=[record])
    for line in record.lines():
        yield Step(Phase.NOTE, text=line)
    yield Step(Phase.NOTE, text="Ctrl-C stops it")
    try:
        while server.running:
            time.sleep(FOREGROUND_TICK)
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()
    return Answer(kind="serve", records=[dataclasses.replace(record, running=False)])


@VERBS.verb("samples", docker="", kind="pull")
@click.option("--push", "host", metavar="HOST[:PORT]", help="to that registry instead of the local store")
@quiet_option
def samples(session: Session, host: str | None, *, quiet: bool) -> Asked:
    """Put the teaching images into the local store: small, for two platforms and more, needing no internet."""
    place = Samples()
    records: list[TransferRecord] = []
    if host is None:
        with Store(session.settings.store).writer() as sink:
            for origin, name in place.story():
                # So small that only the names are worth telling.
                records.append(drain(_put(place, sink, origin, name, Status.LOADED)))
                yield Step(Phase.NOTE, text=f"{name.familiar}: made")
    else:
        remote = session.engine.remote
        for origin, name in place.story():
            goal = Reference.parse(f"{host}/{name.familiar}")
            sink_there = remote.registries.repository(goal)
            records.append((yield from _put(place, sink_there, origin, goal, Status.PUSHED)))
    return Answer(kind="pull", records=list({record.reference: record for record in records}.values()), quiet=quiet)


def _put(
    place: Samples, sink: Sink, origin: Reference, name: Reference, status: Status
) -> Generator[Step, None, TransferRecord]:
    copied = yield from copying(place, sink, origin, target=name)
    return copied.record(name, status)


def _samples_store(session: Session) -> Path:
    """A store beside the user's own, so that a lesson changes nothing of theirs; what is missing is made anew."""
    root = session.settings.home / "samples"
    place = Samples()
    with Store(root).writer() as sink:
        for origin, name in place.story():
            drain(copying(place, sink, origin, target=name))
    return root


def _users(auth: str, *, typed: bool) -> dict[str, str]:
    """Users as ``USER:PASSWORD`` or an htpasswd file gives them.

    Raises:
        Misuse: neither, or a password that was written into the notebook.
    """
    if Path(auth).is_file():
        return dict(read_htpasswd(Path(auth)))
    user, colon, password = auth.partition(":")
    if not (user and colon and password):
        raise Misuse(f"--auth {user} is neither USER:PASSWORD nor a file", hint="htpasswd -B -c FILE USER makes one")
    if not (typed or isinstance(auth, Expanded)):
        raise Misuse(
            "a password that is written in a cell stays in the notebook and its history",
            hint='in a cell before: from getpass import getpass; pw = getpass() - then --auth "' + user + ':{pw}"',
        )
    return {user: password}


def _record(server: ImageServer, store: Store, what: str) -> ServerRecord:
    named = sorted(entry.name for entry in store.entries() if entry.name and entry.name.tag)
    example = next((name.familiar for name in named if name.host == "docker.io"), "")
    return ServerRecord(
        address=server.address,
        store=str(store.root),
        what=what,
        running=server.running,
        example=example,
        read_only=server.settings.read_only,
        login=bool(server.settings.users),
    )


def _stopped(session: Session) -> list[ServerRecord]:
    records = []
    while session.servers:
        server, record = session.servers.pop()
        server.stop()
        records.append(dataclasses.replace(record, running=False))
    if not records:
        raise Misuse("nothing is served from this notebook", hint="%image serve begins")
    return records
