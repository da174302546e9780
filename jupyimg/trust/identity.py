"""Which image a policy and a signature mean: scopes of a name, and whether a signed name is the one that was asked for.

Pure rules over `Reference`, as containers/image has them (policyconfiguration/naming.go, policy_reference_match.go).
A name that carries a tag and a digest counts as the digest's alone, since the digest is what is pulled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyimg.errors import BadReference
from jupyimg.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable

    Match = Callable[["Identity", Reference, Reference], bool]

DEFAULT = "matchRepoDigestOrExact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a signature must say it is about (policy.json, ``signedIdentity``).

    Attributes:
        kind: its ``type``.
        name: for ``exactReference`` and ``exactRepository``, the name.
        prefix: for ``remapIdentity``, the beginning of names ...
        signed_prefix: ... and what stands for it in signatures.
    """

    kind: str = DEFAULT
    name: Reference | None = None
    prefix: str = ""
    signed_prefix: str = ""


def intended(reference: Reference) -> Reference:
    """A name as policies and signatures mean it: with a tag or a digest, never both and never neither."""
    return reference.with_digest(reference.digest) if reference.digest else reference.with_tag(reference.target)


def scopes(reference: Reference) -> list[str]:
    """The scopes that cover a name, the most specific first.

    The name itself, its repository, each namespace above, the host with its port, then ``*.`` wildcards for the host's
    parent domains. A host without its port covers nothing: another port is another registry.
    """
    name = reference.name
    found = [str(intended(reference))]
    while True:
        found.append(name)
        above, slash, _ = name.rpartition("/")
        if not slash:
            break
        name = above
    domain = name.partition(":")[0]
    while "." in domain:
        domain = domain.partition(".")[2]
        found.append(f"*.{domain}")
    return found


def matches(identity: Identity, wanted: Reference, text: str) -> bool:
    """Whether a signature about ``text`` is one about the image that was asked for.

    Args:
        identity: the rule.
        wanted: the name that was asked for, see `intended`.
        text: the name in the signature; "" where it names none and speaks of a digest alone. That is enough only for
            someone who asked for a digest: under a tag it would let any image of the same signer pass for another.
    """
    if not text:
        return wanted.digest is not None and identity.kind in {DEFAULT, "matchRepository"}
    signed = parsed(text)
    return signed is not None and _RULES[identity.kind](identity, wanted, signed)


def parsed(text: str) -> Reference | None:
    """A name that may lack a tag, or None."""
    try:
        return Reference.parse(text, default_tag="")
    except BadReference:
        return None


def is_bare(reference: Reference) -> bool:
    """Whether it names a repository only."""
    return not reference.tag and reference.digest is None


def is_prefix(text: str) -> bool:
    """Whether it is a host, namespace or repository in full, which names may begin with."""
    return str(parsed(f"{text}/a/b")) == f"{text}/a/b"


def _exact(_: Identity, wanted: Reference, signed: Reference) -> bool:
    return signed == wanted and not is_bare(signed)


def _digest_or_exact(_: Identity, wanted: Reference, signed: Reference) -> bool:
    if is_bare(signed):
        return False
    return signed.name == wanted.name if wanted.digest else signed == wanted


def _repository(_: Identity, wanted: Reference, signed: Reference) -> bool:
    return signed.name == wanted.name


def _exact_reference(identity: Identity, _: Reference, signed: Reference) -> bool:
    return signed == identity.name


def _exact_repository(identity: Identity, _: Reference, signed: Reference) -> bool:
    return identity.name is not None and signed.name == identity.name.name


def _remapped(identity: Identity, wanted: Reference, signed: Reference) -> bool:
    if wanted.name == identity.prefix or wanted.name.startswith(f"{identity.prefix}/"):
        text = identity.signed_prefix + str(wanted)[len(identity.prefix) :]
        mapped = parsed(text)
        if mapped is None or str(mapped) != text:
            return False
        wanted = mapped
    return _digest_or_exact(identity, wanted, signed)


_RULES: dict[str, Match] = {
    "matchExact": _exact,
    DEFAULT: _digest_or_exact,
    "matchRepository": _repository,
    "exactReference": _exact_reference,
    "exactRepository": _exact_repository,
    "remapIdentity": _remapped,
}
KINDS = frozenset(_RULES)
"""The types that there are."""
