"""Sending: images from one engine to another, as the stream of an archive that lies nowhere.

One end writes into a pipe while the other reads from it, so that a slow one holds back the other, and memory holds a
few chunks whatever an image weighs.
"""

from __future__ import annotations

import os
import threading
from contextlib import closing, suppress
from typing import IO, TYPE_CHECKING

from jupyimg.engines.asked import as_names
from jupyimg.model.content import Phase, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyimg.engines.asked import Names, Transfers
    from jupyimg.engines.base import Engine
    from jupyimg.model.platform import Platform
    from jupyimg.model.reference import Reference

_JOIN = 0.3
"""Seconds that the writing end may take to notice that it is over."""


def sending(source: Engine, target: Engine, names: Names, *, platform: Platform | str | None = None) -> Transfers:
    """Send images from one engine to another, with the steps of the receiving end.

    Raises:
        ImageNotFound: one of them is not in ``source``.
        ImageError: what either end ran into; that which failed first tells.
    """
    names = as_names(names)
    yield Step(Phase.NOTE, text=f"Sending {', '.join(map(str, names))} from {source.name} to {target.name}")
    read, write = os.pipe()
    sender = _Sender(source, names, platform, os.fdopen(write, "wb"))
    with closing(os.fdopen(read, "rb")) as end:
        try:
            sender.start()
            records = yield from target.loading(end)
        except Exception:
            sender.over(end)
            if sender.failure is not None:
                raise sender.failure from None
            raise
        finally:
            sender.over(end)
    if sender.failure is not None:
        raise sender.failure
    return records


class _Sender:
    """The writing end, on a thread of its own.

    Attributes:
        failure: what it ran into by itself, not because nobody read any more.
    """

    def __init__(
        self, source: Engine, names: Sequence[Reference | str], platform: Platform | str | None, out: IO[bytes]
    ) -> None:
        self._source = source
        self._names = names
        self._platform = platform
        self._out = out
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._save, daemon=True)
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def over(self, end: IO[bytes]) -> None:
        """Nobody reads any more."""
        if self._thread.is_alive():
            self._thread.join(_JOIN)  # what ended the reading end may be what the writing end is just telling
        self._over.set()
        end.close()
        self._thread.join(_JOIN)

    def _save(self) -> None:
        try:
            with closing(self._source.saving(self._names, self._out, platform=self._platform)) as steps:
                for _ in steps:
                    if self._over.is_set():
                        return
        except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
            if not self._over.is_set():
                self.failure = error
        finally:
            with suppress(OSError, ValueError):
                self._out.close()
