"""Forms: what a form asks about and what it does, handed in as functions, since views know no engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from jupyimg.model.content import Step
    from jupyimg.model.records import ImageRecord, RemovalRecord

    Planning = Callable[[Sequence[ImageRecord]], Sequence[RemovalRecord]]
    Removing = Callable[[Sequence[ImageRecord]], Generator[Step, None, Sequence[RemovalRecord]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAsk:
    """A login to be typed in.

    Attributes:
        server: the registry.
        login: given the user name and the password, proves and keeps them and says what is to be said; raises an
            ImageError with nothing of the password in it.
        username: what the form begins with.
        without: the line that does it where nobody can type.
    """

    server: str
    login: Callable[[str, str], Sequence[str]] = field(repr=False)
    username: str = ""
    without: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneAsk:
    """Images to be chosen from for removal.

    Attributes:
        images: what could go.
        plan: what would be removed, and the bytes that this frees, if these images went.
        act: removes these images, as far as they still may go, with steps on the way, and tells what went.
        without: the line that removes all of them where nobody can tick.
        more: the line that offers more of them, or "".
    """

    images: Sequence[ImageRecord]
    plan: Planning
    act: Removing
    without: str = ""
    more: str = ""
