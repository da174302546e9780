"""Aside: one long job on a thread of its own, whose news surface in the caller's.

The caller's thread is never inside a call that a stop cannot end: it only ever waits for news, a tick at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from jupyimg.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Put = Callable[[Any], None]

T = TypeVar("T")

TICK = 0.1
JOIN = 0.15
"""Seconds that the thread may take to notice a stop before it is left to die alone."""


@dataclass(frozen=True, slots=True)
class _End:
    result: Any = None
    failure: BaseException | None = None


class _Stopped(Exception):
    """The thread noticed that nobody waits for it any more."""


def aside(job: Callable[[Put], T], interrupt: Callable[[], object]) -> Generator[Any, None, T]:
    """Run a job and yield what it puts, None where a tick brought no news; its result is the generator's.

    Args:
        job: is given a function that hands one thing over, and waits where nobody takes it.
        interrupt: makes the job fail soon; called where the caller has had enough.

    Raises:
        Interrupted: the user pressed stop; besides that, whatever the job raises.
    """
    news: Queue[Any] = Queue(maxsize=256)
    stop = Event()

    def put(item: Any) -> None:
        while not stop.is_set():
            try:
                return news.put(item, timeout=TICK)
            except Full:
                continue
        raise _Stopped

    def work() -> None:
        try:
            end = _End(result=job(put))
        except _Stopped:
            return
        except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
            end = _End(failure=error)
        if not stop.is_set():
            put(end)

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        result: T = yield from _news(news)
        return result
    except KeyboardInterrupt:
        raise Interrupted from None
    finally:
        stop.set()
        if thread.is_alive():
            interrupt()
            thread.join(JOIN)


def _news(news: Queue[Any]) -> Generator[Any, None, Any]:
    while True:
        try:
            item = news.get(timeout=TICK)
        except Empty:
            yield None
            continue
        if not isinstance(item, _End):
            yield item
        elif item.failure is not None:
            raise item.failure
        else:
            return item.result
