"""Gate: which requests are answered at all, before anybody looks at what they ask for.

A web page can make a browser send requests to this machine. Such a request carries an Origin, or was sent to a host
name of the page's owner that now leads here (DNS rebinding); registry clients do neither. An address cannot be
rebound, a name can, so from the network any address is taken as Host, but only names that are known to be ours.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING

from jupyimg.server.passwords import Doorkeeper
from jupyimg.server.problems import DENIED, UNAUTHORIZED, UNSUPPORTED, Refused
from jupyimg.server.settings import is_loopback

if TYPE_CHECKING:
    from jupyimg.server.message import Head
    from jupyimg.server.settings import ServerSettings

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]/@]*)(?::[0-9]*)?", re.ASCII)
_READING = frozenset({"GET", "HEAD"})


class Gate:
    """What `ServerSettings` let in. Safe to use from several threads."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._door = Doorkeeper(settings.users) if settings.users else None
        own = {settings.host, *settings.names}
        if not settings.is_local:
            own |= {socket.gethostname(), f"{socket.gethostname()}.local"}
        self._names = frozenset(name.rstrip(".").lower() for name in own)

    def check(self, head: Head) -> None:
        """Let a request in.

        Raises:
            Refused: it comes from a web page, asks for another host, or may not do that.
        """
        if "origin" in head.headers:
            raise Refused(HTTPStatus.FORBIDDEN, DENIED, "requests from web pages are not answered")
        if not self._is_ours(head.host):
            raise Refused(HTTPStatus.FORBIDDEN, DENIED, "this server does not go by that host name")
        if self._door and not self._door.admits(head.first("authorization")):
            challenge = ("WWW-Authenticate", 'Basic realm="jupyimg"')
            message = "a user name and a password are needed"
            raise Refused(HTTPStatus.UNAUTHORIZED, UNAUTHORIZED, message, headers=(challenge,))
        if self._settings.read_only and head.method not in _READING:
            raise Refused(
                HTTPStatus.METHOD_NOT_ALLOWED,
                UNSUPPORTED,
                "this registry is read-only",
                headers=(("Allow", "GET, HEAD"),),
            )

    def _is_ours(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        bare = match[1].rstrip(".").lower()
        return bare in self._names or is_loopback(bare) or (not self._settings.is_local and _is_address(bare))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
