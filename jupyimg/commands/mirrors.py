"""The subcommand that sets, shows and tries mirrors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jupyimg.commands.verbs import VERBS, Name
from jupyimg.errors import Misuse
from jupyimg.views.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Generator

    from jupyimg.commands.session import Session
    from jupyimg.model.content import Step

    Asked = Generator[Step, None, Answer]

_WORDS = {"add": (2, 2), "list": (0, 1), "remove": (1, 2), "test": (0, 1)}
"""Each action, and how few and how many words may follow it."""
_USAGE = "add REGISTRY MIRROR, list [REGISTRY], remove REGISTRY [MIRROR] or test [REGISTRY|IMAGE]"


@VERBS.verb("mirror", "mirrors", docker="(registries.conf)", kind="mirror")
@click.argument("action", type=click.Choice(list(_WORDS)), default="list", metavar="[add|list|remove|test]")
@click.argument("names", type=Name(), nargs=-1, metavar="[REGISTRY [MIRROR]]")
@click.option("--insecure", is_flag=True, help="with add: the mirror may speak plain http or prove nothing")
@click.option("--only", type=click.Choice(["digest", "tag"]), help="with add: for images named by digest, or by tag")
def mirror(session: Session, action: str, names: tuple[str, ...], only: str | None, *, insecure: bool) -> Asked:
    """Read registries by way of mirrors: tried in order, the registry itself last; a push goes straight there.

    Set in containers' registries.conf, so podman and skopeo use the same ones. REGISTRY is docker.io, HOST[:PORT],
    HOST/PATH or *.DOMAIN; MIRROR is HOST[:PORT][/PATH].
    """
    fewest, most = _WORDS[action]
    if not fewest <= len(names) <= most:
        some = f"{fewest}" if fewest == most else f"{fewest} or {most}"
        raise Misuse(f"mirror {action} takes {some} names, not {len(names)}", hint=f"%image mirror {_USAGE}")
    if action != "add" and (insecure or only):
        raise Misuse("--insecure and --only belong to mirror add", hint=f"%image mirror {_USAGE}")
    mirrors = session.mirrors
    if action == "test":
        registries = session.engine.remote.registries
        return Answer(kind="mirror test", records=(yield from mirrors.testing(registries, *names)))
    if action == "add":
        records = mirrors.add(*names, insecure=insecure, pull=f"{only}-only" if only else "all")
    else:
        records = mirrors.remove(*names) if action == "remove" else mirrors.listed(*names)
    return Answer(kind="mirror", records=records)
