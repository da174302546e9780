"""Space: what takes a daemon's disk, and the plan of pruning it, which no daemon shows; doing it is `clearing`.

Daemons count what images share once for each of them, or not at all, so that their "reclaimable" is not what comes
free. Here it is counted over the set of images that would go (`chains`), and theirs stands beside it. What containerd's
store holds besides files is not told for each layer, so there the count over the set is missing.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyimg.engines import listing
from jupyimg.engines.docker import answers, images, removing
from jupyimg.engines.docker.api import image_path
from jupyimg.engines.docker.chains import Chain, Graph, chain
from jupyimg.model.records import DiskImageRecord, DiskRecord, RemovalRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from jupyimg.engines.base import PruneFilter
    from jupyimg.engines.docker.answers import Document
    from jupyimg.engines.docker.api import Api
    from jupyimg.model.digest import Digest
    from jupyimg.model.records import ImageRecord

_RUNNING = {"running", "paused", "restarting"}


@dataclass(frozen=True, slots=True)
class Space:
    """One daemon's disk.

    Attributes:
        known: chains of images by ID; what an image is made of never changes, so it is kept from one look to the next.
    """

    api: Api
    known: dict[str, Chain]

    def prunable(self, filters: PruneFilter, *, everything: bool) -> list[ImageRecord]:
        """See `Engine.prunable`."""
        return listing.newest_first(answers.records(self.look().going(filters, everything=everything)))

    def plan(
        self, filters: PruneFilter, only: Collection[ImageRecord] | None = None, *, everything: bool
    ) -> list[RemovalRecord]:
        """See `Engine.prune_plan`."""
        look = self.look()
        if only is not None:
            return look.plan_of(look.picked(filters, only, everything=everything))
        return look.plan(filters, everything=everything)

    def disk(self) -> list[DiskRecord]:
        """See `Engine.disk`."""
        used = answers.document(self.api.get("/system/df"))
        look = self.look()
        here = list({str(image.get("Id")): image for image in look.images})
        graph, idle = look.graph, [str(image.get("Id")) for image in look.idle()]
        size = used.get("LayersSize") or (graph.size(here) if graph else None)
        row = DiskRecord(
            type="Images",
            total=len(here),
            active=len(here) - len(idle),
            size=size,
            reclaimable=graph.size(idle, set(here) - set(idle)) if graph else None,
            reported=_reported(used) if size is not None else None,
        )
        return [row, *(_others(kind, answers.documents(used.get(key)), *how) for kind, (key, *how) in _OTHERS.items())]

    def disk_images(self) -> list[DiskImageRecord]:
        """See `Engine.disk_images`."""
        look = self.look()
        first = {str(image.get("Id")): answers.records([image])[0] for image in reversed(look.images)}
        users = look.users()
        rows = []
        for image_id, record in first.items():
            shared = look.graph.shared(image_id) if look.graph else None
            whole = look.graph.size([image_id]) if look.graph else None
            given = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
            given["containers"] = users.get(image_id, 0)
            unique = whole - shared if whole is not None and shared is not None else None
            rows.append(DiskImageRecord(**given, shared=shared, unique=unique))
        return listing.newest_first(rows)

    def look(self) -> Look:
        """All images and all containers."""
        here = images.listed(self.api)
        containers = answers.documents(self.api.get("/containers/json", {"all": True}))
        classic = not any(image.get("Descriptor") for image in here)
        graph = Graph({str(image["Id"]): self._chain(str(image["Id"])) for image in here}) if classic else None
        return Look(here, containers, graph, self.api.dialect.prunes_all)

    def _chain(self, image_id: str) -> Chain:
        if image_id not in self.known:
            image = answers.document(self.api.get(image_path(image_id, "/json")))
            steps = answers.documents(self.api.get(image_path(image_id, "/history")))
            self.known[image_id] = chain(answers.layers_of(image), answers.steps_of(steps))
        return self.known[image_id]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a daemon, and what follows from it without asking again.

    Attributes:
        images: as they are listed.
        containers: as they are listed, those that ended too.
        graph: what they share; None where it is not told.
        as_docker: pruning tells of digests that go with their tags, and of each layer; and pruning everything takes all
            names but the last from an image that is in use. Podman's does none of these.
    """

    images: Sequence[Document]
    containers: Sequence[Document]
    graph: Graph | None
    as_docker: bool

    def users(self) -> dict[str, int]:
        """How many containers each image has."""
        found: dict[str, int] = {}
        for one in self.containers:
            digest = str(answers.digest_of(one.get("ImageID")))
            found[digest] = found.get(digest, 0) + 1
        return found

    def idle(self) -> list[Document]:
        """Images that no container uses."""
        users = self.users()
        return [image for image in self.images if image.get("Id") not in users]

    def going(self, filters: PruneFilter, *, everything: bool) -> list[Document]:
        """The images that pruning deletes."""
        return [one for one in self.idle() if (everything or not answers.tags_of(one)) and self._matches(one, filters)]

    def plan(self, filters: PruneFilter, *, everything: bool) -> list[RemovalRecord]:
        """What pruning tells: names, then images, then their layers."""
        going, docker = self.going(filters, everything=everything), self.as_docker
        names = [row for image in going for row in _names(image, answers.tags_of(image), digests=docker)]
        if everything and docker:
            used = (one for one in self.images if one.get("Id") in self.users() and self._matches(one, filters))
            names += [row for one in used for row in _names(one, self._spare(one), digests=docker)]
        return [*names, *self._all_deleted(going)]

    def picked(
        self, filters: PruneFilter, only: Collection[ImageRecord], *, everything: bool
    ) -> list[tuple[Document, list[str], bool]]:
        """Of the images that pruning deletes those that were chosen, the tags that were, and whether these are all."""
        wanted = {_known_by(one) for one in only}
        found = []
        for image in self.going(filters, everything=everything):
            names = {one.reference: _known_by(one) in wanted for one in answers.records([image])}
            tags = [tag for tag in answers.tags_of(image) if names.get(_familiar(tag))]
            if any(names.values()) and (tags or not answers.tags_of(image)):
                found.append((image, tags, all(names.values())))
        return found

    def plan_of(self, picked: Sequence[tuple[Document, list[str], bool]]) -> list[RemovalRecord]:
        """What removing these tells."""
        names = [row for image, tags, _ in picked for row in _names(image, tags, digests=self.as_docker)]
        return [*names, *self._all_deleted([image for image, _, whole in picked if whole])]

    def _all_deleted(self, going: Sequence[Document]) -> list[RemovalRecord]:
        ids = [str(image.get("Id")) for image in going]
        staying = [str(image.get("Id")) for image in self.images if str(image.get("Id")) not in ids]
        rows = []
        for at, image_id in enumerate(ids):
            rows += self._deleted(image_id, [*staying, *ids[at + 1 :]])
        return rows

    def _matches(self, image: Document, filters: PruneFilter) -> bool:
        """Whether the filters let an image go; where the daemon decides, as it does.

        Docker's spares an image of several ``label!`` only if it has all of these labels, and takes one without a
        build time for one of the year 1.
        """
        labels, created = answers.labels_of(image), answers.moment(image.get("Created"))
        spares = [_has(labels, label) for label in filters.without_labels]
        old = self.as_docker if created is None else filters.until is None or created < filters.until
        return (
            (filters.until is None or old)
            and all(_has(labels, label) for label in filters.labels)
            and not (bool(spares) and all(spares) if self.as_docker else any(spares))
        )

    def _spare(self, image: Document) -> list[str]:
        """The names that Docker takes from an image in use: all but the last, or but those that containers have."""
        tags = sorted(answers.tags_of(image))
        if not image.get("Descriptor"):
            return tags[:-1]
        given = {str(one.get("Image")) for one in self.containers}
        kept = [tag for tag in tags if tag in given] or tags[:1]
        return [tag for tag in tags if tag not in kept]

    def _deleted(self, image_id: str, others: Sequence[str]) -> list[RemovalRecord]:
        """An image and what only it needs; the bytes of layers whose own size is in doubt are told with the image."""
        digest = answers.digest_of(image_id)
        if self.graph is None:
            return [_row(digest, None)]
        total = self.graph.size([image_id], others)
        if not self.as_docker:
            return [_row(digest, total)]
        layers = self.graph.freed([image_id], others)
        rest = None if total is None else total - sum(size or 0 for size in layers.values())
        return [_row(digest, rest), *(_row(layer, size or 0) for layer, size in layers.items())]


def _known_by(image: ImageRecord) -> tuple[str, Digest | None]:
    """What makes an image that is still here the one that was chosen: its name, and what the name points at."""
    return image.reference, image.image_id or image.digest


def _familiar(tag: str) -> str:
    reference = answers.reference_of(tag)
    return reference.familiar if reference else tag


def _row(digest: Digest | None, freed: int | None) -> RemovalRecord:
    return RemovalRecord(action="deleted", reference=None, digest=digest, freed=freed)


def _names(image: Document, tags: Iterable[str], *, digests: bool) -> list[RemovalRecord]:
    """The rows of names that go; where the last of a repository goes, so do the digests it is known by."""
    tags = list(tags)
    references = {tag: answers.reference_of(tag) for tag in answers.tags_of(image)}
    left = {named.name for tag, named in references.items() if named and tag not in tags}
    rows = removing.rows([{"Untagged": tag} for tag in tags], answers.records([image]))
    for reference in answers.digests_of(image) if digests else ():
        if reference.name not in left:
            rows.append(RemovalRecord(action="untagged", reference=reference.familiar, digest=reference.digest))
    return rows


def _has(labels: dict[str, str], wanted: str) -> bool:
    key, eq, value = wanted.partition("=")
    return key in labels and (not eq or labels[key] == value)


def _reported(used: Document) -> int | None:
    """What `docker system df` shows as reclaimable: all layers less what images in use have for themselves."""
    size = used.get("LayersSize")
    if not size:
        return None
    own = 0
    for image in answers.documents(used.get("Images")):
        whole, shared = image.get("Size", -1), image.get("SharedSize", -1)
        if image.get("Containers") and whole >= 0 and shared >= 0:
            own += whole - shared
    return int(size) - own


def _volume(volume: Document) -> Document:
    usage = volume.get("UsageData")
    return usage if isinstance(usage, dict) else {}


_OTHERS: dict[str, tuple[str, Callable[[Document], object], Callable[[Document], Any], Callable[[Document], Any]]] = {
    "Containers": ("Containers", lambda one: one.get("State") in _RUNNING, lambda one: one.get("SizeRw"), lambda _: 1),
    "Local Volumes": (
        "Volumes",
        lambda one: (_volume(one).get("RefCount") or 0) > 0,
        lambda one: _volume(one).get("Size"),
        lambda _: 1,
    ),
    "Build Cache": (
        "BuildCache",
        lambda one: one.get("InUse"),
        lambda one: one.get("Size"),
        lambda one: not one.get("Shared"),
    ),
}
"""The other rows of `docker system df`: where they lie, what is in use, its bytes, and whether these are its own."""


def _others(
    kind: str,
    items: Sequence[Document],
    active: Callable[[Document], object],
    size: Callable[[Document], Any],
    own: Callable[[Document], Any],
) -> DiskRecord:
    def total(some: Iterable[Document]) -> int:
        return sum(max(0, size(one) or 0) for one in some if own(one))

    free = total(one for one in items if not active(one))
    return DiskRecord(
        type=kind,
        total=len(items),
        active=sum(bool(active(one)) for one in items),
        size=total(items),
        reclaimable=free,
        reported=free,
    )
