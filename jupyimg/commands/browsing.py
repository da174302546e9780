"""`browse`: an explorer of the images here or of a registry, and what it may ask and have done."""

from __future__ import annotations

import re
import shlex
from types import GeneratorType
from typing import TYPE_CHECKING

import click

from jupyimg.commands.verbs import VERBS, ImageName, Verb
from jupyimg.errors import Misuse
from jupyimg.model.reference import Reference
from jupyimg.views.answer import Answer
from jupyimg.views.port import Sight

if TYPE_CHECKING:
    from collections.abc import Generator

    from jupyimg.commands.session import Session
    from jupyimg.engines import Engine
    from jupyimg.model.content import Step

    Asked = Generator[Step, None, Answer]

RUN = ("pull", "tag", "push", "rmi", "save")
"""What an explorer has buttons for; no other line of its own is run."""
_HOST = re.compile(r"localhost(:\d+)?|[^/:]*\.[^/:]*(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?", re.ASCII)
_TOGETHER = 1000
"""Tags of one repository that are read at a time."""


@VERBS.verb("browse", docker="", kind="catalog")
@click.argument("place", default="", type=ImageName(), metavar="[HOST[:PORT] | NAME]")
def browse(session: Session, place: str) -> Asked:
    """Look around in the images here, in a registry (HOST) or in the tags of a repository (NAME), and act on them.

    In a notebook an explorer to search, sort, filter and look into, with buttons that show the line which they run;
    elsewhere the list that it would show. A host that has neither a dot nor is localhost ends in a slash: HOST/.
    """
    port = Browsing(session, place)
    return (yield from port.listing())


class Browsing:
    """The `Port` of this session; see there for what each method does and raises.

    Args:
        session: its engine does the work.
        place: "" for the images here; HOST[:PORT] or the name of a repository.
    """

    def __init__(self, session: Session, place: str) -> None:
        self._session = session
        self.remote = bool(place)
        self._is_host = bool(_HOST.fullmatch(place)) or place.endswith("/")
        self.place = place.removesuffix("/") if self._is_host or not place else _repository(place)

    def listing(self, name: str = "") -> Asked:
        with self._session.held() as session:
            return (yield from self._listed(session.engine, name))

    def _listed(self, engine: Engine, name: str) -> Asked:
        if not self.remote:
            return Answer(kind="images", records=engine.images(everything=True), port=self)
        remote = engine.remote
        if self._is_host and not name:
            found = yield from remote.cataloguing(self.place)
            return Answer(kind="catalog", records=found.records, notes=found.notes, port=self)
        wanted = _repository(name or self.place)
        tags = yield from remote.tagging(wanted, limit=_TOGETHER)
        return Answer(kind="tags", records=tags.records, notes=tags.notes, port=self)

    def looking(self, name: str, platform: str) -> Generator[Step, None, Sight]:
        with self._session.held() as session:
            return (yield from self._seen(session.engine, name, platform))

    def _seen(self, engine: Engine, name: str, platform: str) -> Generator[Step, None, Sight]:
        if self.remote:
            looked = yield from engine.remote.looking(name, platform=platform or None)
            history, detail = looked.history(), looked.detail()
        else:
            history = engine.history(name, platform=platform or None)  # first: it measures what inspect then knows
            detail = engine.inspect(name, platform=platform or None)
        layers = {record.layer_digest for record in history if record.layer_digest is not None}
        here = not self.remote or detail.reference in engine.names()
        return Sight(detail=detail, history=history, holders=engine.holders(layers), here=here)

    def doing(self, line: str) -> Asked:
        verb, args = _verb(line)
        try:
            opened = verb.make_context(verb.name, args)
        except click.UsageError as error:
            message = error.format_message().rstrip(".")
            raise Misuse(message[:1].lower() + message[1:], hint=f"%image {verb.name} --help") from None
        with self._session.held() as session, opened as context:
            context.obj = session
            assert verb.callback is not None
            context.params.pop("detach", None)  # what runs here is beside the cells already
            result = context.invoke(verb.callback, **context.params)
            if isinstance(result, GeneratorType):
                result = yield from result
        answer: Answer = result
        return answer


def _repository(name: str) -> str:
    """The repository that a name lies in; ``name`` itself where it names one.

    Raises:
        BadReference: it is no name.
    """
    return Reference.parse(name, default_tag="").untagged().familiar_name


def _verb(line: str) -> tuple[Verb, list[str]]:
    """The subcommand of a line, and its words. Nothing is expanded in it, since names in it come from outside.

    Raises:
        Misuse: it is none that an explorer may run, or cannot be read.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise Misuse(f"the line cannot be read: {error}".lower(), hint="close the quotes") from None
    rest = words[1:] if words[:1] == ["%image"] else words
    verb = VERBS.get_command(click.Context(VERBS), rest[0]) if rest else None
    if not isinstance(verb, Verb) or verb.name not in RUN:
        raise Misuse(f"only {', '.join(RUN)} can be run here", hint="run other lines in a cell")
    return verb, rest[1:]
