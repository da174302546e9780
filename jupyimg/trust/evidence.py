"""What signatures say, and what is judged: claims read strictly from signed bytes, and the image that they must fit.

Claims are read only from bytes whose signature was verified first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from jupyimg.errors import BadDigest
from jupyimg.model.content import Source
from jupyimg.model.digest import Digest
from jupyimg.transfer import fetch
from jupyimg.trust import strict
from jupyimg.trust.identity import matches
from jupyimg.trust.strict import Malformed, Node, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyimg.model.documents import Descriptor
    from jupyimg.model.reference import Reference
    from jupyimg.trust.identity import Identity

SIGNATURES = 128
"""The most signatures that are looked at for one image and requirement, as containers/image has it."""
SIGNATURE_LIMIT = 1 << 20
"""The most bytes of one signature, or of what it signs; real ones have less than 10,000."""
GPG_TYPE = "atomic container signature"
COSIGN_TYPE = "cosign container image signature"
SIGN_PREDICATE = "https://sigstore.dev/cosign/sign/v1"
"""What a statement must say to be a signature and no attestation: a report of holes may be signed by the same key."""
_STATEMENTS = {"https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"}


class Unacceptable(Exception):
    """Why a signature does not count, or none of several.

    Attributes:
        nameless: whether one would count for somebody who had asked for the digest.
    """

    def __init__(self, reason: str, *, nameless: bool = False) -> None:
        super().__init__(reason)
        self.nameless = nameless


class Evidence(Source, Protocol):
    """Where an image is, and what is kept beside it there."""

    def referrers(self, digest: Digest) -> Iterator[Descriptor]:
        """What says that it is about this manifest (distribution-spec, "Listing Referrers")."""
        ...

    def beside(self, url: str, limit: int) -> bytes | None:
        """A small document at an address of its own, or None where there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is judged: one manifest or index, under the name that was asked for.

    Attributes:
        place: where it comes from.
        wanted: the name that was asked for (`identity.intended`).
        descriptor: the manifest or index; its bytes were proven against it.
    """

    place: Evidence
    wanted: Reference
    descriptor: Descriptor

    @property
    def digest(self) -> Digest:
        """What signatures are kept under."""
        return self.descriptor.digest

    @property
    def raw(self) -> bytes:
        """The document itself."""
        return fetch(self.place, self.descriptor)

    def has(self, digest: Digest) -> bool:
        """Whether it has this digest, of any algorithm."""
        return digest == self.digest or digest == Digest.of(self.raw, digest.algorithm)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a signature says: these digests name one thing, and that is (part of) this image; "" where it names none."""

    digests: tuple[Digest, ...]
    name: str


def simple(raw: bytes, kind: str) -> list[Claim]:
    """The claim of a "simple signing" payload (containers-signature(5)), which cosign writes too.

    Raises:
        Unacceptable: it is none.
    """
    try:
        top = strict.load(raw).fields(["critical", "optional"])
        if top["optional"].value is not None:  # cosign writes null
            top["optional"].members()
        critical = top["critical"].fields(["type", "image", "identity"])
        if critical["type"].text() != kind:
            raise critical["type"].fault(f"{kind!r} is expected")
        digest = _digest(critical["image"].fields(["docker-manifest-digest"])["docker-manifest-digest"])
        name = critical["identity"].fields(["docker-reference"])["docker-reference"].text()
    except Malformed as error:
        raise Unacceptable(f"what it signs is no claim about an image: {error}") from None
    return [Claim((digest,), name)]


def statement(raw: bytes) -> list[Claim]:
    """The claims of an in-toto statement by which cosign signs (one for each subject).

    Raises:
        Unacceptable: it is none, or states something else.
    """
    try:
        top = strict.load(raw).members()
        if _text(top, "_type") not in _STATEMENTS:
            raise Unacceptable("what it signs is no in-toto statement")
        predicate = _text(top, "predicateType")
        if predicate != SIGN_PREDICATE:
            raise Unacceptable(f"it attests {shown(predicate)}, which is no signature")
        return [_subject(node.members()) for node in _member(top, "subject").items()]
    except Malformed as error:
        raise Unacceptable(f"what it signs is no claim about an image: {error}") from None


def accept(claims: list[Claim], subject: Subject, identity: Identity) -> None:
    """Take a verified signature's claims as being about this image.

    Raises:
        Unacceptable: none of them is.
    """
    about = [claim for claim in claims if claim.digests and all(subject.has(digest) for digest in claim.digests)]
    if not about:
        raise Unacceptable(f"it signs {claims[0].digests[0] if claims[0].digests else 'nothing'}, not this image")
    if not any(matches(identity, subject.wanted, claim.name) for claim in about):
        name = about[0].name
        if name:
            raise Unacceptable(f"it is for {shown(name)}")
        raise Unacceptable("it names no repository and no tag, only a digest", nameless=subject.wanted.digest is None)


def _subject(members: dict[str, Node]) -> Claim:
    name = members["name"].value if "name" in members else ""
    if not isinstance(name, str):
        raise members["name"].fault("a text is expected")
    digests = _member(members, "digest").members()
    known = [
        Node(f"{algorithm}:{node.text()}", node.place) for algorithm, node in digests.items() if algorithm in _KNOWN
    ]
    return Claim(tuple(_digest(node) for node in known), name)


_KNOWN = ("sha256", "sha384", "sha512")


def _digest(node: Node) -> Digest:
    try:
        return Digest(node.text())
    except BadDigest:
        raise node.fault("a digest is expected") from None


def _member(members: dict[str, Node], key: str) -> Node:
    if key not in members:
        raise Malformed(f"the key {key!r} is missing")
    return members[key]


def _text(members: dict[str, Node], key: str) -> str:
    return _member(members, key).text()
