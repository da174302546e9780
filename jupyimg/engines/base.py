"""The Engine protocol: what a user can ask for, whoever does it.

An engine speaks values (`Reference`, `Platform`) and returns records. Long work comes in two forms under one name:
`pulling()` is a generator of steps that returns the records, for those who show progress; `pull()` runs it to its end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from jupyimg.model.content import drain

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from pathlib import Path

    from jupyimg.engines.asked import Names, Removals, Transfers
    from jupyimg.engines.remote import Remote
    from jupyimg.model.digest import Digest
    from jupyimg.model.platform import Platform
    from jupyimg.model.records import (
        DiskImageRecord,
        DiskRecord,
        HistoryRecord,
        ImageDetail,
        ImageRecord,
        RemovalRecord,
        TransferRecord,
    )
    from jupyimg.model.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFilter:
    """Which images to list (`docker images --filter`); different keys must all match, values of one key as noted.

    Attributes:
        dangling: only those whose tag has moved on (True), only others (False), or both (None).
        labels: ``key`` or ``key=value``; all must match.
        before: names or IDs; only images created before the oldest of them.
        since: names or IDs; only images created after the newest of them.
        references: globs over familiar and full names; one must match. ``*`` does not cross ``/``.
        until: only images created before this time.
        pinned: only those that the user pinned (True), only others (False), or both (None).
    """

    dangling: bool | None = None
    labels: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    since: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    until: datetime | None = None
    pinned: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneFilter:
    """Which unused images to prune (`docker image prune --filter`); all must match.

    An image whose labels or build time nobody can tell matches nothing, so that doubt deletes nothing. Of several
    platforms under one name all must match.

    Attributes:
        until: only images created before this time.
        labels: ``key`` or ``key=value``; only images that have all of them.
        without_labels: ``key`` or ``key=value``; only images that have none of them.
    """

    until: datetime | None = None
    labels: tuple[str, ...] = ()
    without_labels: tuple[str, ...] = ()


class Engine(ABC):
    """What can be asked of an engine; errors are those of `jupyimg.errors`, and each method says which it raises."""

    name: str
    remote: Remote

    @abstractmethod
    def pulling(
        self,
        reference: Reference | str,
        *,
        platform: Platform | str | None = None,
        all_tags: bool = False,
        trust: bool | None = None,
    ) -> Transfers:
        """Fetch an image (`docker pull`), with steps on the way.

        Args:
            reference: what to fetch; without tag and digest it is ``:latest``.
            platform: one platform, "all", or None for the default one.
            all_tags: every tag of the repository instead of one.
            trust: False asks no trust policy; True takes only what it wants signed; None does what the settings say.

        Raises:
            BadReference, BadPlatform: not such a thing.
            NotTrusted, BadPolicy: the trust policy does not let it in, or is not usable.
            RemoteNotFound, PlatformNotFound, Denied, Unreachable, RateLimited: what the registry said.
            DigestMismatch, SizeMismatch, BadManifest: what came was not what was promised.
            DiskFull, StoreDenied: it could not be kept.
        """

    @abstractmethod
    def pushing(
        self, reference: Reference | str, *, platform: Platform | str | None = None, all_tags: bool = False
    ) -> Transfers:
        """Send a local image to its registry (`docker push`), with steps on the way.

        Raises:
            ImageNotFound, PlatformNotFound: nothing here to send.
            Denied, Unreachable, RateLimited, RegistryError: what the registry said.
        """

    @abstractmethod
    def saving(self, names: Names, target: Path | IO[bytes], *, platform: Platform | str | None = None) -> Transfers:
        """Write images into one archive that Docker, podman and skopeo load (`docker save`), with steps on the way.

        Args:
            names: names; a repository without a tag means all its tags; an ID is saved without a name.
            target: a file, written beside its place and renamed at the end, compressed as its suffix says; or a stream.
            platform: one platform of several; None is all that are held.

        Raises:
            ImageNotFound: there is no such image, or not for that platform.
            DiskFull, StoreDenied, StoreError: the archive could not be written; nothing of it stays.
        """

    @abstractmethod
    def loading(self, source: Path | IO[bytes], *, platform: Platform | str | None = None) -> Transfers:
        """Take in the images of an archive (`docker load`), with steps on the way.

        Args:
            source: what docker save, podman save, skopeo or umoci wrote: a file, compressed or not, a folder, a stream.
            platform: one platform of several; None is all that are there.

        Raises:
            NotFound: there is no such file.
            ContentError, Unsupported: it is no archive of images, damaged or hostile; nothing of that image stays.
            PlatformNotFound: an image is not there for that platform.
            DiskFull, StoreDenied: it could not be kept.
        """

    @abstractmethod
    def images(self, filters: ImageFilter | None = None, *, everything: bool = False) -> list[ImageRecord]:
        """What is held here, newest first (`docker images`).

        Args:
            filters: which ones; None is all.
            everything: also what is hidden otherwise: dangling images and artefacts here, the steps of builds in a
                daemon, which lists dangling images always.
        """

    @abstractmethod
    def inspect(self, name: Reference | str, *, platform: Platform | str | None = None) -> ImageDetail:
        """All that an image says of itself (`docker image inspect`).

        Args:
            name: a name, an ID or the beginning of one.
            platform: which of several; None is the default one.

        Raises:
            ImageNotFound: there is no such image, or not for that platform.
        """

    @abstractmethod
    def history(self, name: Reference | str, *, platform: Platform | str | None = None) -> list[HistoryRecord]:
        """How an image was built, newest step first (`docker history`); arguments and errors as for `inspect`."""

    @abstractmethod
    def tag(self, source: Reference | str, target: Reference | str) -> TransferRecord:
        """Give an image a further name (`docker tag`); a name that another image has moves silently, as Docker's.

        Raises:
            ImageNotFound: there is no such source.
            BadReference: the target is no name, or holds a digest.
        """

    @abstractmethod
    def remove(self, names: Names, *, force: bool = False) -> list[RemovalRecord]:
        """Remove names, and the images that no name is left for (`docker rmi`).

        Every name is tried; the first failure is raised after the last one.

        Raises:
            ImageNotFound: there is no such image (not with ``force``).
            Conflict: an ID that several names hold, or a pinned image, without ``force``. Its ``done`` holds the
                records of what was removed all the same, as that of every error raised here does.
        """

    @abstractmethod
    def prunable(self, filters: PruneFilter | None = None, *, everything: bool = False) -> list[ImageRecord]:
        """The images that `prune` would take, newest first, to choose from; nothing is changed."""

    @abstractmethod
    def prune_plan(
        self,
        filters: PruneFilter | None = None,
        *,
        everything: bool = False,
        all_partial: bool = False,
        only: Collection[ImageRecord] | None = None,
    ) -> list[RemovalRecord]:
        """What `prune` would remove, and the bytes that it would give back; nothing is changed."""

    @abstractmethod
    def pruning(
        self,
        filters: PruneFilter | None = None,
        *,
        everything: bool = False,
        all_partial: bool = False,
        only: Collection[ImageRecord] | None = None,
    ) -> Removals:
        """Remove images that are not in use, and what broken-off transfers left (`docker image prune`), with steps.

        In use is what the user pinned, what a container uses, what the served store holds without a tag, and what a
        pull, a push or another operation relies on, in whatever process it runs.

        Args:
            filters: which images; None is all.
            everything: also images that have a name, not only dangling ones.
            all_partial: all partial downloads that no living process needs, not only those older than a day.
            only: of these images, as `prunable` gave them; one that has changed since, or come into use, stays. None
                is all. What nothing leads to goes all the same.

        Returns:
            what really went, as it was when it went: names first, then content with its bytes.

        Raises:
            ImageError, Interrupted: it did not come to its end; ``done`` holds the records of what went until then.
        """

    @abstractmethod
    def disk(self) -> list[DiskRecord]:
        """What takes how much disk, and what pruning all that is unused would give back (`docker system df`)."""

    @abstractmethod
    def disk_images(self) -> list[DiskImageRecord]:
        """Each image with the bytes that it shares and those that it has for itself (`docker system df -v`)."""

    @abstractmethod
    def pin(self, names: Names) -> list[TransferRecord]:
        """Count images as in use until they are unpinned; all or, where one is not here, none.

        A name that is pinned keeps what it means now, and its later meanings too while it has them. An ID keeps its
        image.

        Raises:
            ImageNotFound: there is no such image.
            Unsupported: this engine cannot.
        """

    @abstractmethod
    def unpin(self, names: Names) -> list[TransferRecord]:
        """Take back `pin`, by whatever name or ID of the image; raises as `pin` does."""

    def holders(self, layers: Collection[Digest]) -> dict[Digest, tuple[str, ...]] | None:  # noqa: ARG002
        """Which images here hold these layers: their references by layer; None where the engine cannot tell.

        A layer that no image here holds is left out. Quick: nothing is measured.
        """
        return None

    @abstractmethod
    def names(self) -> list[str]:
        """Familiar names and short IDs of what is here; quick, for completion."""

    @abstractmethod
    def close(self) -> None:
        """Give back connections; the engine is not used after that."""

    def pull(
        self,
        reference: Reference | str,
        *,
        platform: Platform | str | None = None,
        all_tags: bool = False,
        trust: bool | None = None,
    ) -> list[TransferRecord]:
        """`pulling` to its end: one record for each image."""
        return drain(self.pulling(reference, platform=platform, all_tags=all_tags, trust=trust))

    def push(
        self, reference: Reference | str, *, platform: Platform | str | None = None, all_tags: bool = False
    ) -> list[TransferRecord]:
        """`pushing` to its end: one record for each image."""
        return drain(self.pushing(reference, platform=platform, all_tags=all_tags))

    def save(
        self, names: Names, target: Path | IO[bytes], *, platform: Platform | str | None = None
    ) -> list[TransferRecord]:
        """`saving` to its end: one record for each image."""
        return drain(self.saving(names, target, platform=platform))

    def load(self, source: Path | IO[bytes], *, platform: Platform | str | None = None) -> list[TransferRecord]:
        """`loading` to its end: one record for each name."""
        return drain(self.loading(source, platform=platform))

    def prune(
        self,
        filters: PruneFilter | None = None,
        *,
        everything: bool = False,
        all_partial: bool = False,
        only: Collection[ImageRecord] | None = None,
    ) -> list[RemovalRecord]:
        """`pruning` to its end: a record for each name and for each thing that went."""
        return drain(self.pruning(filters, everything=everything, all_partial=all_partial, only=only))
