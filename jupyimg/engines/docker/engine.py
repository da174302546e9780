"""The Docker engine: images in a daemon, Docker Engine or Podman, here or far away, asked over its API."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from jupyimg.engines import open_remote, removal
from jupyimg.engines.asked import as_names, as_new_name
from jupyimg.engines.base import Engine, ImageFilter, PruneFilter
from jupyimg.engines.docker import answers, archives, images, removing
from jupyimg.engines.docker.api import Api, image_path
from jupyimg.engines.docker.clearing import clearing
from jupyimg.engines.docker.connection import connect
from jupyimg.engines.docker.containers import Containers
from jupyimg.engines.docker.moving import Moving
from jupyimg.engines.docker.space import Space
from jupyimg.errors import ImageError, ImageNotFound, Unsupported
from jupyimg.model.records import Status, TransferRecord

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from typing import IO

    from jupyimg.engines.asked import Names, Removals, Transfers
    from jupyimg.engines.docker.chains import Chain
    from jupyimg.engines.docker.moving import Find
    from jupyimg.engines.remote import Remote
    from jupyimg.model.platform import Platform
    from jupyimg.model.records import (
        DiskImageRecord,
        DiskRecord,
        HistoryRecord,
        ImageDetail,
        ImageRecord,
        RemovalRecord,
    )
    from jupyimg.model.reference import Reference
    from jupyimg.model.settings import Settings


class Docker(Containers, Engine):
    """Images in the daemon that the settings lead to; the `Engine` says what each method does and raises.

    Every method may also raise `NoDaemon`, `DaemonDenied` or `EngineError`: nobody answers, this user may not ask, or
    the daemon says no. The connection is made at the first question.
    """

    def __init__(self, settings: Settings, find: Find | None = None) -> None:
        """Nothing is asked yet.

        Args:
            settings: where the daemon is; ``engine`` is "docker" or "podman".
            find: who we are to the registry of an image, for pulls and pushes; None looks it up as `remote` does.
        """
        self.settings = settings
        self.name = settings.engine
        self.find = find
        self.api = Api(partial(connect, settings))
        self._chains: dict[str, Chain] = {}

    @cached_property
    def remote(self) -> Remote:  # type: ignore[override]
        """Registries, connected when they are first needed."""
        return open_remote(self.settings)

    def close(self) -> None:
        self.api.close()
        if "remote" in self.__dict__:
            self.remote.close()

    def pulling(
        self,
        reference: Reference | str,
        *,
        platform: Platform | str | None = None,
        all_tags: bool = False,
        trust: bool | None = None,
    ) -> Transfers:
        return self._moving().pulling(reference, platform, all_tags=all_tags, trust=trust)

    def pushing(
        self, reference: Reference | str, *, platform: Platform | str | None = None, all_tags: bool = False
    ) -> Transfers:
        return self._moving().pushing(reference, platform, all_tags=all_tags)

    def saving(self, names: Names, target: Path | IO[bytes], *, platform: Platform | str | None = None) -> Transfers:
        return archives.saving(self.api, as_names(names), target, platform)

    def loading(self, source: Path | IO[bytes], *, platform: Platform | str | None = None) -> Transfers:
        return archives.loading(self.api, source, platform)

    def images(self, filters: ImageFilter | None = None, *, everything: bool = False) -> list[ImageRecord]:
        here = answers.records(images.listed(self.api, everything=everything))
        return images.kept(here, filters or ImageFilter())

    def inspect(self, name: Reference | str, *, platform: Platform | str | None = None) -> ImageDetail:
        return images.detail(self.api, name, platform)

    def history(self, name: Reference | str, *, platform: Platform | str | None = None) -> list[HistoryRecord]:
        return images.history(self.api, name, platform)

    def tag(self, source: Reference | str, target: Reference | str) -> TransferRecord:
        goal = as_new_name(target)
        with images.naming(source):
            self.api.post(image_path(images.asked(source), "/tag"), {"repo": goal.name, "tag": goal.tag})
        found = images.detail(self.api, goal, None)
        return TransferRecord(
            reference=goal.familiar,
            digest=found.digest or images.detail(self.api, source, None).digest,
            image_id=found.image_id,
            status=Status.TAGGED,
            size=found.size,
        )

    def remove(self, names: Names, *, force: bool = False) -> list[RemovalRecord]:
        done: list[RemovalRecord] = []
        failures: list[ImageError] = []
        for name in as_names(names):
            try:
                done += removing.remove(self.api, name, force=force)
            except ImageError as error:
                if not (force and isinstance(error, ImageNotFound)):
                    failures.append(error)
        if failures:
            raise removal.first(failures, done)
        return done

    def prunable(self, filters: PruneFilter | None = None, *, everything: bool = False) -> list[ImageRecord]:
        return self._space().prunable(filters or PruneFilter(), everything=everything)

    def prune_plan(
        self,
        filters: PruneFilter | None = None,
        *,
        everything: bool = False,
        all_partial: bool = False,  # noqa: ARG002 - a daemon clears away its own
        only: Collection[ImageRecord] | None = None,
    ) -> list[RemovalRecord]:
        return self._space().plan(filters or PruneFilter(), only, everything=everything)

    def pruning(
        self,
        filters: PruneFilter | None = None,
        *,
        everything: bool = False,
        all_partial: bool = False,  # noqa: ARG002 - a daemon clears away its own
        only: Collection[ImageRecord] | None = None,
    ) -> Removals:
        return clearing(self._space(), filters or PruneFilter(), only, everything=everything)

    def disk(self) -> list[DiskRecord]:
        return self._space().disk()

    def disk_images(self) -> list[DiskImageRecord]:
        return self._space().disk_images()

    def pin(self, names: Names) -> list[TransferRecord]:
        raise Unsupported(
            f"{self.name} pins nothing ({', '.join(map(images.shown, as_names(names)))})",
            hint="what a container uses stays; the embedded engine can pin (%image engine embedded)",
        )

    unpin = pin

    def names(self) -> list[str]:
        here = answers.records(images.listed(self.api))
        shown = [one.image_id or one.digest for one in here]
        named = dict.fromkeys(one.reference for one in here if one.repository)
        return [*named, *dict.fromkeys(digest.short for digest in shown if digest)]

    def _space(self) -> Space:
        return Space(self.api, self._chains)

    def _moving(self) -> Moving:
        return Moving(self.api, self.settings, lambda: self.remote, self.find or self.remote.credentials.find)
