"""Small documents beside a registry, such as signatures: fetched as anything else is, but from where the user says.

They share a repository's connections and patience and end with its interrupt. Credentials stay at home: they are for
the registry's own address only (`auth.RegistryAuth`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from jupyimg.errors import Misuse, ProtocolError, RegistryError
from jupyimg.registry.line import Ask

if TYPE_CHECKING:
    from jupyimg.registry.call import Call
    from jupyimg.registry.line import Line

_OK, _MISSING = 200, 404


def beside(line: Line, call: Call, url: str, limit: int) -> bytes | None:
    """What is at this URL, or None where nothing is.

    Raises:
        Misuse: it is no URL, or plain http to a host where that is not allowed.
        ProtocolError: it has more than ``limit`` bytes.
        RegistryError: the server said no, or nothing.
    """
    try:
        target = httpx.URL(url)
    except httpx.InvalidURL:
        target = httpx.URL()
    if target.scheme not in {"http", "https"} or not target.host:
        raise Misuse(f"{url!r} is no web address", hint="check the address that your settings name")
    if target.scheme == "http" and not line.may_be_plain(target):
        raise Misuse(
            f"{target.host} would be asked over plain http", hint=f"use https, or add {target.host} to JUPYIMG_INSECURE"
        )
    try:
        ask = Ask(method="GET", url=target, accept=frozenset({_OK, _MISSING}), limit=limit + 1)
        response = line.ask(call, ask)
    except RegistryError as error:
        text = f"{target.host} does not give {target.path}: {error.message}"
        raise type(error)(text, hint=error.hint, status=error.status, code=error.code) from None
    if response.status_code == _MISSING:
        return None
    if len(response.content) > limit:
        text = f"{target.host} gives more than {limit} bytes for {target.path}"
        raise ProtocolError(text, hint="check the address that your settings name", status=_OK)
    return response.content
