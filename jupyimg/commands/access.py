"""Subcommands about who we are: login and logout, in Docker's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jupyimg.commands.asking import ask, read_to_end
from jupyimg.commands.line import Expanded
from jupyimg.commands.verbs import VERBS, Secret
from jupyimg.errors import Denied, Misuse
from jupyimg.views.answer import Answer
from jupyimg.views.forms import LoginAsk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyimg.commands.session import Session
    from jupyimg.engines.access import Access
    from jupyimg.model.records import LoginRecord, LogoutRecord

ENV = "env:"
TYPED = "WARNING! Using --password via the CLI is insecure. Use --password-stdin."
_SERVER = click.argument("server", required=False, type=Secret(), metavar="[SERVER]")


@VERBS.verb("login", docker="docker login", kind="login")
@_SERVER
@click.option("-u", "--username", help="asked for where it is missing")
@click.option("-p", "--password", type=Secret(), help="{pw} or env:NAME; asked for, unseen, where it is missing")
@click.option("--password-stdin", is_flag=True, help="in a terminal: the password is piped in")
@click.option("--widget", is_flag=True, help="in a notebook: a form, whose password is kept nowhere")
def login(
    session: Session,
    server: str | None,
    username: str | None,
    password: str | None,
    *,
    password_stdin: bool,
    widget: bool,
) -> Answer:
    """Log in to a registry, Docker Hub by default, and keep the login where Docker and Podman find it.

    It is tried before it is kept: with the credential helper that is set in Docker's config.json, else in that file.
    """
    access = session.engine.remote.access
    server = access.host(_named(server))
    if username == "":
        raise Misuse("the user name is empty", hint="leave -u away to be asked for it")
    if widget and session.in_kernel:
        if password is not None or password_stdin:
            raise Misuse("--widget asks for the password itself", hint="leave -p away, or --widget")
        return _form(access, server, username)
    secret = _given(session, username, password, password_stdin=password_stdin)
    refused: Denied | None = None
    if username is None and secret is None:
        try:
            kept = access.renew(server)
        except Denied as error:
            refused = error
        else:
            if kept is not None:
                return Answer(kind="login", records=[kept], notes=tuple(_said(kept, kept=True)))
    username, secret = _asked(session, server, username, secret, refused)
    record = access.login(server, username, secret)
    notes = [TYPED] if password and not isinstance(password, Expanded) and secret == password else []
    return Answer(kind="login", records=[record], notes=(*notes, *_said(record)))


@VERBS.verb("logout", docker="docker logout", kind="logout")
@_SERVER
def logout(session: Session, server: str | None) -> Answer:
    """Forget the login for a registry, Docker Hub by default, wherever it is kept."""
    record = session.engine.remote.access.logout(_named(server))
    return Answer(kind="logout", records=[record], notes=tuple(_forgotten(record)))


def _form(access: Access, server: str, username: str | None) -> Answer:
    """A form to type it into."""
    asked = LoginAsk(
        server=server,
        login=lambda name, secret: tuple(_said(access.login(server, name, secret))),
        username=username or "",
        without=f"%image login {server} -u NAME -p env:VARIABLE",
    )
    return Answer(kind="login", records=[], form=asked)


def _named(server: str | None) -> str:
    """The server as it was given; "" is Docker Hub, which an empty value must not become by accident.

    Raises:
        Misuse: it is empty.
    """
    if server is not None and not server.strip():
        raise Misuse("the server is empty", hint="name a registry, or leave it away for Docker Hub")
    return server or ""


def _given(session: Session, username: str | None, password: str | None, *, password_stdin: bool) -> str | None:
    """The password as the line gives it, or None.

    Raises:
        Misuse: in a way that it must not be given, or it is empty.
    """
    if password_stdin or password == "-":  # noqa: S105 - Docker's word for standard input
        if password_stdin and password is not None:
            raise Misuse("--password and --password-stdin exclude each other", hint="give one of them")
        if username is None:
            raise Misuse("--password-stdin needs a user name", hint="give -u NAME too")
        password = read_to_end(session)
    elif password is not None and not isinstance(password, Expanded) and password.startswith(ENV):
        password = session.variable(password.removeprefix(ENV))
    elif password and not isinstance(password, Expanded) and not session.terminal:
        raise Misuse(
            "a password that is written in a cell stays in the notebook and its history",
            hint="leave -p away to be asked for it; or -p {pw}, or -p env:NAME",
        )
    if password == "":
        raise Misuse("the password is empty", hint="leave -p away to be asked for it")
    return password


def _asked(
    session: Session, server: str, username: str | None, secret: str | None, refused: Denied | None
) -> tuple[str, str]:
    """What is missing, from whoever is there.

    Raises:
        Misuse: nobody can answer, or nothing was answered.
        Denied: nobody can answer, and what is kept is refused.
    """
    way = "--password-stdin" if session.terminal else "-p {pw}"
    hint = f"%image login {server} -u NAME {way}, or -p env:VARIABLE"
    again = "Stored credentials invalid or expired\n" if refused else ""
    try:
        username = username or ask(session, "Username", hint=hint, before=again)
        secret = secret or ask(session, "Password", hint=hint, hidden=True)
    except Misuse:
        if refused is not None:
            raise refused from None
        raise
    if not username.strip() or not secret:
        raise Misuse(f"no {'password' if username.strip() else 'user name'} was given", hint=hint)
    return username.strip(), secret


def _said(record: LoginRecord, *, kept: bool = False) -> Iterator[str]:
    if kept:
        who = f" [Username: {record.username}]" if record.username else ""
        yield f"Authenticating with existing credentials...{who}"
    elif not record.encrypted:
        yield f"WARNING! Your credentials are stored unencrypted in '{record.where}'"
    if record.shadowed_by:
        yield f"WARNING! {record.shadowed_by} is set and comes before what is stored"
    if not record.asked:
        yield f"{record.host} did not ask who you are, so nothing was proved"
    yield "Login Succeeded"


def _forgotten(record: LogoutRecord) -> Iterator[str]:
    yield f"Removing login credentials for {record.key}" if record.removed else f"Not logged in to {record.key}"
    for trouble in record.troubles:
        yield f"WARNING: could not erase credentials: {trouble}"
    if record.left:
        yield f"WARNING: {record.left} still answers for {record.host}, and cannot be changed from here"
