"""Messages: the head of an HTTP/1.1 request as a value, and what it is answered with (RFC 9112, strictly read).

What two readers of one byte stream could understand differently is refused: a second Content-Length, one beside
Transfer-Encoding, folded lines, space before a colon. That is how requests are smuggled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO, Protocol
from urllib.parse import parse_qsl, unquote

from jupyimg.model.codec import encode
from jupyimg.server.problems import Refused, malformed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HEAD_LIMIT = 32 << 10
_HEADERS_LIMIT = 100
_TARGET_LIMIT = 8 << 10
_QUERY_LIMIT = 200

_START = re.compile(rb"([A-Z]{1,20}) ([\x21-\x7e]+) HTTP/1\.([01])")
_OTHER_VERSION = re.compile(rb"\S+ \S+ HTTP/\d(\.\d)?")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")
_ABSOLUTE = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE)


class Body(Protocol):
    """The bytes that follow a head."""

    length: int | None
    """How many there will be; None where that is not known beforehand."""

    def chunks(self) -> Iterator[memoryview]:
        """They themselves, each piece valid until the next; raises where the connection breaks or stalls."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of a request.

    Attributes:
        method: such as ``GET``.
        path: decoded, without query.
        query: in order; a key may stand several times.
        headers: by lowercase name, each with all its values.
        host: what the client believes to speak to, as it wrote it.
        keep: whether the client wants to send more on this connection.
        length: bytes of the body; None for a chunked one.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, list[str]]
    host: str
    keep: bool
    length: int | None

    def first(self, name: str) -> str | None:
        """A header's first value, or None; the name in lower case."""
        values = self.headers.get(name)
        return values[0] if values else None

    def asked(self, key: str) -> str | None:
        """A query parameter's first value, or None."""
        return next((value for name, value in self.query if name == key), None)

    def all_asked(self, key: str) -> list[str]:
        """Every value of a query parameter."""
        return [value for name, value in self.query if name == key]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of an open file, which is sent and closed."""

    file: BinaryIO
    offset: int
    count: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with.

    Attributes:
        status: the HTTP status.
        headers: without Content-Length, which follows from the body.
        body: bytes, or a stretch of a file.
        hang_up: whether the connection ends with it.
    """

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes | Part = b""
    hang_up: bool = field(default=False)

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return self.body.count if isinstance(self.body, Part) else len(self.body)


def json_answer(document: object, *headers: tuple[str, str], status: int = HTTPStatus.OK) -> Answer:
    """An answer of plain data."""
    return Answer(status, (("Content-Type", "application/json"), *headers), encode(document))


def told(refused: Refused) -> Answer:
    """The answer that tells a refusal, in the specification's form."""
    error = {"code": refused.code, "message": refused.message}
    if refused.detail is not None:
        error["detail"] = refused.detail  # type: ignore[assignment]
    headers = (("Content-Type", "application/json"), *refused.headers)
    return Answer(refused.status, headers, encode({"errors": [error]}), refused.hang_up)


def read_head(raw: bytes) -> Head:
    """Read a head, without the empty line at its end.

    Raises:
        Refused: it is no HTTP/1.1 that we take.
    """
    start, *lines = raw.split(b"\r\n")
    match = _START.fullmatch(start)
    if match is None:
        if _OTHER_VERSION.fullmatch(start):
            raise malformed("this server speaks HTTP/1.1", HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
        raise malformed("the request line is not understood")
    headers = _read_fields(lines)
    host, path, query = _read_target(match[2].decode("ascii"), headers, needs_host=match[3] == b"1")
    connection = ",".join(headers.get("connection", ())).lower()
    return Head(
        method=match[1].decode("ascii"),
        path=path,
        query=query,
        headers=headers,
        host=host,
        keep="close" not in connection and (match[3] == b"1" or "keep-alive" in connection),
        length=_body_length(headers),
    )


def _read_fields(lines: list[bytes]) -> dict[str, list[str]]:
    if len(lines) > _HEADERS_LIMIT:
        raise malformed("there are too many headers", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    headers: dict[str, list[str]] = {}
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match is None:
            raise malformed("a header is not understood")
        headers.setdefault(match[1].decode("ascii").lower(), []).append(match[2].decode("latin-1"))
    return headers


def _read_target(
    target: str, headers: dict[str, list[str]], *, needs_host: bool
) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    if len(target) > _TARGET_LIMIT:
        raise malformed("the address is too long", HTTPStatus.REQUEST_URI_TOO_LONG)
    hosts = headers.get("host", [] if needs_host else [""])
    if len(hosts) != 1:
        raise malformed("there must be one Host header")
    absolute = _ABSOLUTE.fullmatch(target)
    host, target = (absolute[1], absolute[2]) if absolute else (hosts[0], target)
    path, _, query = target.partition("?")
    try:
        decoded = unquote(path, errors="strict")
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_QUERY_LIMIT)
    except ValueError:
        raise malformed("the address is not understood") from None
    if not decoded.isprintable():
        raise malformed("the address holds control characters")
    return host, decoded, tuple(pairs)


def _body_length(headers: dict[str, list[str]]) -> int | None:
    coding, lengths = headers.get("transfer-encoding"), headers.get("content-length", ["0"])
    if coding is not None:
        if "content-length" in headers:
            raise malformed("a body has a length or is chunked, not both")
        if [word.strip().lower() for word in coding] != ["chunked"]:
            raise malformed("this transfer coding is not understood", HTTPStatus.NOT_IMPLEMENTED)
        return None
    if len(lengths) != 1 or not re.fullmatch(r"[0-9]{1,18}", lengths[0], re.ASCII):
        raise malformed("the Content-Length is not a number")
    return int(lengths[0])
