"""ServerSettings: what a served store does and whom it lets in, and the refusal of what would be reckless."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyimg.errors import Misuse

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """How to serve.

    Attributes:
        host: address to listen on; the default is reached from this machine alone.
        port: 0 takes any free one.
        read_only: refuse every push and delete.
        users: who may come in: names, and for each a plain password or a bcrypt hash (`read_htpasswd`); nobody
            named means that everybody may.
        insecure: let everybody on the network write, if ``host`` is reached from there.
        names: further host names under which clients may ask, such as ``registry.lab``.
        connections: how many at a time.
    """

    host: str = "127.0.0.1"
    port: int = 5000
    read_only: bool = False
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    insecure: bool = False
    names: frozenset[str] = frozenset()
    connections: int = 256

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    def check(self) -> None:
        """Refuse what would let anybody on the network change the store.

        Raises:
            Misuse: it would, and ``insecure`` was not said.
        """
        if not (self.is_local or self.users or self.read_only or self.insecure):
            raise Misuse(
                f"serving on {self.host} would let everybody on the network change this store",
                hint="add --read-only, or --auth with a user or an htpasswd file; --insecure if that is what you want",
            )


def is_loopback(host: str) -> bool:
    """Whether a host name or address, without port, is this machine and cannot be anything else."""
    bare = host.strip("[]").rstrip(".").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare.partition("%")[0]).is_loopback
    except ValueError:
        return False
