"""Refused: how a request is turned down, with the status and the code that the distribution specification gives it.

The table is spec.md's "Error Codes"; what stands in no table there (a full disk) is a 5xx without a promise.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from jupyimg.errors import BadDigest, Conflict, ContentError, DiskFull, ImageError, Misuse, NotFound, StoreDenied

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOB_UNKNOWN = "BLOB_UNKNOWN"
BLOB_UPLOAD_INVALID = "BLOB_UPLOAD_INVALID"
BLOB_UPLOAD_UNKNOWN = "BLOB_UPLOAD_UNKNOWN"
DENIED = "DENIED"
DIGEST_INVALID = "DIGEST_INVALID"
MANIFEST_BLOB_UNKNOWN = "MANIFEST_BLOB_UNKNOWN"
MANIFEST_INVALID = "MANIFEST_INVALID"
MANIFEST_UNKNOWN = "MANIFEST_UNKNOWN"
NAME_INVALID = "NAME_INVALID"
NAME_UNKNOWN = "NAME_UNKNOWN"
SIZE_INVALID = "SIZE_INVALID"
TOOMANYREQUESTS = "TOOMANYREQUESTS"
UNAUTHORIZED = "UNAUTHORIZED"
UNSUPPORTED = "UNSUPPORTED"
UNKNOWN = "UNKNOWN"
"""Not in the specification's table: something on this side, which a client cannot mend."""


class Refused(Exception):
    """A request that is answered with an error; it never leaves this floor.

    Attributes:
        status: the HTTP status.
        code: one of the codes above.
        message: one sentence for a person.
        detail: plain data for a program, or None.
        headers: further headers of the answer.
        hang_up: whether the connection cannot be used after it, since what follows on it cannot be understood.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        detail: object = None,
        headers: Sequence[tuple[str, str]] = (),
        hang_up: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail
        self.headers = headers
        self.hang_up = hang_up


def malformed(message: str, status: int = HTTPStatus.BAD_REQUEST) -> Refused:
    """A request that is no HTTP that we take; nothing after it on that connection can be trusted."""
    return Refused(status, UNSUPPORTED, message, hang_up=True)


_TABLE: tuple[tuple[type[ImageError], int, str], ...] = (
    (BadDigest, HTTPStatus.BAD_REQUEST, DIGEST_INVALID),
    (ContentError, HTTPStatus.BAD_REQUEST, DIGEST_INVALID),
    (NotFound, HTTPStatus.NOT_FOUND, BLOB_UPLOAD_UNKNOWN),
    (Conflict, HTTPStatus.CONFLICT, BLOB_UPLOAD_INVALID),
    (Misuse, HTTPStatus.BAD_REQUEST, UNSUPPORTED),
    (DiskFull, HTTPStatus.INSUFFICIENT_STORAGE, UNKNOWN),
    (StoreDenied, HTTPStatus.METHOD_NOT_ALLOWED, UNSUPPORTED),
)


def refusal(error: ImageError) -> Refused:
    """What a client is told of an error of ours; paths of this machine are kept from it."""
    for kind, status, code in _TABLE:
        if isinstance(error, kind):
            shown = "this registry cannot be written to" if isinstance(error, StoreDenied) else error.message
            shown = "there is no space left" if isinstance(error, DiskFull) else shown
            return Refused(status, code, shown)
    return Refused(HTTPStatus.INTERNAL_SERVER_ERROR, UNKNOWN, "the store failed; its owner finds the reason in the log")
