"""Port: what an explorer asks of whoever opened it. Views know no engine, so the command hands one of these in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from jupyimg.model.content import Step
    from jupyimg.model.digest import Digest
    from jupyimg.model.records import HistoryRecord, ImageDetail

Answer_co = TypeVar("Answer_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One image as an explorer shows it.

    Attributes:
        detail: all that it says of itself.
        history: how it was built, newest first.
        holders: references of the images here that hold its layers, by layer; None where that cannot be told.
        here: whether its name is here, so that it can be tagged, pushed, removed and saved.
    """

    detail: ImageDetail
    history: Sequence[HistoryRecord]
    holders: Mapping[Digest, Sequence[str]] | None = field(default_factory=dict)
    here: bool = True


class Port(Protocol[Answer_co]):
    """What answers an explorer; its methods run in threads of the explorer's, never in two for the same thing.

    Attributes:
        place: what is explored: "" for the images here, HOST[:PORT] for a registry, or the name of a repository.
        remote: whether that is a registry.
    """

    place: str
    remote: bool

    def listing(self, name: str = "") -> Generator[Step, None, Answer_co]:
        """What there is: images, repositories or, for the name of a repository, its tags.

        Raises:
            ImageError: whatever the engine or the registry says.
        """
        ...

    def looking(self, name: str, platform: str) -> Generator[Step, None, Sight]:
        """One image, for a platform or, with "", for the default one.

        Raises:
            ImageError: whatever the engine or the registry says.
        """
        ...

    def doing(self, line: str) -> Generator[Step, None, Answer_co]:
        """Run a line that pulls, tags, pushes, removes or saves, as a cell would.

        Raises:
            Misuse: any other line.
            ImageError: whatever the subcommand raises.
        """
        ...
