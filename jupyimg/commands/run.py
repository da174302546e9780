"""run(): words to an answer. The one place where a declared subcommand is found, parsed, called and drained."""

from __future__ import annotations

import difflib
import shlex
from contextlib import closing
from dataclasses import dataclass, replace
from types import GeneratorType
from typing import TYPE_CHECKING, Any

import click

from jupyimg.commands import (  # noqa: F401 - importing them declares their subcommands
    access,
    archives,
    background,
    browsing,
    comparing,
    containers,
    engine,
    exploring,
    local,
    mirrors,
    remote,
    sending,
    serving,
    space,
)
from jupyimg.commands.line import Expanded, Nothing
from jupyimg.commands.verbs import VERBS, Secret, Verb
from jupyimg.errors import Misuse
from jupyimg.views import Answer, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from jupyimg.commands.jobs import Job
    from jupyimg.commands.session import Session
    from jupyimg.model.content import Step

    Show = Callable[[Step], None]
    Follow = Callable[[str, bool, bool], Progress]

ORDER = (
    *("pull", "images", "inspect", "history", "compare", "tag", "push", "copy", "rmi", "save", "load", "jobs"),
    *("prune", "df", "pin", "unpin", "browse", "search", "tags", "catalog", "login", "logout", "mirror", "info"),
    *("engine", "ps", "logs", "send", "serve", "samples"),
)
"""The order in which people meet the subcommands."""

_DETACH = {"-d", "--detach", "--detach=true"}
_FREE = "leave --detach away; most shells put a line into the background with & at its end"
_TRUE = {"true", "1", "t"}
_FALSE = {"false", "0", "f"}
_GROUPS = {"docker", "image", "system"}
_CONTAINER = {"ls": "ps", "list": "ps", "ps": "ps", "logs": "logs"}
"""What of ``docker container …`` there is; its ``rm`` and ``prune`` must not be taken for those of images."""
_RUNS = {
    "attach",
    "cp",
    "create",
    "exec",
    "kill",
    "pause",
    "restart",
    "rm",
    "run",
    "start",
    "stats",
    "stop",
    "top",
    "wait",
}
_BUILDS = {"build", "buildx", "commit", "compose", "import"}
"""What people know of Docker and no image store does; the nearest word here may be one that removes."""


_ONLY_IMAGES = "The embedded engine has images and partial downloads only, so system prune is image prune"


@dataclass(frozen=True, slots=True)
class Manual:
    """The answer to a call for help: one subcommand, or None for all of them."""

    verb: Verb | None = None


def commands() -> dict[str, Verb]:
    """All subcommands by name, in the order of the help."""
    found = {name: verb for name, verb in VERBS.commands.items() if isinstance(verb, Verb)}
    return dict(sorted(found.items(), key=lambda item: ORDER.index(item[0])))


def aliases(name: str) -> list[str]:
    """Other names of a subcommand."""
    return [alias for alias, target in VERBS.aliases.items() if target == name]


def run(session: Session, words: Sequence[str], follow: Follow | None = None) -> Answer | Manual | Job:
    """Call the subcommand that the words name.

    Args:
        session: the engine and settings to work with.
        words: the line, expanded.
        follow: opens a display for steps, given the kind of answer, whether to be quiet, and whether it is to outlive
            its cell.

    Raises:
        Misuse: no such subcommand or option, a missing or an extra word.
        ImageError: whatever the subcommand raises.
        Interrupted: the user pressed stop.
    """
    if (after := _system_prune(words)) is not None:
        return _pruned_system(session, after, follow)
    rest = without_groups(words)
    if not rest or rest[0] in {"help", "--help", "-h"}:
        return Manual(find(rest[1]) if len(rest) > 1 else None)
    verb = find(rest[0])
    if "--help" in rest[1:]:
        return Manual(verb)
    args, switched = _switches(verb, [word for word in rest[1:] if not isinstance(word, Nothing)])
    emptied = len(rest) > 1 + len(args) + len(switched)
    if emptied and _holds_secrets(verb):  # a password must not go where a word that is missing lets it go
        raise Misuse("what stands in {…} on this line held no values", hint=f"%image {verb.name} --help")
    if emptied and verb.name == "rmi" and all(word.startswith("-") for word in args):
        return Answer(kind=verb.kind, records=[])  # so that a cell that cleans up can be run again
    with _context(verb, args, session, emptied=emptied) as context:
        context.params.update(switched)
        detach = bool(context.params.pop("detach", False))
        if detach and session.terminal:
            raise Misuse("what a terminal runs ends with its process: there is nothing to detach from", hint=_FREE)
        assert verb.callback is not None
        result: Any = _beside(verb, context) if detach else context.invoke(verb.callback, **context.params)
        if isinstance(result, GeneratorType):
            form = (follow or _unseen)(verb.kind, bool(context.params.get("quiet")), detach)
            if detach:
                return session.jobs.start(shlex.join(word for word in rest if word not in _DETACH), result, form)
            with closing(result), form as show:
                result = _drained(result, show)
    answer: Answer = result
    return answer


def _beside(verb: Verb, context: click.Context) -> Generator[Step, None, Answer]:
    """What a subcommand does, with the engine that is current as it begins, whichever is so by its end."""
    assert verb.callback is not None
    with context.obj.held() as context.obj:
        answer: Answer = yield from context.invoke(verb.callback, **context.params)
    return answer


def _system_prune(words: Sequence[str]) -> list[str] | None:
    """What follows ``system prune``, or None for another line."""
    rest = list(words)[1:] if words and words[0] == "docker" else list(words)
    return rest[2:] if rest[:2] == ["system", "prune"] else None


def _pruned_system(session: Session, rest: Sequence[str], follow: Follow | None) -> Answer | Manual | Job:
    """Pruning of images where there is nothing else; a daemon's containers and caches are not for us to remove.

    Raises:
        Misuse: the engine is a daemon.
    """
    if session.settings.engine != "embedded":
        raise Misuse(
            "docker's system prune removes containers, networks and build caches too, which stay untouched here",
            hint="%image prune removes images that are not in use, and shows first which these are",
        )
    answer = run(session, ["prune", *rest], follow)
    return replace(answer, notes=(_ONLY_IMAGES, *answer.notes)) if isinstance(answer, Answer) else answer


def without_groups(words: Sequence[str]) -> list[str]:
    """Docker's management words are taken as they are copied: ``image ls``, ``docker image ls``, ``system df``."""
    rest = list(words)
    while len(rest) > 1 and rest[0] in _GROUPS:
        rest.pop(0)
    if len(rest) > 1 and rest[0] == "container" and rest[1] in _CONTAINER:
        return [_CONTAINER[rest[1]], *rest[2:]]
    return rest


def find(name: str) -> Verb:
    """The subcommand of that name or alias.

    Raises:
        Misuse: there is none; the hint names the likeliest.
    """
    verb = VERBS.commands.get(VERBS.aliases.get(name, name))
    if isinstance(verb, Verb):
        return verb
    if name == "container":
        raise Misuse("containers are listed and read here, not changed", hint="%image ps, or %image logs CONTAINER")
    if name in _RUNS:
        raise Misuse(
            f"{name} is for containers, and images are kept here", hint="docker or podman runs them; %image ps"
        )
    if name in _BUILDS:
        raise Misuse(
            f"{name} makes images, which are only kept here", hint="make it with docker or podman; %image load"
        )
    near = difflib.get_close_matches(name.lower(), [*VERBS.commands, *VERBS.aliases], 1)
    hint = f"did you mean {near[0]}?" if near else "%image help lists them"
    raise Misuse(f"there is no subcommand {name!r}", hint=hint)


def _switches(verb: Verb, words: Sequence[str]) -> tuple[list[str], dict[str, bool]]:
    """Take out ``--flag=true`` and ``--flag=false``, which Docker's flags know and click's do not.

    Raises:
        Misuse: another value for an on-off flag.
    """
    flags = verb.flags()
    rest: list[str] = []
    switched: dict[str, bool] = {}
    for word in words:
        name, eq, value = word.partition("=")
        option = flags.get(name) if eq else None
        if option is None or option.name is None:
            rest.append(word)
        elif value.lower() in _TRUE | _FALSE:
            switched[option.name] = value.lower() in _TRUE
        else:
            raise Misuse(f"{name} is on or off", hint=f"write {name} or {name}=false")
    return rest, switched


def _context(verb: Verb, args: list[str], session: Session, *, emptied: bool) -> click.Context:
    try:
        return verb.make_context(verb.name, list(args), obj=session)
    except click.UsageError as error:
        message = _hushed(verb, args, error.format_message().rstrip(".")).replace("valid integer range", "number")
        hint = "what stands in {…} on this line held no values" if emptied else f"%image {verb.name} --help"
        raise Misuse(message[:1].lower() + message[1:], hint=hint) from None


def _holds_secrets(verb: Verb) -> bool:
    return any(isinstance(param.type, Secret) for param in verb.params)


def _hushed(verb: Verb, args: list[str], message: str) -> str:
    """What click says, which repeats words, without those that may hold a password."""
    if _holds_secrets(verb):
        parts = {part for word in args if isinstance(word, Expanded) for part in (word, *word.split("=")) if part}
        for word in sorted(parts, key=len, reverse=True):
            message = message.replace(word, "{…}")
    return message


def _drained(steps: Any, show: Show) -> Answer:
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            answer: Answer = stop.value
            return answer
        try:
            show(step)
        except KeyboardInterrupt as stop:
            # It came while something was drawn; what it means is for the subcommand to say.
            return _stopped(steps, stop)


def _stopped(steps: Any, stop: KeyboardInterrupt) -> Answer:
    """What a subcommand answers that is interrupted; most let the interrupt pass."""
    try:
        steps.throw(stop)
    except StopIteration as end:
        answer: Answer = end.value
        return answer
    raise stop


def _unseen(kind: str, quiet: bool, detach: bool) -> Progress:  # noqa: ARG001, FBT001
    return Progress(kind)
