"""Where an image is really read and written: mirrors, rewritten locations and blocked names, as a pure decision.

The rules are those of containers' registries.conf, version 2 (containers-registries.conf(5)): of all tables whose
prefix begins the name, the one with the longest match counts, alone; its mirrors are tried in order and its own
location last; reading goes by way of mirrors, writing never does. Docker's daemon.json adds mirrors of Docker Hub and
insecure registries; what it says comes behind what registries.conf says.

Names do not change by any of this: an image is known by what the user wrote, wherever its bytes came from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import ip_address, ip_network

from jupyimg.errors import BadReference, Denied, Misuse
from jupyimg.model.reference import DOCKER_HUB, Reference

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::[0-9]{{1,5}})?"
_PLACE = re.compile(
    rf"{_HOST}(?:/[A-Za-z0-9._/-]*[A-Za-z0-9_.-])?(?::[A-Za-z0-9_.-]+)?(?:@[a-z0-9]+:[0-9a-f]+)?", re.ASCII
)
_WILDCARD = re.compile(rf"\*\.{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_LOGIN = re.compile(r"^.*@(?!sha\d+:)", re.DOTALL)
_ENDS = frozenset(":/@")


class Pull(StrEnum):
    """Which images a mirror serves (``pull-from-mirror``), by how they are named."""

    ALL = "all"
    DIGEST_ONLY = "digest-only"
    TAG_ONLY = "tag-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """One ``[[registry.mirror]]``.

    Attributes:
        location: HOST[:PORT][/PATH], which stands in for the prefix.
        insecure: whether plain http and certificates that prove nothing are taken.
        file: where it is set, as shown to people.
    """

    location: str
    insecure: bool = False
    pull: Pull = Pull.ALL
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """One ``[[registry]]``.

    Attributes:
        prefix: HOST[:PORT][/PATH], or ``*.DOMAIN``.
        location: what stands in for the prefix; "" leaves the name as it is (for ``*.DOMAIN`` only).
        insecure: see `Mirror`.
        blocked: whether nothing of this name is to be read or written.
        digest_only: whether mirrors serve only names with a digest (``mirror-by-digest-only``).
        file: where it is set, as shown to people.
    """

    prefix: str
    location: str = ""
    insecure: bool = False
    blocked: bool = False
    digest_only: bool = False
    mirrors: tuple[Mirror, ...] = ()
    file: str = ""

    def pull(self, mirror: Mirror) -> Pull:
        """Which images one of its mirrors serves."""
        return Pull.DIGEST_ONLY if self.digest_only else mirror.pull


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All that the files say.

    Attributes:
        hub: mirrors of Docker Hub that Docker's daemon.json names.
        insecure: HOST, HOST:PORT or network that it calls insecure.
        notes: what of it could not be used, for people.
    """

    namespaces: tuple[Namespace, ...] = ()
    hub: tuple[Mirror, ...] = ()
    insecure: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One place to ask, and the name that the image has there."""

    reference: Reference
    insecure: bool = False


def endpoints(reference: Reference, rules: Rules, *, every: bool = False) -> tuple[Endpoint, ...]:
    """Where to read an image, in order: the mirrors, then where it lives, which is also where it is written.

    Whether a digest counts as given is read off ``reference``, for everything that belongs to the image; with
    ``every`` it does not matter.

    Raises:
        Denied: the name is blocked.
        Misuse: a location makes no name of it.
    """
    found = covering(str(reference), rules)
    if found is None:
        found = Namespace(prefix=reference.host, location=reference.host)
    if found.blocked:
        raise Denied(
            f"{reference.familiar_name} is blocked: {found.file} says so of {found.prefix}; nothing was sent",
            hint="use another registry, or take blocked out there",
        )
    here = _moved(reference, found, found.location)
    mirrors = [mirror for mirror in found.mirrors if every or _serves(found.pull(mirror), reference)]
    before = [Endpoint(reference=_moved(reference, found, one.location), insecure=one.insecure) for one in mirrors]
    if reference.host == here.host == DOCKER_HUB:
        hub = Namespace(prefix=DOCKER_HUB)
        before += [Endpoint(reference=_moved(reference, hub, m.location), insecure=m.insecure) for m in rules.hub]
    insecure = found.insecure or is_listed(here.host, rules.insecure)
    return (*before, Endpoint(reference=here, insecure=insecure))


def covering(name: str, rules: Rules) -> Namespace | None:
    """The namespace whose prefix matches most of a full name such as ``docker.io/library/nginx:1``, or None."""
    best = max(rules.namespaces, key=lambda one: match(name, one.prefix), default=None)
    return best if best is not None and match(name, best.prefix) > 0 else None


def match(name: str, prefix: str) -> int:
    """How many characters of a full name a prefix covers; 0 where it does not match.

    What follows must be a separator. As containers has it, ``example.com`` also covers ``example.com:5000``.
    """
    if prefix.startswith("*."):
        host = name.partition("/")[0]
        bare = host.rpartition(":")[0] or host
        end = len(bare) if bare.endswith(prefix[1:]) else 0
    else:
        end = len(prefix) if name.startswith(prefix) else 0
    return end if name[end : end + 1] in {"", *_ENDS} else 0


def place(text: str, *, wildcard: bool = False) -> str:
    """A prefix or location as it counts, without slashes at its end.

    Raises:
        Misuse: it is none; the hint says how to write it.
    """
    if _LOGIN.search(text):
        raise Misuse(f"{_LOGIN.sub('', text)!r} was written with a login, which does not belong there")
    trimmed = text.rstrip("/")
    scheme, found, rest = trimmed.partition("://")
    if found:
        how = f"write {rest}" + (" and call it insecure" if scheme.lower() == "http" else "")
        raise Misuse(f"{text!r} begins with a scheme, which does not belong there", hint=how)
    if not (_PLACE.fullmatch(trimmed) or (wildcard and _WILDCARD.fullmatch(trimmed))):
        also = " or *.DOMAIN" if wildcard else ""
        raise Misuse(f"{text!r} names no registry", hint=f"write HOST[:PORT][/PATH]{also}")
    return trimmed


def is_listed(host: str, listed: frozenset[str]) -> bool:
    """Whether Docker's ``insecure-registries`` hold a host, by its name (with its port or without) or a network."""
    bare = (host.rpartition(":")[0] if re.search(r":\d+$", host) else host).strip("[]")
    return not listed.isdisjoint({host, bare}) or any(_within(bare, network) for network in listed if "/" in network)


def _within(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False


def _serves(pull: Pull, reference: Reference) -> bool:
    return pull is Pull.ALL or (pull is Pull.DIGEST_ONLY) == (reference.digest is not None)


def _moved(reference: Reference, namespace: Namespace, location: str) -> Reference:
    """The name with a location in place of the prefix."""
    if not location:
        return reference
    name = str(reference)
    moved = location + name[match(name, namespace.prefix) :]
    try:
        there = Reference.parse(moved, default_tag="")
    except BadReference as error:
        raise Misuse(
            f"{namespace.file or location} sends {reference.familiar} to {moved}, which is no name: {error.message}"
        ) from None
    return replace(there, tag=reference.tag, digest=reference.digest)
