"""Call: one request as the endpoints see it, and the small things that several of them need."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from jupyimg.errors import BadDigest, BadReference, StoreError
from jupyimg.model.digest import Digest
from jupyimg.server.message import Answer, Part
from jupyimg.server.problems import DIGEST_INVALID, MANIFEST_INVALID, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from jupyimg.model.reference import Reference
    from jupyimg.server.message import Body, Head


@dataclass(frozen=True, slots=True)
class Call:
    """A request for something in a repository.

    Attributes:
        head: its head.
        body: what follows it.
        name: the repository as the client spelled it, for addresses in answers.
        repository: the same as a value.
        word: the last word of the path: a digest, a tag or the id of an upload.
    """

    head: Head
    body: Body
    name: str
    repository: Reference
    word: str

    def address(self, kind: str, word: str) -> tuple[str, str]:
        """The Location header of something in the same repository; ``kind`` is such as ``blobs``."""
        return "Location", f"/v2/{self.name}/{kind}/{word}"


def digest_in(text: str) -> Digest:
    """A digest that a client sent.

    Raises:
        Refused: it is none, or of an algorithm that is not known here.
    """
    try:
        return Digest(text)
    except BadDigest as error:
        raise Refused(HTTPStatus.BAD_REQUEST, DIGEST_INVALID, error.message) from None


def tag_in(repository: Reference, text: str) -> Reference:
    """A tag that a client sent, as a name.

    Raises:
        Refused: it is none.
    """
    try:
        return repository.with_tag(text)
    except BadReference as error:
        raise Refused(HTTPStatus.BAD_REQUEST, MANIFEST_INVALID, error.message) from None


def content_digest(digest: Digest) -> tuple[str, str]:
    """The header that names the bytes of an answer."""
    return "Docker-Content-Digest", digest


def whole_file(path: Path, *headers: tuple[str, str]) -> Answer | None:
    """An answer that sends a file; None where it is not there.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"could not read {path}: {error.strerror}") from None
    return Answer(HTTPStatus.OK, headers, Part(file, 0, file.seek(0, 2)))
