"""Admission: asks the policy about an image before a byte of it moves, and says what let it in.

The name in the source decides which part of the policy counts, as in containers/image. What is judged are digests
that were resolved once and are the ones that will be named. A single manifest must meet every requirement. An index is
let in if it does so itself, since its bytes name everything below by digest (what ``cosign sign`` signs), or if every
manifest that is taken out of it does (what containers/image wants, and ``skopeo copy --all --sign-by`` makes).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from jupyimg.errors import ContentError, NotTrusted, RemoteNotFound, Unsupported
from jupyimg.trust import gpg, lookaside, sigstore
from jupyimg.trust.evidence import GPG_TYPE, SIGNATURES, Evidence, Subject, Unacceptable, accept, simple
from jupyimg.trust.identity import intended
from jupyimg.trust.keys import key_bytes, public_keys
from jupyimg.trust.lookaside import read_lookaside
from jupyimg.trust.policy import Anything, Beyond, Reject, SignedBy, SigstoreSigned, read_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jupyimg.model.reference import Reference
    from jupyimg.model.settings import Settings
    from jupyimg.transfer import Tree
    from jupyimg.trust.evidence import Claim
    from jupyimg.trust.policy import Policy, Requirements

    Attempt = Callable[[], list[Claim]]

_REASONS = 3
"""How many reasons are told; a hostile place has thousands."""


def admission(settings: Settings, place: Evidence, *, trust: bool | None = None) -> Admission | None:
    """Who is to be asked about images from this place; None where anything goes.

    Args:
        settings: name the policy.
        place: where the images and their signatures are.
        trust: False asks nobody; True takes only what the policy wants signed; None does what the settings say.

    Raises:
        BadPolicy: the policy is not usable.
    """
    demanding = settings.content_trust if trust is None else trust
    if trust is False or (settings.policy is None and not demanding):
        return None
    policy = read_policy(settings.policy) if settings.policy is not None else None
    if policy is not None and policy.takes_anything and not demanding:
        return None
    return Admission(settings, place, policy, demanding=demanding)


@dataclass(frozen=True, slots=True)
class Admission:
    """The policy, applied to one place; calling it admits or raises."""

    settings: Settings
    place: Evidence
    policy: Policy | None
    demanding: bool

    def __call__(self, reference: Reference, tree: Tree) -> list[str]:
        """Let an image in: lines that say on what grounds.

        Raises:
            NotTrusted: the policy does not let it in.
            Unsupported: the policy wants what cannot be checked here.
            BadPolicy: a file that the policy needs is not usable.
            RegistryError: signatures could not be fetched.
        """
        if self.policy is None:
            raise _undecided(reference, "there is no trust policy")
        part, requirements = self.policy.deciding(intended(reference))
        where = f"{part} of {self.settings.policy}"
        if all(isinstance(requirement, Anything) for requirement in requirements):
            if self.demanding:
                raise _undecided(reference, f"{where} wants no signature")
            return []
        if any(isinstance(requirement, Reject) for requirement in requirements):
            raise NotTrusted(f"{reference.familiar} is rejected by the trust policy", hint=f"{where} decides")
        for requirement in requirements:
            if isinstance(requirement, Beyond):
                raise Unsupported(
                    f"the trust policy wants {requirement.what} for {reference.familiar}, which is not checked here",
                    hint=f"name keys in {where} (keyPath), or pull it with a tool that knows this",
                )
        return self._judged(reference, tree, requirements, where)

    def _judged(self, reference: Reference, tree: Tree, requirements: Requirements, where: str) -> list[str]:
        subjects = [
            Subject(place=self.place, wanted=intended(reference), descriptor=descriptor)
            for descriptor in (tree.root, *(leaf for leaf in tree.manifests if not leaf.is_index))
        ]
        root, *leaves = subjects
        try:
            return self._all(root, requirements)
        except Unacceptable as why:
            reason, nameless = str(why), why.nameless
        if root.descriptor.is_index:
            try:
                return list(dict.fromkeys(line for leaf in leaves for line in self._all(leaf, requirements)))
            except Unacceptable as why:
                reason, nameless = f"its index: {reason}; its manifest: {why}", nameless or why.nameless
        hint = f"{where} decides; ask who publishes the image to sign it, or correct the policy"
        if nameless:
            name = root.wanted.with_digest(root.digest).familiar
            hint = (
                f"{where} decides; such a signature vouches for a digest alone: if you know it to be right, pull {name}"
            )
        raise NotTrusted(f"{reference.familiar} is not trusted: {reason}", hint=hint)

    def _all(self, subject: Subject, requirements: Requirements) -> list[str]:
        lines = []
        for requirement in requirements:
            match requirement:
                case SignedBy():
                    lines.append(self._signed_by(subject, requirement))
                case SigstoreSigned():
                    lines.append(self._sigstore_signed(subject, requirement))
                case Anything():
                    continue
                case _:
                    raise Unacceptable("the policy wants what cannot be had")
        return lines

    def _signed_by(self, subject: Subject, requirement: SignedBy) -> str:
        signers: list[str] = []
        places = read_lookaside(self.settings.registries_d, self.settings.lookaside)
        with gpg.Keyring(key_bytes(requirement.keys)) as ring:

            def attempt(signature: bytes) -> list[Claim]:
                text, fingerprint = ring.verify(signature)
                signers[:] = [fingerprint]
                return simple(text, GPG_TYPE)

            attempts = (partial(attempt, signature) for signature in lookaside.signatures(subject, places))
            _first_good(attempts, lambda claims: accept(claims, subject, requirement.identity))
        return f"Content trust: {subject.digest} is signed by the GPG key {signers[0]}"

    def _sigstore_signed(self, subject: Subject, requirement: SigstoreSigned) -> str:
        attempts = sigstore.attempts(subject, public_keys(requirement.keys))
        _first_good(attempts, lambda claims: accept(claims, subject, requirement.identity))
        names = ", ".join(path.name for path in requirement.keys.paths) or "a key in the policy"
        return f"Content trust: {subject.digest} is signed with sigstore by {names}"


def _first_good(attempts: Iterator[Attempt], take: Callable[[list[Claim]], None]) -> None:
    """Go through signatures until one is good; one is enough.

    Raises:
        Unacceptable: none is, and why.
    """
    reasons: list[str] = []
    nameless = False
    try:
        for number, attempt in enumerate(attempts):
            if number == SIGNATURES:
                reasons.append(f"there are more than {SIGNATURES} signatures")
                break
            try:
                take(attempt())
            except (ContentError, RemoteNotFound) as why:
                reasons.append(why.message)
            except Unacceptable as why:
                reasons.append(str(why))
                nameless = nameless or why.nameless
            else:
                return
    except ContentError as why:  # what lists them is itself not usable
        reasons.append(why.message)
    except Unacceptable as why:
        reasons.append(str(why))
    raise Unacceptable(_told(reasons), nameless=nameless)


def _told(reasons: Sequence[str]) -> str:
    different = list(dict.fromkeys(reasons))
    if not different:
        return "a signature is required, and there is none"
    if len(reasons) == 1:
        return f"its signature does not count: {different[0]}"
    more = "; and others" if len(different) > _REASONS else ""
    return f"none of its {len(reasons)} signatures counts: {'; '.join(different[:_REASONS])}{more}"


def _undecided(reference: Reference, why: str) -> NotTrusted:
    return NotTrusted(
        f"{reference.familiar} is not let in: content trust is on, but {why}",
        hint="name the keys that you trust in ~/.config/containers/policy.json, or unset DOCKER_CONTENT_TRUST",
    )
