"""Moving: pull and push between the local store and registries, told in Docker's words on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyimg.engines import held, open_admission
from jupyimg.engines.asked import ALL_PLATFORMS, as_platform, complete
from jupyimg.engines.ends import Pinned
from jupyimg.errors import ImageNotFound, Misuse
from jupyimg.model.content import Phase, Step
from jupyimg.model.platform import Platform
from jupyimg.model.records import Status, TransferRecord
from jupyimg.store import find
from jupyimg.transfer import Selection, copying

if TYPE_CHECKING:
    from collections.abc import Generator

    from jupyimg.engines.asked import Transfers
    from jupyimg.engines.held import Held
    from jupyimg.engines.remote import Remote
    from jupyimg.model.documents import Descriptor
    from jupyimg.model.reference import Reference
    from jupyimg.model.settings import Settings
    from jupyimg.store import Store

    Moved = Generator[Step, None, TransferRecord]

MOUNTS = 4
"""How many repositories of a registry are offered as origins of a layer; each refused one costs a request."""


@dataclass(frozen=True, slots=True)
class Moving:
    """Between this store and these registries."""

    store: Store
    remote: Remote
    settings: Settings

    def pulling(
        self, name: Reference | str, platform: Platform | str | None, *, all_tags: bool, trust: bool | None
    ) -> Transfers:
        """See `Engine.pulling`."""
        reference = yield from complete(name, all_tags=all_tags)
        if platform == ALL_PLATFORMS:
            selection = Selection()
        else:
            asked = as_platform(platform)
            selection = Selection(platform=asked or self.settings.platform or Platform.host(), strict=asked is not None)
        tags = list(self.remote.tags(reference)) if all_tags else [reference.tag]
        done: list[TransferRecord] = []
        for tag in tags:
            one = reference.with_tag(tag) if all_tags else reference
            done.append((yield from self._pull(one, selection, trust)))
        return done

    def pushing(self, name: Reference | str, platform: Platform | str | None, *, all_tags: bool) -> Transfers:
        """See `Engine.pushing`."""
        reference = yield from complete(name, all_tags=all_tags)
        if reference.digest is not None:
            raise Misuse(f"cannot push {reference.familiar}: a digest is not a name to give", hint="push it by a tag")
        here = held.hold(self.store, self.store.entries())
        names = sorted({item.name for item in here if item.name and item.name.name == reference.name and item.name.tag})
        if not all_tags:
            names = [name for name in names if name == reference]
        if not names:
            what = f"no tag of {reference.familiar_name}" if all_tags else f"no such image: {reference.familiar}"
            raise ImageNotFound(f"{what} is here to push" if all_tags else what)
        yield Step(Phase.NOTE, text=f"The push refers to repository [{reference.name}]")
        done: list[TransferRecord] = []
        for one in names:
            done.append((yield from self._push(here, one, as_platform(platform))))
        return done

    def _pull(self, reference: Reference, selection: Selection, trust: bool | None) -> Moved:  # noqa: FBT001
        yield Step(Phase.NOTE, text=f"{reference.target}: Pulling from {reference.path}")
        place = self.remote.registries.repository(reference)
        admit = open_admission(self.settings, place, trust=trust)
        before = find(self.store.entries(), reference)
        with self.store.writer() as sink:
            copied = yield from copying(
                place, sink, reference, selection=selection, workers=self.settings.transfers, admit=admit
            )
        after = find(self.store.entries(), reference)
        fresh = before != after
        yield Step(Phase.NOTE, text=f"Digest: {copied.tree.root.digest}")
        what = "Downloaded newer image for" if fresh else "Image is up to date for"
        yield Step(Phase.NOTE, text=f"Status: {what} {reference.familiar}")
        return copied.record(reference, Status.DOWNLOADED if fresh else Status.UP_TO_DATE)

    def _push(self, here: list[Held], reference: Reference, platform: Platform | None) -> Moved:
        rows = [item for item in here if item.name == reference]
        root, note = self._root(rows, platform, reference)
        if note:
            yield Step(Phase.NOTE, text=note)
        place = self.remote.registries.repository(reference, mounts=_origins(here, rows, reference))
        with self.store.lease(root.digest):  # another kernel may remove the image meanwhile
            copied = yield from copying(Pinned(self.store, root), place, reference, workers=self.settings.transfers)
        size = root.size
        yield Step(Phase.NOTE, text=f"{reference.tag}: digest: {root.digest} size: {size}")
        return copied.record(reference, Status.PUSHED)

    def _root(self, rows: list[Held], platform: Platform | None, reference: Reference) -> tuple[Descriptor, str]:
        """What the pushed name will point at, and what to say where that is not the index it was pulled as."""
        entry = rows[0].entry
        if platform is None and entry.descriptor.is_index:
            return entry.descriptor, ""
        default = self.settings.platform or Platform.host()
        one = held.pick(rows, platform, default, reference.familiar)
        if platform is not None or entry.index is None:
            return one.descriptor, ""
        return one.descriptor, (
            f"Only {held.platform_of(one)} of this multi-platform image is pushed, as a single manifest; "
            f"pull it with --platform all to push the whole index"
        )


def _origins(here: list[Held], rows: list[Held], goal: Reference) -> list[str]:
    """Repositories of the goal's registry that we know to hold some of these layers, the likeliest first."""
    wanted = {layer.digest for row in rows for layer in row.manifest.layers}
    shared: dict[str, int] = {}
    for item in here:
        name = item.name
        if name and name.host == goal.host and name.path != goal.path:
            common = sum(layer.size for layer in item.manifest.layers if layer.digest in wanted)
            shared[name.path] = max(shared.get(name.path, 0), common)
    likely = sorted((path for path, common in shared.items() if common), key=lambda path: -shared[path])
    return likely[:MOUNTS]
