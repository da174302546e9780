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
from jupyimg.views import tongue, words
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
        phrases: what the script says, by the English.
    """

    _esm = script("shared.js", "prune.js")
    _css = script("form.css")
    phrases = Dict().tag(sync=True)
    rows = List(Dict()).tag(sync=True)
    ticked = List(Int()).tag(sync=True)
    told = Dict().tag(sync=True)
    state = Unicode("open").tag(sync=True)


class _Saying(Progress):
    """Hands the sentence on, at most twice a second."""

    def __init__(self, say: Callable[[str], object], lang: str) -> None:
        super().__init__("prune", lang=lang)
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

    def __init__(self, ask: PruneAsk, lang: str = tongue.ENGLISH) -> None:
        super().__init__(lang)
        self._ask = ask
        self._choices = _grouped(ask.images)
        self._promised: Sequence[RemovalRecord] = []
        self._notes: list[str] = []
        self._bytes: int | None = 0
        self.result: pd.DataFrame | None = None
        ticked = [at for at, images in enumerate(self._choices) if images[0].dangling]
        rows = [_row(at, images, lang) for at, images in enumerate(self._choices)]
        spoken = tongue.phrases(lang, "prune")
        self.widget = Rows(rows=rows, ticked=ticked, told=self._told(ticked), phrases=spoken)
        self.widget.observe(self._counted, "ticked")
        self.widget.on_msg(self._heard)

    def __repr__(self) -> str:
        if self.result is not None:
            return "\n".join([*self._ending(), to_text(self.result) or ""])
        return "\n".join([*self._sayings(), to_text(self._images()) or ""])

    def _html(self) -> str:
        if self.result is not None:
            every = element("summary", self._say("every name and blob"), style=FAINT)
            return lines(self._ending()) + element("details", every, to_html(self.result) or "")
        return folded(lines(self._sayings()) + (to_html(self._images(), most=_MOST) or ""), self.lang)

    def _ending(self) -> list[str]:
        assert self.result is not None
        names = [name for name in self.result["reference"].dropna() if "@" not in name]
        removed = "Removed {names}." if names else "No image that has a name was removed."
        return [self._say(removed, names=_listed(names, self.lang)), self._freed_words(), *self._notes]

    def _freed_words(self) -> str:
        return self._say("Freed {exactly}.", exactly=_exactly(self._bytes, self.lang))

    def _more(self) -> list[str]:
        return [self._say("Images that have a name: {line}", line=self._ask.more)] if self._ask.more else []

    def _images(self) -> pd.DataFrame:
        return frame(Answer(kind="images", records=self._ask.images, digests=False), self.lang)

    def _sayings(self) -> list[str]:
        if self.widget.state == "cancelled":
            return [self._say("Cancelled: nothing was removed")]
        if not self._choices:
            return [self._say("No image is here that could go"), *self._more()]
        unasked = "Nothing was removed yet; to remove all of these without ticking: {line}"
        return [self._say(unasked, line=words.clean(self._ask.without))]

    def _chosen(self, ticked: Iterable[int]) -> list[ImageRecord]:
        return [image for at in ticked if 0 <= at < len(self._choices) for image in self._choices[at]]

    def _counted(self, change: dict[str, Any]) -> None:
        self.widget.told = self._told(change["new"])

    def _told(self, ticked: Sequence[int]) -> dict[str, Any]:
        try:
            self._promised = list(self._ask.plan(self._chosen(ticked)))
        except ImageError as error:
            return self._answer(ticked, _words_of(error), mood="failed")
        bytes_, lang = _freed(self._promised), self.lang
        if not self._promised:
            nothing = "Tick what is to go." if self._choices else "Nothing is here that could go."
            return self._answer(ticked, [self._say(nothing), *self._more()])
        said = [self._say("Frees {exactly}.", exactly=_exactly(bytes_, lang))]
        if not ticked:
            left_overs = "No image is ticked; these are left-overs that nothing needs, which go with every pruning."
            said.append(self._say(left_overs))
        button = "Remove {images}, free {size}" if ticked else "Remove what nothing needs, free {size}"
        chosen = _going([self._choices[at] for at in ticked if at < len(self._choices)], self._promised, lang)
        return self._answer(ticked, said, button=self._say(button, images=chosen, size=_size(bytes_, lang)), can=True)

    def _answer(
        self, ticked: Sequence[int], said: Sequence[str], *, button: str = "", can: bool = False, mood: str = "calm"
    ) -> dict[str, Any]:
        told = [words.clean(line) for line in said]
        label = button or self._say("Remove")
        return {"ticked": list(ticked), "lines": told, "button": label, "can": can, "mood": mood}

    def _heard(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        if self.widget.state != "open":
            return
        if content.get("do") == "cancel":
            self._end("cancelled", [self._say("Cancelled: nothing was removed.")])
        elif content.get("do") == "confirm":
            self._confirmed([at for at in content.get("ticked", []) if isinstance(at, int)])

    def _confirmed(self, ticked: list[int]) -> None:
        if ticked != self.widget.ticked:  # what was shown is not what is ticked: count first, then ask again
            self.widget.ticked = ticked
            return
        try:
            gone = self._watched(ticked)
        except (ImageError, Interrupted) as error:
            again = self._say("Try again")
            self.widget.told = self._answer(ticked, _words_of(error), mood="failed", button=again, can=True)
            return
        self._notes = _changed(self._promised, gone, self.lang)
        self.result = frame(Answer(kind="prune", records=gone), self.lang)
        self._bytes = _freed(gone)
        self._end("done", [*self._notes, self._freed_words()])

    def _watched(self, ticked: list[int]) -> list[RemovalRecord]:
        """Remove what is ticked, and say how far it is where that takes a while."""
        steps = self._ask.act(self._chosen(ticked))

        def tell(said: str) -> None:
            self.widget.told = self._answer(ticked, [said])

        with closing(steps), _Saying(tell, self.lang) as show:
            while True:
                try:
                    show(next(steps))
                except StopIteration as end:
                    return list(end.value)

    def _end(self, state: str, said: list[str]) -> None:
        with self.widget.hold_sync():
            self.widget.state = state
            self.widget.told = self._answer(self.widget.ticked, said)
        self._refresh()


def _grouped(images: Iterable[ImageRecord]) -> list[list[ImageRecord]]:
    """The platforms of one name go together."""
    groups: dict[tuple[object, ...], list[ImageRecord]] = {}
    for image in images:
        groups.setdefault((image.repository, image.tag, image.digest or image.image_id), []).append(image)
    return list(groups.values())


def _row(key: int, images: Sequence[ImageRecord], lang: str) -> dict[str, Any]:
    first, now = images[0], datetime.now(UTC)
    name = words.clean(f"{first.repository}:{words.NONE}" if first.dangling and first.repository else first.reference)
    platforms = [words.clean(image.platform) for image in images if image.platform]
    shown = words.ellipsis(name, _LONG)
    if len(images) > 1:
        shown = tongue.say(
            lang, "{name} ({platforms})", name=shown, platforms=tongue.count(lang, len(images), "platform")
        )
    digest = str(first.image_id or first.digest or "")
    size = sum(image.size or 0 for image in images)
    return {
        "key": key,
        "cells": [
            shown,
            words.short(digest),
            tongue.age(lang, first.created, now) if first.created and first.created > words.LONG_AGO else words.UNKNOWN,
            words.size(size, 3),
        ],
        "titles": [
            words.ellipsis(", ".join([name, *platforms]), 1000),
            digest,
            words.iso(first.created) if first.created else "",
            tongue.say(lang, "{exact} bytes, compressed", exact=f"{size:,}"),
        ],
    }


def _going(chosen: Sequence[Sequence[ImageRecord]], plan: Sequence[RemovalRecord], lang: str) -> str:
    """How many images go; and how many names, where these are more: two of one image, or one of an image that stays."""
    deleted = {row.digest for row in plan if row.action == "deleted"} - {None}
    gone = [
        platforms
        for platforms in chosen
        if any({one.image_id, one.digest, one.manifest_digest} & deleted for one in platforms)
    ]
    images = len(
        {frozenset(one.manifest_digest or one.image_id or one.digest for one in platforms) for platforms in gone}
    )
    names = sum(row.action == "untagged" and "@" not in (row.reference or "@") for row in plan)
    told = [tongue.count(lang, names, "name")] if names > images else []
    return tongue.listed(lang, told + ([tongue.count(lang, images, "image")] if images else []))


def _freed(rows: Iterable[RemovalRecord]) -> int | None:
    sizes = [row.freed for row in rows if row.action == "deleted"]
    return None if None in sizes else sum(size or 0 for size in sizes)


def _listed(names: Sequence[str], lang: str) -> str:
    shown = tongue.listed(lang, [words.ellipsis(words.clean(name), _LONG) for name in names[:_SHOWN]])
    rest = len(names) - _SHOWN
    return shown if rest <= 0 else tongue.say(lang, "{names} and {rest} more", names=shown, rest=rest)


def _size(count: int | None, lang: str) -> str:
    return tongue.say(lang, "an unknown number of bytes") if count is None else words.size(count, 3)


def _exactly(count: int | None, lang: str) -> str:
    if count is None:
        return tongue.say(lang, "bytes that this engine does not tell")
    return tongue.say(lang, "exactly {size} ({bytes} bytes)", size=words.size(count, 3), bytes=f"{count:,}")


def _words_of(error: ImageError | Interrupted) -> list[str]:
    return [error.message, *([error.hint] if error.hint else [])]


def _changed(promised: Sequence[RemovalRecord], gone: Sequence[RemovalRecord], lang: str) -> list[str]:
    """What was done otherwise than was shown, in words; nothing where it was not."""
    before, after = ({(row.action, row.reference, row.digest) for row in rows} for rows in (promised, gone))
    if before == after and _freed(promised) == _freed(gone):
        return []
    stayed = [
        row.reference or str(row.digest) for row in promised if (row.action, row.reference, row.digest) not in after
    ]
    named = [name for name in stayed if "@" not in name and not name.startswith("sha256:")] or stayed
    template = "Things changed since this was shown: {freed} freed instead of {promised}."
    if named:
        template = "Things changed since this was shown: {freed} freed instead of {promised}; left alone: {names}."
    freed, meant = _size(_freed(gone), lang), _size(_freed(promised), lang)
    return [tongue.say(lang, template, freed=freed, promised=meant, names=_listed(named, lang))]
