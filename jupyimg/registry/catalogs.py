"""The catalog: the repositories of a registry (``GET /v2/_catalog``, an extension that most self-hosted ones have)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from jupyimg.errors import BadReference, ProtocolError
from jupyimg.model.reference import Reference
from jupyimg.registry.hosts import host_of
from jupyimg.registry.pages import pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from jupyimg.registry.call import Call
    from jupyimg.registry.desk import Desk

MOST = 1_000_000
"""More repositories than any real registry lists."""


def catalog(desk: Desk, call: Call) -> Iterator[Reference]:
    """Every repository, each once, in the order that the registry gives them.

    What is no repository's name could not be asked for, only do harm where it is shown.

    Raises:
        ProtocolError: the list cannot be read, or not followed to its end.
        RegistryError, RemoteNotFound: the registry said no, or nothing, or has no catalog.
        Interrupted: it was cut off.
    """
    seen: set[str] = set()
    first = desk.base.join("_catalog").copy_with(query=f"n={host_of(desk.host).page_size}".encode())
    found: list[object] = []

    def get(url: httpx.URL) -> httpx.Response:
        response, body = desk.answer(call, url, "catalog")
        names = body.get("repositories", [])
        if names is not None and not isinstance(names, list):
            raise ProtocolError(f"{desk.host} answers with something that is no catalog")
        found[:] = names or []
        return response

    for _ in pages(first, get):
        for name in found:
            with suppress(BadReference):
                reference = Reference.parse(f"{desk.host}/{name}", default_tag="")
                if reference.path == name and name not in seen:
                    seen.add(reference.path)
                    yield reference
        if len(seen) > MOST:
            raise ProtocolError(f"{desk.host} gives a catalog without end")
