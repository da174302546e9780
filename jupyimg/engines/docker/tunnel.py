"""A daemon at the other end of ssh: the command there is ``docker system dial-stdio``, as Docker's own client runs it.

Its standard input and output are one end of a socket pair. So there is a real socket on our side, with time-outs and a
shutdown, where the SDK's own way has a pipe with neither (and wants paramiko even when it does not use it).
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests import PreparedRequest

    from jupyimg.engines.docker.contexts import Endpoint

_SAID = 4096
"""Bytes of what ssh complained about that are kept."""


def command(endpoint: Endpoint) -> list[str]:
    """The ssh command line. It never asks for a password: in a kernel there is nobody to answer."""
    url = urlsplit(endpoint.host)
    user = ["-l", url.username] if url.username else []
    port = ["-p", str(url.port)] if url.port else []
    at = []
    if url.path:
        at = ["--url" if endpoint.program == "podman" else "--host", f"unix://{url.path}"]
    remote = shlex.join([endpoint.program, *at, "system", "dial-stdio"])
    options = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "-T"]
    return ["ssh", *options, *user, *port, "--", url.hostname or "", remote]


class Tunnel(HTTPAdapter):
    """Requests' way to the daemon; one ssh for each connection of the pool."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._pool = _Pool(command(endpoint))
        super().__init__()

    def get_connection_with_tls_context(self, *_request: Any, **_more: Any) -> HTTPConnectionPool:
        """Always the same pool."""
        return self._pool

    def request_url(self, request: PreparedRequest, proxies: Mapping[str, str] | None) -> str:  # noqa: ARG002
        """The path alone: no proxy stands in between."""
        return request.path_url

    def said(self) -> str:
        """The last line that ssh complained with, or ""."""
        return self._pool.said()

    def close(self) -> None:
        """End every ssh that waits."""
        super().close()
        self._pool.close()


class _Pool(HTTPConnectionPool):
    """Connections, and the commands behind them.

    A connection that is closed may still have an answer that is being read, so its ssh is left to end by itself when
    its input does; what has not by the time the pool closes is told to.
    """

    def __init__(self, words: list[str]) -> None:
        super().__init__("localhost")
        self._words = words
        self._running: list[subprocess.Popen[bytes]] = []
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the pool

    def _new_conn(self) -> _Connection:
        return _Connection(self.dial)

    def dial(self) -> socket.socket:
        self._running = [ssh for ssh in self._running if ssh.poll() is None]
        ours, its = socket.socketpair()
        try:
            with its:
                # a session of its own, so that Ctrl-C is ours alone to answer
                ssh = subprocess.Popen(  # noqa: S603 - its words are checked by `contexts.address`
                    self._words,
                    stdin=its.fileno(),
                    stdout=its.fileno(),
                    stderr=self._complaints,
                    start_new_session=True,
                )
        except OSError:
            ours.close()
            raise
        self._running.append(ssh)
        return ours

    def said(self) -> str:
        self._complaints.seek(0, os.SEEK_END)
        self._complaints.seek(max(0, self._complaints.tell() - _SAID))
        lines = self._complaints.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def close(self) -> None:
        super().close()
        for ssh in self._running:
            ssh.terminate()
        for ssh in self._running:
            ssh.wait()
        self._running.clear()


class _Connection(HTTPConnection):
    def __init__(self, dial: Callable[[], socket.socket]) -> None:
        super().__init__("localhost")
        self._dial = dial

    def connect(self) -> None:
        self.sock = self._dial()
