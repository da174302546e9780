"""Spelling: how repositories are written in this server's addresses, and back.

``/v2/P`` is Docker Hub's P in its familiar form, so that ``HOST:PORT/nginx`` is the local ``nginx``; names of other
hosts are written out, and since a path holds no colon, a port follows an underscore: ``localhost:5000/me/app`` is
``localhost_5000/me/app``. Where a Hub name begins as a host would (``docker.io/foo_1/bar``), ``docker.io`` is written
out too. Names that the specification's grammar cannot spell (hosts with capitals, IPv6) are not served.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from jupyimg.errors import BadReference
from jupyimg.model.reference import DOCKER_HUB, Reference
from jupyimg.server.problems import NAME_INVALID, Refused

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_PART}(?:/{_PART})*", re.ASCII)
_HOST = re.compile(r"(?P<name>[a-z0-9.-]+?)(?:_(?P<port>[0-9]{1,5}))?", re.ASCII)


def repository(name: str) -> Reference:
    """The repository that an address speaks of, without tag.

    Raises:
        Refused: that is no name.
    """
    if not _NAME.fullmatch(name):
        raise _no_name(name)
    first, slash, rest = name.partition("/")
    host = _host(first) if slash else None
    try:
        return Reference.parse(f"{host or DOCKER_HUB}/{rest if host else name}", default_tag="")
    except BadReference:
        raise _no_name(name) from None


def spelled(reference: Reference) -> str | None:
    """How a repository is written in an address; None where it cannot be."""
    if reference.host == DOCKER_HUB:
        name = reference.familiar_name
        first, slash, _ = name.partition("/")
        name = f"{DOCKER_HUB}/{name}" if slash and _host(first) else name
    else:
        name = f"{reference.host.replace(':', '_')}/{reference.path}"
    if not _NAME.fullmatch(name):
        return None
    back = repository(name)
    return name if (back.host, back.path) == (reference.host, reference.path) else None


def _host(word: str) -> str | None:
    """The host that the first word of a name stands for, if it does."""
    match = _HOST.fullmatch(word)
    if match is None or not (match["port"] or "." in word or word == "localhost"):
        return None
    return f"{match['name']}:{match['port']}" if match["port"] else match["name"]


def _no_name(name: str) -> Refused:
    shown = name if len(name) <= 100 else f"{name[:97]}..."  # noqa: PLR2004 - as much as reads well
    return Refused(HTTPStatus.BAD_REQUEST, NAME_INVALID, f"{shown!r} is not a repository name")
