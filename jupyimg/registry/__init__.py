"""A place: repositories of registries, by the distribution specification. The only door to httpx.

`Registries` holds what one engine shares (connections, tokens, what hosts have taught us) and hands out `Repository`,
which speaks both ports. Below them, from the top: `repository` (names and manifests), `upload`, `download` and `pages`
(blobs and lists), `client` (one request until there is an answer), `auth`, `retry` and `answers` (what to do with
one), `transport` and `wire` (bytes), `call` (how another thread ends all that). `hosts`, `challenges` and most of
`retry`, `answers` and `pages` are pure.

Nothing here reads the environment, a file of credentials or a clock's date for anything but ``Retry-After``.
"""

from __future__ import annotations

from jupyimg.registry.auth import Credentials
from jupyimg.registry.registries import Registries
from jupyimg.registry.repository import Repository

__all__ = ["Credentials", "Registries", "Repository"]
