"""What an answer that is no success means to the user, and what no answer means; as errors with a sentence and a hint.

Codes follow distribution-spec "Error Codes". The text of a server is hostile: it is shortened, stripped of control
characters, and addresses in it lose their queries, where signatures live.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from jupyimg.errors import (
    BadManifest,
    Denied,
    ImageError,
    ProtocolError,
    RateLimited,
    RegistryError,
    RemoteNotFound,
    Unreachable,
)
from jupyimg.model.codec import decode
from jupyimg.model.reference import DOCKER_HUB
from jupyimg.registry.hosts import host_of
from jupyimg.registry.pace import SLOWEST, TooSlow
from jupyimg.registry.transport import NotTLS, Refused, UnknownHost, Untrusted

if TYPE_CHECKING:
    from jupyimg.model.reference import Reference

_TEXT_LIMIT = 200
_URL = re.compile(r"\b([a-z][a-z0-9+.-]{0,20}://)(?:[^\s/@\"'<>]*@)?([^\s?#\"'<>]*)[^\s\"'<>]*", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_DENIALS = {"UNAUTHORIZED", "DENIED"}
_ABSENCES = {"NAME_UNKNOWN", "MANIFEST_UNKNOWN", "BLOB_UNKNOWN", "NOT_FOUND"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What was being done when it went wrong.

    Attributes:
        reference: what the user named.
        pushing: whether something was to be sent.
        item: what in particular was asked for where that is not the name itself: "blob 0123456789ab", or "".
        logged_in: whether credentials took part.
        login_refused: whether they are wrong, whatever they may be for.
    """

    reference: Reference
    pushing: bool = False
    item: str = ""
    logged_in: bool = False
    login_refused: bool = False


@dataclass(frozen=True, slots=True)
class Complaint:
    """The first error of an answer's body: its code, and its text made safe; both may be ""."""

    code: str = ""
    text: str = ""


def complaint(response: httpx.Response) -> Complaint:
    """Read what a registry says went wrong: JSON of the specification, plain text, or nothing that can be shown."""
    body = response.content
    if not body.lstrip().startswith(b"{"):
        plain = response.headers.get("content-type", "").startswith("text/plain")
        return Complaint(text=clean(body.decode(errors="replace")) if plain else "")
    try:
        document = decode(body, dict[str, Any], own=True)
    except BadManifest:
        return Complaint()
    errors = document.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else document
    if not isinstance(first, dict):
        return Complaint()
    code, text = first.get("code"), first.get("message") or first.get("details") or first.get("error")
    return Complaint(
        code=clean(code)[:40] if isinstance(code, str) else "", text=clean(text) if isinstance(text, str) else ""
    )


def clean(text: str) -> str:
    """Outside text fit for a message: one short line, no control characters, no queries or logins in addresses."""
    line = " ".join(_CONTROLS.sub(" ", _URL.sub(r"\1\2", text[: 10 * _TEXT_LIMIT])).split()).rstrip(". ")
    return line if len(line) <= _TEXT_LIMIT else line[: _TEXT_LIMIT - 1] + "…"


def problem(response: httpx.Response, context: Context, asked: float | None = None) -> ImageError:
    """The error that an answer is; ``asked`` is how many seconds the server wants us to wait, if it says so."""
    status, said = response.status_code, complaint(response)
    ref = context.reference
    if status == 429 or said.code == "TOOMANYREQUESTS":  # noqa: PLR2004
        return _limited(context, said, status, asked)
    if status in {401, 403} or said.code in _DENIALS or context.login_refused:
        return _denied(context, said, status)
    if said.code == "NAME_UNKNOWN" or ((status == 404 or said.code in _ABSENCES) and not context.pushing):  # noqa: PLR2004
        return _missing(context, said)
    detail = f": {said.text}" if said.text else ""
    wait = f", and asks to wait {duration(asked)}" if asked else ""
    named = f" for {ref.familiar}" if ref.path else ""
    return RegistryError(
        f"{ref.host} answered {status}{f' {said.code}' if said.code else ''}{named}{detail}{wait}",
        status=status,
        code=said.code,
        hint="the registry has a problem of its own; run the line again later" if status >= 500 else "",  # noqa: PLR2004
    )


def unreachable(failure: httpx.RequestError, context: Context, base: httpx.URL) -> RegistryError:
    """The error that no answer is."""
    ref = context.reference
    host = failure.request.url.host
    named = ref.host if host == base.host else f"{clean(host)} (where {ref.host} sends us)"
    again = "run the line again; what arrived is kept"
    match failure:
        case UnknownHost():
            return Unreachable(
                f"no address is known for {named}", hint="check the spelling and the network; is a proxy needed?"
            )
        case Refused():
            return Unreachable(f"{named} refuses the connection", hint="is the registry running, and the port right?")
        case Untrusted():
            text = f"the certificate of {named} is not to be trusted: {clean(str(failure))}"
            own = "put the authority that signed it into ~/.config/containers/certs.d/HOST:PORT/ca.crt"
            return Unreachable(text, hint=f"if it is your own, {own}, or name it in SSL_CERT_FILE")
        case NotTLS():
            text = f"{named} does not speak https"
            return Unreachable(text, hint=f"if it speaks plain http, add {ref.host} to JUPYIMG_INSECURE")
        case httpx.ProxyError():
            text = f"the proxy on the way to {named} failed: {clean(str(failure))}"
            return Unreachable(text, hint="check HTTPS_PROXY and NO_PROXY")
        case httpx.ConnectTimeout():
            return Unreachable(
                f"{named} did not take the connection in time", hint="check the network; is a proxy needed?"
            )
        case httpx.ReadTimeout():
            slow = f"sends less than {SLOWEST >> 10} KiB a second"
            return Unreachable(f"{named} {slow if isinstance(failure, TooSlow) else 'went silent'}", hint=again)
        case httpx.TooManyRedirects():
            return ProtocolError(f"{named} redirects without end", hint="the registry is misconfigured")
        case httpx.RemoteProtocolError() | httpx.UnsupportedProtocol():
            return ProtocolError(f"{named} does not answer as a registry: {clean(str(failure))}", hint=again)
        case _:
            return Unreachable(f"the connection to {named} broke", hint=again)


def duration(seconds: float) -> str:
    """A wait in words: "45 seconds", "20 minutes", "6 hours"."""
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size:
            return f"{round(seconds / size)} {unit}s"
    return "1 second" if round(seconds) == 1 else f"{round(seconds)} seconds"


def _limited(context: Context, said: Complaint, status: int, asked: float | None) -> RateLimited:
    host = context.reference.host
    wait = f" for {duration(asked)}" if asked else ""
    text = f"{host} takes no more requests{wait}{f': {said.text}' if said.text else ''}"
    login = _login(context.reference.host)
    other = "use a mirror" if context.logged_in else f"log in ({login}), which may raise the limit"
    hint = f"wait and run the line again, or {other}"
    return RateLimited(text, hint=hint, status=status, code=said.code)


def _denied(context: Context, said: Complaint, status: int) -> Denied:
    ref = context.reference
    detail = f" ({said.text})" if said.text else ""
    name = ref.familiar
    curated = host_of(ref.host).curated
    login = _login(ref.host)
    if context.login_refused:
        text = f"{ref.host} does not accept the login that is kept for it{detail}"
        hint = f"{login} to renew it, or {_login(ref.host, 'logout')} to go on without, as public images allow"
    elif context.pushing:
        text = f"{ref.host} does not let you push to {name}{detail}"
        if curated and ref.path.startswith(curated):
            own = ref.path.removeprefix(curated)
            hint = f"only {ref.host} itself may; tag it YOUR_NAME/{own} and push that"
        else:
            hint = f"use an account that may push there: {login}"
    elif context.logged_in:
        text = f"{ref.host} does not let you pull {name}: there is no such repository, or your login may not{detail}"
        hint = f"check the spelling, or use another account: {login}"
    else:
        text = f"{ref.host} does not let you pull {name}: there is no such repository, or it wants a login{detail}"
        hint = f"check the spelling, or log in: {login}"
    return Denied(text, hint=hint, status=status, code=said.code)


def _login(host: str, verb: str = "login") -> str:
    return f"%image {verb}" if host == DOCKER_HUB else f"%image {verb} {host}"


def _missing(context: Context, said: Complaint) -> RemoteNotFound:
    ref = context.reference
    if context.pushing:
        detail = f" ({said.text})" if said.text else ""
        hint = "create the project or repository there first"
        return RemoteNotFound(f"{ref.host} has no place for {ref.familiar_name}{detail}", hint=hint)
    if said.code == "NAME_UNKNOWN":
        return RemoteNotFound(f"{ref.host} has no repository {ref.familiar_name}", hint="check the spelling")
    if context.item:
        return RemoteNotFound(
            f"{ref.familiar_name} has no {context.item}", hint="the image is incomplete at its origin"
        )
    if said.code == "MANIFEST_UNKNOWN" and ref.digest:
        return RemoteNotFound(f"{ref.familiar_name} has nothing with the digest {ref.digest}", hint="check the digest")
    return RemoteNotFound(
        f"{ref.host} has no image {ref.familiar}", hint="check the spelling of the name and of the tag"
    )
