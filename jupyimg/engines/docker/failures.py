"""What the SDK raises, as one of our errors: the one place where that is decided."""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPException
from typing import TYPE_CHECKING

from docker.errors import APIError, TLSParameterError
from requests import RequestException, Timeout
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as StreamTimeout

from jupyimg.errors import (
    Conflict,
    ContainerNotFound,
    DaemonDenied,
    EngineError,
    ImageError,
    ImageNotFound,
    NoDaemon,
    NotFound,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from requests import Response

    from jupyimg.engines.docker.contexts import Endpoint

_GROUPS = {
    "docker": "join the group docker (sudo usermod -aG docker $USER, then log in again), or use rootless Docker",
    "podman": "enable your own: systemctl --user enable --now podman.socket",
}


def failure(error: Exception, endpoint: Endpoint, said: str = "") -> ImageError:
    """Our error for one of the SDK's.

    Args:
        error: from docker, requests, urllib3, ssl or socket.
        endpoint: where the daemon is.
        said: what the command that leads there has complained about.
    """
    if isinstance(error, APIError) and error.response is not None:
        return _refusal(error, error.response, endpoint)
    chain = list(_chain(error))
    if endpoint.scheme == "ssh":
        return _no_tunnel(chain, endpoint, said)
    who = f"{endpoint.program.capitalize()} daemon at {endpoint.host} ({endpoint.why})"
    for kinds, explain in _CAUSES.items():
        for cause in chain:
            if isinstance(cause, kinds):
                return explain(who, endpoint, cause)
    return EngineError(f"the {who} cannot be asked: {error}")


def _denied(who: str, endpoint: Endpoint, _cause: BaseException) -> ImageError:
    return DaemonDenied(f"this user may not use the {who}", hint=_GROUPS[endpoint.program])


def _start(endpoint: Endpoint) -> str:
    where = f"%image engine {endpoint.program} --host …"
    return f"start it, say where it is ({where}), or work without one (%image engine embedded)"


def _no_file(who: str, endpoint: Endpoint, cause: BaseException) -> ImageError:
    if endpoint.scheme in {"unix", "npipe"}:
        return NoDaemon(f"there is no {who}: no such socket", hint=_start(endpoint))
    return EngineError(f"the {who} cannot be asked: {cause}")


def _refused(who: str, endpoint: Endpoint, _cause: BaseException) -> ImageError:
    return NoDaemon(f"there is no {who}: nobody listens there", hint=_start(endpoint))


def _unknown(who: str, _endpoint: Endpoint, _cause: BaseException) -> ImageError:
    return NoDaemon(f"there is no {who}: no address is known for that name", hint="check the spelling and the network")


def _no_tls(who: str, _endpoint: Endpoint, cause: BaseException) -> ImageError:
    if isinstance(cause, ssl.SSLCertVerificationError):
        hint = "its authority belongs in ca.pem in DOCKER_CERT_PATH, or in the context"
        return NoDaemon(f"the {who} cannot prove who it is: {cause.verify_message}", hint=hint)
    hint = "does it speak TLS at that port, and does it want a certificate of yours (cert.pem, key.pem)?"
    return NoDaemon(f"no TLS with the {who}: {getattr(cause, 'reason', None) or cause}", hint=hint)


def _bad_files(who: str, _endpoint: Endpoint, cause: BaseException) -> ImageError:
    return EngineError(f"the certificates for the {who} cannot be used: {cause}", hint="see DOCKER_CERT_PATH")


def _late(who: str, _endpoint: Endpoint, _cause: BaseException) -> ImageError:
    return NoDaemon(f"the {who} does not answer in time", hint="check host and port; is it overloaded?")


def _cut(who: str, _endpoint: Endpoint, _cause: BaseException) -> ImageError:
    return NoDaemon(
        f"the {who} hung up before its answer was whole", hint="is it still running? then run the line again"
    )


_CAUSES: dict[tuple[type[BaseException], ...], Callable[[str, Endpoint, BaseException], ImageError]] = {
    (PermissionError,): _denied,
    (FileNotFoundError,): _no_file,
    (ConnectionRefusedError, NotADirectoryError): _refused,
    (socket.gaierror,): _unknown,
    (ssl.SSLError,): _no_tls,
    (TLSParameterError,): _bad_files,
    (Timeout, StreamTimeout, TimeoutError): _late,
    (RequestException, HTTPError, HTTPException, OSError): _cut,
}
"""What may stand anywhere in the chain of an error, the most telling first, and what to say of it."""


def _refusal(error: APIError, answer: Response, endpoint: Endpoint) -> ImageError:
    """What a daemon answered with a status that is no success."""
    said = str(error.explanation or answer.reason or "nothing").strip().rstrip(".")
    said = said.removeprefix("Error response from daemon: ")
    low = said.lower()
    match answer.status_code:
        case 401 | 403:
            return DaemonDenied(f"the daemon at {endpoint.host} refuses: {said}")
        case 404 if "no such container" in low or "no container with" in low:
            return ContainerNotFound(said)
        case 404 if "no such image" in low or "image not known" in low:
            return ImageNotFound(said)
        case 404:
            return NotFound(said)
        case 409:
            return Conflict(said)
        case _:
            return EngineError(f"the daemon at {endpoint.host} says: {said}")


def _no_tunnel(chain: list[BaseException], endpoint: Endpoint, said: str) -> ImageError:
    if any(isinstance(cause, FileNotFoundError) for cause in chain):
        return NoDaemon(f"{endpoint.host} cannot be reached: there is no ssh command here", hint="install OpenSSH")
    host = endpoint.host.removeprefix("ssh://")
    hint = (
        f"try in a terminal: ssh {host.partition('/')[0]} {endpoint.program} version; a key must be known to ssh-agent"
    )
    if "denied" in said.lower():
        return DaemonDenied(f"{endpoint.host} ({endpoint.why}) refuses us: {said}", hint=hint)
    return NoDaemon(f"no daemon answers at {endpoint.host} ({endpoint.why}){f': {said}' if said else ''}", hint=hint)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it wraps, by whatever way: causes, contexts, reasons and arguments."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop(0)
        if isinstance(found, BaseException) and not any(found is one for one in seen):
            seen.append(found)
            yield found
            waiting += [getattr(found, "reason", None), *found.args, found.__cause__, found.__context__]
