"""Images: what a daemon holds: list, details, names, and what a word of a user means there."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jupyimg.engines import listing
from jupyimg.engines.asked import as_platform, as_reference
from jupyimg.engines.docker import answers
from jupyimg.engines.docker.api import image_path
from jupyimg.errors import BadReference, ImageNotFound
from jupyimg.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from jupyimg.engines.base import ImageFilter
    from jupyimg.engines.docker.answers import Document
    from jupyimg.engines.docker.api import Api
    from jupyimg.model.platform import Platform
    from jupyimg.model.records import HistoryRecord, ImageDetail, ImageRecord

ID = re.compile(r"(?:sha256:)?([a-f0-9]{4,64})", re.ASCII)


def asked(name: Reference | str) -> str:
    """A user's word as it may stand in a path: a full name, or an ID as it was given (a name wins there, as here).

    Raises:
        ImageNotFound: it is neither, so there is no such image.
    """
    if isinstance(name, Reference):
        return str(name)
    if ID.fullmatch(name):
        return name
    try:
        return str(Reference.parse(name))
    except BadReference:
        raise ImageNotFound(f"no such image: {name}") from None


@contextmanager
def naming(name: Reference | str) -> Iterator[None]:
    """Every daemon has words of its own for an image that is not there; here they are one sentence."""
    try:
        yield
    except ImageNotFound:
        raise ImageNotFound(f"no such image: {shown(name)}") from None


def shown(name: Reference | str) -> str:
    """A name as people write it."""
    return name.familiar if isinstance(name, Reference) else name


def listed(api: Api, *, everything: bool = False) -> list[Document]:
    """All images in one request; with ``everything`` also the steps of classic builds."""
    return answers.documents(api.get("/images/json", {"all": everything, "manifests": True}))


def kept(records: list[ImageRecord], filters: ImageFilter) -> list[ImageRecord]:
    """What a list shows of these, newest first; without names too, as a daemon lists them and containers use them.

    Raises:
        ImageNotFound: a name in ``before`` or ``since`` is not here.
    """
    passes = listing.test(filters, _times(records, filters.before), _times(records, filters.since))
    return listing.newest_first([one for one in records if passes(one)])


def _times(records: Sequence[ImageRecord], words: Sequence[str]) -> list[datetime]:
    found = [find(records, word)[0] for word in words]
    return [one.created for one in found if one.created is not None]


def find(records: Sequence[ImageRecord], word: Reference | str) -> list[ImageRecord]:
    """The rows that a word means: those of a name, or those of an image with that ID.

    Raises:
        ImageNotFound: none.
    """
    found = by_name(records, word)
    if not found and isinstance(word, str) and (match := ID.fullmatch(word)):
        found = [one for one in records if any(digest.startswith(f"sha256:{match[1]}") for digest in _digests(one))]
    if not found:
        raise ImageNotFound(f"no such image: {shown(word)}")
    return found


def by_name(records: Sequence[ImageRecord], word: Reference | str) -> list[ImageRecord]:
    """The rows of a name, none for what is no name."""
    try:
        wanted = as_reference(word)
    except BadReference:
        return []
    if wanted.digest is None:
        return [one for one in records if (one.repository, one.tag) == (wanted.familiar_name, wanted.tag)]
    return [one for one in records if one.repository == wanted.familiar_name and wanted.digest in _digests(one)]


def _digests(one: ImageRecord) -> set[str]:
    return {digest for digest in (one.image_id, one.digest, one.manifest_digest) if digest}


def look(api: Api, name: Reference | str, platform: Platform | str | None) -> Document:
    """What ``GET /images/{name}/json`` says, for one platform if that is asked for.

    Raises:
        ImageNotFound: there is no such image, or not for that platform.
    """
    wanted = as_platform(platform)
    told = wanted is not None and api.knows("1.49")
    params = {"platform": platform_json(wanted)} if wanted and told else {"manifests": api.knows("1.48") or None}
    with naming(name):
        found = answers.document(api.get(image_path(asked(name), "/json"), params))
    if wanted and not told:
        _demand(found, wanted, name)
    if not api.dialect.inspect_says_digest:
        found |= next(({"Digest": one.get("Digest")} for one in listed(api) if one.get("Id") == found.get("Id")), {})
    return found


def detail(api: Api, name: Reference | str, platform: Platform | str | None) -> ImageDetail:
    """See `Engine.inspect`."""
    return answers.detail(look(api, name, platform), _familiar(shown(name)))


def history(api: Api, name: Reference | str, platform: Platform | str | None) -> list[HistoryRecord]:
    """See `Engine.history`."""
    image = look(api, name, platform)
    wanted = as_platform(platform)
    params = {"platform": platform_json(wanted)} if wanted and api.knows("1.48") else None
    with naming(name):
        steps = answers.documents(api.get(image_path(asked(name), "/history"), params))
    return answers.history(steps, image)


def platform_json(platform: Platform) -> str:
    """A platform as the API takes it."""
    found = {"os": platform.os, "architecture": platform.architecture, "variant": platform.variant}
    return json.dumps({key: value for key, value in found.items() if value})


def _demand(found: Document, wanted: Platform, name: Reference | str) -> None:
    """A daemon that cannot be asked for a platform holds one; it is that one or none.

    Raises:
        ImageNotFound: it is another.
    """
    there = answers.detail(found, str(name)).platform
    if there is None or wanted.distance(there) is None:
        raise ImageNotFound(
            f"{shown(name)} is not held for {wanted}; it is held for {there or 'an unknown platform'}",
            hint=f"%image pull --platform {wanted} {shown(name)} fetches it",
        )


def _familiar(name: str) -> str:
    if ID.fullmatch(name):
        return name
    try:
        return Reference.parse(name).familiar
    except BadReference:
        return name


def state(api: Api, name: Reference) -> ImageDetail | None:
    """The image that a name means now, or None."""
    try:
        return detail(api, name, None)
    except ImageNotFound:
        return None


def same(before: ImageDetail | None, after: ImageDetail) -> bool:
    """Whether a name means the same image as before."""
    return before is not None and _identity(before) == _identity(after)


def _identity(found: ImageDetail) -> Any:
    return found.document.get("Id"), sorted(map(str, answers.digests_of(found.document)))
