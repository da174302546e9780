"""Moving: pull and push, done by a daemon and told by its events."""

from __future__ import annotations

import base64
import json
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyimg.engines import open_admission
from jupyimg.engines.asked import ALL_PLATFORMS, as_platform, complete
from jupyimg.engines.docker import images, plain_http
from jupyimg.engines.docker.answers import records
from jupyimg.engines.docker.api import image_path
from jupyimg.engines.docker.aside import aside
from jupyimg.engines.docker.events import Told, decoded
from jupyimg.errors import EngineError, ImageNotFound, Interrupted, Misuse, PlatformNotFound, Unsupported
from jupyimg.model.content import Phase, Step
from jupyimg.model.platform import Platform
from jupyimg.model.records import Status, TransferRecord
from jupyimg.model.reference import DOCKER_HUB
from jupyimg.registry.call import Call as Lookup
from jupyimg.transfer import Selection, walk
from jupyimg.transfer import aside as walking

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from jupyimg.engines.asked import Transfers
    from jupyimg.engines.docker.api import Api
    from jupyimg.engines.remote import Remote
    from jupyimg.model.digest import Digest
    from jupyimg.model.records import ImageDetail
    from jupyimg.model.reference import Reference
    from jupyimg.model.settings import Settings
    from jupyimg.registry.auth import Credentials
    from jupyimg.trust import Admission

    Find = Callable[[Reference], Credentials | None]
    Listening = Generator[Step, None, Told]

_HUB_KEY = "https://index.docker.io/v1/"


@dataclass(frozen=True, slots=True)
class Moving:
    """Between a daemon and the registries that it can reach.

    Attributes:
        remote: opens what can ask registries from here.
        find: who we are to the registry of an image, or None.
    """

    api: Api
    settings: Settings
    remote: Callable[[], Remote]
    find: Find | None = None

    def pulling(
        self, name: Reference | str, platform: Platform | str | None, *, all_tags: bool, trust: bool | None
    ) -> Transfers:
        """See `Engine.pulling`; signatures that a trust policy asks for are judged here, before the daemon pulls."""
        reference = yield from complete(name, all_tags=all_tags)
        if platform == ALL_PLATFORMS:
            raise Unsupported(
                f"{self.api.dialect.name} fetches one platform at a time",
                hint="give it with --platform, or use %image engine embedded, which can hold all of them",
            )
        asked = as_platform(platform)
        if all_tags and self.api.dialect.pulls_all_tags and self._admission(reference, trust=trust) is None:
            return (yield from self._pull_repository(reference, asked))
        tags = (yield from self.remote().listing(reference)) if all_tags else [reference.tag]
        done: list[TransferRecord] = []
        for tag in tags:
            one = reference.with_tag(tag) if all_tags else reference
            judged = yield from self._judged(one, asked, trust=trust)
            done.append((yield from self._pull(one, asked, judged)))
        return done

    def pushing(self, name: Reference | str, platform: Platform | str | None, *, all_tags: bool) -> Transfers:
        """See `Engine.pushing`."""
        reference = yield from complete(name, all_tags=all_tags)
        if reference.digest is not None:
            raise Misuse(f"cannot push {reference.familiar}: a digest is not a name to give", hint="push it by a tag")
        here = records(images.listed(self.api))
        tags = sorted({one.tag for one in here if one.repository == reference.familiar_name and one.tag})
        if not all_tags:
            tags = [tag for tag in tags if tag == reference.tag]
        if not tags:
            what = f"no tag of {reference.familiar_name}" if all_tags else f"no such image: {reference.familiar}"
            raise ImageNotFound(f"{what} is here to push" if all_tags else what)
        done: list[TransferRecord] = []
        for tag in tags:
            done.append((yield from self._push(reference.with_tag(tag), as_platform(platform))))
        return done

    def _admission(self, reference: Reference, *, trust: bool | None) -> Admission | None:
        return open_admission(self.settings, self.remote().registries.repository(reference), trust=trust)

    def _judged(
        self, reference: Reference, asked: Platform | None, *, trust: bool | None
    ) -> Generator[Step, None, tuple[Digest, Platform | None] | None]:
        """What the daemon may pull, by its digest, so that nothing can move in between; None where anything goes."""
        place = self.remote().registries.repository(reference)
        admit = open_admission(self.settings, place, trust=trust)
        if admit is None:
            return None
        selection = Selection(platform=asked or self.settings.platform or Platform.host(), strict=asked is not None)
        tree = yield from walking(place, lambda _: walk(place, reference, selection))
        for said in (yield from walking(place, lambda _: list(admit(reference, tree)))):
            yield Step(Phase.NOTE, text=said)
        return tree.root.digest, tree.held[0].platform if tree.held else None

    def _pull(
        self, reference: Reference, asked: Platform | None, judged: tuple[Digest, Platform | None] | None
    ) -> Generator[Step, None, TransferRecord]:
        began, says = time.monotonic(), self.api.dialect.pull_says
        before = images.state(self.api, reference)
        if not says:
            yield Step(Phase.NOTE, text=f"{reference.target}: Pulling from {reference.path}")
        digest, platform = judged or (None, None)
        told = yield from self._ask_to_pull(reference, digest or reference.target, platform or asked)
        if digest is not None and reference.digest is None:
            exact = reference.with_digest(digest)
            self.api.post(image_path(str(exact), "/tag"), {"repo": reference.name, "tag": reference.tag})
        after = images.state(self.api, reference)
        if after is None or (says and not told.status):
            raise _unknown(self.api, f"the pull of {reference.familiar}")
        _demand(after, asked, reference)
        fresh = not images.same(before, after)
        if not says:
            yield Step(Phase.NOTE, text=f"Digest: {after.digest or after.manifest_digest or after.image_id}")
            what = "Downloaded newer image for" if fresh else "Image is up to date for"
            yield Step(Phase.NOTE, text=f"Status: {what} {reference.familiar}")
        return self._pulled(reference, after, told, began, fresh=fresh)

    def _pull_repository(self, reference: Reference, asked: Platform | None) -> Transfers:
        began = time.monotonic()
        before = {one.reference: one for one in records(images.listed(self.api))}
        told = yield from self._ask_to_pull(reference, None, asked)
        if not told.status:
            raise _unknown(self.api, f"the pull of {reference.familiar_name}")
        done: list[TransferRecord] = []
        for tag in told.tags:
            name = reference.with_tag(tag)
            after = images.detail(self.api, name, None)
            was = before.get(name.familiar)
            fresh = was is None or (was.image_id, was.digest) != (after.image_id, after.digest)
            done.append(self._pulled(name, after, told, began, fresh=fresh, one=len(told.tags) == 1))
            began = time.monotonic()  # all of it was one request, so the first row has its time
        return done

    def _pulled(
        self, name: Reference, after: ImageDetail, told: Told, began: float, *, fresh: bool, one: bool = True
    ) -> TransferRecord:
        return TransferRecord(
            reference=name.familiar,
            digest=told.tags.get(name.target) or told.digest or after.digest,
            image_id=after.image_id,
            status=Status.DOWNLOADED if fresh else Status.UP_TO_DATE,
            size=after.size,
            transferred=(told.transferred if self.api.dialect.pull_says else None if fresh else 0) if one else None,
            seconds=time.monotonic() - began,
        )

    def _ask_to_pull(self, reference: Reference, target: str | None, asked: Platform | None) -> Listening:
        platform = asked or self.settings.platform
        if self._without_tls(reference):
            params = plain_http.pull_params(reference, target, platform)
            return (yield from self._listen(plain_http.PULL, params, reference))
        asking = {"fromImage": reference.name, "tag": target, "platform": str(platform) if platform else None}
        return (yield from self._listen("/images/create", asking, reference))

    def _without_tls(self, reference: Reference) -> bool:
        return plain_http.must_be_said(self.api.dialect, self.settings, reference)

    def _push(self, name: Reference, asked: Platform | None) -> Generator[Step, None, TransferRecord]:
        began = time.monotonic()
        image = images.detail(self.api, name, asked)
        params: dict[str, Any] = {"tag": name.tag}
        if asked is not None and self.api.knows("1.46"):
            params["platform"] = images.platform_json(asked)
        if self._without_tls(name):
            params |= plain_http.WITHOUT_TLS
        told = yield from self._listen(image_path(name.name, "/push"), params, name)
        digest = told.pushed
        if digest is None:
            raise _unknown(self.api, f"the push of {name.familiar}")
        return TransferRecord(
            reference=name.familiar,
            digest=digest,
            image_id=image.image_id,
            status=Status.PUSHED,
            size=image.size,
            transferred=None,
            seconds=time.monotonic() - began,
        )

    def _listen(self, path: str, params: Mapping[str, Any], reference: Reference) -> Listening:
        """Ask for work and tell of it; gives what was told when the answer is whole."""
        call, told, lookup = self.api.open(), Told(), Lookup()

        def job(put: Callable[[Any], None]) -> None:
            with lookup.here():  # a credential helper may hang, and is ended with the rest
                known = self.find(reference) if self.find else None
            headers = {"X-Registry-Auth": auth_header(reference.host, known)}
            for event in decoded(call.send("POST", path, params, headers=headers)):
                put(event)

        def interrupt() -> None:
            lookup.cut()
            call.interrupt()

        try:
            with closing(aside(job, interrupt)) as events:  # at once, also where the stop hits beside it
                yield from steps(events, told, self.api.dialect.name)
        except KeyboardInterrupt as stop:  # it came between two events, where nobody else turns it into ours
            raise (stop if isinstance(stop, Interrupted) else Interrupted) from None
        finally:
            call.close()
        return told


def steps(events: Iterable[Any], told: Told, who: str) -> Generator[Step, None, None]:
    """Steps of events, the open ones ended when all went well; one also where nothing came, for a stop to be heard."""
    for event in events:
        if event is None:
            yield Step(Phase.IDLE)
        else:
            yield from told.take(event, who)
    yield from told.finished()


def auth_header(host: str, known: Credentials | None) -> str:
    """The value of ``X-Registry-Auth``; a daemon wants one even where there is nothing to say."""
    body: dict[str, str] = {}
    if known is not None and known.identity_token:
        body = {"identitytoken": known.identity_token}
    elif known is not None and known.registry_token:
        body = {"registrytoken": known.registry_token}
    elif known is not None:
        body = {"username": known.username, "password": known.password}
    if body:
        body["serveraddress"] = _HUB_KEY if host == DOCKER_HUB else host
    return base64.urlsafe_b64encode(json.dumps(body).encode()).decode()


def _demand(found: ImageDetail, asked: Platform | None, reference: Reference) -> None:
    """A daemon takes a single manifest for another platform without a word."""
    if asked and found.platform and not found.platforms and asked.distance(found.platform) is None:
        raise PlatformNotFound(
            f"{reference.familiar} is offered for {found.platform} only, not for {asked}",
            hint=f"it was pulled all the same; %image rmi {reference.familiar} removes it",
        )


def _unknown(api: Api, what: str) -> EngineError:
    return EngineError(
        f"{api.dialect.name} stopped talking before {what} had ended, so it is not known how it ended",
        hint="see with %image images, and run the line again",
    )
