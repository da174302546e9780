"""Remote: what can be done with registries alone, whatever engine is current and without keeping anything here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyimg.credentials import CredentialStore
from jupyimg.engines import details, open_admission
from jupyimg.engines.access import Access
from jupyimg.engines.asked import ALL_PLATFORMS, as_platform, as_reference
from jupyimg.engines.exploring import MOST, Exploring
from jupyimg.errors import Misuse, Unsupported
from jupyimg.model.config import read_config
from jupyimg.model.content import Phase, Step, drain
from jupyimg.model.documents import Index, Manifest, choose
from jupyimg.model.platform import Platform
from jupyimg.model.records import Status, TransferRecord
from jupyimg.model.reference import DOCKER_HUB
from jupyimg.registry import Registries, Wanted
from jupyimg.transfer import Selection, aside, copying, fetch, fetch_manifest, no_such_platform, platforms, resolved

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from jupyimg.engines.asked import Transfers
    from jupyimg.engines.exploring import Cataloguing, Searching, Tagging
    from jupyimg.model.digest import Digest
    from jupyimg.model.records import Found, HistoryRecord, ImageDetail, Quota, SearchRecord, TagRecord
    from jupyimg.model.reference import Reference
    from jupyimg.model.settings import Settings
    from jupyimg.registry import Repository


@dataclass(frozen=True, slots=True)
class Looked:
    """What was read of one image in a registry: its manifest and its config."""

    known: details.Known
    manifest: Manifest
    config: bytes

    def detail(self) -> ImageDetail:
        """All that it says of itself."""
        return details.detail(self.known, self.manifest, self.config)

    def history(self) -> list[HistoryRecord]:
        """How it was built; unpacked sizes are not known there."""
        return details.history(self.manifest, read_config(self.config), lambda _: None)


class Remote:
    """Images where they are: in registries.

    Attributes:
        credentials: who we are to each of them.
        access: logging in and out.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.credentials = CredentialStore(settings)
        self.registries = Registries(settings, self.credentials.find)
        self.access = Access(self.registries, self.credentials)
        self.exploring = Exploring(self.registries, settings)

    def close(self) -> None:
        """Give back all connections."""
        self.registries.close()

    def tags(self, reference: Reference | str) -> Iterator[str]:
        """Every tag of a repository, as the registry orders them.

        Raises:
            RemoteNotFound, Denied, Unreachable: what the registry said.
        """
        return self._repository(as_reference(reference, default_tag="")).tags()

    def listing(self, reference: Reference) -> Generator[Step, None, list[str]]:
        """`tags` to the end, with steps on the way, so that a registry that falls silent can be left.

        Raises:
            RemoteNotFound, Denied, Unreachable: what the registry said.
        """
        place = self._repository(reference)
        return (yield from aside(place, lambda _: list(place.tags())))

    def searching(
        self,
        term: str,
        *,
        limit: int = 25,
        stars: int = 0,
        official: bool | None = None,
        automated: bool | None = None,
    ) -> Searching:
        """Look up repositories (`docker search`), with steps on the way.

        Args:
            term: what to look for at Docker Hub; ``HOST/TERM`` asks that registry, by its own search or its catalog.
            limit: how many results at most, 1 to 100; the filters run before it.
            stars: only results with at least so many.
            official: only Docker's own (True), only others (False), or both (None).
            automated: likewise those that Docker Hub built, which are none any more.

        Raises:
            Misuse: no such term or limit.
            Unreachable, Denied, RateLimited, RemoteNotFound, RegistryError: what the registry said.
        """
        return self.exploring.searching(term, Wanted(limit=limit, stars=stars, official=official, automated=automated))

    def search(self, term: str, **filters: Any) -> Found[SearchRecord]:
        """`searching` to its end."""
        return drain(self.searching(term, **filters))

    def tagging(
        self, name: Reference | str, *, pattern: str = "", limit: int = MOST, details: bool | None = None
    ) -> Tagging:
        """Every tag of a repository with its platforms, sizes and times, the newest first; with steps on the way.

        Args:
            name: the repository; with a tag only that one.
            pattern: only tags that fit this glob, or hold this text.
            limit: how many tags at most, 0 for all.
            details: whether manifests and configs are read for what the tags alone do not say; None reads them
                unless each counts against a quota.

        Raises:
            RemoteNotFound, Denied, Unreachable, RateLimited: what the registry said of the repository. A tag that
                cannot be read is a record without values and a note.
        """
        return self.exploring.tagging(name, pattern, limit, details=details)

    def tagged(self, name: Reference | str, **how: Any) -> Found[TagRecord]:
        """`tagging` to its end."""
        return drain(self.tagging(name, **how))

    def cataloguing(self, host: str, *, pattern: str = "", limit: int = 0, tags: bool = False) -> Cataloguing:
        """The repositories of a registry, or all their tags as `tagging` has them; with steps on the way.

        Args:
            host: HOST[:PORT].
            pattern: only repositories that fit this glob, or hold this text.
            limit: how many repositories at most, 0 for all.
            tags: a `TagRecord` for each tag and platform instead of a `RepositoryRecord` for each repository.

        Raises:
            Unsupported: Docker Hub, which has no catalog.
            RemoteNotFound, Denied, Unreachable, RateLimited: what the registry said of its catalog. A repository that
                cannot be read is a note.
        """
        return self.exploring.cataloguing(host, pattern, limit, tags=tags)

    def catalog(self, host: str, **how: Any) -> Found[Any]:
        """`cataloguing` to its end."""
        return drain(self.cataloguing(host, **how))

    def quota(self, host: str = DOCKER_HUB) -> Quota | None:
        """What a registry last said is left of the requests that it allows; None where it said nothing yet."""
        return self.registries.quota(host)

    def asking_quota(self, host: str = DOCKER_HUB) -> Generator[Step, None, Quota | None]:
        """Ask a registry what is left, at no cost; None where nothing is limited.

        Raises:
            Denied, Unreachable, RateLimited: what the registry said.
        """
        return self.exploring.asking_quota(host)

    def looking(
        self, reference: Reference | str, *, platform: Platform | str | None = None
    ) -> Generator[Step, None, Looked]:
        """All that an image says of itself, without pulling it; the steps are notes, such as of mirrors passed by.

        Raises:
            RemoteNotFound, PlatformNotFound, Denied, Unreachable: what the registry said.
        """
        ref, wanted = as_reference(reference), as_platform(platform)
        place = self._repository(ref)
        digest, manifest, raw, offered = yield from aside(
            place, lambda _: _image(place, ref, wanted, self.settings.platform)
        )
        known = details.Known(
            shown=ref.familiar, digest=digest, platforms=offered, digests=(ref.with_digest(digest).familiar,)
        )
        return Looked(known, manifest, raw)

    def inspect(self, reference: Reference | str, *, platform: Platform | str | None = None) -> ImageDetail:
        """`looking` to its end: all that an image says of itself, without pulling it.

        Raises:
            RemoteNotFound, PlatformNotFound, Denied, Unreachable: what the registry said.
        """
        return drain(self.looking(reference, platform=platform)).detail()

    def history(self, reference: Reference | str, *, platform: Platform | str | None = None) -> list[HistoryRecord]:
        """`looking` to its end: how an image was built, without pulling it; unpacked sizes are not known there.

        Raises:
            RemoteNotFound, PlatformNotFound, Denied, Unreachable: what the registry said.
        """
        return drain(self.looking(reference, platform=platform)).history()

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
        tags = (yield from self.listing(origin)) if all_tags else [""]
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
    place: Repository, reference: Reference, platform: Platform | None, usual: Platform | None
) -> tuple[Digest, Manifest, bytes, tuple[str, ...]]:
    """The digest a pull would name, the manifest and config of one platform, and all platforms there are."""
    root, top = resolved(place, reference)
    offered: tuple[str, ...] = ()
    if isinstance(top, Index):
        choices = platforms(place, top)
        offered = tuple(str(item.platform) for item in choices)
        wanted = platform or usual or Platform.host()
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
