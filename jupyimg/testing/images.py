"""Checks of images: here, under these names, for these platforms, in that registry, in that archive, or gone."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jupyimg.commands.session import connected
from jupyimg.errors import (
    ContentError,
    Denied,
    ImageNotFound,
    Misuse,
    NotFound,
    PlatformNotFound,
    RemoteNotFound,
    Unreachable,
)
from jupyimg.model.reference import Reference
from jupyimg.testing.sentences import not_yet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jupyimg.engines import Engine
    from jupyimg.model.records import ImageDetail


def assert_image(name: str, *, platform: str | None = None, engine: Engine | None = None, hint: str = "") -> None:
    """An image is here.

    Args:
        name: a name, an ID or the beginning of one.
        platform: for which platform it must be here; None is any.
        engine: where; None is what `jupyimg.connect` opens.
        hint: what to try, instead of the sentence's own advice.

    Raises:
        NotYet: it is not.
    """
    with _opened(engine) as here:
        _found(here, name, platform, hint)


def assert_tagged(source: str, target: str, *, engine: Engine | None = None, hint: str = "") -> None:
    """Two names mean the same image; ``engine`` and ``hint`` as for `assert_image`.

    Raises:
        NotYet: one of them is not here, or they mean two images.
    """
    with _opened(engine) as here:
        one = _found(here, source, None, hint)
        try:
            other = here.inspect(target)
        except ImageNotFound:
            raise not_yet("no image", hint or f"%image tag {source} {target}", name=target) from None
        if one.image_id != other.image_id:
            raise not_yet("other image", hint, source=source, target=target)


def assert_platforms(name: str, platforms: Iterable[str], *, engine: Engine | None = None, hint: str = "") -> None:
    """An image is here for exactly these platforms; ``engine`` and ``hint`` as for `assert_image`.

    Raises:
        NotYet: it is not.
    """
    with _opened(engine) as here:
        held, wanted = set(_found(here, name, None, hint).held), set(platforms)
        if held != wanted:
            key = "missing platforms" if held < wanted else "platforms"
            missing = _listed(wanted - held)
            raise not_yet(key, hint, name=name, held=_listed(held), wanted=_listed(wanted), missing=missing)


def assert_pushed(name: str, *, like: str = "", engine: Engine | None = None, hint: str = "") -> None:
    """A registry has an image under a name, and it is the right one.

    Args:
        name: with the registry's host.
        like: a name here that means the same image; by default ``name`` itself, where it is here.
        engine: as for `assert_image`.
        hint: as for `assert_image`.

    Raises:
        NotYet: the registry does not have it, has another image there, lets nobody in, or does not answer.
    """
    with _opened(engine) as here:
        try:
            there = here.remote.inspect(name)
        except RemoteNotFound:
            raise not_yet("not pushed", hint, name=name) from None
        except Denied:
            raise not_yet("denied", hint, name=name, host=Reference.parse(name).host) from None
        except Unreachable as error:
            raise not_yet("no registry", hint, name=name, why=error.message) from None
        try:
            ours = here.inspect(like or name)
        except ImageNotFound:
            if like:
                raise not_yet("no image", hint, name=like) from None
            return
        if ours.image_id != there.image_id:
            raise not_yet("pushed another", hint, name=name, source=like or name)


def assert_saved(path: str | Path, *names: str, hint: str = "") -> None:
    """An archive can be loaded and holds these names; it is tried on a store that is thrown away.

    Args:
        path: the archive.
        names: those that it must hold, perhaps among others.
        hint: as for `assert_image`.

    Raises:
        NotYet: there is no such archive, it cannot be loaded, or it lacks a name.
    """
    file = Path(path)
    if not file.exists():
        raise not_yet("no archive", hint, path=path)
    with tempfile.TemporaryDirectory(prefix="jupyimg-check-") as home, _opened(_embedded(home)) as scratch:
        try:
            held = {record.reference for record in scratch.load(file)}
        except (ContentError, Misuse, NotFound) as error:
            raise not_yet("bad archive", hint, path=path, why=error.message) from None
    for name in names:
        if Reference.parse(name).familiar not in held:
            raise not_yet("not saved", hint, path=path, held=_listed(held), name=name)


def assert_removed(*names: str, engine: Engine | None = None, hint: str = "") -> None:
    """Nothing is here under these names or IDs; ``engine`` and ``hint`` as for `assert_image`.

    Raises:
        NotYet: one of them is still here.
    """
    with _opened(engine) as here:
        for name in names:
            try:
                here.inspect(name)
            except ImageNotFound:
                continue
            raise not_yet("still here", hint, name=name)


def assert_pinned(name: str, *, engine: Engine | None = None, hint: str = "") -> None:
    """An image is here and counts as in use; ``engine`` and ``hint`` as for `assert_image`.

    Raises:
        NotYet: it is not.
    """
    with _opened(engine) as here:
        found = _found(here, name, None, hint)
        if not any(record.pinned for record in here.images(everything=True) if record.image_id == found.image_id):
            raise not_yet("not pinned", hint, name=name)


def _embedded(home: str) -> Engine:
    return connected(home=home, engine="embedded")


@contextmanager
def _opened(engine: Engine | None) -> Iterator[Engine]:
    """The engine that is given, or one that is closed again."""
    if engine is not None:
        yield engine
        return
    opened = connected()
    try:
        yield opened
    finally:
        opened.close()


def _found(engine: Engine, name: str, platform: str | None, hint: str) -> ImageDetail:
    try:
        return engine.inspect(name, platform=platform)
    except (ImageNotFound, PlatformNotFound):
        if platform is not None:
            _found(engine, name, None, hint)  # which says so where it is not here at all
            raise not_yet("no platform", hint, name=name, platform=platform) from None
        raise not_yet("no image", hint, name=name) from None


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "-"
