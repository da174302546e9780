"""Entries: which key of ``auths`` stands for a registry or a repository, and what its entry says. Pure.

Docker writes host names, and one URL for its own Hub; old clients wrote URLs with a path. Podman also writes
``HOST/NAMESPACE/REPOSITORY``, which holds for what lies below only (containers-auth.json(5)). Docker would take such
a key for the whole host; here it never gives a secret to more than it names.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from jupyimg.errors import CredentialError, Misuse
from jupyimg.model.reference import DOCKER_HUB, Reference
from jupyimg.registry.auth import Credentials
from jupyimg.registry.hosts import host_of, names_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TOKEN_USER = "<token>"  # noqa: S105 - what stands in a user name's place where the secret is an identity token
_VERSIONS = {"", "v1", "v2"}
"""Paths that old clients wrote behind a host."""
_BROWSER = {"access-token", "refresh-token"}
"""What ends the keys under which Docker keeps the tokens of a login by browser; they are no logins to a registry."""
_TOKEN = re.compile(r"[\x21-\x7e]*", re.ASCII)


def server_of(text: str) -> str:
    """The host that a user means after ``login``: a name or a URL, of which the host counts; "" is Docker Hub.

    Raises:
        Misuse: it is no host name. What was written is not repeated, since it may hold a password.
    """
    name = _without_scheme(text)
    if "@" in name:
        raise Misuse(
            "a login does not belong into an address: it stays in the notebook and its history",
            hint="%image login HOST -u USER asks for the password",
        )
    host = name.partition("/")[0] if text.strip() else DOCKER_HUB
    try:
        # a host without a dot or a port is one here, where no path could be meant
        Reference.parse(f"{host}{'' if set('.:') & set(host) else ':443'}/x")
    except Misuse:
        raise Misuse(
            "that is not a registry", hint="write it as HOST[:PORT], such as quay.io or localhost:5000"
        ) from None
    return names_of(host)[0]


def login_key(host: str) -> str:
    """What Docker keeps a host's login under."""
    return host_of(host).login or host


def found_key(keyed: Mapping[str, Any], host: str, path: str = "") -> str | None:
    """The key that speaks for a repository, the most specific first; with a path of "", for the host."""
    for key in (*_paths(host, path), login_key(host), *names_of(host)):
        if keyed.get(key):
            return key
    return next((key for key in keyed if keyed[key] and denotes(key, host)), None)


def denotes(key: str, host: str) -> bool:
    """Whether a key means this whole host, in any spelling that a client ever wrote."""
    is_url, path = _without_scheme(key) != key, _without_scheme(key).partition("/")[2].strip("/")
    whole = path.rpartition("/")[2] not in _BROWSER if is_url else path in _VERSIONS
    return whole and _host_part(key) in names_of(host)


def goes_with(key: str, host: str) -> bool:
    """Whether a key is forgotten with this host: what denotes it, and what Docker kept of a login by browser."""
    return denotes(key, host) or (_without_scheme(key) != key and _host_part(key) in names_of(host))


def read_entry(entry: object, where: str) -> Credentials | None:
    """What an entry of ``auths`` says; None for an empty one, which only says that a helper knows more.

    Raises:
        CredentialError: it cannot be read; ``where`` names it, and nothing of it is repeated.
    """
    if not isinstance(entry, dict):
        raise CredentialError(f"{where} is not an object", hint="%image login writes it anew")
    texts = {
        name: _text(entry, name, where) for name in ("auth", "username", "password", "identitytoken", "registrytoken")
    }
    username, password = _pair(texts["auth"], where) if texts["auth"] else (texts["username"], texts["password"])
    for name in ("identitytoken", "registrytoken"):
        if not _TOKEN.fullmatch(texts[name]):
            raise CredentialError(f"the {name} of {where} is no token", hint="%image login writes it anew")
    found = Credentials(
        "" if username == TOKEN_USER else username, password, texts["identitytoken"], texts["registrytoken"]
    )
    return found if found != Credentials("") else None


def write_entry(credentials: Credentials) -> dict[str, str]:
    """An entry of ``auths``, as Docker writes it."""
    pair = f"{credentials.username}:{'' if credentials.identity_token else credentials.password}"
    entry = {"auth": base64.b64encode(pair.encode()).decode()} if pair != ":" else {}
    return {**entry, "identitytoken": credentials.identity_token} if credentials.identity_token else entry


def _paths(host: str, path: str) -> Iterator[str]:
    parts = path.split("/") if path else []
    for length in range(len(parts), 0, -1):
        for name in names_of(host):
            yield f"{name}/{'/'.join(parts[:length])}"


def _host_part(key: str) -> str:
    return _without_scheme(key).partition("/")[0].lower()


def _without_scheme(text: str) -> str:
    return re.sub(r"^https?://", "", text.strip(), flags=re.IGNORECASE)


def _text(entry: dict[str, Any], name: str, where: str) -> str:
    value = entry.get(name) or ""
    if not isinstance(value, str):
        raise CredentialError(f"the {name} of {where} is not text", hint="%image login writes it anew")
    return value


def _pair(auth: str, where: str) -> tuple[str, str]:
    """User name and password out of ``auth``: a password may hold a colon, and old clients padded it with NULs."""
    try:
        raw = base64.b64decode(auth.strip() + "==", altchars=None)
    except (binascii.Error, ValueError):
        raw = b""
    text = _decoded(raw)
    username, colon, password = text.partition(":")
    if not colon:
        raise CredentialError(f"the auth of {where} is not base64 of USER:PASSWORD", hint="%image login writes it anew")
    return username, password.strip("\x00")


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
