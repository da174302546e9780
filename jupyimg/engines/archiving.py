"""Archiving: save and load between the local store and archives, told in Docker's words on the way."""

from __future__ import annotations

import dataclasses
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING

from jupyimg.engines import held
from jupyimg.engines.asked import as_platform, as_reference
from jupyimg.engines.ends import Pinned, sink_for
from jupyimg.errors import BadReference, ContentError, Unsupported
from jupyimg.model.config import read_config
from jupyimg.model.content import ARCHIVE, Phase, Step
from jupyimg.model.documents import Index, Manifest
from jupyimg.model.platform import Platform
from jupyimg.model.records import Status
from jupyimg.model.reference import DOCKER_HUB, Reference
from jupyimg.store import find
from jupyimg.store.archives import Archive, ArchiveWriter, check_layers
from jupyimg.transfer import Selection, aside, copying, fetch, fetch_manifest, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from jupyimg.engines.asked import Transfers
    from jupyimg.engines.held import Held
    from jupyimg.model.content import Source
    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Descriptor
    from jupyimg.model.records import TransferRecord
    from jupyimg.model.settings import Settings
    from jupyimg.store import Store
    from jupyimg.store.archives import Packed

    Moved = Generator[Step, None, TransferRecord]


@dataclass(frozen=True, slots=True)
class Chosen:
    """One thing to save: under which name (None for an ID), from which root, and what of an index."""

    name: Reference | None
    root: Descriptor
    among: frozenset[Digest] | None = None


@dataclass(frozen=True, slots=True)
class Archiving:
    """Between this store and archives."""

    store: Store
    settings: Settings

    def saving(
        self,
        here: Sequence[Held],
        names: Sequence[Reference | str],
        target: Path | IO[bytes],
        platform: Platform | str | None,
    ) -> Transfers:
        """See `Engine.saving`."""
        wanted = as_platform(platform)
        chosen = list(dict.fromkeys(item for name in names for item in self._chosen(here, name, wanted)))
        needed = {digest for item in chosen for digest in (item.root.digest, *(item.among or ()))}
        done: list[TransferRecord] = []
        with self.store.lease(*needed), ArchiveWriter(target, wanted or self._default) as sink:
            for item in chosen:
                name = item.name or _stand_in(item.root)
                copied = yield from copying(
                    Pinned(self.store, item.root),
                    sink_for(item.name, sink),
                    name,
                    selection=Selection(among=item.among),
                    workers=sink.lanes,
                )
                done.append(_told(copied.record(name, Status.SAVED), item.name))
        return done

    def loading(self, source: Path | IO[bytes], platform: Platform | str | None) -> Transfers:
        """See `Engine.loading`."""
        archive = Archive(source, self.store.spool)
        wanted = as_platform(platform)
        done: list[TransferRecord] = []
        with closing(archive), _explained(done):
            yield from aside(archive, partial(_open, archive))
            if archive.size:  # its bytes come once more, as those of its layers
                yield Step(Phase.EXISTS, ARCHIVE, archive.size, archive.size, ARCHIVE)
            for passed in archive.passed:
                yield Step(Phase.NOTE, text=passed)
            for image in archive.images:
                done.append((yield from self._load(archive, image, wanted)))
        return done

    # ---- how

    @property
    def _default(self) -> Platform:
        return self.settings.platform or Platform.host()

    def _load(self, archive: Archive, image: Packed, platform: Platform | None) -> Moved:
        name = image.name or _stand_in(image.root)
        place = Pinned(archive, image.root)
        selection = Selection(platform=platform, strict=platform is not None, among=image.held)
        diff_ids = yield from aside(archive, lambda _: _diff_ids(place, name, selection))
        before = self._ids(name)
        brought: set[Digest] = set()
        try:
            with self.store.writer(diff_ids) as sink:
                brought = sink.brought
                end = sink_for(image.name, sink)
                copied = yield from copying(place, end, name, selection=selection, workers=self.settings.transfers)
        except ContentError:
            self.store.discard(brought)
            raise
        for moved in before - self._ids(name) if image.name else ():
            text = f"The image {name.familiar} already exists, renaming the old one with ID {moved.short}"
            yield Step(Phase.NOTE, text=f"{text} to empty string")
        return _told(copied.record(name, Status.LOADED), image.name)

    def _ids(self, name: Reference) -> frozenset[Digest]:
        """The images that a name means now."""
        return frozenset(item.image_id for item in held.hold(self.store, find(self.store.entries(), name)))

    def _chosen(self, here: Sequence[Held], word: Reference | str, platform: Platform | None) -> Iterator[Chosen]:
        """What one word of a user means: a name, all tags of a repository, or an ID."""
        repository = _repository(word)
        tags = [item.name for item in here if item.name and item.name.tag and item.name.name == repository]
        if tags:
            for name in sorted(set(tags)):
                yield self._of([item for item in here if item.name == name], name, platform)
            return
        found = held.find(here, word)
        if held.is_name(here, word):
            asked = as_reference(word)  # by its digest it is saved without a tag that it happens to have
            yield self._of(found, asked if asked.digest else found[0].name, platform)
            return
        rows = {item.descriptor.digest: item for item in found}
        if platform is not None:
            one = held.pick(found, platform, platform, str(word))
            rows = {one.descriptor.digest: one}
        for item in rows.values():
            yield Chosen(None, item.descriptor)

    def _of(self, rows: Sequence[Held], name: Reference | None, platform: Platform | None) -> Chosen:
        """What is held under one name: the index with all of it that is here, or the manifest."""
        entry = rows[0].entry
        if platform is not None:
            rows = [held.pick(rows, platform, platform, name.familiar if name else str(rows[0].image_id))]
        root = entry.index or entry.descriptor
        if name and name.digest not in {None, root.digest}:
            return Chosen(name, rows[0].descriptor)
        if platform is None and entry.index is None:
            return Chosen(name, root)
        among = frozenset(item.descriptor.digest for item in rows)
        index = self.store.manifest(root.digest) if self.store.has(root) else None
        if isinstance(index, Index) and among <= {child.digest for child in index.children}:
            return Chosen(name, root, among)
        return Chosen(name, rows[0].descriptor)


def _open(archive: Archive, tell: Callable[[Step], None]) -> None:
    size = archive.size
    archive.open(lambda count: tell(Step(Phase.MOVING, ARCHIVE, count, max(size, count), ARCHIVE)))


def _diff_ids(place: Source, name: Reference, selection: Selection) -> dict[Digest, Digest]:
    """What each layer of the images must unpack to.

    Raises:
        BadManifest: an image has more or fewer layers than its config names.
    """
    found: dict[Digest, Digest] = {}
    for descriptor in walk(place, name, selection).held:
        manifest = fetch_manifest(place, descriptor)
        if isinstance(manifest, Manifest) and manifest.is_image:
            diff_ids = read_config(fetch(place, manifest.config)).diff_ids
            check_layers(manifest.config.digest, len(manifest.layers), diff_ids)
            found |= zip((layer.digest for layer in manifest.layers), diff_ids, strict=True)
    return found


def _repository(word: Reference | str) -> str | None:
    """The repository, where the word is one without tag and digest."""
    try:
        reference = as_reference(word, default_tag="")
    except BadReference:
        return None
    return None if reference.tag or reference.digest else reference.name


def _stand_in(root: Descriptor) -> Reference:
    """What to call an image that has no name."""
    return Reference(DOCKER_HUB, f"library/{root.digest.short}")


def _told(record: TransferRecord, name: Reference | None) -> TransferRecord:
    return record if name else dataclasses.replace(record, reference=str(record.image_id or record.digest))


@contextmanager
def _explained(done: Sequence[TransferRecord]) -> Iterator[None]:
    """Say what to do about an archive that is refused, and what had been loaded before the image that is at fault."""
    try:
        yield
    except (ContentError, Unsupported) as error:
        if error.hint == type(error).hint:  # which speaks of registries
            error.hint = "the archive is damaged or not to be trusted: save it again, or bring it over again"
        if done:
            error.hint += f"; loaded before it: {', '.join(record.reference for record in done[:10])}"
        raise
