"""Remote: what can be done with registries alone, whatever engine is current and without keeping anything here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyimg.engines import details, open_admission
from jupyimg.engines.asked import ALL_PLATFORMS, as_platform, as_reference
from jupyimg.errors import Misuse, Unsupported
from jupyimg.model.config import read_config
from jupyimg.model.content import Phase, Step
from jupyimg.model.documents import Index, Manifest, choose
from jupyimg.model.platform import Platform
from jupyimg.model.records import Status, TransferRecord
from jupyimg.registry import Registries
from jupyimg.transfer import Selection, copying, fetch, fetch_manifest, no_such_platform, platforms

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from jupyimg.engines.asked import Transfers
    from jupyimg.model.digest import Digest
    from jupyimg.model.records import HistoryRecord, ImageDetail
    from jupyimg.model.reference import Reference
    from jupyimg.model.settings import Settings
    from jupyimg.registry import Repository


class Remote:
    """Images where they are: in registries."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.registries = Registries(settings)

    def close(self) -> None:
        """Give back all connections."""
        self.registries.close()

    def tags(self, reference: Reference | str) -> Iterator[str]:
        """Every tag of a repository, as the registry orders them.

        Raises:
            RemoteNotFound, Denied, Unreachable: what the registry said.
        """
        return self._repository(as_reference(reference, default_tag="")).tags()

    def inspect(self, reference: Reference | str, *, platform: Platform | str | None = None) -> ImageDetail:
        """All that an image says of itself, without pulling it.

        Raises:
            RemoteNotFound, PlatformNotFound, Denied, Unreachable: what the registry said.
        """
        ref = as_reference(reference)
        digest, manifest, raw, offered = self._image(ref, as_platform(platform))
        return details.detail(
            details.Known(
                shown=ref.familiar, digest=digest, platforms=offered, digests=(ref.with_digest(digest).familiar,)
            ),
            manifest,
            raw,
        )

    def history(self, reference: Reference | str, *, platform: Platform | str | None = None) -> list[HistoryRecord]:
        """How an image was built, without pulling it; unpacked sizes are not known there.

        Raises:
            RemoteNotFound, PlatformNotFound, Denied, Unreachable: what the registry said.
        """
        _, manifest, raw, _ = self._image(as_reference(reference), as_platform(platform))
        return details.history(manifest, read_config(raw), lambda _: None)

    def copying(
        self,
        source: Reference | str,
        target: Reference | str,
        *,
        platform: Platform | str | None = None,
        all_tags: bool = False,
        trust: bool | None = None,
    ) -> Transfers:
        """Copy an image from a registry to a registry, all its platforms unless one is asked for.

        The trust policy is asked about the source; ``trust`` as for `Engine.pulling`.

        Raises:
            NotTrusted, BadPolicy: the trust policy does not let it in, or is not usable.
            RemoteNotFound, PlatformNotFound, Denied, Unreachable: what a registry said.
            Misuse: a target with a digest, or a tag together with ``all_tags``.
        """
        origin = as_reference(source, default_tag="" if all_tags else "latest")
        goal = as_reference(target, default_tag="")
        if goal.digest is not None:
            raise Misuse(f"cannot copy to {goal.familiar}: a digest is not a name to give", hint="give a tag instead")
        if all_tags and (origin.tag or origin.digest or goal.tag):
            raise Misuse("a tag cannot be used with --all-tags", hint="name the two repositories only")
        tags = list(self.tags(origin)) if all_tags else [""]
        done: list[TransferRecord] = []
        for tag in tags:
            one = origin.with_tag(tag) if tag else origin
            name = goal if goal.tag else goal.with_tag(one.tag or "latest")
            yield Step(Phase.NOTE, text=f"Copying {one.familiar} to {name.familiar}")
            chosen = as_platform(None if platform == ALL_PLATFORMS else platform)
            done.append((yield from self._copy(one, name, chosen, trust)))
        return done

    def _copy(
        self,
        origin: Reference,
        goal: Reference,
        platform: Platform | None,
        trust: bool | None,  # noqa: FBT001
    ) -> Generator[Step, None, TransferRecord]:
        mounts = (origin.path,) if origin.host == goal.host else ()
        place = self._repository(origin)
        copied = yield from copying(
            place,
            self.registries.repository(goal, mounts=mounts),
            origin,
            target=goal,
            selection=Selection(platform=platform, strict=True, alone=True),
            workers=self.settings.transfers,
            admit=open_admission(self.settings, place, trust=trust),
        )
        yield Step(Phase.NOTE, text=f"Digest: {copied.tree.root.digest}")
        return copied.record(goal, Status.COPIED)

    def _repository(self, reference: Reference) -> Repository:
        return self.registries.repository(reference)

    def _image(
        self, reference: Reference, platform: Platform | None
    ) -> tuple[Digest, Manifest, bytes, tuple[str, ...]]:
        """The digest a pull would name, the manifest and config of one platform, and all platforms there are."""
        place = self._repository(reference)
        root = place.resolve(reference)
        top = fetch_manifest(place, root)
        offered: tuple[str, ...] = ()
        if isinstance(top, Index):
            choices = platforms(place, top)
            offered = tuple(str(item.platform) for item in choices)
            wanted = platform or self.settings.platform or Platform.host()
            chosen = choose(wanted, choices) or (choices[0] if choices and platform is None else None)
            if chosen is None:
                raise no_such_platform(reference, wanted, offered)
            below = fetch_manifest(place, chosen)
            if not isinstance(below, Manifest):
                raise Unsupported(f"{reference.familiar} is an index of indexes")
            top = below
        raw = fetch(place, top.config)
        if platform is not None and not offered and top.is_image:
            found = read_config(raw).platform
            if platform.distance(found) is None:
                raise no_such_platform(reference, platform, [str(found)])
        return root.digest, top, raw, offered
