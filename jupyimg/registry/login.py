"""Logging in: proving credentials to a registry before anybody keeps them (`docker login`).

It is asked for ``/v2/``, the one thing that every registry has, and answers its challenge with the credentials. A
token service may give an identity token in their place, which is then what should be kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyimg.errors import Denied, ProtocolError
from jupyimg.model.reference import Reference
from jupyimg.registry.answers import complaint
from jupyimg.registry.auth import Credentials, RegistryAuth, Tokens
from jupyimg.registry.line import PATIENT, Ask, Line, Manner

if TYPE_CHECKING:
    from jupyimg.registry.client import Client

_BAD, _UNAUTHORIZED, _FORBIDDEN, _MISSING = 400, 401, 403, 404
_ANSWERS = frozenset({200, _BAD, _UNAUTHORIZED, _FORBIDDEN, _MISSING})


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A login that a registry accepted.

    Attributes:
        credentials: what to keep.
        asked: False where the registry let us in without asking who we are.
    """

    credentials: Credentials
    asked: bool


def log_in(client: Client, host: str, credentials: Credentials, manner: Manner = PATIENT) -> LoggedIn:
    """Prove credentials to the registry of a reference's host.

    Raises:
        Denied: it does not accept them.
        ProtocolError: what answers there is no registry.
        RegistryError: it said something else, or nothing.
    """
    base = Line(client, Reference(host, ""), (), None, manner).base
    # tokens of its own: one that an earlier login earned proves nothing
    auth = RegistryAuth(base, (), Tokens(), lambda: credentials, client.check, offline=True)
    line = Line(client, Reference(host, ""), (), None, manner, auth=auth)
    ask = Ask(method="GET", url=base, accept=_ANSWERS)
    answer = line.ask(line.calls.begin(), ask)
    said = complaint(answer)
    if answer.status_code in {_UNAUTHORIZED, _FORBIDDEN} or auth.is_refused:
        detail = f" ({said.text})" if said.text else ""
        raise Denied(f"{host} does not accept this login{detail}", status=answer.status_code, code=said.code)
    if answer.status_code == _MISSING:
        raise ProtocolError(f"{host} does not answer as a registry", hint="check the spelling")
    if answer.status_code == _BAD:
        raise line.refused(answer, ask)
    if auth.identity_token:
        return LoggedIn(Credentials(credentials.username, identity_token=auth.identity_token), asked=True)
    return LoggedIn(credentials, asked=auth.is_known)
