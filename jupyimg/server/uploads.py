"""Uploads: blobs on their way in, whole, in chunks, streamed or mounted (distribution-spec, Pushing blobs)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from jupyimg.errors import ContentError
from jupyimg.server.call import content_digest, digest_in
from jupyimg.server.message import Answer
from jupyimg.server.problems import (
    BLOB_UPLOAD_INVALID,
    DIGEST_INVALID,
    SIZE_INVALID,
    Refused,
)

if TYPE_CHECKING:
    from jupyimg.model.digest import Digest
    from jupyimg.server.call import Call
    from jupyimg.server.record import Record
    from jupyimg.server.sessions import Session, Sessions

_CONTENT_RANGE = re.compile(r"([0-9]{1,18})-([0-9]{1,18})", re.ASCII)
_ALGORITHMS = frozenset({"sha256", "sha384", "sha512"})


class Uploads:
    """The endpoints of uploads."""

    def __init__(self, record: Record, sessions: Sessions) -> None:
        self._record = record
        self._sessions = sessions

    def begin(self, call: Call) -> Answer:
        """Mount a blob, take a whole one, or begin a session."""
        mount, digest = call.head.asked("mount"), call.head.asked("digest")
        algorithm = call.head.asked("digest-algorithm")
        if algorithm is not None and algorithm not in _ALGORITHMS:
            raise Refused(HTTPStatus.BAD_REQUEST, DIGEST_INVALID, "this digest algorithm is not known")
        if mount is not None:
            wanted = digest_in(mount)
            if self._record.mount(call.repository, wanted):  # wherever in the store it is, `from` or not
                return _created(call, wanted)
        if digest is None:
            session = self._sessions.begin(call.repository)
            return Answer(HTTPStatus.ACCEPTED, _state(call, session))
        return self._take_whole(call, digest_in(digest))

    def append(self, call: Call) -> Answer:
        """Add a chunk, or whatever is streamed."""
        with self._sessions.use(call.repository, call.word) as session:
            self._receive(call, session)
            return Answer(HTTPStatus.ACCEPTED, _state(call, session))

    def finish(self, call: Call) -> Answer:
        """Add a last chunk, if there is one, and make the blob of it."""
        digest = digest_in(call.head.asked("digest") or "")
        with self._sessions.use(call.repository, call.word) as session:
            self._receive(call, session)
            self._commit(call, session, digest)
        return _created(call, digest)

    def status(self, call: Call) -> Answer:
        """Tell how much has arrived."""
        with self._sessions.use(call.repository, call.word) as session:
            return Answer(HTTPStatus.NO_CONTENT, _state(call, session))

    def cancel(self, call: Call) -> Answer:
        """Throw away what has arrived."""
        with self._sessions.use(call.repository, call.word) as session:
            self._sessions.end(session, keep=False)
        return Answer(HTTPStatus.NO_CONTENT)

    def _take_whole(self, call: Call, digest: Digest) -> Answer:
        session = self._sessions.begin(call.repository)
        with session.lock:
            try:
                self._receive(call, session)
                self._commit(call, session, digest)
            except BaseException:  # nobody knows its address, so nobody could go on with it
                self._sessions.end(session, keep=False)
                raise
        return _created(call, digest)

    def _receive(self, call: Call, session: Session) -> None:
        """Append the body, if it is the next chunk."""
        stated = call.head.first("content-range")
        size = _check_range(call, session, stated) if stated is not None else None
        began = session.offset
        for piece in call.body.chunks():
            session.write(piece)
        if size is not None and session.offset - began != size:  # only a chunked body can be known that late
            self._sessions.end(session, keep=False)
            raise _not_its_size()

    def _commit(self, call: Call, session: Session, digest: Digest) -> None:
        """Make the blob of what has arrived. Where the disk says no it stays, for whoever tries again."""
        try:
            session.commit(digest)
            self._record.add_blob(call.repository, digest)
        except ContentError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, DIGEST_INVALID, error.message) from None
        finally:
            self._sessions.end(session, keep=True)


def _check_range(call: Call, session: Session, stated: str) -> int:
    """The bytes that a chunk says it has.

    Raises:
        Refused: it is not the next one, or not as long as its body.
    """
    match = _CONTENT_RANGE.fullmatch(stated)
    if match is None:
        raise Refused(HTTPStatus.BAD_REQUEST, BLOB_UPLOAD_INVALID, "the Content-Range is not FIRST-LAST")
    begin, end = int(match[1]), int(match[2])
    if begin != session.offset or end < begin:
        raise Refused(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            BLOB_UPLOAD_INVALID,
            f"the next chunk begins at {session.offset}",
            headers=_state(call, session),
        )
    size = end - begin + 1
    if call.body.length not in (None, size):
        raise _not_its_size()
    return size


def _not_its_size() -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, SIZE_INVALID, "the chunk is not as long as its Content-Range says")


def _state(call: Call, session: Session) -> tuple[tuple[str, str], ...]:
    last = max(0, session.offset - 1)  # so empty and one byte look the same; Docker's form knows no other way
    return (
        call.address("blobs/uploads", session.id),
        ("Range", f"0-{last}"),
        ("Docker-Upload-UUID", session.id),
    )


def _created(call: Call, digest: Digest) -> Answer:
    return Answer(HTTPStatus.CREATED, (call.address("blobs", digest), content_digest(digest)))
