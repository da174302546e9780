"""What refers to a manifest: signatures, attestations, SBOMs (distribution-spec, "Listing Referrers").

A registry that does not list them keeps them in an index under a tag made of the digest ("Referrers Tag Schema"), and
whoever pushes one more puts it there ("Pushing Manifests with Subject"): the index is read, the new entry added to what
it holds, byte for byte, and the whole written back. Others may do so at the same time. Where the registry names the
version that was read (ETag), it is asked to refuse what would overwrite another (If-Match); many do not look at that,
so the list is read once more, and the entry added again where it got lost.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jupyimg.errors import BadManifest, ProtocolError, RegistryError, RemoteNotFound, Unsupported
from jupyimg.model.codec import decode, encode
from jupyimg.model.documents import MANIFEST_LIMIT, OCI_INDEX, Index, Manifest, read_manifest
from jupyimg.registry.line import Ask
from jupyimg.registry.manifests import ACCEPT
from jupyimg.registry.pages import pages
from jupyimg.registry.retry import backoff, chance

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Descriptor
    from jupyimg.registry.call import Call
    from jupyimg.registry.line import Line
    from jupyimg.registry.manifests import Manifests

_ALGORITHM, _ENCODED = 32, 64
"""How much of a digest's two parts the tag takes."""
_OK, _MISSING, _CHANGED = 200, 404, 412
_PUT = frozenset({200, 201, 202, 204})
_TRIES = 5
_LOOK = 0.1
"""Seconds between two looks whether a call was cut off while it waits for another."""
_UNKNOWN = frozenset({400, 404, 405, 406, 501})
"""What registries answer that have no such list."""


def referrers(line: Line, call: Call, manifests: Manifests, digest: Digest) -> Iterator[Descriptor]:
    """The descriptors of all that refers to a manifest, in the registry's order; as many as it sends.

    Raises:
        ProtocolError: the list is none, or cannot be followed to its end.
        RegistryError: the registry said no, or nothing.
    """
    first = line.url(f"referrers/{digest}")
    for page in pages(first, lambda url: line.ask(call, Ask(method="GET", url=url, accept=_UNKNOWN | {_OK}))):
        kind = page.headers.get("content-type", "").partition(";")[0].strip()
        if page.status_code != _OK or kind != OCI_INDEX:  # a web page, maybe, whose author knows nothing of this
            yield from _tagged(line, call, manifests, digest)
            return
        yield from _listed(line, page.content)


def add_referrer(line: Line, call: Call, referrer: Manifest | Index) -> None:
    """Put a manifest that is about another one into the list that is kept under a tag.

    Raises:
        RegistryError: the registry would not take the list, or others change it without end.
        Interrupted: the call was cut off.
    """
    assert referrer.subject is not None
    name = line.reference.with_tag(_tag(referrer.subject.digest))
    url = line.url(f"manifests/{name.tag}")
    with _alone(line, call):
        for attempt in range(1, _TRIES + 1):
            reading = Ask(
                method="GET",
                url=url,
                headers=ACCEPT,  # of every type, or a registry says that there is nothing where something else is
                accept=frozenset({_OK, _MISSING}),
                limit=MANIFEST_LIMIT + 1,
            )
            answer = line.ask(call, reading, name)
            index = _index(answer)
            if index is None:
                line.say(f"{name.familiar} is no list of referrers, and was left as it is")
                return
            if any(entry.get("digest") == referrer.digest for entry in index["manifests"]):
                return
            if attempt == _TRIES:
                break
            if attempt > 1:
                call.wait(backoff(attempt, chance()))
            index["manifests"].append(_entry(referrer))
            writing = Ask(
                method="PUT",
                url=url,
                headers={"content-type": OCI_INDEX, **_unless_changed(answer)},
                content=encode(index),
                accept=_PUT | {_CHANGED},
                pushing=True,
            )
            line.ask(call, writing, name)
    raise RegistryError(
        f"{name.familiar}, where {name.host} lists what refers to another image, does not keep what is added to it",
        hint="others may be pushing to it at the same time; run the line again",
    )


@contextmanager
def _alone(line: Line, call: Call) -> Iterator[None]:
    """One at a time in this process, so that our own do not overwrite each other."""
    while not line.client.listing.acquire(timeout=_LOOK):
        call.check()
    try:
        yield
    finally:
        line.client.listing.release()


def _index(answer: httpx.Response) -> dict[str, Any] | None:
    """The list as it stands, an empty one where there is none, None where something else has the tag."""
    if answer.status_code == _MISSING:
        return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    try:
        index = decode(answer.content, dict[str, Any], what="list of referrers", own=True)
        right = isinstance(read_manifest(answer.content, answer.headers.get("content-type", "")), Index)
    except (BadManifest, Unsupported):
        return None
    return index if right and index.get("mediaType", OCI_INDEX) == OCI_INDEX else None


def _entry(referrer: Manifest | Index) -> dict[str, Any]:
    kind = referrer.artifact_type
    if not kind and isinstance(referrer, Manifest):
        kind = referrer.config.media_type
    entry = {"mediaType": referrer.media_type, "digest": str(referrer.digest), "size": len(referrer.raw)}
    return {
        **entry,
        **({"artifactType": kind} if kind else {}),
        **({"annotations": referrer.annotations} if referrer.annotations else {}),
    }


def _unless_changed(answer: httpx.Response) -> dict[str, str]:
    """The header that has a registry refuse to overwrite another version than was read; a weak tag cannot say that."""
    etag = answer.headers.get("etag", "")
    return {"if-match": etag} if answer.status_code == _OK and etag.startswith('"') else {}


def _tag(digest: Digest) -> str:
    return f"{digest.algorithm[:_ALGORITHM]}-{digest.encoded[:_ENCODED]}"


def _tagged(line: Line, call: Call, manifests: Manifests, digest: Digest) -> Iterator[Descriptor]:
    try:
        found = manifests.fetch(call, line.reference.with_tag(_tag(digest)))
    except RemoteNotFound:
        return
    yield from _listed(line, manifests.read(call, found))


def _listed(line: Line, raw: bytes) -> Iterator[Descriptor]:
    try:
        index = read_manifest(raw)
    except BadManifest as error:
        raise ProtocolError(
            f"{line.reference.host} gives a list of referrers that cannot be read: {error.message}"
        ) from None
    if isinstance(index, Index):
        yield from index.manifests
