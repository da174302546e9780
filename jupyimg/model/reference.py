"""Reference: the name of an image, normalised exactly as Docker does (distribution/reference).

A name is ``[HOST[:PORT]/]PATH[:TAG][@DIGEST]``. The first component is a host only if it holds a ``.`` or a ``:``,
is ``localhost`` or has an uppercase letter; otherwise the host is ``docker.io``, where a path of one component
lives under ``library/``. The *familiar* form drops what is implied again, and is what people read and type.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from jupyimg.errors import BadDigest, BadReference
from jupyimg.model.digest import Digest

DOCKER_HUB = "docker.io"
DEFAULT_TAG = "latest"

_DOMAIN_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(rf"(?:{_DOMAIN_LABEL}(?:\.{_DOMAIN_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?", re.ASCII)
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_HEX64 = re.compile(r"[a-f0-9]{64}", re.ASCII)
_NAME_LIMIT = 255
_NO_DIGEST = "what follows an @ in an image's name is a digest (sha256:...)"
_NO_LOGIN = "a login does not belong into a name: %image login HOST keeps it"


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A fully normalised image name; at least one of tag and digest is usually set.

    Attributes:
        host: the registry, with its port if one was given; ``docker.io`` for Docker Hub.
        path: the repository's path on that host, with ``library/`` where it is implied.
        tag: the tag, or "".
        digest: the digest, or None. Where both are given the digest decides and the tag is decoration.
    """

    host: str
    path: str
    tag: str = ""
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str, *, default_tag: str = DEFAULT_TAG) -> Reference:
        """Read what a user typed; without tag and digest the tag is ``default_tag`` ("" leaves a bare name).

        Raises:
            BadReference: it does not follow the grammar, or could be mistaken for an image ID.
        """
        rest, digest = _split_digest(text)
        name, tag = _split_tag(rest)
        if _HEX64.fullmatch(name) and not tag:
            raise BadReference(f"{text!r} looks like an image ID, not a name", hint="a 64-digit ID cannot be a name")
        host, path = _split_host(name)
        if not _DOMAIN.fullmatch(host):
            raise BadReference(f"{text!r} is not an image reference: {host!r} is not a host name")
        if not _PATH.fullmatch(path):
            raise BadReference(f"{text!r} is not an image reference: {_path_problem(path)}")
        if len(path) > _NAME_LIMIT:
            raise BadReference(f"the name in {text[:40]!r}... is longer than {_NAME_LIMIT} characters")
        return cls(host, path, tag or ("" if digest else default_tag), digest)

    @property
    def name(self) -> str:
        """The repository's canonical name, such as ``docker.io/library/nginx``."""
        return f"{self.host}/{self.path}"

    @property
    def familiar_name(self) -> str:
        """The repository as people write it, such as ``nginx`` or ``localhost:5000/me/app``."""
        if self.host != DOCKER_HUB:
            return self.name
        return self.path.removeprefix("library/") if self.path.count("/") == 1 else self.path

    def __str__(self) -> str:
        """The full canonical form, which names an image in the store."""
        return self.name + self._suffix()

    @property
    def familiar(self) -> str:
        """The form people read and type, such as ``nginx:1.27``."""
        return self.familiar_name + self._suffix()

    @property
    def target(self) -> str:
        """What a registry is asked for: the digest if there is one, else the tag."""
        return self.digest or self.tag or DEFAULT_TAG

    def with_tag(self, tag: str) -> Reference:
        """The same repository under another tag, without digest.

        Raises:
            BadReference: not a legal tag.
        """
        if not _TAG.fullmatch(tag):
            raise BadReference(f"{tag!r} is not a tag", hint="a tag is at most 128 letters, digits, '_', '.' or '-'")
        return Reference(self.host, self.path, tag)

    def with_digest(self, digest: Digest) -> Reference:
        """The same repository at a digest, without tag."""
        return Reference(self.host, self.path, "", digest)

    def untagged(self) -> Reference:
        """The bare repository."""
        return dataclasses.replace(self, tag="", digest=None)

    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def _split_digest(text: str) -> tuple[str, Digest | None]:
    rest, at, digest = text.partition("@")
    if not at:
        return rest, None
    try:
        return rest, Digest(digest)
    except BadDigest as error:
        if digest.startswith("sha"):
            raise BadReference(f"{text!r} is not an image reference: {error.message}", hint=BadDigest.hint) from None
        raise BadReference(_NO_DIGEST, hint=_NO_LOGIN) from None  # not repeated, since it may hold a password


def _split_tag(text: str) -> tuple[str, str]:
    head, slash, last = text.rpartition("/")
    last, colon, tag = last.partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise BadReference(f"{text!r} is not an image reference: {tag!r} is not a tag")
    return head + slash + last, tag


def _split_host(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    is_host = bool(slash) and (
        "." in first or ":" in first or first == "localhost" or first != first.lower() or first.startswith("[")
    )
    host, path = (first, rest) if is_host else (DOCKER_HUB, name)
    if host == "index.docker.io":
        host = DOCKER_HUB
    if host == DOCKER_HUB and path and "/" not in path:
        path = f"library/{path}"
    return host, path


def _path_problem(path: str) -> str:
    bare = path.removeprefix("library/")
    if not bare:
        return "there is no name"
    if bare != bare.lower():
        return f"the repository name must be lowercase ({bare.lower()!r}?)"
    return f"{bare!r} is not a repository name"
