"""A place: repositories of registries, by the distribution specification. The only door to httpx.

`Registries` holds what one engine shares (connections, tokens, what hosts have taught us) and hands out `Repository`,
or `Mirrored` where it is read by way of others; both speak both ports. Below them, from the top: `manifests`, `upload`,
`download` and `pages` (what is moved) and `login` (who we are), `line` (a request until there is an answer, or an error
that says what failed), `client` and `auth` (one request), `transport`, `wire`, `pace` and `tls` (bytes), and `call`
(how another thread ends all that). `endpoints`, `hosts`, `challenges`, `retry` and `answers` decide and touch nothing;
`conf` reads the files that `endpoints` decides by, and `dropin` edits the one that is ours.

What belongs to no repository is asked at a `Desk`: `catalogs`, `searching` and Docker Hub's own API (`hub`), whose
fields nobody promises (`fields`).

Neither the environment nor a file of credentials is read here: what is needed comes with `Settings` and a function
that finds `Credentials`.
"""

from __future__ import annotations

from jupyimg.registry.auth import Credentials
from jupyimg.registry.catalogs import catalog
from jupyimg.registry.desk import Desk
from jupyimg.registry.hosts import host_of
from jupyimg.registry.hub import hub_tags
from jupyimg.registry.login import LoggedIn
from jupyimg.registry.registries import Registries
from jupyimg.registry.repository import Repository
from jupyimg.registry.searching import Wanted, search

__all__ = [
    "Credentials",
    "Desk",
    "LoggedIn",
    "Registries",
    "Repository",
    "Wanted",
    "catalog",
    "host_of",
    "hub_tags",
    "search",
]
