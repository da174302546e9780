"""What callers may give, as the values that it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jupyimg.errors import BadReference, Misuse
from jupyimg.model.content import Phase, Step
from jupyimg.model.platform import Platform
from jupyimg.model.reference import DEFAULT_TAG, Reference

if TYPE_CHECKING:
    from collections.abc import Generator

    from jupyimg.model.records import RemovalRecord, TransferRecord

    Transfers = Generator[Step, None, list[TransferRecord]]
    Removals = Generator[Step, None, list[RemovalRecord]]

Names = Reference | str | Sequence[Reference | str]
"""One name or several; a text is one."""
ALL_PLATFORMS = "all"
"""The word that asks for every platform of an index where one platform is the default."""


def as_reference(reference: Reference | str, *, default_tag: str = "latest") -> Reference:
    """What a caller may give as a name, as a value."""
    return reference if isinstance(reference, Reference) else Reference.parse(reference, default_tag=default_tag)


def as_names(names: Names) -> list[Reference | str]:
    """What a caller may give as names, as a list: a text alone is a name and not its letters."""
    return [names] if isinstance(names, Reference | str) else list(names)


def as_new_name(target: Reference | str) -> Reference:
    """What a caller may give as a further name for an image, as a value.

    Raises:
        BadReference: it is no name, holds a digest, or could be mistaken for one.
    """
    goal = as_reference(target)
    if goal.digest is not None:
        raise BadReference(f"cannot tag as {goal.familiar}: a digest is not a name to give", hint="give a tag instead")
    if goal.path in {"library/sha256", "sha256"}:
        raise BadReference(f"cannot tag as {goal.familiar}: it could be mistaken for a digest")
    return goal


def as_platform(platform: Platform | str | None) -> Platform | None:
    """What a caller may give as a platform, as a value; "all" is not one and is for the caller to tell apart."""
    return Platform.parse(platform) if isinstance(platform, str) else platform


def complete(name: Reference | str, *, all_tags: bool) -> Generator[Step, None, Reference]:
    """The reference, with Docker's default tag where none is given and one is needed."""
    reference = as_reference(name, default_tag="")
    if all_tags:
        if reference.tag or reference.digest:
            raise Misuse("a tag cannot be used with --all-tags", hint=f"write {reference.familiar_name} alone")
        return reference
    if reference.tag or reference.digest:
        return reference
    yield Step(Phase.NOTE, text=f"Using default tag: {DEFAULT_TAG}")
    return reference.with_tag(DEFAULT_TAG)
