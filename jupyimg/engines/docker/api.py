"""Api: requests to a daemon, short ones and long ones, with every failure as one of our errors.

Short requests share one client. A long one has a client and a socket of its own, known before the request is made, so
that a stop can shut it down whatever the daemon is doing: waiting, sending or silent.
"""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
import requests

from jupyimg.engines.docker.connection import speaking
from jupyimg.engines.docker.dialects import dialect_of
from jupyimg.engines.docker.refusals import refusal
from jupyimg.errors import EngineError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jupyimg.engines.docker.connection import Client
    from jupyimg.engines.docker.dialects import Dialect

    Params = Mapping[str, object]

CHUNK = 1 << 20
_MESSAGE = 64 << 10
"""Bytes read of a refusal."""


class Api:
    """One daemon.

    Attributes:
        connect: makes a client; called when the first answer is needed, and for each long request.
    """

    def __init__(self, connect: Callable[[], Client]) -> None:
        self.connect = connect

    @cached_property
    def client(self) -> Client:
        """For short requests."""
        return self.connect()

    @property
    def dialect(self) -> Dialect:
        """What kind of daemon it is."""
        return dialect_of(self.client.server.name)

    def knows(self, version: str) -> bool:
        """Whether the API that is spoken has what came with a version."""
        return _numbers(self.client.server.api) >= _numbers(version)

    def close(self) -> None:
        """Give back connections."""
        if "client" in self.__dict__:
            self.client.close()
            del self.client

    def get(self, path: str, params: Params | None = None) -> Any:
        """A document."""
        return self._short("GET", path, params)

    def post(self, path: str, params: Params | None = None) -> Any:
        """A document, or None for an empty answer; as long as it takes."""
        return self._short("POST", path, params, patient=True)

    def delete(self, path: str, params: Params | None = None) -> Any:
        """A document; as long as it takes."""
        return self._short("DELETE", path, params, patient=True)

    def open(self) -> Call:
        """A long request that is not made yet."""
        return Call(self.connect())

    def _short(self, method: str, path: str, params: Params | None, *, patient: bool = False) -> Any:
        client = self.client
        timeout = client.patient if patient else client.timeout
        with speaking(client):
            answer = client.request(method, url(client, path), params=_params(params), timeout=timeout)
            raw = answer.content
        if not answer.ok:
            raise refusal(said(raw), status=answer.status_code, who=self.dialect.name)
        if not raw.strip():
            return None
        try:
            return msgspec.json.decode(raw)
        except (ValueError, RecursionError):
            raise EngineError(f"{self.dialect.name} answered {path} with what is no JSON") from None


@dataclass(slots=True)
class Call:
    """A long request on a client and a socket of its own."""

    client: Client
    _socket: Any = None
    _stopped: bool = False

    def send(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        body: Iterator[bytes] | None = None,
    ) -> Iterator[bytes]:
        """Make the request and give the body of the answer in pieces, as they come.

        Raises:
            ImageError: what the daemon refused with, or that it hung up.
        """
        client = self.client
        asked = requests.Request(method, url(client, path), params=_params(params), headers=headers, data=body)
        with speaking(client):
            prepared = client.prepare_request(asked)
            self._dial(prepared)
            answer = client.send(prepared, stream=True, timeout=client.patient, allow_redirects=False)
        with answer:
            if not answer.ok:
                with speaking(client):
                    raw = answer.raw.read(_MESSAGE, decode_content=True)
                raise refusal(said(raw), status=answer.status_code, who=dialect_of(client.server.name).name)
            pieces = answer.raw.stream(CHUNK, decode_content=True)
            while True:
                with speaking(client):
                    piece = next(pieces, None)
                if piece is None:
                    return
                yield piece

    def interrupt(self) -> None:
        """End it, from any thread: whoever waits for the socket is woken; what has none yet asks nothing any more."""
        self._stopped = True  # first, and looked at last in `_dial`, so that one of the two sees the other
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give back its connection."""
        self.client.close()

    def _dial(self, prepared: requests.PreparedRequest) -> None:
        """Connect beforehand, to know the socket; the request then takes this very connection from its pool.

        Raises:
            Interrupted: it was stopped meanwhile.
        """
        client = self.client
        adapter: Any = client.get_adapter(str(prepared.url))
        pool = adapter.get_connection_with_tls_context(prepared, client.verify, proxies=client.proxies)
        connection = pool._get_conn()  # noqa: SLF001 - there is no public way to a socket before its answer
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(None)
            self._socket = connection.sock
            if self._stopped:
                connection.close()
                raise Interrupted
        finally:
            pool._put_conn(connection)  # noqa: SLF001


def url(client: Client, path: str) -> str:
    """The address of a path of the API, at the version that is spoken."""
    return f"{client.base_url}/v{client.server.api}{path}"


def image_path(name: str, rest: str = "") -> str:
    """The path of an image's resource."""
    return f"/images/{quote(name, safe='/:@')}{rest}"


def filters(wanted: Mapping[str, list[str]]) -> str:
    """Filters as the API takes them, in the form that old and new daemons know."""
    return json.dumps(wanted)


def said(raw: bytes) -> str:
    """The words of a refusal: a JSON object with ``message``, an event with ``error``, or plain text."""
    text = raw.decode(errors="replace").strip()
    for line in text.splitlines()[-1:] or [text]:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return str(found.get("message") or found.get("error") or found.get("cause") or text)
    return text


def _params(params: Params | None) -> dict[str, Any]:
    given = params or {}
    return {key: int(value) if isinstance(value, bool) else value for key, value in given.items() if value is not None}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
