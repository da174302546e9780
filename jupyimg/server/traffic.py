"""Traffic: who pulls and pushes what here, told from requests, none of which says that it belongs to a pull.

What one client does in one repository and one direction, with no long silence in between, is a visit. A push ends with
the tag that it gives, a pull when nothing was asked for a while or another tag is. Clients behind one address that use
one program are one. Threads of connections only write down figures; who looks on waits for news and asks for the state.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from jupyimg.model.running import TrafficRecord, VisitRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyimg.server.channel import Channel
    from jupyimg.server.message import Head

    Clock = Callable[[], float]

SILENCE = 3.0
"""Seconds without a request after which a visit is over."""
PATIENCE = 60.0
"""Seconds for which a pull goes on if a blob is asked for: a slow client takes its time before it asks for the next."""
KEPT = 50
"""Visits that are remembered one by one."""
_AGENT = 40
_PATH = re.compile(r"/v2/(.{1,255})/(manifests|blobs)/(uploads/?.*|[^/]+)")


@dataclass(slots=True, eq=False)
class _Visit:
    """See `VisitRecord`."""

    number: int
    who: str
    agent: str
    repository: str
    action: str
    began: float
    last: float
    tag: str = ""
    requests: int = 0
    bytes: int = 0
    named: bool = False
    ended: bool = False
    open: dict[Channel, int] = field(default_factory=dict)
    """Connections that are answered, and what they had moved before."""


@dataclass(slots=True)
class Seen:
    """One request while it is answered; whoever answers it writes down the ``status``."""

    status: int = 0


class Traffic:
    """What one server was asked. Safe to use from several threads."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._news = threading.Condition()
        self._version = 0
        self._visits: deque[_Visit] = deque(maxlen=KEPT)
        self._tags: dict[tuple[str, str, str], str] = {}
        self._requests = self._sent = self._received = 0
        self._begun = self._pulls = self._pushes = 0
        self._closed = False

    @contextmanager
    def request(self, head: Head, channel: Channel) -> Iterator[Seen]:
        """Watch a request until it is answered."""
        went, came, seen = channel.went, channel.came, Seen()
        action, repository, tag = told_by(head.method, head.path)
        visit = self._begin(channel, head, action, repository, tag) if repository else None
        try:
            yield seen
        finally:
            with self._news:
                self._requests += 1
                self._sent += channel.went - went
                self._received += channel.came - came
                if visit is not None:
                    self._end(visit, channel, seen.status, gives_tag=head.method == "PUT" and bool(tag))
                self._tell()

    def look(self) -> TrafficRecord:
        """Where things stand."""
        with self._news:
            now = self._clock()
            for visit in self._visits:
                if not visit.open and now - visit.last >= SILENCE:
                    visit.ended = True
            visits = tuple(self._record(visit, now) for visit in self._visits if visit.requests or visit.open)
            sending, taking = (
                sum(_moved(visit) for visit in self._visits if visit.action == action) for action in ("pull", "push")
            )
            return TrafficRecord(
                running=not self._closed,
                version=self._version,
                requests=self._requests,
                sent=self._sent + sending,
                received=self._received + taking,
                pulls=self._pulls,
                pushes=self._pushes,
                visits=visits[::-1],
            )

    def wait(self, version: int, timeout: float | None = None) -> None:
        """Return when there is more to know than in that version, when it is over, or after so many seconds."""
        with self._news:
            self._news.wait_for(lambda: self._version != version or self._closed, timeout)

    def close(self) -> None:
        """Nothing more will be asked."""
        with self._news:
            self._closed = True
            for visit in self._visits:
                visit.ended = True
            self._tell()

    def _begin(self, channel: Channel, head: Head, action: str, repository: str, tag: str) -> _Visit | None:
        """The visit that a request belongs to; None for one that only asks whether something is there."""
        who, agent, now = channel.peer, agent_of(head.first("user-agent") or ""), self._clock()
        with self._news:
            key = (who, agent, repository)
            if not action:  # many ask for a tag's digest first, and then by digest
                if len(self._tags) >= KEPT:
                    self._tags.pop(next(iter(self._tags)))
                self._tags[key] = tag
                return None
            manifest = "/manifests/" in head.path
            if action == "pull" and manifest:
                tag = tag or self._tags.pop(key, "")
            visit = self._current(key, action, tag, now, PATIENCE if action == "pull" and not manifest else SILENCE)
            visit.tag, visit.ended = tag or visit.tag, False
            visit.open[channel] = channel.went + channel.came
            visit.last = now
            self._tell()
            return visit

    def _current(self, key: tuple[str, str, str], action: str, tag: str, now: float, silence: float) -> _Visit:
        for visit in reversed(self._visits):
            same = (visit.who, visit.agent, visit.repository, visit.action) == (*key, action)
            goes_on = visit.open or (now - visit.last < silence and not visit.named)
            if same and goes_on and (not tag or visit.tag in {"", tag}):
                return visit
        self._begun += 1
        visit = _Visit(self._begun, *key, action=action, began=now, last=now)
        self._visits.append(visit)
        return visit

    def _end(self, visit: _Visit, channel: Channel, status: int, *, gives_tag: bool) -> None:
        moved = channel.went + channel.came - visit.open.pop(channel, 0)
        if not 0 < status < HTTPStatus.BAD_REQUEST:
            if not visit.requests and not visit.open and visit in self._visits:
                self._visits.remove(visit)  # who asked was refused
            return
        if not visit.requests:
            self._pulls += visit.action == "pull"
            self._pushes += visit.action == "push"
        visit.requests += 1
        visit.bytes += moved
        visit.last = self._clock()
        visit.named = visit.named or gives_tag
        visit.ended = visit.named and not visit.open

    def _tell(self) -> None:
        self._version += 1
        self._news.notify_all()

    @staticmethod
    def _record(visit: _Visit, now: float) -> VisitRecord:
        return VisitRecord(
            number=visit.number,
            who=visit.who,
            agent=visit.agent,
            action=visit.action,
            name=f"{visit.repository}:{visit.tag}" if visit.tag else visit.repository,
            requests=visit.requests,
            bytes=visit.bytes + _moved(visit),
            seconds=(now if visit.open else visit.last) - visit.began,
            ended=visit.ended,
        )


def told_by(method: str, path: str) -> tuple[str, str, str]:
    """What a request is a part of: "pull", "push" or "" for a mere look, the repository or "", and the tag or ""."""
    match = _PATH.fullmatch(path)
    if match is None:
        return "", "", ""
    repository, kind, word = match.groups()
    tag = word if kind == "manifests" and ":" not in word else ""
    if kind == "blobs" and word.startswith("uploads"):
        return ("push", repository, "") if method in {"POST", "PATCH", "PUT"} else ("", "", "")
    if method == "GET":
        return "pull", repository, tag
    if method == "PUT" and kind == "manifests":
        return "push", repository, tag
    return ("", repository, tag) if method == "HEAD" and tag else ("", "", "")


def agent_of(text: str) -> str:
    """The program that a client says it is, such as ``docker/27.5.1``."""
    return text.partition(" ")[0][:_AGENT]


def _moved(visit: _Visit) -> int:
    """Bytes of what is answered right now."""
    return sum(channel.went + channel.came - before for channel, before in list(visit.open.items()))
