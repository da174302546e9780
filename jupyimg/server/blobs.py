"""Blobs: sending and deleting them (distribution-spec, Pulling blobs, Deleting Blobs)."""

from __future__ import annotations

import re
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from jupyimg.server.call import content_digest, digest_in, whole_file
from jupyimg.server.message import Answer, Part
from jupyimg.server.problems import BLOB_UNKNOWN, DENIED, UNSUPPORTED, Refused

if TYPE_CHECKING:
    from jupyimg.server.call import Call
    from jupyimg.server.record import Record

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)


class Blobs:
    """The endpoints of blobs."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def get(self, call: Call) -> Answer:
        """Send a blob, or one range of it."""
        digest = digest_in(call.word)
        view = self._record.view(call.repository)
        answer = None
        if view and view.has_blob(digest):
            about = (("Content-Type", "application/octet-stream"), ("Accept-Ranges", "bytes"), content_digest(digest))
            answer = whole_file(self._record.store.blob_path(digest), *about)
        if answer is None:
            raise _unknown(call)
        wanted = call.head.first("range") if call.head.method == "GET" else None
        return _cut(answer, wanted) if wanted and wanted.startswith("bytes=") and "," not in wanted else answer

    def delete(self, call: Call) -> Answer:
        """Take a blob out of the repository; its bytes go with the next collection of garbage.

        A blob that a manifest of this repository needs stays, so that no image breaks.
        """
        digest = digest_in(call.word)
        view = self._record.view(call.repository)
        if not view or not view.has_blob(digest):
            raise _unknown(call)
        if digest in view.reached:
            message = "a manifest of this repository needs this blob; delete that first"
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, DENIED, message, headers=(("Allow", "GET, HEAD"),))
        self._record.delete_blob(call.repository, digest)
        return Answer(HTTPStatus.ACCEPTED)


def _unknown(call: Call) -> Refused:
    return Refused(HTTPStatus.NOT_FOUND, BLOB_UNKNOWN, "there is no such blob in this repository", detail=call.word)


def _cut(answer: Answer, wanted: str) -> Answer:
    """The part of a whole answer that a Range header asks for (RFC 9110, section 14); several ranges get the whole."""
    whole = answer.body
    assert isinstance(whole, Part)
    match = _RANGE.fullmatch(wanted)
    first, last = match.groups() if match else ("", "")
    begin = int(first) if first else max(0, whole.count - int(last or 0))
    end = min(int(last), whole.count - 1) if first and last else whole.count - 1
    if not (first or last) or begin > end:
        whole.file.close()
        headers = (("Content-Range", f"bytes */{whole.count}"),)
        message = "the blob has no such range"
        raise Refused(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, UNSUPPORTED, message, headers=headers)
    ranged = (*answer.headers, ("Content-Range", f"bytes {begin}-{end}/{whole.count}"))
    part = Part(whole.file, begin, end - begin + 1)
    return replace(answer, status=HTTPStatus.PARTIAL_CONTENT, headers=ranged, body=part)
