"""Container images as data, in a notebook, with no Docker needed.

In a notebook: ``%load_ext jupyimg``, then ``%image help``. In Python: ``engine = jupyimg.connect()``, then
``engine.pull("nginx")``; methods return records, and ``jupyimg.frame(records)`` makes a DataFrame of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyimg import errors
from jupyimg.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from IPython.core.interactiveshell import InteractiveShell
    from pandas import DataFrame

    from jupyimg.engines import Engine
    from jupyimg.model.records import Record

__all__ = ["ImageError", "connect", "errors", "frame", "load_ipython_extension", "unload_ipython_extension"]
__version__ = "0.1.0"


def connect(*, home: str | None = None, engine: str | None = None, host: str | None = None) -> Engine:
    """Open an engine, as the environment says unless told otherwise.

    Args:
        home: folder of the store; $JUPYIMG_HOME or the user's data folder by default.
        engine: "embedded", "docker" or "podman"; $JUPYIMG_ENGINE or "embedded" by default.
        host: where the daemon of "docker" or "podman" is (``unix://``, ``tcp://``, ``ssh://``); as the environment, the
            current context or the usual sockets say by default. It is asked when the engine is first used.

    Raises:
        Misuse: there is no such engine.
    """
    from jupyimg.commands.session import connected

    return connected(home=home, engine=engine, host=host)


def frame(records: Sequence[Record], kind: str = "") -> DataFrame:
    """Records of one kind as a DataFrame, with the columns that the magics return.

    Args:
        records: what an engine returned.
        kind: the subcommand that they answer ("images", "history", "pull", "rmi" ...); only needed where there are
            no records to tell it.

    Raises:
        Misuse: records of several kinds.
    """
    from jupyimg.views.frames import of_records

    return of_records(records, kind)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What ``%load_ext jupyimg`` calls."""
    from jupyimg import magic

    magic.load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """What ``%unload_ext jupyimg`` calls."""
    from jupyimg import magic

    magic.unload(shell)
