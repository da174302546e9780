"""Refusals: what a daemon says in words when it cannot do something, as our errors.

The Engine API tells most failures of registries only as text inside a stream that began with 200, or as a 500, so the
words are all there is. They are rows here: the first that fits decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from jupyimg.errors import (
    Conflict,
    ContentError,
    Denied,
    DiskFull,
    EngineError,
    ImageError,
    ImageNotFound,
    PlatformNotFound,
    RateLimited,
    RemoteNotFound,
    Unreachable,
    Unsupported,
)


@dataclass(frozen=True, slots=True)
class _Row:
    words: re.Pattern[str]
    kind: type[ImageError]
    hint: str = ""


def _row(words: str, kind: type[ImageError], hint: str = "") -> _Row:
    return _Row(re.compile(words, re.IGNORECASE), kind, hint)


_RETRY = "check the name, the network and the daemon's proxy; it is the daemon that asks the registry, not this machine"

_ROWS = (
    _row(r"no matching manifest|no image found in (image index|manifest list)", PlatformNotFound,
         "%image inspect --remote NAME shows the platforms that there are"),
    _row(r"cannot overwrite digest", Conflict, "another platform of it is here under that digest; remove that first"),
    _row(r"cannot be forced|being used by running container", Conflict, "stop and remove its container first"),
    _row(r"in use by a container|is using its referenced image", Conflict, "-f takes the name all the same"),
    _row(r"must be forced|must force|please force|^conflict", Conflict, "-f removes it all the same"),
    _row(r"toomanyrequests|too many requests|rate limit", RateLimited),
    _row(r"unauthorized|access denied|authentication required|no basic auth|\bdenied\b|forbidden", Denied,
         "check the name: it may be private, or not exist at all"),
    _row(r"no space left on device", DiskFull, "free some space where the daemon keeps its images"),
    _row(r"processing tar file|invalid tar|supported image formats|archive: does not contain|loading index",
         ContentError,
         "it is no archive of images, or it is damaged; get it anew from where it came from"),
    _row(r"no such image|image not known|does not exist locally|reference does not exist|tag does not exist",
         ImageNotFound),
    _row(r"manifest unknown|name unknown|not found: manifest|repository .* not found", RemoteNotFound,
         "check the spelling of the name and of the tag"),
    _row(r"server gave HTTP response to HTTPS client", Unreachable,
         "it speaks plain http: where the daemon runs, list it in insecure-registries (Docker's daemon.json) or as "
         "insecure = true (Podman's registries.conf)"),
    _row(r"dial tcp|connection refused|no such host|i/o timeout|tls:|x509|"
         r"request canceled|pinging container registry|connection reset|unexpected EOF|Client\.Timeout", Unreachable,
         _RETRY),
    _row(r"schema ?(version )?1", Unsupported, "ask its owner to push the image again with a current tool"),
)  # fmt: skip


def refusal(message: str, *, status: int = 0, who: str = "the daemon") -> ImageError:
    """Our error for what a daemon said.

    Args:
        message: its words, from a body or from inside a stream.
        status: the HTTP status, 0 inside a stream.
        who: what to call it.
    """
    text = message.strip().rstrip(".").removeprefix("Error response from daemon: ").removeprefix("conflict: ")
    for row in _ROWS:
        if row.words.search(message):
            return row.kind(text, hint=row.hint)
    if status == 404:  # noqa: PLR2004
        return ImageNotFound(text)
    if status == 409:  # noqa: PLR2004
        return Conflict(text)
    return EngineError(f"{who} says: {text or f'nothing, with status {status}'}")
