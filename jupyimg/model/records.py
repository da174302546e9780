"""Records: what engines return. Plain values in bytes, UTC and full digests; words such as "6 days ago" are views'.

A field is None where the engine does not know, never a guess. The columns of a frame are fields of its record
under the same name, except that `repository`, `tag` and `reference` are read off a name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from jupyimg.model.running import ContainerRecord, EngineRecord, LogRecord

if TYPE_CHECKING:
    from datetime import datetime

    from jupyimg.model.digest import Digest
    from jupyimg.model.platform import Platform

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """One name and one platform that is held under it (`docker images`).

    Attributes:
        repository: familiar name, such as ``nginx``; None for an image without any name.
        tag: None for an image held by digest, or one whose tag has moved on.
        image_id: digest of the config; None where a daemon's containerd store names images by other digests.
        created: build time, UTC.
        size: bytes of the config and distinct layers, compressed as they are stored; None where only files are kept.
        unpacked: bytes of its files as Docker counts them; None until a walk of the layers has found it.
        digest: what a pull by digest names: the index if it came from one, else the manifest; None where it never
            was in a registry, or where which of several it is cannot be told.
        manifest_digest: the manifest of this platform; None where the engine does not keep it.
        reference: what commands take: ``name:tag``, ``name@digest``, or the image ID where there is no name. Where a
            name holds several platforms it means all of them, and the image ID means one.
        containers: how many containers use it; None where the engine knows no containers.
        kind: "image", or the type of the artefact that it is.
        dangling: True where a tag pointed at it and has moved on.
        pinned: True where the user pinned it, so that `prune` leaves it.
    """

    repository: str | None
    tag: str | None
    image_id: Digest | None
    created: datetime | None
    size: int | None
    unpacked: int | None
    platform: str | None
    digest: Digest | None
    manifest_digest: Digest | None
    reference: str
    containers: int | None = None
    labels: dict[str, str] = field(default_factory=dict)
    kind: str = "image"
    dangling: bool = False
    pinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRecord:
    """One build step of an image (`docker history`); the newest comes first.

    Attributes:
        image_id: the image's ID on the newest step, None on the others (Docker's ``<missing>``).
        size: bytes of the layer's files, unpacked, as Docker counts them; 0 for a step without a layer;
            None where it is not known.
        compressed: bytes of the layer as stored; 0 for a step without a layer.
        empty: True for a step that only changed the config; None where that cannot be told from an empty layer.
    """

    image_id: Digest | None
    created: datetime | None
    created_by: str
    size: int | None
    compressed: int | None
    comment: str
    empty: bool | None
    layer_digest: Digest | None
    diff_id: Digest | None


class Status(StrEnum):
    """How a pull, push, copy, tag, save, load, pin or unpin of one image ended."""

    DOWNLOADED = "downloaded"
    UP_TO_DATE = "up to date"
    PUSHED = "pushed"
    COPIED = "copied"
    TAGGED = "tagged"
    SAVED = "saved"
    LOADED = "loaded"
    PINNED = "pinned"
    UNPINNED = "unpinned"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRecord:
    """One image that was moved or named.

    Attributes:
        reference: familiar name it now has.
        digest: what the name resolves to: the top-level manifest or index; None where a daemon does not know it.
        image_id: digest of the config; None where several platforms were moved.
        size: bytes of its content, all platforms that were moved; None where a daemon does not say.
        transferred: bytes that really moved; the rest was there already. None where a daemon does not say.
        seconds: how long it took.
    """

    reference: str
    digest: Digest | None
    image_id: Digest | None
    status: Status
    size: int | None
    transferred: int | None = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRecord:
    """A login that a registry accepted (`docker login`); it holds no secret.

    Attributes:
        host: the registry, as references name it.
        username: who we are there; "" where only a token is kept.
        where: the file or helper that keeps it, to be shown.
        encrypted: False where that is a file, which holds it as it is.
        asked: False where the registry lets everybody in, so that nothing was proved.
        shadowed_by: what answers for the host before it, or "".
    """

    host: str
    username: str
    where: str
    encrypted: bool = True
    asked: bool = True
    shadowed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutRecord:
    """A login that is no longer kept (`docker logout`).

    Attributes:
        host: the registry, as references name it.
        key: what Docker keeps its login under.
        removed: False where there was none.
        left: what still answers for the host and cannot be removed from here, or "".
        troubles: what went wrong with helpers, each a sentence.
    """

    host: str
    key: str
    removed: bool
    left: str = ""
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalRecord:
    """One line of `docker rmi` or `docker image prune`.

    Attributes:
        action: "untagged" or "deleted".
        reference: the name that was removed; None for a deletion.
        digest: what it pointed at, or what was deleted; None where a daemon does not say, and for an upload that broke
            off before it had one.
        freed: bytes of disk given back; 0 for a name, None where a daemon does not say.
    """

    action: str
    reference: str | None
    digest: Digest | None
    freed: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskRecord:
    """One line of `docker system df`.

    Attributes:
        type: what is counted: Images, Containers, Local Volumes, Build Cache, Partial Downloads.
        total: how many there are.
        active: how many of them are in use, so that pruning leaves them.
        size: bytes that they take, each file once; None where a daemon does not say.
        reclaimable: bytes that pruning everything unused would really give back; None where nobody can tell.
        reported: bytes that a daemon itself reports as reclaimable; None where there is no daemon.
    """

    type: str
    total: int
    active: int
    size: int | None
    reclaimable: int | None
    reported: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskImageRecord(ImageRecord):
    """One image of `docker system df -v`, under the first of its names.

    Attributes:
        shared: bytes of its files that something else needs too.
        unique: bytes of its files that only it needs, so that removing all its names gives them back.
    """

    shared: int | None = None
    unique: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDetail:
    """One image in full (`docker image inspect`).

    Attributes:
        reference: the name that was asked for, familiar.
        digest: see `ImageRecord`.
        platform: of the image shown.
        platforms: all that its index offers; those held locally are in ``held``.
        document: what Docker's inspect shows, under Docker's keys (Id, RepoTags, Created, Config, RootFS ...).
        manifest: the manifest as plain data; empty where a daemon does not show it.
        config: the config as plain data; empty where a daemon does not show it.
        size: see `ImageRecord`.
        unpacked: see `ImageRecord`.
    """

    reference: str
    image_id: Digest | None
    digest: Digest | None
    manifest_digest: Digest | None
    platform: Platform | None
    platforms: tuple[str, ...]
    held: tuple[str, ...]
    document: dict[str, Any]
    manifest: dict[str, Any]
    config: dict[str, Any]
    size: int | None = None
    unpacked: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRecord:
    """One repository that a search found (`docker search`).

    Attributes:
        name: familiar name, such as ``nginx`` or ``localhost:5000/app``.
        description: what its owner says of it, as it came; "" for nothing.
        stars: None where the registry counts none.
        official: True for Docker's own official images; None where there is no such thing.
        pulls: how often it was pulled; None where that is not known.
        source: the host that it was found at.
        automated: whether Docker Hub built it, which it no longer does.
    """

    name: str
    description: str = ""
    stars: int | None = None
    official: bool | None = None
    pulls: int | None = None
    source: str = ""
    automated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRecord:
    """One tag and one platform that it offers.

    Attributes:
        repository: familiar name.
        digest: what the tag points at: the index, or the manifest; None where the registry does not say.
        platform: None where it is not known, or the tag is no image.
        size: bytes of the config and distinct layers, compressed; None where it is not known.
        created: build time, UTC; None where it is not known.
        updated: when the tag was last moved, UTC; None where the registry keeps no such time.
    """

    repository: str
    tag: str
    digest: Digest | None = None
    platform: str | None = None
    size: int | None = None
    created: datetime | None = None
    updated: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryRecord:
    """One repository of a registry's catalog.

    Attributes:
        repository: familiar name, which `tags` and `pull` take.
    """

    repository: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRecord:
    """One line of what there is to know about this session (`docker info`); never a secret.

    Attributes:
        field: what it is about.
        value: in words.
        number: what is counted in it, or its bytes; None where it is no number.
    """

    field: str
    value: str
    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What is left of the requests that a registry allows.

    Attributes:
        remaining: how many more it takes.
        limit: how many in all; None where it does not say.
        window: seconds in which the limit counts; None where it does not say.
    """

    remaining: int
    limit: int | None = None
    window: int | None = None


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What was asked of a registry, and what to know about the answer.

    Attributes:
        records: what was found.
        notes: lines saying where it came from, what is missing and why, and what it cost.
    """

    records: list[T]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorRecord:
    """One mirror of a registry (containers' ``[[registry.mirror]]``, Docker's ``registry-mirrors``).

    Attributes:
        registry: the prefix whose images it serves: HOST[:PORT][/PATH] or ``*.DOMAIN``.
        mirror: HOST[:PORT][/PATH] that stands in for it.
        insecure: whether plain http and certificates that prove nothing are taken.
        pull: "all", "digest-only" or "tag-only".
        file: where it is set, the home folder as ``~``.
    """

    registry: str
    mirror: str
    insecure: bool
    pull: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRecord:
    """How a mirror, or the registry behind it, answered when it was tried.

    Attributes:
        registry: the registry, or the image, that was asked for.
        endpoint: HOST[:PORT] that was asked.
        role: "mirror" or "registry".
        status: "ok", "login" (it wants one), "missing" (it has no such image) or "failed".
        milliseconds: how long it took.
        error: what went wrong, or "".
    """

    registry: str
    endpoint: str
    role: str
    status: str
    milliseconds: float
    error: str = ""


Record = (
    ImageRecord
    | HistoryRecord
    | TransferRecord
    | RemovalRecord
    | DiskRecord
    | ContainerRecord
    | LogRecord
    | EngineRecord
    | SearchRecord
    | TagRecord
    | RepositoryRecord
    | FactRecord
    | MirrorRecord
    | EndpointRecord
)
