"""Asking whoever runs a line for what is missing: a front end, a terminal, or nobody."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from jupyimg.errors import Misuse

if TYPE_CHECKING:
    from jupyimg.commands.session import Session


def ask(session: Session, what: str, *, hint: str, before: str = "", hidden: bool = False) -> str:
    """What the user types.

    Args:
        session: who may be there.
        what: the prompt, without a colon.
        hint: what to write where nobody can answer.
        before: lines to say first.
        hidden: do not show what is typed.

    Raises:
        Misuse: nobody can answer.
    """
    nobody = Misuse(f"nobody is here to be asked for the {what.lower()}", hint=hint)
    question = f"{before}{what}: "
    if not session.in_kernel and (sys.stdin is None or not sys.stdin.isatty()):
        raise nobody
    try:
        # by their modules, where a kernel puts functions of its own that ask the front end
        return getpass.getpass(question) if hidden else input(question)
    except (NotImplementedError, EOFError):  # a kernel without a front end raises a NotImplementedError of IPython's
        raise nobody from None


def read_to_end(session: Session) -> str:
    """All of standard input without one newline at its end, as `docker login --password-stdin` takes it.

    Raises:
        Misuse: a notebook has none, or it is no text.
    """
    if not session.terminal:
        raise Misuse(
            "a notebook has no standard input",
            hint="leave --password-stdin away to be asked, or give -p {pw} or -p env:NAME",
        )
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise Misuse("standard input is not UTF-8 text", hint="pipe the password into it, and nothing else") from None
    for end in ("\r\n", "\n", "\r"):
        if text.endswith(end):
            return text.removesuffix(end)
    return text
