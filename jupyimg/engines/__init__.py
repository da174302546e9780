"""Who does what a user asks for: engines behind one protocol, and what needs no engine at all (`Remote`).

Open them only through the functions here: together they are the seam that keeps a registry's client and server, and
what asks a trust policy, out of a process that only looks at what is here: importing them takes longer than listing a
thousand images.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jupyimg.engines.asked import ALL_PLATFORMS
from jupyimg.engines.base import Engine, ImageFilter, PruneFilter
from jupyimg.errors import Misuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyimg.engines.mirrors import Mirrors
    from jupyimg.engines.remote import Remote
    from jupyimg.engines.serving import Serving
    from jupyimg.model.records import FactRecord
    from jupyimg.model.settings import Settings
    from jupyimg.trust import Admission, Evidence

__all__ = [
    "ALL_PLATFORMS",
    "ENGINES",
    "Engine",
    "ImageFilter",
    "PruneFilter",
    "open_about",
    "open_admission",
    "open_engine",
    "open_mirrors",
    "open_remote",
    "open_serving",
]

ENGINES = {
    "embedded": "jupyimg.engines.embedded:Embedded",
    "docker": "jupyimg.engines.docker.engine:Docker",
    "podman": "jupyimg.engines.docker.engine:Docker",
}
"""Engines by the name that chooses them."""


def open_engine(settings: Settings) -> Engine:
    """The engine that the settings name.

    Raises:
        Misuse: there is none of that name.
    """
    if settings.engine not in ENGINES:
        raise Misuse(f"there is no engine {settings.engine!r}", hint=f"choose one of: {', '.join(ENGINES)}")
    make: Callable[[Settings], Engine] = _named(ENGINES[settings.engine])
    return make(settings)


def open_remote(settings: Settings) -> Remote:
    """What registries can do for every engine."""
    make: Callable[[Settings], Remote] = _named("jupyimg.engines.remote:Remote")
    return make(settings)


def open_serving(settings: Settings) -> Serving:
    """What makes a registry out of this machine, for every engine."""
    make: Callable[[Settings], Serving] = _named("jupyimg.engines.serving:Serving")
    return make(settings)


def open_about() -> Callable[..., list[FactRecord]]:
    """What there is to know of a session; see `about.about`."""
    about: Callable[..., list[FactRecord]] = _named("jupyimg.engines.about:about")
    return about


def open_mirrors(settings: Settings) -> Mirrors:
    """What sets and tries mirrors, for every engine."""
    make: Callable[[Settings], Mirrors] = _named("jupyimg.engines.mirrors:Mirrors")
    return make(settings)


def open_admission(settings: Settings, place: Evidence, *, trust: bool | None) -> Admission | None:
    """Who is to be asked whether an image from this place may be let in; see `jupyimg.trust.admission`.

    Raises:
        BadPolicy: the trust policy is not usable.
    """
    make: Callable[..., Admission | None] = _named("jupyimg.trust:admission")
    return make(settings, place, trust=trust)


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
