"""Who does what a user asks for: engines behind one protocol, and what needs no engine at all (`Remote`).

Import an engine only through `open_engine`: it is the seam that keeps a registry client out of a process which only
lists what is here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from jupyimg.engines.base import ALL_PLATFORMS, Engine, ImageFilter
from jupyimg.errors import Misuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyimg.model.settings import Settings

__all__ = ["ALL_PLATFORMS", "ENGINES", "Engine", "ImageFilter", "open_engine"]

ENGINES = {"embedded": "jupyimg.engines.embedded:Embedded"}
"""Engines by the name that chooses them."""


def open_engine(settings: Settings) -> Engine:
    """The engine that the settings name.

    Raises:
        Misuse: there is none of that name.
    """
    if settings.engine not in ENGINES:
        raise Misuse(f"there is no engine {settings.engine!r}", hint=f"choose one of: {', '.join(ENGINES)}")
    module, _, name = ENGINES[settings.engine].partition(":")
    make: Callable[[Settings], Engine] = getattr(import_module(module), name)
    return make(settings)
