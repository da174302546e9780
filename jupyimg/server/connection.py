"""Connection: requests of one peer, one after the other, from its first byte to its last."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

from jupyimg.server.channel import BLOCK, Channel, Gone, NoHead
from jupyimg.server.dechunk import BadChunk, Dechunker
from jupyimg.server.message import Answer, Head, Part, read_head, told
from jupyimg.server.problems import Refused, malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyimg.server.message import Body
    from jupyimg.server.traffic import Traffic

    Respond = Callable[[Head, Body], Answer]

_log = logging.getLogger(__name__)

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_DRAIN = 1 << 20  # bytes of an unread body that are read away rather than the connection given up
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class SocketBody:
    """The body of one request, read once, while it arrives.

    Attributes:
        length: see `Body`.
        unread: bytes that are still to come; None where that is not known.
    """

    def __init__(self, channel: Channel, head: Head) -> None:
        self.length = head.length
        self.unread = head.length
        self._channel = channel
        self._awaited = (head.first("expect") or "").lower() == "100-continue"

    @property
    def awaited(self) -> bool:
        """Whether the peer holds the body back until it is told to go on, which it was not."""
        return self._awaited and self.unread != 0

    def chunks(self) -> Iterator[memoryview]:
        """Pieces of at most `BLOCK` bytes, each valid until the next.

        Raises:
            Gone: the peer broke off.
            Refused: the framing is broken.
        """
        if self.awaited:
            self._awaited = False
            self._channel.send(_CONTINUE)
        block = bytearray(BLOCK if self.unread is None else min(BLOCK, self.unread))
        yield from self._chunked(block) if self.unread is None else self._counted(block)

    @property
    def is_drained_soon(self) -> bool:
        """Whether it is worth while to read away what is left, to come to the next request."""
        return self.unread == 0 or (self.unread is not None and self.unread <= _DRAIN and not self.awaited)

    def drain(self) -> None:
        """Read away what is left; raises as `chunks`."""
        if self.unread:
            for _ in self.chunks():
                pass

    def _counted(self, block: bytearray) -> Iterator[memoryview]:
        view = memoryview(block)
        while self.unread:
            size = self._channel.take(view[: self.unread])
            self.unread -= size
            yield view[:size]

    def _chunked(self, block: bytearray) -> Iterator[memoryview]:
        view, dechunker = memoryview(block), Dechunker()
        while not dechunker.done:
            filled = self._channel.take(view)
            try:
                payload, used = dechunker.feed(block, filled)
            except BadChunk as error:
                raise malformed(str(error)) from None
            if dechunker.done:
                self.unread = 0
                self._channel.give_back(view[used:filled])
            if payload:
                yield view[:payload]


def serve(channel: Channel, respond: Respond, traffic: Traffic) -> None:
    """Answer requests until the peer has enough, misbehaves or is silent for too long."""
    with suppress(Gone):
        while _serve_one(channel, respond, traffic):
            pass
    channel.close()


def _serve_one(channel: Channel, respond: Respond, traffic: Traffic) -> bool:
    """Answer one request; whether another may follow."""
    try:
        head = read_head(channel.head())
    except NoHead as error:
        return _end(channel, told(malformed(str(error), error.status)))
    except Refused as error:
        return _end(channel, told(error))
    began, body = time.monotonic(), SocketBody(channel, head)
    with traffic.request(head, channel) as seen:
        answer = _answer(head, body, respond)
        keep = head.keep and not answer.hang_up and body.is_drained_soon
        _send(channel, answer, head.method, keep=keep)
        seen.status = answer.status
    seconds = time.monotonic() - began
    _log.info('"%s %s" %d %d %.3f', head.method, head.path, answer.status, answer.length, seconds)
    if keep:
        body.drain()
    elif body.unread != 0:
        channel.linger()
    return keep


def _answer(head: Head, body: SocketBody, respond: Respond) -> Answer:
    expected = head.first("expect")
    try:
        if expected is not None and expected.lower() != "100-continue":
            raise malformed("this expectation cannot be met", HTTPStatus.EXPECTATION_FAILED)
        return respond(head, body)
    except Refused as error:
        return told(error)


def _end(channel: Channel, answer: Answer) -> bool:
    _send(channel, answer, "", keep=False)
    channel.linger()
    return False


def _send(channel: Channel, answer: Answer, method: str, *, keep: bool) -> None:
    channel.turn()
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}", f"Date: {formatdate(usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    lines += ["Docker-Distribution-Api-Version: registry/2.0", "X-Content-Type-Options: nosniff"]
    if answer.status not in _BODILESS:
        lines.append(f"Content-Length: {answer.length}")
    if not keep:
        lines.append("Connection: close")
    raw = "\r\n".join([*lines, "", ""]).encode("latin-1")
    body = answer.body
    if isinstance(body, Part):
        with body.file:
            channel.send(raw)
            if method != "HEAD":
                channel.send_file(body.file, body.offset, body.count)
    else:
        channel.send(raw if method == "HEAD" else raw + body)
