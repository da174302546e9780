"""policy.json: which images are let in, in containers' format (containers-policy.json(5)), read strictly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyimg.errors import BadPolicy
from jupyimg.trust import strict
from jupyimg.trust.identity import KINDS, Identity, is_bare, is_prefix, parsed, scopes
from jupyimg.trust.strict import Malformed, Node

if TYPE_CHECKING:
    from jupyimg.model.reference import Reference

POLICY_LIMIT = 4 << 20
"""The most bytes of a policy."""
_GPG_KEYS = "GPGKeys"
_PLANNED_KEYS = {"signedByGPGKeys", "X509Certificates", "signedByX509CAs"}
_KEYS = ("keyPath", "keyPaths", "keyData")
_REKOR = ("rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas")
_FULCIO = ("caPath", "caData", "oidcIssuer", "subjectEmail")
_PKI = ("caRootsPath", "caRootsData", "caIntermediatesPath", "caIntermediatesData", "subjectHostname", "subjectEmail")


@dataclass(frozen=True, slots=True)
class Keys:
    """Where public keys come from: files, or the policy itself; any of them may have signed."""

    paths: tuple[Path, ...] = ()
    data: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Anything:
    """Lets any image in."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Lets no image in."""


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Wants a GPG signature ("simple signing")."""

    keys: Keys
    identity: Identity


@dataclass(frozen=True, slots=True)
class SigstoreSigned:
    """Wants a sigstore signature by a key."""

    keys: Keys
    identity: Identity


@dataclass(frozen=True, slots=True)
class Beyond:
    """A requirement of the format that is not checked here, and so can never be met."""

    what: str


Requirement = Anything | Reject | SignedBy | SigstoreSigned | Beyond
Requirements = tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What to require of which image.

    Attributes:
        default: of images that nothing else covers.
        transports: by transport and scope; "" is a transport's own default.
    """

    default: Requirements
    transports: dict[str, dict[str, Requirements]]

    def deciding(self, reference: Reference) -> tuple[str, Requirements]:
        """The most specific part that covers an image of a registry: what to call it, and what it requires."""
        found = self.transports.get("docker", {})
        for scope in [*scopes(reference), ""]:
            if scope in found:
                return f'docker["{scope}"]', found[scope]
        return "default", self.default

    @property
    def takes_anything(self) -> bool:
        """Whether no image of any registry needs to be looked at, as by the file that distributions bring along."""
        parts = [self.default, *self.transports.get("docker", {}).values()]
        return all(isinstance(requirement, Anything) for part in parts for requirement in part)


def read_policy(path: Path) -> Policy:
    """Read a policy file.

    Raises:
        BadPolicy: it is missing, not readable, or not exactly what the format allows.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(POLICY_LIMIT + 1)
    except OSError as error:
        raise BadPolicy(f"the trust policy {path} cannot be read: {error.strerror}") from None
    if len(raw) > POLICY_LIMIT:
        raise BadPolicy(f"the trust policy {path} has more than {POLICY_LIMIT} bytes")
    try:
        return parse_policy(raw)
    except Malformed as error:
        raise BadPolicy(f"the trust policy {path} is not usable: {error}") from None


def parse_policy(raw: bytes) -> Policy:
    """Read a policy's bytes.

    Raises:
        Malformed: they are not exactly what the format allows.
    """
    top = strict.load(raw).fields(["default"], ["transports"])
    transports = top["transports"].members() if "transports" in top else {}
    return Policy(
        _requirements(top["default"]),
        {
            name: {scope: _requirements(node) for scope, node in transport.members().items()}
            for name, transport in transports.items()
        },
    )


def _requirements(node: Node) -> Requirements:
    return tuple(_requirement(item) for item in node.items())


def _requirement(node: Node) -> Requirement:
    kind = _kind(node)
    match kind:
        case "insecureAcceptAnything":
            node.fields(["type"])
            return Anything()
        case "reject":
            node.fields(["type"])
            return Reject()
        case "signedBy":
            return _signed_by(node)
        case "sigstoreSigned":
            return _sigstore_signed(node)
        case "signedBaseLayer":
            _identity(node.fields(["type", "baseLayerIdentity"])["baseLayerIdentity"])
            return Beyond("signedBaseLayer")
    raise node.fault(f"unknown type {strict.shown(kind)}")


def _signed_by(node: Node) -> Requirement:
    fields = node.fields(["type", "keyType"], [*_KEYS, "signedIdentity"])
    key_type = fields["keyType"].text()
    if key_type != _GPG_KEYS and key_type not in _PLANNED_KEYS:
        raise fields["keyType"].fault(f"unknown value {strict.shown(key_type)}")
    keys = _keys(node, fields, _KEYS)
    found = SignedBy(keys, _identity(fields.get("signedIdentity")))
    return found if key_type == _GPG_KEYS else Beyond(f"signedBy with the keyType {key_type}")


def _sigstore_signed(node: Node) -> Requirement:
    sources = (*_KEYS, "keyDatas")
    fields = node.fields(["type"], [*sources, "fulcio", "pki", *_REKOR, "signedIdentity"])
    identity = _identity(fields.get("signedIdentity"))
    if sum(name in fields for name in _REKOR) > 1:
        raise node.fault(f"at most one of {', '.join(_REKOR)} may stand")
    beyond = [name for name in ("fulcio", "pki", *_REKOR) if name in fields]
    if "fulcio" in fields:
        fields["fulcio"].fields(["oidcIssuer", "subjectEmail"], _FULCIO)
    if "pki" in fields:
        fields["pki"].fields([], _PKI)
    if sum(name in fields for name in (*sources, "fulcio", "pki")) != 1:
        raise node.fault(f"exactly one of {', '.join(sources)}, fulcio and pki must stand")
    if beyond:
        return Beyond(f"sigstoreSigned with {beyond[0]}")
    return SigstoreSigned(_keys(node, fields, sources), identity)


def _keys(node: Node, fields: dict[str, Node], sources: tuple[str, ...]) -> Keys:
    there = [name for name in sources if name in fields]
    if len(there) != 1:
        raise node.fault(f"exactly one of {', '.join(sources)} must stand")
    value = fields[there[0]]
    many = value.items() if there[0] in {"keyPaths", "keyDatas"} else [value]
    if there[0].startswith("keyPath"):
        return Keys(paths=tuple(_path(item) for item in many))
    return Keys(data=tuple(item.data() for item in many))


def _path(node: Node) -> Path:
    path = Path(node.text())
    if not path.is_absolute():
        raise node.fault("the path must be absolute")  # or a notebook's own folder could bring the keys
    return path


def _kind(node: Node) -> str:
    members = node.members()
    if "type" not in members:
        raise node.fault("the key 'type' is missing")
    return members["type"].text()


def _identity(node: Node | None) -> Identity:
    if node is None:
        return Identity()
    kind = _kind(node)
    if kind not in KINDS:
        raise node.fault(f"unknown type {strict.shown(kind)}")
    match kind:
        case "remapIdentity":
            fields = node.fields(["type", "prefix", "signedPrefix"])
            return Identity(kind=kind, prefix=_prefix(fields["prefix"]), signed_prefix=_prefix(fields["signedPrefix"]))
        case "exactReference":
            field = node.fields(["type", "dockerReference"])["dockerReference"]
            reference = _name(field)
            if is_bare(reference):
                raise field.fault("an image name with a tag or a digest is expected")
            return Identity(kind=kind, name=reference)
        case "exactRepository":
            return Identity(kind=kind, name=_name(node.fields(["type", "dockerRepository"])["dockerRepository"]))
    node.fields(["type"])
    return Identity(kind=kind)


def _name(node: Node) -> Reference:
    found = parsed(node.text())
    if found is None:
        raise node.fault("an image name is expected")
    return found


def _prefix(node: Node) -> str:
    text = node.text()
    if not is_prefix(text):
        raise node.fault("a host, namespace or repository in full is expected, such as docker.io/library")
    return text
