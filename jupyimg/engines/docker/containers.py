"""Containers of a daemon, as `docker ps` lists them, and what the Docker engine can do with them."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

from jupyimg.engines.docker import logs
from jupyimg.engines.docker.connection import speaking
from jupyimg.errors import BadReference, EngineError
from jupyimg.model.reference import Reference
from jupyimg.model.running import ContainerRecord, EngineRecord

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from jupyimg.engines.containers import Wanted
    from jupyimg.engines.docker.api import Api
    from jupyimg.engines.docker.connection import Client
    from jupyimg.model.running import LogRecord
    from jupyimg.model.settings import Settings


_ENDED = re.compile(r"(?:Exited|Restarting) \((-?[0-9]{1,10})\)", re.ASCII)


class Containers:
    """The powers of `engines.containers`, for the engine to inherit."""

    name: str
    api: Api
    settings: Settings

    def about(self) -> EngineRecord:
        """See `Answers.about`."""
        client = self.api.client
        client.agree(self.settings.daemon.api_version)
        return EngineRecord(
            engine=self.name,
            current=False,
            reachable=True,
            version=f"{client.server.name} {client.server.version}",
            api_version=client.server.api,
            address=client.endpoint.host,
        )

    def containers(
        self, *, everything: bool = False, filters: Mapping[str, Sequence[str]] | None = None, last: int = 0
    ) -> list[ContainerRecord]:
        """See `RunsContainers.containers`."""
        return listed(self.api.client, everything=everything, filters=filters, last=last)

    def log_batches(self, name: str, **wanted: Unpack[Wanted]) -> Generator[list[LogRecord]]:
        """See `RunsContainers.log_batches`."""
        return logs.batches(self.api, name, **wanted)

    def logs(self, name: str, **wanted: Unpack[Wanted]) -> Iterator[LogRecord]:
        """See `RunsContainers.logs`."""
        with closing(self.log_batches(name, **wanted)) as batches:
            for batch in batches:
                yield from batch


def listed(
    client: Client, *, everything: bool = False, filters: Mapping[str, Sequence[str]] | None = None, last: int = 0
) -> list[ContainerRecord]:
    """See `RunsContainers.containers`; one request.

    Raises:
        EngineError: the daemon refuses a filter, or answers with something else.
    """
    wanted = {key: list(values) for key, values in (filters or {}).items()}
    with speaking(client):
        rows = client.containers(all=everything, filters=wanted, limit=last or -1)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise EngineError(f"the daemon at {client.endpoint.host} did not answer with a list of containers")
    return [record(row) for row in rows]


def record(row: Mapping[str, Any]) -> ContainerRecord:
    """One element of ``GET /containers/json``; what is missing or odd is left empty."""
    # Links give a container further names, below those of the containers that link to it.
    names = [name.removeprefix("/") for name in _texts(row.get("Names"))]
    own = [name for name in names if "/" not in name]
    created = row.get("Created")
    return ContainerRecord(
        container_id=str(row.get("Id") or ""),
        name=next(iter(own or names), None),
        image=_image(_text(row.get("Image"))),
        state=_text(row.get("State")),
        created=_moment(created) if isinstance(created, int) else None,
        ports=ports(row.get("Ports")),
        status=_text(row.get("Status")),
        command=_command(row.get("Command")),
        exit_code=_exit_code(_text(row.get("Status")) or ""),
    )


def _command(value: object) -> str | None:
    return " ".join(_texts(value)) or None if isinstance(value, list) else _text(value)


def _exit_code(status: str) -> int | None:
    """The list tells it in words alone, with Podman too."""
    found = _ENDED.match(status)
    return int(found[1]) if found else None


class _Port(NamedTuple):
    """One port of a container, in the order in which they are sorted."""

    private: int
    ip: str
    public: int
    kind: str


def ports(given: object) -> str:
    """Ports in words (formatter.DisplayablePorts of the docker command): neighbours in groups, mapped ones last."""
    groups: dict[tuple[str, str], tuple[int, int]] = {}
    done: list[str] = []
    mapped: list[str] = []
    for port in sorted(_ports(given)):
        if port.ip and port.public != port.private:
            mapped.append(f"{_joined(port.ip, str(port.public))}->{port.private}/{port.kind}")
            continue
        key = (port.ip, port.kind)
        first, last = groups.get(key, (port.private, port.private))
        if port.private > last + 1:
            done.append(_group(key, first, last))
            first = port.private
        groups[key] = (first, port.private)
    return ", ".join([*done, *(_group(key, *ends) for key, ends in groups.items()), *mapped])


def _ports(given: object) -> Iterator[_Port]:
    for row in given if isinstance(given, list) else ():
        private, public = (row.get("PrivatePort"), row.get("PublicPort")) if isinstance(row, dict) else (None, None)
        if isinstance(private, int):
            yield _Port(private, _text(row.get("IP")) or "", public or 0, _text(row.get("Type")) or "tcp")


def _group(key: tuple[str, str], first: int, last: int) -> str:
    ip, kind = key
    span = str(first) if first == last else f"{first}-{last}"
    return f"{_joined(ip, span)}->{span}/{kind}" if ip else f"{span}/{kind}"


def _joined(ip: str, port: str) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _image(name: str | None) -> str | None:
    """The familiar name where it is a name: Podman writes it in full, and an ID is none."""
    try:
        return Reference.parse(name, default_tag="").familiar if name else None
    except BadReference:
        return name


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(values: object) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _moment(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
