"""Sessions: uploads under way, each a locked file of the store that becomes content once its digest is proven.

A session keeps its file open, so that no collector takes it for abandoned and a chunk costs no second hash of the
ones before. Where a server ended in the middle, the file is still there: the next server that is asked for that
session goes on with it. Sessions that nobody writes to are thrown away, the idlest first where there are too many.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from jupyimg.errors import Conflict, NotFound
from jupyimg.server.problems import BLOB_UPLOAD_INVALID, BLOB_UPLOAD_UNKNOWN, TOOMANYREQUESTS, Refused
from jupyimg.store import is_upload_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyimg.model.digest import Digest
    from jupyimg.model.reference import Reference
    from jupyimg.store import FileIngest, Store

IDLE_SECONDS = 3600.0
_LIMIT = 256
_YOUNG = 60.0  # seconds in which a session is not given up for another one


class Session:
    """One upload, of one thread at a time (`Sessions.use`), which opens it first.

    Attributes:
        id: what its address ends with; "" before a new one is opened.
        repository: where it will belong.
        used: when it was last written to (`time.monotonic`).
        lock: held by whoever opens or writes it.
    """

    _ingest: FileIngest

    def __init__(self, store: Store, repository: Reference, ident: str | None = None) -> None:
        self.id = ident or ""
        self.repository = repository
        self.used = time.monotonic()
        self.lock = threading.Lock()
        self._store = store
        self._asked = ident
        self._stack = ExitStack()
        self._is_open = False

    def open(self) -> None:
        """Take its file, unless that was done; all that has arrived in it is read then.

        Raises:
            NotFound: there is no such upload.
            Conflict: another server writes it.
        """
        if self._is_open:
            return
        with ExitStack() as stack:
            sink = stack.enter_context(self._store.writer())
            self._ingest = stack.enter_context(sink.ingest(self._asked, owner=self.repository.name))
            self._stack = stack.pop_all()
        self.id, self._is_open = self._ingest.id, True

    @property
    def offset(self) -> int:
        """Bytes that are there."""
        return self._ingest.offset

    def write(self, data: memoryview) -> None:
        """Append bytes."""
        self._ingest.write(data)
        self.used = time.monotonic()

    def commit(self, digest: Digest) -> None:
        """Prove and keep the content; a lease holds it until `close`.

        Raises:
            DigestMismatch: it is something else; it was thrown away.
        """
        self._ingest.commit(digest)

    def abort(self) -> None:
        """Throw the bytes away."""
        with self._stack:
            self._ingest.abort()

    def close(self) -> None:
        """End the session; bytes that were not committed stay for who asks for it again."""
        self._stack.close()


class Sessions:
    """All uploads of one server. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: dict[str, Session] = {}
        self._guard = threading.Lock()

    def begin(self, repository: Reference) -> Session:
        """Begin an upload.

        Raises:
            Refused: too many are under way.
        """
        self._make_room()
        session = Session(self._store, repository)
        session.open()
        with self._guard:
            self._open[session.id] = session
        return session

    @contextmanager
    def use(self, repository: Reference, ident: str) -> Iterator[Session]:
        """Have a session for oneself; afterwards it goes on, unless `end` was called.

        Raises:
            Refused: there is no such session, or somebody else is writing to it.
        """
        session = self._reserved(repository, ident)
        try:
            self._open_now(session)
            session.used = time.monotonic()
            yield session
        finally:
            session.lock.release()

    def end(self, session: Session, *, keep: bool) -> None:
        """End a session; ``keep`` is for content that was committed, or that may be asked for again."""
        with self._guard:
            self._open.pop(session.id, None)
        if keep:
            session.close()
        else:
            session.abort()

    def sweep(self) -> None:
        """Throw away what nobody has written to for an hour."""
        for session in self._idle(IDLE_SECONDS):
            self._give_up(session)

    def close(self) -> None:
        """End all sessions; their bytes stay for a server to come."""
        with self._guard:
            sessions, self._open = list(self._open.values()), {}
        for session in sessions:
            with session.lock:
                session.close()

    def _reserved(self, repository: Reference, ident: str) -> Session:
        """A session with its lock held; one of an earlier server is not open yet."""
        if not is_upload_of(repository.name, ident):
            raise _unknown()
        with self._guard:
            session = self._open.get(ident) or Session(self._store, repository, ident)
            if not session.lock.acquire(blocking=False):
                raise _in_use()
            self._open[ident] = session
        return session

    def _open_now(self, session: Session) -> None:
        """Open a session that may not be; only who wants this one waits while its bytes are read."""
        try:
            session.open()
        except BaseException as error:
            with self._guard:
                self._open.pop(session.id, None)
            if isinstance(error, NotFound):
                raise _unknown() from None
            if isinstance(error, Conflict):
                raise _in_use() from None
            raise

    def _make_room(self) -> None:
        while len(self._open) >= _LIMIT:
            idle = self._idle(_YOUNG)
            if not idle:
                message = "too many uploads are under way"
                headers = (("Retry-After", "10"),)
                raise Refused(HTTPStatus.TOO_MANY_REQUESTS, TOOMANYREQUESTS, message, headers=headers)
            self._give_up(idle[0])

    def _idle(self, seconds: float) -> list[Session]:
        """Sessions that nobody uses, the idlest first."""
        limit = time.monotonic() - seconds
        with self._guard:
            found = [session for session in self._open.values() if session.used < limit and not session.lock.locked()]
        return sorted(found, key=lambda session: session.used)

    def _give_up(self, session: Session) -> None:
        with session.lock:
            if self._open.get(session.id) is session:
                self.end(session, keep=False)


def _unknown() -> Refused:
    return Refused(HTTPStatus.NOT_FOUND, BLOB_UPLOAD_UNKNOWN, "there is no such upload")


def _in_use() -> Refused:
    return Refused(HTTPStatus.CONFLICT, BLOB_UPLOAD_INVALID, "the upload is being written by another request")
