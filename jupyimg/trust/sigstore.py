"""Sigstore signatures by a key, in both forms: bundles that refer to the manifest, and cosign's older ``.sig`` tags.

A bundle is a referrer (OCI 1.1) whose one layer is JSON; cosign 3 writes an in-toto statement in a DSSE envelope,
others sign the manifest's bytes. What a bundle says of its key (a hint, a certificate) is not believed: only the
policy's keys are tried. The older form is a manifest tagged ``sha256-HEX.sig``, whose layers are signed payloads and
whose annotations hold the signatures.
"""

from __future__ import annotations

import base64
import binascii
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from jupyimg.errors import RegistryError, RemoteNotFound
from jupyimg.model.documents import Manifest
from jupyimg.transfer import fetch, fetch_manifest
from jupyimg.trust import strict
from jupyimg.trust.evidence import COSIGN_TYPE, SIGNATURE_LIMIT, Claim, Unacceptable, simple, statement
from jupyimg.trust.keys import is_signed
from jupyimg.trust.strict import Malformed, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jupyimg.model.documents import Descriptor
    from jupyimg.trust.evidence import Subject

    Attempt = Callable[[], list[Claim]]

BUNDLE = "application/vnd.dev.sigstore.bundle"
"""How the type of every version of a bundle begins."""
PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE = "dev.cosignproject.cosign/signature"
IN_TOTO = "application/vnd.in-toto+json"
REFERRERS = 1000
"""The most referrers that are looked through for bundles."""
_PER_ENVELOPE = 8


def attempts(subject: Subject, keys: Sequence[Any]) -> Iterator[Attempt]:
    """Every signature that is kept with the image; each, when called, gives its claims or raises `Unacceptable`.

    Where one form cannot be asked for, the other still is: a mirror may hold what lets the image in.

    Raises:
        RegistryError: the registry said no, or nothing.
    """
    failure: RegistryError | None = None
    for form in (_bundles, _tags):
        try:
            yield from form(subject, keys)
        except RegistryError as error:
            failure = failure or error
    if failure is not None:
        raise failure


def _bundles(subject: Subject, keys: Sequence[Any]) -> Iterator[Attempt]:
    for descriptor in islice(subject.place.referrers(subject.digest), REFERRERS):
        if descriptor.artifact_type.startswith(BUNDLE):
            yield partial(_bundle, subject, descriptor, keys)


def _tags(subject: Subject, keys: Sequence[Any]) -> Iterator[Attempt]:
    tag = f"{subject.digest.algorithm}-{subject.digest.encoded}.sig"
    try:
        root = subject.place.resolve(subject.wanted.with_tag(tag))
    except RemoteNotFound:
        return
    attached = fetch_manifest(subject.place, root)
    for layer in attached.layers if isinstance(attached, Manifest) else ():
        if layer.media_type == PAYLOAD:
            yield partial(_attached, subject, layer, keys)


def _attached(subject: Subject, layer: Descriptor, keys: Sequence[Any]) -> list[Claim]:
    signature = _decoded((layer.annotations or {}).get(SIGNATURE, ""))
    payload = _read(subject, layer)
    if not is_signed(payload, signature, keys):
        raise Unacceptable("it is by a key that the policy does not name, or not valid")
    return simple(payload, COSIGN_TYPE)


def _bundle(subject: Subject, descriptor: Descriptor, keys: Sequence[Any]) -> list[Claim]:
    manifest = fetch_manifest(subject.place, descriptor)
    if not isinstance(manifest, Manifest) or len(manifest.layers) != 1:
        raise Unacceptable("it is no bundle")
    try:
        top = strict.load(_read(subject, manifest.layers[0])).members()
        if "dsseEnvelope" in top:
            return _enveloped(top["dsseEnvelope"].members(), keys)
        if "messageSignature" in top:
            return _message(subject, top["messageSignature"].members(), keys)
    except (Malformed, KeyError) as error:
        raise Unacceptable(f"its bundle is damaged: {error}") from None
    raise Unacceptable("its bundle holds no signature")


def _enveloped(envelope: dict[str, Node], keys: Sequence[Any]) -> list[Claim]:
    """The claims in an envelope (DSSE): one of its signatures must be by one of the keys."""
    kind, payload = envelope["payloadType"].text(), envelope["payload"].data()
    if kind != IN_TOTO:
        raise Unacceptable("what it signs is no in-toto statement")
    encoded = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    given = [node.members()["sig"].data() for node in envelope["signatures"].items()[:_PER_ENVELOPE]]
    if not any(is_signed(encoded, signature, keys) for signature in given):
        raise Unacceptable("it is by a key that the policy does not name, or not valid")
    return statement(payload)


def _message(subject: Subject, message: dict[str, Node], keys: Sequence[Any]) -> list[Claim]:
    """A signature of the manifest's bytes: it claims a digest and no name."""
    if not is_signed(subject.raw, message["signature"].data(), keys):
        raise Unacceptable("it is by a key that the policy does not name, or of something else")
    return [Claim((subject.digest,), "")]


def _read(subject: Subject, descriptor: Descriptor) -> bytes:
    if descriptor.size > SIGNATURE_LIMIT:
        raise Unacceptable(f"it has {descriptor.size} bytes, too many for a signature")
    return fetch(subject.place, descriptor)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Unacceptable("its signature is not base64") from None
