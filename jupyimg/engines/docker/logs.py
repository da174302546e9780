"""A container's log, asked of its daemon and given in batches of lines.

A log that is there is read in the caller's thread. One that is followed is read by a thread of its own, so that the
caller can show what it has while nothing comes, and stop at any time: that shuts the socket down, which wakes the
thread, also one that still waits for the head of the answer (Podman sends it with the first line).

Whether a log has frames is read off the container. The media type would say so too, but only from API 1.42 on: earlier
every log is called raw, or nothing at all.
"""

from __future__ import annotations

import queue
import re
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Unpack

from jupyimg.engines.docker.connection import speaking
from jupyimg.engines.docker.demultiplex import Frames, Raw
from jupyimg.errors import ContainerNotFound

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from datetime import datetime

    from jupyimg.engines.containers import Wanted
    from jupyimg.engines.docker.api import Api, Call
    from jupyimg.model.running import LogRecord

    Arrived = queue.Queue[bytes | Exception | None]

ENOUGH = 1 << 16
"""Bytes that are worth taking apart at a time; a daemon sends each line by itself."""
AHEAD = 1 << 10
"""Pieces that a log may be ahead of who looks at it; then the daemon waits. Each is a line, or 16 KiB of one."""
PAUSE = 1 / 8
"""Seconds after which a follower hears that nothing came."""
_NAME = re.compile(r"/?[a-zA-Z0-9][a-zA-Z0-9_.-]*")


def batches(api: Api, name: str, **wanted: Unpack[Wanted]) -> Generator[list[LogRecord]]:
    """See `RunsContainers.log_batches`."""
    identity, terminal = _look(api, name)
    cuts_at = api.dialect.cuts_at
    lines = Raw(cuts_at) if terminal else Frames(cuts_at)
    tail, follow = wanted.get("tail"), wanted.get("follow", False)
    asked = {
        "stdout": True,
        "stderr": True,
        "timestamps": True,
        "tail": "all" if tail is None else tail,
        "since": _seconds(wanted.get("since")),
        "until": _seconds(wanted.get("until")),
        "details": wanted.get("details", False),
        "follow": follow,
    }
    with closing(api.open()) as call:
        pieces = call.send("GET", f"/containers/{identity}/logs", asked)
        with closing(_live(call, pieces) if follow else _gathered(pieces)) as arriving:
            for chunk in arriving:
                yield list(lines.feed(chunk))
        yield list(lines.end())


def _look(api: Api, name: str) -> tuple[str, bool]:
    """A container's ID, and whether it has a terminal.

    Raises:
        ContainerNotFound: there is none, or there cannot be any of such a name.
    """
    if not _NAME.fullmatch(name):
        raise ContainerNotFound(f"no such container: {name!r}")
    client = api.client
    with speaking(client):
        found = client.inspect_container(name.removeprefix("/"))
    config = found.get("Config")
    return str(found.get("Id")), bool(isinstance(config, dict) and config.get("Tty"))


def _gathered(pieces: Iterable[bytes]) -> Generator[bytes]:
    """The same bytes in fewer pieces."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= ENOUGH:
            yield b"".join(held)
            held.clear()
            size = 0
    yield b"".join(held)


def _live(call: Call, pieces: Iterator[bytes]) -> Generator[bytes]:
    """What has come, as it comes, and b"" after each `PAUSE` in which nothing came."""
    arrived: Arrived = queue.Queue(AHEAD)
    stopped = threading.Event()

    def read() -> None:
        end: Exception | None = None
        try:
            for piece in pieces:
                arrived.put(piece)
                if stopped.is_set():
                    return
        except Exception as error:  # noqa: BLE001 - it is raised where it can be answered
            end = error
        arrived.put(end)

    reader = threading.Thread(target=read, name="jupyimg-logs", daemon=True)
    reader.start()
    try:
        yield from _arriving(arrived)
    finally:
        stopped.set()
        while reader.is_alive():
            call.interrupt()
            with suppress(queue.Empty):  # a reader that waits for room
                while True:
                    arrived.get_nowait()
            reader.join(0.01)


def _arriving(arrived: Arrived) -> Iterator[bytes]:
    while True:
        waiting: list[bytes] = []
        with suppress(queue.Empty):
            found = arrived.get(timeout=PAUSE)
            while isinstance(found, bytes):
                waiting.append(found)
                found = arrived.get_nowait()
            yield b"".join(waiting)
            if found is not None:
                raise found
            return
        yield b"".join(waiting)


def _seconds(moment: datetime | None) -> str | None:
    """A time as the API takes it: seconds since 1970, with a fraction."""
    return None if moment is None else f"{moment.timestamp():.6f}"
