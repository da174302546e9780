"""Completion of a line: subcommands, flags, local names and IDs, by click's own completion of the declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import ShellComplete

from jupyimg.commands.run import commands, without_groups
from jupyimg.commands.verbs import VERBS
from jupyimg.errors import ImageError

if TYPE_CHECKING:
    from jupyimg.commands.session import Session

MOST = 200
"""Candidates handed to a front end; more than that nobody reads."""


def candidates(session: Session, text: str) -> tuple[str, list[str]]:
    """What may stand where ``text`` ends.

    Args:
        session: whose images are offered.
        text: the line after ``%image``, up to the cursor.

    Returns:
        The word that is being typed, whole (it may hold ``:`` and ``/``), and the words that it may become.
    """
    words = text.split()
    typed = "" if not words or text[-1:].isspace() else words.pop()
    if any(char in typed for char in "'\"{}$"):
        return typed, []
    done = without_groups([*words, typed])[:-1]
    asked = done[:1] == ["help"]
    if asked or not done:
        names = [*commands(), *VERBS.aliases, *([] if asked else ["help"])]
        return typed, sorted({name for name in names if name.startswith(typed)}, key=names.index)
    try:
        found = ShellComplete(VERBS, {"obj": session}, "image", "_IMAGE_COMPLETE").get_completions(done, typed)
    except ImageError:
        return typed, []
    values = [item.value for item in found if item.type == "plain"]
    if "--help".startswith(typed) and typed.startswith("-"):
        values.append("--help")
    return typed, values[:MOST]
