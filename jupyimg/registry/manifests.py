"""Names and manifests: what a tag points at, and the small documents behind it.

A name is asked with HEAD, which costs nothing of a quota, and with GET where HEAD does not say enough. A digest that a
header names is a hint; what was fetched is named by its bytes. Manifests that passed through are kept for a while, so
`read` need not fetch again what `resolve` has seen, nor `publish` what `write` has sent.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from jupyimg.errors import BadDigest, BadManifest, DigestMismatch, ProtocolError, RemoteNotFound, Unsupported
from jupyimg.model.content import verified
from jupyimg.model.digest import Digest
from jupyimg.model.documents import MANIFEST_LIMIT, MANIFEST_TYPES, Descriptor, read_manifest
from jupyimg.registry.answers import complaint
from jupyimg.registry.line import Ask
from jupyimg.registry.retry import TRANSIENT, backoff, chance

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx

    from jupyimg.model.documents import Index, Manifest
    from jupyimg.model.reference import Reference
    from jupyimg.registry.call import Call
    from jupyimg.registry.line import Line

ACCEPT = {"accept": ", ".join([*sorted(MANIFEST_TYPES), "*/*"])}
"""All that we understand, since a registry may convert what was not asked for; and anything, to refuse it by name."""
KEPT = MANIFEST_LIMIT
"""Bytes of manifests that are kept at most."""
_OK, _NO_HEADS = 200, {405, 501}
_HEAD = frozenset(range(200, 600)) - TRANSIENT
_PUT = frozenset({200, 201, 202, 204})
_LATE = {"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"}
_LATE_TRIES = 3
_SUBJECT = "oci-subject"
"""With it a registry says that it lists a manifest among the referrers of its subject."""


class Manifests:
    """The manifests of one repository."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._kept = Kept()
        self._hinted: set[Digest] = set()

    def head(self, call: Call, reference: Reference, *, pushing: bool = False) -> Descriptor | None:
        """What HEAD says a name points at; None where it does not say, or not all of it."""
        if not self._line.learned.tells_heads:
            return None
        url = self._line.url(f"manifests/{reference.target}")
        ask = Ask(method="HEAD", url=url, headers=ACCEPT, accept=_HEAD, pushing=pushing)
        response = self._line.ask(call, ask, reference)
        if response.status_code in _NO_HEADS or (response.status_code == _OK and not _says_enough(response)):
            self._line.learned.tells_heads = False
        found = _described(response)
        if found is None:
            return None
        if reference.digest is None:
            self._hinted.add(found.digest)
        return found if reference.digest in {None, found.digest} else None

    def fetch(self, call: Call, reference: Reference) -> Descriptor:
        """GET what a name points at, name it by its bytes and keep it.

        Raises:
            DigestMismatch: the bytes are not those of the digest that was asked for.
            BadManifest, Unsupported: no manifest that we can use.
        """
        response = self._get(call, reference)
        raw, hint = response.content, _digest(response)
        digest = Digest.of(raw, (reference.digest or hint or Digest.of(raw)).algorithm)
        if reference.digest not in {None, digest}:
            raise DigestMismatch(f"{reference.familiar} was asked for, but the bytes that came are {digest}")
        manifest = read_manifest(raw, response.headers.get("content-type", ""), digest=digest)
        self._kept.put(digest, raw)
        return Descriptor(media_type=manifest.media_type, digest=digest, size=len(raw))

    def read(self, call: Call, descriptor: Descriptor) -> bytes:
        """The bytes of a manifest, as they came; whoever asked proves them."""
        raw = self._kept.get(descriptor.digest)
        if raw is not None:
            return raw
        try:
            raw = self._get(call, self._line.reference.with_digest(descriptor.digest)).content
        except RemoteNotFound:
            self._doubt(descriptor.digest)
            raise
        right = Digest.of(raw, descriptor.digest.algorithm) == descriptor.digest
        if right:
            self._kept.put(descriptor.digest, raw)
        if not right or len(raw) != descriptor.size:
            self._doubt(descriptor.digest)
        return raw

    def write(self, call: Call, descriptor: Descriptor, chunks: Iterable[bytes]) -> Manifest | Index | None:
        """PUT a manifest by its digest; gives it where it is about another one and the registry keeps no list of that.

        Raises:
            DigestMismatch, SizeMismatch: the bytes are not what the descriptor says.
        """
        if descriptor.size > MANIFEST_LIMIT:
            raise BadManifest(f"{descriptor.digest.short} has {descriptor.size} bytes, too many for a manifest")
        raw = b"".join(verified(descriptor, chunks))
        answer = self._put(call, descriptor, raw, self._line.reference.with_digest(descriptor.digest))
        self._kept.put(descriptor.digest, raw)
        return _unlisted(descriptor, raw, answer)

    def tag(self, call: Call, reference: Reference, root: Descriptor) -> Manifest | Index | None:
        """Point a tag at a manifest that is here, unless it does so already; gives what `write` gives."""
        found = self.head(call, reference, pushing=True)
        if found is not None and found.digest == root.digest:
            return None
        raw = b"".join(verified(root, [self.read(call, root)]))
        return _unlisted(root, raw, self._put(call, root, raw, reference))

    def _get(self, call: Call, reference: Reference) -> httpx.Response:
        url = self._line.url(f"manifests/{reference.target}")
        ask = Ask(method="GET", url=url, headers=ACCEPT, limit=MANIFEST_LIMIT + 1)
        response = self._line.ask(call, ask, reference)
        if len(response.content) > MANIFEST_LIMIT:
            raise BadManifest(f"the manifest of {reference.familiar} has more than {MANIFEST_LIMIT} bytes")
        return response

    def _put(self, call: Call, descriptor: Descriptor, raw: bytes, reference: Reference) -> httpx.Response:
        """PUT; what a manifest needs was sent a moment ago and may not be visible everywhere: missing is not final."""
        ask = Ask(
            method="PUT",
            url=self._line.url(f"manifests/{reference.target}"),
            headers={"content-type": descriptor.media_type},
            content=raw,
            accept=_PUT | {400, 404},
            pushing=True,
        )
        for attempt in range(1, _LATE_TRIES + 1):
            response = self._line.ask(call, ask, reference)
            if response.status_code in _PUT:
                break
            if complaint(response).code not in _LATE or attempt == _LATE_TRIES:
                raise self._line.refused(response, ask, reference)
            call.wait(backoff(attempt + 1, chance()))
        stored = _digest(response)
        if stored is not None and stored.algorithm == descriptor.digest.algorithm and stored != descriptor.digest:
            raise ProtocolError(f"{reference.host} keeps {descriptor.digest} under another digest, {stored}")
        return response

    def _doubt(self, digest: Digest) -> None:
        """A digest that HEAD named and that is not there: from now on this host is asked with GET."""
        if digest in self._hinted:
            self._line.learned.tells_heads = False


class Kept:
    """Manifests that passed through, the newest `KEPT` bytes of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._raw: OrderedDict[Digest, bytes] = OrderedDict()

    def get(self, digest: Digest) -> bytes | None:
        """The bytes, or None where they are not here any more."""
        with self._lock:
            return self._raw.get(digest)

    def put(self, digest: Digest, raw: bytes) -> None:
        """Keep bytes that are known to have this digest."""
        with self._lock:
            self._raw[digest] = raw
            while sum(map(len, self._raw.values())) > KEPT:
                self._raw.popitem(last=False)


def _unlisted(descriptor: Descriptor, raw: bytes, response: httpx.Response) -> Manifest | Index | None:
    """A manifest that is about another one, where the answer to its PUT does not say that the registry lists it so."""
    if _SUBJECT in response.headers or b'"subject"' not in raw:
        return None
    try:
        manifest = read_manifest(raw, descriptor.media_type, digest=descriptor.digest)
    except (BadManifest, Unsupported):  # the registry took it as it is
        return None
    return manifest if manifest.subject is not None else None


def _described(response: httpx.Response) -> Descriptor | None:
    """The descriptor that the headers of a HEAD amount to, if they do."""
    media_type, digest = response.headers.get("content-type", "").partition(";")[0].strip(), _digest(response)
    if response.status_code != _OK or media_type not in MANIFEST_TYPES or digest is None or not _says_enough(response):
        return None
    return Descriptor(media_type=media_type, digest=digest, size=_length(response))


def _says_enough(response: httpx.Response) -> bool:
    """Whether a host's HEAD is of use at all: it names a type, a digest and a size that can be."""
    typed = "content-type" in response.headers
    return typed and _digest(response) is not None and 0 < _length(response) <= MANIFEST_LIMIT


def _length(response: httpx.Response) -> int:
    text = response.headers.get("content-length", "")
    return int(text[:19]) if text.isascii() and text.isdigit() else 0


def _digest(response: httpx.Response) -> Digest | None:
    try:
        return Digest(response.headers.get("docker-content-digest", "").strip())
    except BadDigest:
        return None
