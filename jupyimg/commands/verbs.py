"""How a subcommand is declared: click's arguments and options, in Docker's spelling, and what a result looks like.

A declared function takes the session and what the user typed, and returns an `Answer`, or is a generator of steps
that returns one. Everything else about it (help, completion, README row) is read off the declaration.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from jupyimg.errors import BadPlatform, Misuse
from jupyimg.model.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyimg.views.columns import Column

    Declared = Callable[..., Any]

_LOGIN = re.compile(r"(\w+://)?[^/:@]*:.*@(?!sha\d+:)", re.DOTALL)
PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/arm/v6", "linux/386", "linux/ppc64le", "linux/s390x")


class Name(click.ParamType[str]):
    """What a registry, a repository or an image goes by; one that holds a login is refused and not repeated."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        if _LOGIN.match(value):
            raise Misuse(
                "a login does not belong into a name: it stays in the notebook and its history",
                hint="%image login HOST -u USER asks for the password; what follows an @ is a digest, sha256:...",
            )
        return value


class ImageName(Name):
    """A name or ID of an image; completes to what is held here."""

    name = "image"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        session = ctx.obj
        names = session.known.names("images", session.engine.names)
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


class Secret(click.ParamType[str]):
    """A word that may hold a password: handed on as the very object it came as, so that `Expanded` stays told."""

    name = "secret"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        return value


class PlatformName(click.ParamType[str]):
    """OS/ARCHITECTURE[/VARIANT], or "all" where that is meant to be possible."""

    name = "platform"

    def __init__(self, *, all_allowed: bool = False) -> None:
        self.all_allowed = all_allowed

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value == "all":
            return value if self.all_allowed else self.fail("one platform is meant here, not all", param, ctx)
        try:
            Platform.parse(value)
        except BadPlatform as error:
            self.fail(f"{error.message}; {error.hint}", param, ctx)
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        words = ("all", *PLATFORMS) if self.all_allowed else PLATFORMS
        return [CompletionItem(word) for word in words if word.startswith(incomplete)]


class Verb(click.Command):
    """One subcommand.

    Attributes:
        kind: of its answer.
        docker: the Docker command that it answers to.
    """

    def __init__(self, *args: Any, docker: str = "", kind: str = "", **settings: Any) -> None:
        settings["add_help_option"] = False
        super().__init__(*args, **settings)
        self.docker = docker
        self.kind = kind

    def flags(self) -> dict[str, click.Option]:
        """Its on-off options, by every spelling."""
        options = [param for param in self.params if isinstance(param, click.Option) and param.is_flag]
        return {spelling: option for option in options for spelling in option.opts}


class Verbs(click.Group):
    """All subcommands, in the order of the help; an alias is the same command under another name."""

    def __init__(self) -> None:
        super().__init__(name="image", add_help_option=False, no_args_is_help=False)
        self.aliases: dict[str, str] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature; not sorted
        return list(self.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, self.aliases.get(cmd_name, cmd_name))

    def verb(self, name: str, *aliases: str, docker: str, kind: str) -> Callable[[Declared], Verb]:
        """Declare a subcommand: decorate the function below click's options."""
        self.aliases.update(dict.fromkeys(aliases, name))

        def declare(function: Declared) -> Verb:
            command = click.command(name, cls=Verb, docker=docker, kind=kind)(click.pass_obj(function))
            self.add_command(command)
            return command

        return declare


VERBS = Verbs()

image_argument = click.argument("image", type=ImageName())
platform_option = click.option("--platform", type=PlatformName(), help="one platform of several, OS/ARCH[/VARIANT]")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="only the name or the IDs")
widget_option = click.option("--widget", is_flag=True, help="a table to search, sort and select from")
detach_option = click.option(
    "-d", "--detach", is_flag=True, help="go on in the background: a job to wait for or cancel"
)
"""For a subcommand that is a generator of steps; `run` takes the flag out and the function never sees it."""
no_trunc_option = click.option("--no-trunc", is_flag=True, help="show IDs and texts in full")


def format_option(*spellings: str) -> Callable[[Declared], Declared]:
    """``--format table|json``, under further spellings where Docker has them."""
    return click.option(*spellings, "--format", "form", metavar="json|table", help="json: plain JSON of the columns")


def is_json(form: str | None, columns: Sequence[Column] = ()) -> bool:
    """Whether JSON is wanted.

    Raises:
        Misuse: a Go template, which a frame makes needless, or an unknown word.
    """
    if form in {None, "", "table"}:
        return False
    if form == "json":
        return True
    assert form is not None
    if "{{" in form or form.startswith("table"):
        names = [column.name for column in columns]
        way = f"select columns of the frame: {', '.join(names)}" if names else 'take it by key: x["Config"]["Env"]'
        raise Misuse("Go templates are not read here", hint=f"x = %image …, then {way}")
    raise Misuse(f"--format {form} is not known", hint="it is json or table")
