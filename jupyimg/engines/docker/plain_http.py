"""Plain http: registries that a daemon is to speak to without TLS, though it would not by itself.

Docker Engine takes every registry on loopback for one that may be plain. Podman does so only where registries.conf
says it, or where the request does: its own API has a word for that, and for a push Docker's too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyimg.registry.hosts import base_url

if TYPE_CHECKING:
    from jupyimg.engines.docker.dialects import Dialect
    from jupyimg.model.platform import Platform
    from jupyimg.model.reference import Reference
    from jupyimg.model.settings import Settings

PULL = "/libpod/images/pull"
WITHOUT_TLS = {"tlsVerify": "false"}
"""The word of a request. TLS is tried first even so."""


def must_be_said(dialect: Dialect, settings: Settings, reference: Reference) -> bool:
    """Whether this registry is on loopback, or listed in $JUPYIMG_INSECURE, and the daemon wants to be told."""
    return not dialect.trusts_loopback and base_url(reference.host, settings.insecure).scheme == "http"


def pull_params(reference: Reference, target: str | None, platform: Platform | None) -> dict[str, str]:
    """What `PULL` is asked with."""
    joint = "@" if target and ":" in target else ":"
    wanted = {"OS": platform.os, "Arch": platform.architecture, "Variant": platform.variant} if platform else {}
    name = f"{reference.name}{joint}{target}" if target else reference.name
    return {"reference": name, **{key: value for key, value in wanted.items() if value}, **WITHOUT_TLS}
