"""Desk: a host's own way, for what belongs to no repository: its catalog, its search, an API beside the registry's.

It asks as a `Line` does (again where that helps, one pause for all who use the host), and words its errors for a host
instead of for an image.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from jupyimg.errors import BadManifest, Denied, ImageError, ProtocolError, RegistryError, RemoteNotFound
from jupyimg.model.codec import decode
from jupyimg.model.reference import Reference
from jupyimg.registry.answers import complaint
from jupyimg.registry.auth import RegistryAuth
from jupyimg.registry.line import PATIENT, Ask, Line, Manner
from jupyimg.registry.retry import TOO_MANY

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from jupyimg.registry.auth import Credentials, Flow
    from jupyimg.registry.call import Call
    from jupyimg.registry.client import Client

CATALOG = ("registry:catalog:*",)
"""What a token for the catalog is asked for (distribution, "Docker Registry Token Authentication")."""


class Desk(Line):
    """One host's desk.

    Args:
        client: what is shared.
        host: as a reference names it, or the API's own.
        api: an API that is none of a registry's; None is the registry's own address.
        anonymous: say nothing of who we are: what proves us to a registry is none of another API's business.
        find: looks credentials up; None is anonymous.
        manner: how it is asked.
    """

    def __init__(
        self,
        client: Client,
        host: str,
        *,
        api: httpx.URL | None = None,
        anonymous: bool = False,
        find: Callable[[Reference], Credentials | None] | None = None,
        manner: Manner = PATIENT,
    ) -> None:
        super().__init__(client, Reference(host, "catalog"), (), find, manner)
        self.host = host
        self._anonymous = anonymous
        if api is not None:
            self.base = api

    @cached_property
    def _reading(self) -> RegistryAuth:
        kind = _Nobody if self._anonymous else RegistryAuth
        return kind(self.base, CATALOG, self.client.tokens, self.credentials, self.client.check)

    def interrupt(self) -> None:
        """End what is under way, at once."""
        self.calls.cut()

    def answer(self, call: Call, url: httpx.URL, what: str) -> tuple[httpx.Response, dict[str, Any]]:
        """GET a JSON object.

        Args:
            call: what this belongs to.
            url: of the object.
            what: is asked for, in words.

        Raises:
            ProtocolError: the answer is none.
            RegistryError, RemoteNotFound: the host said no, or nothing.
        """
        response = self.ask(call, Ask(method="GET", url=url, headers={"accept": "application/json"}, item=what))
        try:
            return response, decode(response.content, dict[str, Any], what=what, own=True)
        except BadManifest:
            raise ProtocolError(
                f"{self.host} answers with something that is no {what}", hint="check which registry answers there"
            ) from None

    def refused(self, response: httpx.Response, ask: Ask, reference: Reference | None = None) -> ImageError:
        """The error that an answer is."""
        status, said = response.status_code, complaint(response)
        detail = f" ({said.text})" if said.text else ""
        if status == TOO_MANY or said.code == "TOOMANYREQUESTS":
            return super().refused(response, ask, reference)
        if status in {401, 403}:
            text = f"{self.host} does not show you its {ask.item}{detail}"
            return Denied(
                text, hint=f"%image login {self.host} with an account that is allowed to", status=status, code=said.code
            )
        if status in {404, 405, 410, 501}:
            return RemoteNotFound(f"{self.host} has no {ask.item}{detail}", hint="ask for a repository by its name")
        hint = "the registry has a problem of its own; run the line again later" if status >= 500 else ""  # noqa: PLR2004
        return RegistryError(
            f"{self.host} answered {status} when asked for its {ask.item}{detail}",
            hint=hint,
            status=status,
            code=said.code,
        )


class _Nobody(RegistryAuth):
    """Says nothing of who we are."""

    def auth_flow(self, request: httpx.Request) -> Flow:
        yield request
