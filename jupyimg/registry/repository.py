"""Repository: one repository of a registry as a place, which content comes from and goes to (`Source` and `Sink`)."""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx

from jupyimg.errors import BadManifest, BadReference, Misuse, ProtocolError, RegistryError, RemoteNotFound
from jupyimg.model.codec import decode
from jupyimg.model.digest import Digest
from jupyimg.registry.beside import beside
from jupyimg.registry.download import BEYOND, OK, PARTIAL, Download
from jupyimg.registry.hosts import host_of, origin
from jupyimg.registry.line import Ask
from jupyimg.registry.manifests import ACCEPT, Manifests
from jupyimg.registry.pages import pages
from jupyimg.registry.referrers import add_referrer, referrers
from jupyimg.registry.upload import Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyimg.model.documents import Descriptor, Index, Manifest
    from jupyimg.model.reference import Reference
    from jupyimg.registry.call import Call
    from jupyimg.registry.line import Line

_BLOB = frozenset({OK, PARTIAL, BEYOND})
_HAS = frozenset({200, 404, 405})
_STORE_REFUSED = frozenset({400, 403})
_UNKNOWN = 401


class Repository:
    """One repository; its methods may be called from several threads at once, `Source` and `Sink` say what they do.

    Args:
        line: the way there.
        mounts: repositories of the same registry that may hold what is to be written.
    """

    def __init__(self, line: Line, mounts: tuple[str, ...] = ()) -> None:
        self._line = line
        self._mounts = mounts
        self._manifests = Manifests(line)
        self._added: set[Digest] = set()

    @property
    def host(self) -> str:
        """HOST[:PORT] of the registry."""
        return self._line.reference.host

    def named(self, reference: Reference) -> Reference:
        """What a tag or digest is called here."""
        return replace(self._line.reference, tag=reference.tag, digest=reference.digest)

    def relax(self) -> None:
        """Take what comes, however slowly, where one was hurried: there is nobody else to ask."""
        if self._line.pace is not None:
            self._line.pace.relax()

    def interrupt(self) -> None:
        """End what is under way in any thread, at once; what is asked for later works as ever."""
        self._line.calls.cut()

    def pauses(self) -> list[tuple[str, float]]:
        """Whether the registry asks us to wait, and for how long (`Patient`)."""
        return self._line.pauses()

    def notes(self) -> list[str]:
        """What was tried again since this was last asked (`Telling`)."""
        return self._line.notes()

    # ---- Source

    def resolve(self, reference: Reference) -> Descriptor:
        """What a tag or digest points at.

        Raises:
            RemoteNotFound: there is no such repository or name.
            DigestMismatch: the registry gave other bytes than the digest asks for.
            BadManifest, Unsupported: what it gave is no manifest that we can use.
            RegistryError: the registry said no, or nothing.
            Interrupted: it was cut off.
        """
        try:
            return self.find(reference)
        except RemoteNotFound:
            self._prove_repository(self._line.calls.begin(), reference)
            raise

    def bring(self, reference: Reference) -> Descriptor:
        """What a tag or digest points at, by GET: one request instead of two for whoever reads it next anyway.

        Raises:
            NotFound, ContentError, RegistryError, Interrupted: as for `resolve`.
        """
        return self._manifests.fetch(self._line.calls.begin(), reference)

    def find(self, reference: Reference) -> Descriptor:
        """As `resolve`, without asking further why a name is missing."""
        call = self._line.calls.begin()
        return self._manifests.head(call, reference) or self._manifests.fetch(call, reference)

    def ping(self) -> int:
        """The status that the API's root answers with: 200, or 401 where it wants to know who we are.

        A mirror that answers is used again at once.

        Raises:
            RegistryError: the registry said no, or nothing.
            Interrupted: it was cut off.
        """
        root = Ask(method="GET", url=self._line.base, accept=frozenset({OK, _UNKNOWN}))
        status = self._line.ask(self._line.calls.begin(), root).status_code
        self._line.client.down.pop(self.host, None)
        self._line.client.slow.pop(self.host, None)
        return status

    def read(self, descriptor: Descriptor, offset: int = 0) -> Iterator[bytes]:
        """The bytes of a manifest or a blob from ``offset`` on; see `Source.read`.

        Raises:
            RemoteNotFound: the repository does not have it.
            SizeMismatch: the registry has fewer bytes than the descriptor says.
            RegistryError: the registry said no, or nothing.
            Interrupted: it was cut off.
        """
        call = self._line.calls.begin()
        inline = _inline(descriptor)
        if inline is not None:
            return iter([inline[offset:]] if inline[offset:] else [])
        kind = self._manifest if descriptor.is_manifest else self._blob
        return kind(call, descriptor, offset)

    def tags(self) -> Iterator[str]:
        """Every tag, each once, in the order that the registry gives them.

        Raises:
            RemoteNotFound: there is no such repository.
            ProtocolError: the list cannot be followed to its end.
            RegistryError: the registry said no, or nothing.
            Interrupted: it was cut off.
        """
        return self._tags(self._line.calls.begin())

    # ---- what is kept beside images

    def referrers(self, digest: Digest) -> Iterator[Descriptor]:
        """What says that it is about this manifest: signatures, attestations, SBOMs.

        Raises:
            ProtocolError: the list is none, or cannot be followed to its end.
            RegistryError: the registry said no, or nothing.
            Interrupted: it was cut off.
        """
        return referrers(self._line, self._line.calls.begin(), self._manifests, digest)

    def beside(self, url: str, limit: int) -> bytes | None:
        """A small document that the user's settings name, on another server and without our credentials there.

        Raises:
            Misuse: no URL, or plain http where that is not allowed.
            ProtocolError: it is larger than ``limit`` bytes.
            RegistryError: the server said no, or nothing.
            Interrupted: it was cut off.
        """
        return beside(self._line, self._line.calls.begin(), url, limit)

    # ---- Sink

    def has(self, descriptor: Descriptor) -> bool:
        """Whether the repository holds this manifest or blob.

        Raises:
            RegistryError: the registry said no, or nothing.
            Interrupted: it was cut off.
        """
        ask = Ask(
            method="HEAD",
            url=self._url(descriptor),
            headers=ACCEPT if descriptor.is_manifest else {},
            accept=_HAS | _STORE_REFUSED,
            pushing=True,
        )
        response = self._line.ask(self._line.calls.begin(), ask)
        if response.status_code not in _STORE_REFUSED:
            return response.is_success
        if origin(response.request.url) == origin(self._line.base):
            raise self._line.refused(response, ask)
        return True  # it sent us to its blob store, whose addresses are signed for GET only

    def write(self, descriptor: Descriptor, read: Callable[[int], Iterator[bytes]]) -> None:
        """Send a manifest or a blob; see `Sink.write`.

        Raises:
            DigestMismatch, SizeMismatch: the bytes are not what the descriptor says.
            RegistryError: the registry would not take it.
            Interrupted: it was cut off.
        """
        call = self._line.calls.begin()
        if descriptor.is_manifest:
            self._list(call, self._manifests.write(call, descriptor, read(0)))
        else:
            Upload(self._line, call, descriptor, read).run(self._mounts)

    def publish(self, reference: Reference, root: Descriptor, held: tuple[Descriptor, ...]) -> None:  # noqa: ARG002
        """Point a tag at a manifest that is here; nothing is sent where it does so already.

        Raises:
            Misuse: the name holds another digest.
            RegistryError: the registry would not take it.
            Interrupted: it was cut off.
        """
        if reference.digest is not None:
            if reference.digest != root.digest:
                raise Misuse(f"{root.digest} cannot be published as {reference.familiar}")
            return
        call = self._line.calls.begin()
        self._list(call, self._manifests.tag(call, reference, root))

    def _list(self, call: Call, referrer: Manifest | Index | None) -> None:
        """See to it that what is about another manifest is found by that, each once."""
        if referrer is not None and referrer.digest not in self._added:
            add_referrer(self._line, call, referrer)
            self._added.add(referrer.digest)

    def _prove_repository(self, call: Call, reference: Reference) -> None:
        """Registries often say the same of a missing tag and a missing repository; the list of tags tells them apart.

        Raises:
            RemoteNotFound: there is no such repository.
        """
        if reference.digest is not None:
            return
        try:
            some = next(self._tags(call, 1), None)
        except RegistryError:
            return
        if some is not None:
            raise RemoteNotFound(
                f"{reference.familiar_name} has no tag {reference.target}",
                hint=f"check the spelling; it has {some!r}, for one",
            )

    def _manifest(self, call: Call, descriptor: Descriptor, offset: int) -> Iterator[bytes]:
        rest = self._manifests.read(call, descriptor)[offset:]
        if rest:
            yield rest

    def _blob(self, call: Call, descriptor: Descriptor, offset: int) -> Iterator[bytes]:
        url, item = self._url(descriptor), f"blob {descriptor.digest.short}"

        def ask(headers: dict[str, str]) -> httpx.Response:
            return self._line.ask(call, _blob_ask(url, headers, item))

        def again(seconds: float) -> None:
            self._line.tell("broke off in the middle of a layer")
            call.wait(seconds)

        download = Download(descriptor, offset, ask, again, self._line.settings.attempts, is_lost=self._line.is_lost)
        try:
            yield from download.chunks()
        except httpx.TransportError as failure:
            raise self._line.failed(failure, _blob_ask(url, {}, item)) from failure

    def _tags(self, call: Call, count: int = 0) -> Iterator[str]:
        seen: set[str] = set()
        first = self._line.url("tags/list", f"n={count or host_of(self._line.reference.host).page_size}")
        for page in pages(first, lambda url: self._line.ask(call, Ask(method="GET", url=url))):
            for tag in _listed(page, self._line.reference):
                if tag not in seen:
                    seen.add(tag)
                    yield tag

    def _url(self, descriptor: Descriptor) -> httpx.URL:
        return self._line.url(f"{'manifests' if descriptor.is_manifest else 'blobs'}/{descriptor.digest}")


def _blob_ask(url: httpx.URL, headers: dict[str, str], item: str) -> Ask:
    return Ask(method="GET", url=url, headers=headers, accept=_BLOB, limit=None, whole=False, item=item)


def _inline(descriptor: Descriptor) -> bytes | None:
    """The content that a descriptor carries itself (image-spec descriptor.md), if it is what it should be."""
    if not descriptor.data:
        return None
    try:
        data = base64.b64decode(descriptor.data, validate=True)
    except (binascii.Error, ValueError):
        return None
    whole = len(data) == descriptor.size and Digest.of(data, descriptor.digest.algorithm) == descriptor.digest
    return data if whole else None


def _listed(page: httpx.Response, repository: Reference) -> Iterator[str]:
    """The tags of one page; what is no tag could not be asked for, only do harm where it is shown."""
    try:
        tags = decode(page.content, dict[str, Any], what="list of tags", own=True).get("tags")
    except BadManifest as error:
        raise ProtocolError(f"{repository.host} gives a list of tags that cannot be read: {error.message}") from None
    for tag in tags if isinstance(tags, list) else []:
        with suppress(BadReference):
            yield repository.with_tag(str(tag)).tag
