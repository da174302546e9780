"""The prune preview: images to tick, what exactly this set frees, and a button that removes this set and no other.

Bytes are asked of the set, since what two images share is freed only with both. What is confirmed is decided again
when it is done; where that gives something else than was shown, the form says so.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anywidget
from traitlets import Dict, Int, List, Unicode

from jupyimg.errors import ImageError, Interrupted
from jupyimg.views import words
from jupyimg.views.answer import Answer
from jupyimg.views.frames import frame
from jupyimg.views.html import to_html, to_text
from jupyimg.views.markup import FAINT, element
from jupyimg.views.progress import Progress
from jupyimg.views.twin import Twin, folded, lines, script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd

    from jupyimg.model.content import Step
    from jupyimg.model.records import ImageRecord, RemovalRecord
    from jupyimg.views.forms import PruneAsk

_MOST = 10
_LONG = 200
_SHOWN = 5
_PAUSE = 0.5
"""Seconds between two sentences about how far it is."""


class Rows(anywidget.AnyWidget):
    """What the browser knows.

    Attributes:
        rows: of each choice its key, cells and tooltips, in words.
        ticked: the keys that are ticked.
        told: the answer to one set of ticks: that set, lines, the button's words, whether it may be pressed, a mood.
        state: "open", "done" or "cancelled".
    """

    _esm = script("shared.js", "prune.js")
    _css = script("form.css")
    rows = List(Dict()).tag(sync=True)
    ticked = List(Int()).tag(sync=True)
    told = Dict().tag(sync=True)
    state = Unicode("open").tag(sync=True)


class _Saying(Progress):
    """Hands the sentence on, at most twice a second."""

    def __init__(self, say: Callable[[str], object]) -> None:
        super().__init__("prune")
        self._say = say
        self._spoke = float("-inf")

    def changed(self, step: Step) -> None:  # noqa: ARG002 - the ledger has it
        now = self.clock()
        if now - self._spoke >= _PAUSE:
            self._spoke = now
            self._say(self.ledger.sentence(now))


class PruneForm(Twin):
    """A preview of a pruning.

    Attributes:
        result: what was removed, as a frame; None as long as nothing was.
    """

    noun = "a preview to choose from"

    def __init__(self, ask: PruneAsk) -> None:
        super().__init__()
        self._ask = ask
        self._choices = _grouped(ask.images)
        self._promised: Sequence[RemovalRecord] = []
        self._notes: list[str] = []
        self._bytes: int | None = 0
        self.result: pd.DataFrame | None = None
        ticked = [at for at, images in enumerate(self._choices) if images[0].dangling]
        rows = [_row(at, images) for at, images in enumerate(self._choices)]
        self.widget = Rows(rows=rows, ticked=ticked, told=self._told(ticked))
        self.widget.observe(self._counted, "ticked")
        self.widget.on_msg(self._heard)

    def __repr__(self) -> str:
        if self.result is not None:
            return "\n".join([*self._ending(), to_text(self.result) or ""])
        return "\n".join([*self._sayings(), to_text(self._images()) or ""])

    def _html(self) -> str:
        if self.result is not None:
            every = element("summary", "every name and blob", style=FAINT)
            return lines(self._ending()) + element("details", every, to_html(self.result) or "")
        return folded(lines(self._sayings()) + (to_html(self._images(), most=_MOST) or ""))

    def _ending(self) -> list[str]:
        assert self.result is not None
        names = [name for name in self.result["reference"].dropna() if "@" not in name]
        removed = f"Removed {_listed(names)}." if names else "No image that has a name was removed."
        return [removed, f"Freed {_exactly(self._bytes)}.", *self._notes]

    def _more(self) -> list[str]:
        return [f"Images that have a name: {self._ask.more}"] if self._ask.more else []

    def _images(self) -> pd.DataFrame:
        return frame(Answer(kind="images", records=self._ask.images, digests=False))

    def _sayings(self) -> list[str]:
        if self.widget.state == "cancelled":
            return ["Cancelled: nothing was removed"]
        if not self._choices:
            return ["No image is here that could go", *self._more()]
        return [f"Nothing was removed yet; to remove all of these without ticking: {words.clean(self._ask.without)}"]

    def _chosen(self, ticked: Iterable[int]) -> list[ImageRecord]:
        return [image for at in ticked if 0 <= at < len(self._choices) for image in self._choices[at]]

    def _counted(self, change: dict[str, Any]) -> None:
        self.widget.told = self._told(change["new"])

    def _told(self, ticked: Sequence[int]) -> dict[str, Any]:
        try:
            self._promised = list(self._ask.plan(self._chosen(ticked)))
        except ImageError as error:
            return _told(ticked, _words_of(error), mood="failed")
        bytes_ = _freed(self._promised)
        if not self._promised:
            nothing = "Tick what is to go." if self._choices else "Nothing is here that could go."
            return _told(ticked, [nothing, *self._more()])
        chosen = words.count(len(ticked), "image") if ticked else "what nothing needs"
        said = [f"Frees {_exactly(bytes_)}."]
        if not ticked:
            said.append("No image is ticked; these are left-overs that nothing needs, which go with every pruning.")
        return _told(ticked, said, button=f"Remove {chosen}, free {_size(bytes_)}", can=True)

    def _heard(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        if self.widget.state != "open":
            return
        if content.get("do") == "cancel":
            self._end("cancelled", ["Cancelled: nothing was removed."])
        elif content.get("do") == "confirm":
            self._confirmed([at for at in content.get("ticked", []) if isinstance(at, int)])

    def _confirmed(self, ticked: list[int]) -> None:
        if ticked != self.widget.ticked:  # what was shown is not what is ticked: count first, then ask again
            self.widget.ticked = ticked
            return
        try:
            gone = self._watched(ticked)
        except (ImageError, Interrupted) as error:
            self.widget.told = _told(ticked, _words_of(error), mood="failed", button="Try again", can=True)
            return
        self._notes = _changed(self._promised, gone)
        self.result = frame(Answer(kind="prune", records=gone))
        self._bytes = _freed(gone)
        self._end("done", [*self._notes, f"Freed {_exactly(self._bytes)}."])

    def _watched(self, ticked: list[int]) -> list[RemovalRecord]:
        """Remove what is ticked, and say how far it is where that takes a while."""
        steps = self._ask.act(self._chosen(ticked))
        with closing(steps), _Saying(lambda said: self.widget.set_trait("told", _told(ticked, [said]))) as show:
            while True:
                try:
                    show(next(steps))
                except StopIteration as end:
                    return list(end.value)

    def _end(self, state: str, said: list[str]) -> None:
        with self.widget.hold_sync():
            self.widget.state = state
            self.widget.told = _told(self.widget.ticked, said)
        self._refresh()


def _told(
    ticked: Sequence[int], said: Sequence[str], *, button: str = "Remove", can: bool = False, mood: str = "calm"
) -> dict[str, Any]:
    told = [words.clean(line) for line in said]
    return {"ticked": list(ticked), "lines": told, "button": button, "can": can, "mood": mood}


def _grouped(images: Iterable[ImageRecord]) -> list[list[ImageRecord]]:
    """The platforms of one name go together."""
    groups: dict[tuple[object, ...], list[ImageRecord]] = {}
    for image in images:
        groups.setdefault((image.repository, image.tag, image.digest or image.image_id), []).append(image)
    return list(groups.values())


def _row(key: int, images: Sequence[ImageRecord]) -> dict[str, Any]:
    first, now = images[0], datetime.now(UTC)
    name = words.clean(f"{first.repository}:{words.NONE}" if first.dangling and first.repository else first.reference)
    platforms = [words.clean(image.platform) for image in images if image.platform]
    more = f" ({words.count(len(images), 'platform')})" if len(images) > 1 else ""
    digest = str(first.image_id or first.digest or "")
    size = sum(image.size or 0 for image in images)
    return {
        "key": key,
        "cells": [
            words.ellipsis(name, _LONG) + more,
            words.short(digest),
            words.age(first.created, now) if first.created and first.created > words.LONG_AGO else words.UNKNOWN,
            words.size(size, 3),
        ],
        "titles": [
            words.ellipsis(", ".join([name, *platforms]), 1000),
            digest,
            words.iso(first.created) if first.created else "",
            f"{size:,} bytes, compressed",
        ],
    }


def _freed(rows: Iterable[RemovalRecord]) -> int | None:
    sizes = [row.freed for row in rows if row.action == "deleted"]
    return None if None in sizes else sum(size or 0 for size in sizes)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(words.ellipsis(words.clean(name), _LONG) for name in names[:_SHOWN]) + more


def _size(count: int | None) -> str:
    return "an unknown number of bytes" if count is None else words.size(count, 3)


def _exactly(count: int | None) -> str:
    return (
        "bytes that this engine does not tell" if count is None else f"exactly {words.size(count, 3)} ({count:,} bytes)"
    )


def _words_of(error: ImageError | Interrupted) -> list[str]:
    return [error.message, *([error.hint] if error.hint else [])]


def _changed(promised: Sequence[RemovalRecord], gone: Sequence[RemovalRecord]) -> list[str]:
    """What was done otherwise than was shown, in words; nothing where it was not."""
    before, after = ({(row.action, row.reference, row.digest) for row in rows} for rows in (promised, gone))
    if before == after and _freed(promised) == _freed(gone):
        return []
    stayed = [
        row.reference or str(row.digest) for row in promised if (row.action, row.reference, row.digest) not in after
    ]
    named = [name for name in stayed if "@" not in name and not name.startswith("sha256:")] or stayed
    kept = f"; left alone: {_listed(named)}" if named else ""
    return [
        f"Things changed since this was shown: {_size(_freed(gone))} freed instead of {_size(_freed(promised))}{kept}."
    ]
