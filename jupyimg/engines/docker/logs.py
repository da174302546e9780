"""A container's log, asked of its daemon and given in batches of lines.

A log that is there is read in the caller's thread. One that is followed is read by a thread of its own, so that the
caller can show what it has while nothing comes, and stop at any time: that shuts the socket down, which wakes the
thread.
"""

from __future__ import annotations

import queue
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from docker.errors import create_api_error_from_http_exception
from requests import HTTPError

from jupyimg.engines.docker.connection import speaking
from jupyimg.engines.docker.demultiplex import Frames, Raw
from jupyimg.errors import Misuse

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from datetime import datetime

    from requests import Response

    from jupyimg.engines.docker.connection import Client
    from jupyimg.model.records import LogRecord

CHUNK = 1 << 17
"""Bytes taken at a time, at most."""
AHEAD = 64
"""Chunks that a log may be ahead of who looks at it; then the daemon waits."""
PAUSE = 1 / 8
"""Seconds after which a follower hears that nothing came."""
_MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
_RAW = "application/vnd.docker.raw-stream"
_TOLD_APART = (1, 42)
"""The API from which on the media type of a terminal's log is its own."""


def batches(
    client: Client,
    name: str,
    *,
    tail: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    details: bool = False,
    follow: bool = False,
) -> Generator[list[LogRecord]]:
    """See `RunsContainers.log_batches`."""
    asked: dict[str, str | int | None] = {
        "stdout": 1,
        "stderr": 1,
        "timestamps": 1,
        "tail": "all" if tail is None else str(tail),
        "since": _seconds(since),
        "until": _seconds(until),
        "details": int(details),
        "follow": int(follow),
    }
    with speaking(client), closing(_answer(client, name, asked)) as answer:
        lines = Raw() if _has_terminal(client, name, answer) else Frames()
        with closing(_live(answer) if follow else _chunks(answer.raw.read)) as chunks:
            for chunk in chunks:
                yield list(lines.feed(chunk))
        yield list(lines.end())


def _answer(client: Client, name: str, asked: dict[str, str | int | None]) -> Response:
    """The head of the answer; its body is still to come, and may be silent for as long as it likes."""
    if not name:
        raise Misuse("a container has a name", hint="%image ps -a lists them all")
    url = f"{client.base_url}/v{client.server.api}/containers/{quote(name, safe='')}/logs"
    answer = client.get(url, params=asked, stream=True, timeout=client.patient)
    try:
        answer.raise_for_status()
    except HTTPError as error:
        with answer:
            create_api_error_from_http_exception(error)
    return answer


def _has_terminal(client: Client, name: str, answer: Response) -> bool:
    """Whether the log is one stream without frames: as the media type says, where it says, else as the container is."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    major, _, minor = client.server.api.partition(".")
    if kind == _MULTIPLEXED:
        return False
    if kind == _RAW and (int(major), int(minor)) >= _TOLD_APART:
        return True
    config = client.inspect_container(name).get("Config")
    return bool(isinstance(config, dict) and config.get("Tty"))


def _chunks(read: Callable[[int], bytes]) -> Generator[bytes]:
    """All that there is; a frame is a chunk of HTTP, and many of them are read as one."""
    while chunk := read(CHUNK):
        yield chunk


def _live(answer: Response) -> Generator[bytes]:
    """Chunks as they come, and b"" after each `PAUSE` in which nothing came."""
    arrived: queue.Queue[bytes | Exception | None] = queue.Queue(AHEAD)
    stopped = threading.Event()

    def read() -> None:
        end: Exception | None = None
        try:
            for chunk in _chunks(answer.raw.read1):
                arrived.put(chunk)
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
        with suppress(OSError, ValueError, RuntimeError):  # it may have ended by itself
            answer.raw.shutdown()
        with suppress(queue.Empty):  # a reader that waits for room
            while True:
                arrived.get_nowait()
        reader.join(PAUSE)


def _arriving(arrived: queue.Queue[bytes | Exception | None]) -> Iterator[bytes]:
    while True:
        waiting = []
        with suppress(queue.Empty):
            waiting.append(arrived.get(timeout=PAUSE))
            while waiting[-1] and isinstance(waiting[-1], bytes):
                waiting.append(arrived.get_nowait())
        yield b"".join(chunk for chunk in waiting if isinstance(chunk, bytes))
        if waiting and not isinstance(waiting[-1], bytes):
            if waiting[-1] is not None:
                raise waiting[-1]
            return


def _seconds(moment: datetime | None) -> str | None:
    """A time as the API takes it: seconds since 1970, with a fraction."""
    return None if moment is None else f"{moment.timestamp():.6f}"
