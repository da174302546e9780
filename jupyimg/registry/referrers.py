"""What refers to a manifest: signatures, attestations, SBOMs (distribution-spec, "Listing Referrers").

A registry that does not list them keeps them in an index under a tag made of the digest ("Referrers Tag Schema").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyimg.errors import BadManifest, ProtocolError, RemoteNotFound
from jupyimg.model.documents import OCI_INDEX, Index, read_manifest
from jupyimg.registry.line import Ask
from jupyimg.registry.pages import pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Descriptor
    from jupyimg.registry.call import Call
    from jupyimg.registry.line import Line
    from jupyimg.registry.manifests import Manifests

_ALGORITHM, _ENCODED = 32, 64
"""How much of a digest's two parts the tag takes."""
_OK = 200
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


def _tagged(line: Line, call: Call, manifests: Manifests, digest: Digest) -> Iterator[Descriptor]:
    tag = f"{digest.algorithm[:_ALGORITHM]}-{digest.encoded[:_ENCODED]}"
    try:
        found = manifests.fetch(call, line.reference.with_tag(tag))
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
