"""Manifests: sending, taking and deleting them (distribution-spec, Pulling, Pushing and Deleting Manifests)."""

from __future__ import annotations

import tempfile
import threading
from http import HTTPStatus
from itertools import islice
from typing import IO, TYPE_CHECKING

from jupyimg.errors import BadManifest, ContentError, StoreError, Unsupported
from jupyimg.model.digest import Digest
from jupyimg.model.documents import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    MANIFEST_LIMIT,
    MANIFEST_TYPES,
    OCI_MANIFEST,
    Descriptor,
    read_manifest,
)
from jupyimg.server.call import Call, content_digest, digest_in, tag_in, whole_file
from jupyimg.server.message import Answer
from jupyimg.server.problems import (
    DENIED,
    DIGEST_INVALID,
    MANIFEST_BLOB_UNKNOWN,
    MANIFEST_INVALID,
    MANIFEST_UNKNOWN,
    SIZE_INVALID,
    Refused,
)

if TYPE_CHECKING:
    from jupyimg.model.documents import Index, Manifest
    from jupyimg.model.reference import Reference
    from jupyimg.server.membership import View
    from jupyimg.server.readers import Readers
    from jupyimg.server.record import Record

_TAGS_LIMIT = 100
_CHILDREN_LIMIT = 10_000
"""More than any image has; each costs memory while it is looked at."""

_IN_MEMORY = 64 << 10
_SHOWN = 20
_DOCKER_TYPES = frozenset({DOCKER_MANIFEST, DOCKER_INDEX})
_ANY_TYPE = frozenset({"", "application/json", "application/octet-stream"})


class Manifests:
    """The endpoints of manifests."""

    def __init__(self, record: Record, readers: Readers) -> None:
        self._record = record
        self._readers = readers
        self._one = threading.Lock()

    def get(self, call: Call) -> Answer:
        """Send a manifest or an index, to the letter as it was pushed or pulled."""
        named = _named(call, self._record.view(call.repository))
        answer = None
        if named:
            digest, media_type = named
            if call.head.method == "GET":
                self._readers.note(digest)
            about = (("Content-Type", media_type or OCI_MANIFEST), content_digest(digest))
            answer = whole_file(self._record.store.blob_path(digest), *about)
        if answer is None:
            raise _unknown(call)
        return answer

    def put(self, call: Call) -> Answer:
        """Take a manifest: by digest, by tag, or by digest with several tags."""
        wanted = digest_in(call.word) if ":" in call.word else None
        words = [*([] if wanted else [call.word]), *call.head.all_asked("tag")]
        tags = list(dict.fromkeys(tag_in(call.repository, word) for word in words))
        if len(tags) > _TAGS_LIMIT:
            raise Refused(HTTPStatus.REQUEST_URI_TOO_LONG, MANIFEST_INVALID, f"at most {_TAGS_LIMIT} tags at a time")
        if call.body.length is not None and call.body.length > MANIFEST_LIMIT:
            raise _too_large()
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
            size = _spooled(call, spool)
            with self._one:  # so that however many come at once, one is in memory
                spool.seek(0)
                document = self._checked(call, spool.read(size), wanted)
                self._keep(call.repository, document, tags)
        return _created(call, document, tags)

    def delete(self, call: Call) -> Answer:
        """Take a tag away, or a manifest with all its tags; bytes go with the next collection of garbage.

        A manifest that an index of this repository lists stays, so that no image breaks.
        """
        view = self._record.view(call.repository)
        if ":" not in call.word:
            tag = tag_in(call.repository, call.word).tag
            if not view or tag not in view.tags:
                raise _unknown(call)
            self._record.delete_tag(call.repository, tag)
            return Answer(HTTPStatus.ACCEPTED)
        digest = digest_in(call.word)
        if not view or digest not in view.reached.manifests:
            raise _unknown(call)
        if not self._record.delete_manifest(call.repository, digest):
            message = "an index of this repository lists this manifest; delete that first"
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, DENIED, message, headers=(("Allow", "GET, HEAD, PUT"),))
        return Answer(HTTPStatus.ACCEPTED)

    def _checked(self, call: Call, raw: bytes, wanted: Digest | None) -> Manifest | Index:
        """The document that was sent.

        Raises:
            Refused: it is not what was announced, or something is missing that it needs.
        """
        digest = Digest.of(raw, wanted.algorithm if wanted else "sha256")
        if wanted is not None and digest != wanted:
            raise Refused(HTTPStatus.BAD_REQUEST, DIGEST_INVALID, f"the manifest's digest is {digest}")
        announced = (call.head.first("content-type") or "").partition(";")[0].strip().lower()
        try:
            document = read_manifest(raw, announced, digest=digest)
            # it is served as what its bytes say, and a header can only add that to Docker's types
            stored = read_manifest(raw, digest=digest) if announced in _DOCKER_TYPES else document
        except (BadManifest, Unsupported) as error:
            raise _invalid(error.message) from None
        if announced not in MANIFEST_TYPES | _ANY_TYPE:
            raise _invalid(f"{announced} is no type of a manifest that is taken here")
        if stored.media_type != document.media_type:
            raise _invalid(f"a manifest of type {document.media_type} must say so in its mediaType")
        if len(document.children) > _CHILDREN_LIMIT:
            raise _invalid(f"the manifest lists more than {_CHILDREN_LIMIT} items")
        self._check_children(document)
        return document

    def _check_children(self, document: Manifest | Index) -> None:
        try:
            absent = [lost for child in document.children for lost in islice(self._record.store.missing(child), 1)]
        except (BadManifest, Unsupported) as error:  # an index lists as a manifest what is none
            raise _invalid(error.message) from None
        if absent:
            raise _incomplete([str(lost.digest) for lost in absent[:_SHOWN]])

    def _keep(self, repository: Reference, document: Manifest | Index, tags: list[Reference]) -> None:
        root = Descriptor(media_type=document.media_type, digest=document.digest, size=len(document.raw))
        with self._record.store.writer() as sink:
            sink.write(root, lambda offset: iter([document.raw[offset:]]))
            try:
                for tag in tags:
                    sink.publish(tag, root, ())
            except StoreError:
                raise
            except ContentError:  # removed by another since it was looked for
                raise _incomplete([]) from None
            self._record.add_manifest(repository, root, tagged=bool(tags))


def _named(call: Call, view: View | None) -> tuple[Digest, str] | None:
    """What a tag or a digest names in a repository, with its media type ("" where that is not known)."""
    if ":" in call.word:
        digest = digest_in(call.word)
        media_type = view.reached.manifests.get(digest) if view else None
        return None if media_type is None else (digest, media_type)
    tag = tag_in(call.repository, call.word).tag
    tagged = view.tags.get(tag) if view else None
    return (tagged.digest, tagged.media_type) if tagged else None


def _spooled(call: Call, spool: IO[bytes]) -> int:
    size = 0
    for piece in call.body.chunks():
        size += len(piece)
        if size > MANIFEST_LIMIT:
            raise _too_large()
        spool.write(piece)
    return size


def _created(call: Call, document: Manifest | Index, tags: list[Reference]) -> Answer:
    headers = [call.address("manifests", document.digest), content_digest(document.digest)]
    if document.subject:
        headers.append(("OCI-Subject", document.subject.digest))
    if call.head.all_asked("tag"):
        headers += [("OCI-Tag", tag.tag) for tag in tags]
    return Answer(HTTPStatus.CREATED, headers)


def _unknown(call: Call) -> Refused:
    return Refused(HTTPStatus.NOT_FOUND, MANIFEST_UNKNOWN, "there is no such manifest here", detail=call.word)


def _invalid(message: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, MANIFEST_INVALID, message)


def _too_large() -> Refused:
    message = f"a manifest has at most {MANIFEST_LIMIT} bytes"
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, SIZE_INVALID, message, hang_up=True)


def _incomplete(digests: list[str]) -> Refused:
    message = "the manifest needs content that is not here, or that has another size"
    return Refused(HTTPStatus.BAD_REQUEST, MANIFEST_BLOB_UNKNOWN, message, detail=digests or None)
