"""About: what there is to know of this session (`docker info`), as fields and values; never a secret.

A section gives some of the lines; whoever knows more adds one to `SECTIONS`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from jupyimg.credentials import server_of
from jupyimg.engines import open_mirrors
from jupyimg.engines.containers import Answers, RunsContainers
from jupyimg.engines.exploring import left
from jupyimg.errors import CredentialError, Misuse
from jupyimg.model.platform import Platform
from jupyimg.model.records import FactRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyimg.engines.base import Engine
    from jupyimg.model.settings import Settings

    Lines = Iterator[tuple[str, str] | tuple[str, str, int | None]]


HUB_QUOTA = "Docker Hub quota"
"""The field of what Docker Hub still allows."""


def about(engine: Engine, settings: Settings, *, paths: bool = False, quota: str = "") -> list[FactRecord]:
    """All sections.

    Args:
        engine: the current one.
        settings: the session's.
        paths: whether folders are named that are not below the user's home; a saved notebook need not say where its
            author's files lie.
        quota: why Docker Hub could not be asked what it still allows, or "".

    Raises:
        StoreError: the store cannot be read.
        NoDaemon, DaemonDenied, EngineError: the engine is a daemon that does not answer.
    """
    facts = [_fact(*line) for section in SECTIONS for line in section(engine, settings, paths)]
    return [_fact(HUB_QUOTA, quota) if quota and one.field == HUB_QUOTA else one for one in facts]


def _fact(field: str, value: str, number: int | None = None) -> FactRecord:
    return FactRecord(field=field, value=value, number=number)


def _engine(engine: Engine, settings: Settings, paths: bool) -> Lines:  # noqa: ARG001, FBT001 - a section's signature
    yield "engine", engine.name
    if isinstance(engine, Answers):
        found = engine.about()
        yield "engine version", found.version or "not told"
        yield "engine API version", found.api_version or "not told"
        yield "engine address", found.address or "not told"
    images = len({record.image_id or record.digest or record.reference for record in engine.images()})
    yield "images", str(images), images
    if isinstance(engine, RunsContainers):
        there = engine.containers(everything=True)
        running = sum(one.state == "running" for one in there)
        yield "containers", f"{len(there)}, of which {running} run", len(there)
    chosen = "" if settings.platform else ", as this machine"
    yield "default platform", f"{settings.platform or Platform.host()}{chosen}"


def _store(engine: Engine, settings: Settings, paths: bool) -> Lines:  # noqa: ARG001, FBT001
    yield "store", _shown(settings.store, paths=paths)
    size = _bytes(settings.store)
    yield "store size", f"{size:,} bytes", size


def _registries(engine: Engine, settings: Settings, paths: bool) -> Lines:  # noqa: ARG001, FBT001
    quota = engine.remote.quota()
    told = left(quota) or "not known yet; --quota asks, which costs none of it"
    yield HUB_QUOTA, told, quota.remaining if quota else None
    for host, learned in sorted(engine.remote.registries.known().items()):
        said = ["1 request" if learned.requests == 1 else f"{learned.requests} requests"]
        said += [f"asks us to wait {learned.left:.0f} seconds"] if learned.left else []
        said += [left(learned.quota)] if learned.quota else []
        said += [f"searched by {learned.search}"] if learned.search else []
        yield f"registry {host}", "; ".join(said), learned.requests
    if settings.hub_api:
        yield "Docker Hub API", _bare(settings.hub_api)


def _mirrors(engine: Engine, settings: Settings, paths: bool) -> Lines:  # noqa: ARG001, FBT001
    try:
        listed = open_mirrors(settings).listed()
    except Misuse as error:  # which stops registries, but not the telling of all else
        yield "mirrors", error.message
        return
    for registry in dict.fromkeys(record.registry for record in listed):
        tried = [record.mirror for record in listed if record.registry == registry]
        yield f"mirrors of {registry}", ", ".join(tried)


def _logins(engine: Engine, settings: Settings, paths: bool) -> Lines:  # noqa: ARG001, FBT001
    """Where a login comes from; who it is for a registry is nobody else's business, and a secret is never read out."""
    kept = engine.remote.credentials
    try:
        hosts = [server_of(key) for key in kept.hosts()]
    except CredentialError as error:
        yield "logins", error.message
        return
    for host in dict.fromkeys([*hosts, *engine.remote.registries.known()]):
        source = kept.source_of(host)
        if source:
            yield f"login for {host}", source


def _trust(engine: Engine, settings: Settings, paths: bool) -> Lines:  # noqa: ARG001, FBT001
    if settings.policy is not None:
        wanted = ", and a signature is always wanted" if settings.content_trust else ""
        yield "trust policy", _shown(settings.policy, paths=True) + wanted
    elif settings.content_trust:
        yield "trust policy", "none, so nothing can be pulled while DOCKER_CONTENT_TRUST is on"


SECTIONS: list[Callable[[Engine, Settings, bool], Lines]] = [
    _engine,
    _store,
    _registries,
    _mirrors,
    _logins,
    _trust,
]
"""What gives the lines, in their order."""


def _shown(path: Path, *, paths: bool) -> str:
    """A folder as people write it."""
    home = Path.home()
    if path.is_relative_to(home):
        return f"~/{path.relative_to(home).as_posix()}"
    return str(path) if paths else f"$JUPYIMG_HOME/{path.name}"


def _bytes(folder: Path) -> int:
    """Bytes of all files below a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(place, name), follow_symlinks=False).st_size  # noqa: PTH116, PTH118 - many
            except OSError:
                continue
    return total


def _bare(url: str) -> str:
    """An address without the login and the query that it may hold."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0].rpartition('@')[2].partition('?')[0]}"
