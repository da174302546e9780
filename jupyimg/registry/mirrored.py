"""Mirrored: a repository that is read by way of mirrors and written where it lives.

Mirrors are asked in order, the repository itself last. A mirror that gives no answer is passed by for a while by all;
one that refuses, lacks the image or sends what is not asked for is of no use for this operation; one that lacks a blob,
or a signature's tag beside an image that it has, only for that. One that is too slow (`pace`) is passed by too, but it
has the image: where the repository itself fails as well, it is gone back to and taken as it is. Whatever happens is
noted, for `WithMirrors.notes`.

What is small is proven before it is handed on. A large blob is handed on as it comes, since a layer is never held: a
mirror that breaks off is followed by the next from where the reader stands, and where the whole proves wrong the
reader says so (`doubt`) and reads again, from whoever is next.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

from jupyimg.errors import ContentError, ImageError, NotFound, RegistryError, RemoteNotFound, Unreachable
from jupyimg.model.content import CHUNK, verified
from jupyimg.registry.pace import TooSlow
from jupyimg.registry.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Descriptor
    from jupyimg.model.reference import Reference
    from jupyimg.registry.call import Call
    from jupyimg.registry.line import Line

T = TypeVar("T")

REST = 60.0
"""Seconds for which a mirror that gave no answer, or was slow, is passed by."""
_PASSED = (RegistryError, NotFound, ContentError)
"""What a mirror may fail with; what the user wrote wrongly is wrong everywhere."""


class Mirrored(Repository):
    """One repository with its mirrors; its methods may be called from several threads at once.

    Args:
        line: the way to where it lives, which may be called otherwise than what the user wrote.
        mounts: see `Repository`.
        mirrors: what to ask first, in order.
        notes: what there is to say beforehand.
    """

    def __init__(
        self, line: Line, mounts: tuple[str, ...], mirrors: Sequence[Repository], notes: Sequence[str] = ()
    ) -> None:
        super().__init__(line, mounts)
        self._mirrors = tuple(mirrors)
        self._lock = threading.Lock()
        self._said = list(notes)
        self._left: dict[Repository, str] = {}
        self._slow: set[Repository] = set()
        self._useful: set[Repository] = set()
        self._lacking: set[Repository] = set()
        self._served: dict[Digest, set[Repository]] = {}

    def interrupt(self) -> None:
        """End what is under way in any thread, at any mirror, at once."""
        super().interrupt()
        for mirror in self._mirrors:
            mirror.interrupt()

    # ---- Source

    def resolve(self, reference: Reference) -> Descriptor:
        """See `Repository.resolve`; an error is that of the repository itself, and its hint tells of the mirrors."""
        own = super().resolve
        try:
            return self._first(
                lambda mirror: mirror.find(mirror.named(reference)), lambda: own(self.named(reference)), for_good=True
            )
        except (RegistryError, NotFound) as error:
            raise self._with_mirrors(error) from None

    def bring(self, reference: Reference) -> Descriptor:
        """See `Repository.bring`."""
        own = super().bring
        return self._first(
            lambda mirror: mirror.bring(mirror.named(reference)), lambda: own(self.named(reference)), for_good=True
        )

    def read(self, descriptor: Descriptor, offset: int = 0) -> Iterator[bytes]:
        """See `Repository.read`; what is a manifest, or small, is proven already."""
        small = descriptor.is_manifest or descriptor.size <= CHUNK
        return (self._small if small else self._stream)(self._line.calls.begin(), descriptor, offset)

    def tags(self) -> Iterator[str]:
        """See `Repository.tags`; the list of the first that has one, gone on with elsewhere where it breaks off."""
        return self._all_tags(self._line.calls.begin())

    def referrers(self, digest: Digest) -> Iterator[Descriptor]:
        """See `Repository.referrers`; what the mirrors know of, and then what the repository itself knows besides.

        Nobody's list is believed to be whole, for a mirror may have copied an image without what refers to it. Who
        judges signatures stops at the first that counts, so where a mirror has that, nobody else need be there.
        """
        return self._all_referrers(self._line.calls.begin(), digest)

    # ---- Sink

    def publish(self, reference: Reference, root: Descriptor, held: tuple[Descriptor, ...]) -> None:
        """See `Repository.publish`."""
        super().publish(self.named(reference), root, held)

    # ---- WithMirrors

    def notes(self) -> list[str]:
        """What has happened since this was last asked."""
        with self._lock:
            said, self._said = self._said, []
        return [*said, *super().notes()]

    def doubt(self, descriptor: Descriptor) -> bool:
        """The bytes that were read proved wrong: leave the mirrors that sent them; False where none did."""
        with self._lock:
            served = self._served.pop(descriptor.digest, set())
        for mirror in served:
            self._leave(mirror, f"{mirror.host} sends wrong bytes for {descriptor.digest.short}")
        return bool(served)

    # ---- how

    def _first(
        self, ask: Callable[[Repository], T], own: Callable[[], T], call: Call | None = None, *, for_good: bool = False
    ) -> T:
        """The first answer that is of use."""
        call = call or self._line.calls.begin()
        failure: ImageError | None = None
        for mirror in self._places():
            try:
                if mirror is None:
                    return own()
                answer = ask(mirror)
            except _PASSED as error:
                failure = self._fell(call, mirror, error, failure, for_good=for_good)
            else:
                self._useful.add(mirror)
                return answer
        raise _known(failure)

    def _small(self, call: Call, descriptor: Descriptor, offset: int) -> Iterator[bytes]:
        own = super().read

        def proven(mirror: Repository) -> bytes:
            return b"".join(verified(descriptor, mirror.read(descriptor)))

        whole = self._first(proven, lambda: b"".join(own(descriptor)), call)
        yield from [whole[offset:]] if whole[offset:] else []

    def _stream(self, call: Call, descriptor: Descriptor, offset: int) -> Iterator[bytes]:
        at, own = offset, super().read
        failure: ImageError | None = None
        for mirror in self._places():
            try:
                for chunk in own(descriptor, at) if mirror is None else mirror.read(descriptor, at):
                    if mirror is not None:
                        with self._lock:
                            self._served.setdefault(descriptor.digest, set()).add(mirror)
                    at += len(chunk)
                    yield chunk
                return
            except _PASSED as error:
                failure = self._fell(call, mirror, error, failure)
        raise _known(failure)

    def _all_tags(self, call: Call) -> Iterator[str]:
        seen: set[str] = set()
        own = super().tags
        failure: ImageError | None = None
        for mirror in self._places():
            try:
                for tag in own() if mirror is None else mirror.tags():
                    if tag not in seen:
                        seen.add(tag)
                        yield tag
                return
            except _PASSED as error:
                failure = self._fell(call, mirror, error, failure)
        raise _known(failure)

    def _all_referrers(self, call: Call, digest: Digest) -> Iterator[Descriptor]:
        seen: set[Digest] = set()
        own = super().referrers
        failure: ImageError | None = None
        for mirror in self._places():
            try:
                for found in own(digest) if mirror is None else mirror.referrers(digest):
                    if found.digest not in seen:
                        seen.add(found.digest)
                        yield found
            except _PASSED as error:
                if mirror is None or isinstance(error, Unreachable):
                    failure = self._fell(call, mirror, error, failure)
                else:  # which says nothing against the images that it has
                    call.check()
                    self._lacks(mirror, error)
            else:
                if mirror is None:
                    return
        raise _known(failure)

    def _places(self) -> Iterator[Repository | None]:
        """Whom to ask, in order: the mirrors that are of use, the repository itself (None), the slow mirrors again."""
        client, now = self._line.client, time.monotonic
        for mirror in self._mirrors:
            if mirror in self._left:
                continue
            if client.down.get(mirror.host, 0.0) > now():
                self._leave(mirror, f"{mirror.host} gave no answer a moment ago")
            elif client.slow.get(mirror.host, 0.0) > now() and mirror not in self._slow:
                self._slow.add(mirror)
                self._leave(mirror, f"{mirror.host} was slow a moment ago")
            else:
                yield mirror
        yield None
        for mirror in self._mirrors:
            if mirror in self._slow:
                mirror.relax()
                yield mirror

    def _fell(
        self,
        call: Call,
        mirror: Repository | None,
        error: ImageError,
        failure: ImageError | None,
        *,
        for_good: bool = False,
    ) -> ImageError | None:
        """One place failed; gives the error that counts where all do, which is that of the repository itself.

        Raises:
            Interrupted: the call was cut off.
        """
        if mirror is not None:
            self._pass_by(call, mirror, error, for_good=for_good)
            return failure
        call.check()
        with self._lock:
            back = [one for one in self._mirrors if one in self._slow and one in self._left]
            for one in back:  # at once for all that is still to be read, without asking in vain before
                del self._left[one]
            if back:
                self._said.append(f"{error.message}: going back to {back[0].host}, as slow as it is")
        return error

    def _pass_by(self, call: Call, mirror: Repository, error: ImageError, *, for_good: bool = False) -> None:
        """Go on without a mirror, for good or for what it lacks.

        Raises:
            Interrupted: the call was cut off meanwhile.
        """
        call.check()
        if isinstance(error.__cause__, TooSlow):
            self._line.client.slow[mirror.host] = time.monotonic() + REST
            self._slow.add(mirror)
        elif isinstance(error, Unreachable):
            self._line.client.down[mirror.host] = time.monotonic() + REST
            self._slow.discard(mirror)
        if not isinstance(error, RemoteNotFound) or (for_good and mirror not in self._useful):
            self._leave(mirror, error.message)
        else:
            self._lacks(mirror, error)

    def _lacks(self, mirror: Repository, error: ImageError) -> None:
        if mirror not in self._lacking:
            self._lacking.add(mirror)
            self._note(mirror, f"{mirror.host}: {error.message}")

    def _leave(self, mirror: Repository, why: str) -> None:
        with self._lock:
            first = self._left.setdefault(mirror, why) is why
        if first:
            self._note(mirror, why)

    def _note(self, mirror: Repository, why: str) -> None:
        after = [other for other in self._mirrors[self._mirrors.index(mirror) + 1 :] if other not in self._left]
        with self._lock:
            self._said.append(f"{why}: going on with {after[0].host if after else self.host}")

    def _with_mirrors(self, error: ImageError) -> ImageError:
        if self._left:
            before = "; ".join(self._left.values())
            error.hint = f"mirrors were asked first: {before}" + (f"; {error.hint}" if error.hint else "")
        return error


def _known(failure: ImageError | None) -> ImageError:
    assert failure is not None  # the repository itself is always asked
    return failure
