"""Events: what a daemon says on the way of a pull, push or load, folded into the steps that every engine reports.

Objects may be cut anywhere, or stand several in one piece; an error is one of them, after a status of 200; and an
answer that ends in the middle of one was cut off, so that its outcome is unknown.
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyimg.engines.docker.refusals import refusal
from jupyimg.errors import EngineError
from jupyimg.model.content import Phase, Step
from jupyimg.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Event = dict[str, Any]

_LONGEST = 1 << 20
"""The most characters of one object; a real one has a few hundred."""

_PHASES = {
    "Pulling fs layer": Phase.WAITING,
    "Waiting": Phase.WAITING,
    "Preparing": Phase.WAITING,
    "Downloading": Phase.MOVING,
    "Verifying Checksum": Phase.MOVING,
    "Download complete": Phase.MOVING,
    "Extracting": Phase.MOVING,
    "Pushing": Phase.MOVING,
    "Loading layer": Phase.MOVING,
    "Pull complete": Phase.DONE,
    "Pushed": Phase.DONE,
    "Already exists": Phase.EXISTS,
    "Layer already exists": Phase.EXISTS,
}
_DIGEST = re.compile(r"\b[Dd]igest: ((?:sha256|sha384|sha512):[a-f0-9]+)", re.ASCII)
_COPYING = re.compile(r"Copying blob sha256:([a-f0-9]{12})[a-f0-9]*(.*)", re.ASCII)
"""How Podman's own API tells of a layer, in words alone."""
_LAYER = re.compile(r"(?:sha256:)?[a-f0-9]{12,64}", re.ASCII)


def decoded(pieces: Iterable[bytes]) -> Iterator[Event]:
    """The JSON objects of an answer that comes in pieces.

    Raises:
        EngineError: what came is no JSON object, or the last one was cut off.
    """
    text, decoder, scan = "", codecs.getincrementaldecoder("utf-8")("replace"), json.JSONDecoder().raw_decode
    for piece in pieces:
        text += decoder.decode(piece)
        while text := text.lstrip():
            try:
                event, end = scan(text)
            except (ValueError, RecursionError):
                break
            if not isinstance(event, dict):
                raise EngineError("the daemon sent what is no event")
            yield event
            text = text[end:]
        if len(text) > _LONGEST:
            raise EngineError("the daemon sent what is no event")
    if text.strip():
        raise EngineError(
            "the daemon's answer was cut off in the middle, so it is not known how it ended",
            hint="see with %image images, and run the line again",
        )


@dataclass(slots=True)
class Told:
    """What was told so far.

    Attributes:
        items: the last step of each layer.
        moved: bytes that each layer had to move, for those that told; the others are in ``silent``.
        digest: the digest that was told last.
        tags: the digest of each tag of a repository that was pulled.
        status: the line that ends a pull.
        aux: what ends a push.
        lines: texts of a load.
    """

    items: dict[str, Step] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    digest: Digest | None = None
    tags: dict[str, Digest] = field(default_factory=dict)
    tag: str = ""
    status: str = ""
    aux: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    @property
    def transferred(self) -> int | None:
        """Bytes that were moved; None where a layer came without saying how many."""
        return None if self.silent else sum(self.moved.values())

    @property
    def pushed(self) -> Digest | None:
        """What the pushed name points at; None where that was not told, so that it is not known whether it does."""
        told = self.aux.get("Digest")
        return Digest(told) if isinstance(told, str) else self.digest

    def take(self, event: Event, who: str) -> Iterator[Step]:
        """Keep what one event says.

        Raises:
            ImageError: it says that the work failed.
        """
        detail = event.get("errorDetail")
        failure = detail.get("message") if isinstance(detail, dict) else event.get("error")
        if failure:
            raise refusal(str(failure), who=who)
        if isinstance(event.get("aux"), dict):
            self.aux.update(event["aux"])
        if event.get("stream"):
            self.lines += (lines := str(event["stream"]).splitlines())
            for copied in filter(None, map(_COPYING.match, lines)):
                status = "Already exists" if "already exists" in copied[2] else "Pulling fs layer"
                yield self._layer(status, copied[1], None)
        status, item = str(event.get("status") or ""), str(event.get("id") or "")
        if status and item and _LAYER.fullmatch(item):
            yield self._layer(status, item, event.get("progressDetail"))
        elif status:
            yield self._note(status, item)

    def _note(self, status: str, item: str) -> Step:
        if status.startswith("Status: "):
            self.status = status
        if status.startswith("Pulling from"):
            self.tag = item
        if found := _DIGEST.search(status):
            self.digest = Digest(found[1])
            if self.tag:
                self.tags[self.tag] = self.digest
        return Step(Phase.NOTE, text=f"{item}: {status}" if item else status)

    def _layer(self, status: str, item: str, detail: object) -> Step:
        progress = detail if isinstance(detail, dict) else {}
        before = self.items.get(item, Step(Phase.WAITING, item, text="layer"))
        phase = Phase.EXISTS if status.startswith("Mounted from") else _PHASES.get(status, before.phase)
        current, total = (_count(progress.get(key)) for key in ("current", "total"))
        if status == "Downloading" and total:
            self.moved[item] = total
            self.silent.discard(item)
        elif status == "Download complete" and item not in self.moved:
            self.silent.add(item)
        total = total or before.total
        if status in {"Extracting", "Download complete", "Verifying Checksum"} or phase is Phase.DONE:
            current = total  # these bytes have arrived; what is done with them now moves none
        step = Step(phase, item, max(current, before.current if phase is Phase.MOVING else 0), total, "layer")
        self.items[item] = step
        return step

    def finished(self) -> Iterator[Step]:
        """What is still open when all went well."""
        for item, step in self.items.items():
            if step.phase in {Phase.WAITING, Phase.MOVING}:
                yield Step(Phase.DONE, item, step.total, step.total, step.text)


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
