"""ImageServer: the store as an OCI registry, from an open port to its end."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from jupyimg.errors import Conflict, ImageError
from jupyimg.server.channel import Patience
from jupyimg.server.gate import Gate
from jupyimg.server.listener import Listener, bind
from jupyimg.server.readers import Readers
from jupyimg.server.record import Record
from jupyimg.server.routes import Routes
from jupyimg.server.sessions import Sessions
from jupyimg.server.settings import ServerSettings
from jupyimg.server.traffic import Traffic

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from jupyimg.store import Store

_log = logging.getLogger(__name__)

_SWEEP_SECONDS = 60.0
_STALE_SECONDS = 24 * 3600.0
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - recognised, not bound


class ImageServer:
    """A registry over a store. Used as a context manager it serves in the background while the block runs.

    Args:
        store: what is served; other processes may use it, and serve it, at the same time.
        settings: how.
        patience: how long peers are waited for.

    Attributes:
        traffic: who asked for what since it was made, until it stops for the first time.

    Raises:
        Misuse: the settings would let anybody on the network change the store.
    """

    def __init__(
        self, store: Store, settings: ServerSettings | None = None, *, patience: Patience | None = None
    ) -> None:
        self.settings = settings or ServerSettings()
        self.settings.check()
        self._store = store
        self._patience = patience or Patience()
        self._sessions = Sessions(store)
        self._readers = Readers(store)
        self._routes = Routes(Record(store), self._sessions, self._readers, Gate(self.settings))
        self._listener: Listener | None = None
        self._port = 0
        self._ended = threading.Event()
        self.traffic = Traffic()

    @property
    def port(self) -> int:
        """The port that it listens on; 0 while it does not."""
        return self._port

    @property
    def address(self) -> str:
        """``HOST:PORT`` as a client on this machine writes it; the host alone while it does not listen."""
        host = _ANYWHERE.get(self.settings.host, self.settings.host)
        shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return f"{shown}:{self._port}" if self._port else shown

    @property
    def running(self) -> bool:
        """Whether it serves."""
        return self._listener is not None

    def start(self) -> None:
        """Serve in the background; threads of it end with the process.

        Raises:
            Conflict: the port is taken, it serves already, or this process can have no more threads.
            Misuse: there is no such address here.
            StoreError: the store cannot be read.
        """
        listener = self._listen()
        try:
            threading.Thread(target=listener.run, name="jupyimg-server", daemon=True).start()
            threading.Thread(target=self._sweep, args=(self._ended,), name="jupyimg-sweeper", daemon=True).start()
        except RuntimeError as error:
            self.stop()
            raise Conflict(
                f"nothing can be served: {error}", hint="end what runs in this process, or raise its limit of threads"
            ) from None

    def stop(self) -> None:
        """Hang up on everybody and close the port; uploads that were under way can go on with another server."""
        listener, self._listener, self._port = self._listener, None, 0
        if listener is not None:
            self._ended.set()
            listener.stop()
            self._sessions.close()
            self._readers.close()
            self.traffic.close()

    def __enter__(self) -> Self:
        if not self.running:
            self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _listen(self) -> Listener:
        if self._listener is not None:
            raise Conflict(f"this server serves on {self.address} already")
        self._store.entries()  # a store that cannot be read is said now rather than to every client
        port = bind(self.settings.host, self.settings.port)
        self._port = port.getsockname()[1]
        limit, patience = self.settings.connections, self._patience
        self._listener = Listener(port, self._routes.respond, limit=limit, patience=patience, traffic=self.traffic)
        self._ended = threading.Event()
        return self._listener

    def _sweep(self, ended: threading.Event) -> None:
        """Throw away abandoned uploads, of this server and of such as were killed."""
        while True:
            with suppress(ImageError):  # a disk that says no now is asked again
                self._sessions.sweep()
                self._readers.sweep()
                self._store.drop_stale_uploads(_STALE_SECONDS)
            if ended.wait(_SWEEP_SECONDS):
                return
