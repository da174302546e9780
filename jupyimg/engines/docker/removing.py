"""Removing: `rmi`, decided by the daemon; here its answer becomes rows, and its conflicts say what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyimg.engines.docker import answers, images
from jupyimg.engines.docker.api import image_path
from jupyimg.errors import Conflict
from jupyimg.model.records import RemovalRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyimg.engines.docker.answers import Document
    from jupyimg.engines.docker.api import Api
    from jupyimg.model.digest import Digest
    from jupyimg.model.records import ImageRecord
    from jupyimg.model.reference import Reference


def remove(api: Api, name: Reference | str, *, force: bool) -> list[RemovalRecord]:
    """Remove one name or image, and tell what went.

    Raises:
        ImageNotFound: there is no such image.
        Conflict: a container uses it, or several names hold it.
    """
    here = answers.records(images.listed(api))
    text = images.asked(name)
    if api.dialect.digest_takes_tags and "@" in text:
        _spare_tags(here, name)
    try:
        with images.naming(name):
            answer = api.delete(image_path(text), {"force": force})
    except Conflict as error:
        error.hint = error.hint.replace("-f ", f"%image rmi -f {images.shown(name)} ", 1)
        raise
    return rows(answers.documents(answer), here)


def rows(answer: Iterable[Document], before: Iterable[ImageRecord]) -> list[RemovalRecord]:
    """A daemon's answer as rows: names first, then what was deleted.

    Args:
        answer: objects with ``Untagged`` or ``Deleted``.
        before: what was here, which tells what a name pointed at.
    """
    pointed = {one.reference: one.digest or one.image_id for one in before}
    untagged, deleted = [], []
    for item in answer:
        if item.get("Untagged"):
            untagged.append(_untagged(str(item["Untagged"]), pointed))
        if item.get("Deleted"):
            digest = answers.digest_of(item["Deleted"])
            deleted.append(RemovalRecord(action="deleted", reference=None, digest=digest, freed=None))
    return [*untagged, *deleted]


def _untagged(text: str, pointed: dict[str, Digest | None]) -> RemovalRecord:
    reference = answers.reference_of(text)
    shown = reference.familiar if reference else text
    digest = reference.digest if reference and reference.digest else pointed.get(shown)
    return RemovalRecord(action="untagged", reference=shown, digest=digest)


def _spare_tags(here: list[ImageRecord], name: Reference | str) -> None:
    """What is only held by tags is not to be removed by a digest.

    Raises:
        Conflict: it would take tags away.
    """
    tags = sorted({one.reference for one in images.by_name(here, name) if one.tag})
    if tags:
        raise Conflict(f"{images.shown(name)} is only held as {', '.join(tags)}", hint="remove these by their names")
