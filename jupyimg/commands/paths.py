"""Paths as users write them, and what is wrong with those that are none."""

from __future__ import annotations

from pathlib import Path

from jupyimg.errors import Misuse


def written(text: str) -> Path:
    """A path in which ``~`` and ``~USER`` stand for a home folder.

    Raises:
        Misuse: there is no such user, or no home folder.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise Misuse(f"{text}: nobody knows that home folder", hint="write the path in full, or as ./~…") from None


def is_file(text: str) -> bool:
    """Whether a file is there; what cannot be the name of one is none, and is not repeated by an error."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False
