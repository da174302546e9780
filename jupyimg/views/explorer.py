"""Explorer: what `%image browse` returns: a list to search in, one image in full, and buttons that act.

The page asks by messages and is answered by messages, each with the number of its question; nothing of what is listed
is kept in the widget's state, so that no notebook stores it. Questions go to the `Port` in threads (`lane`), one each
for listing, looking and acting. Whatever goes wrong there comes back in words. There is one widget for each place in a
notebook: the same line run again brings it up to date in every cell that shows it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anywidget
from traitlets import Dict

from jupyimg.errors import ImageError
from jupyimg.model.content import Phase, told
from jupyimg.views import tongue, words
from jupyimg.views.explorer_rows import plain_rows, rows_of
from jupyimg.views.explorer_sight import sight
from jupyimg.views.frames import frame
from jupyimg.views.html import to_html, to_text
from jupyimg.views.lane import Lane
from jupyimg.views.ledger import Ledger
from jupyimg.views.outcome import outcome
from jupyimg.views.twin import Twin, folded, script

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from threading import Event

    import pandas as pd

    from jupyimg.model.content import Step
    from jupyimg.views.answer import Answer
    from jupyimg.views.explorer_rows import Row

    Plain = dict[str, Any]

_TWIN = 10
"""Rows of the static twin."""
_EVERY = 0.15
"""Seconds between two messages about one piece of work."""
_explorers: dict[tuple[str, str], Explorer] = {}


class Page(anywidget.AnyWidget):
    """What stands in the browser; it has no state but its script, and the phrases that this says in Chinese."""

    _esm = script("shared.js", "explorer_list.js", "explorer_sight.js", "explorer.js")
    _css = script("explorer.css")
    phrases = Dict().tag(sync=True)


class Explorer(Twin):
    """A place to look around in.

    Attributes:
        port: what it asks.
        widget: what shows it.
        lang: of what is said.
    """

    noun = "an explorer"

    def __init__(self, answer: Answer, lang: str = tongue.ENGLISH) -> None:
        assert answer.port is not None
        super().__init__(lang)
        self.port = answer.port
        self.widget = Page(phrases=tongue.phrases(lang, "explorer"))
        self._listing, self._looking, self._acting = Lane(), Lane(), Lane()
        self._first = answer
        self._below = ""
        self._chosen = ""
        self._take(answer)
        self.widget.on_msg(self._heard)

    def _take(self, answer: Answer) -> None:
        # one value, since a thread sets what the notebook reads
        self._now: tuple[Answer, dict[str, Row]] = answer, {row.key: row for row in rows_of(answer)}

    def update(self, answer: Answer) -> None:
        """Show another answer of the same place; what was selected stays so where it is still there."""
        assert answer.port is not None
        self.port, self._first, self._below = answer.port, answer, ""
        self._take(answer)
        self._send(self._listed())

    @property
    def frame(self) -> pd.DataFrame:
        """All that is listed."""
        return frame(self._now[0], self.lang)

    @property
    def selection(self) -> pd.DataFrame:
        """The rows of what is selected, with all columns; none where nothing is."""
        answer, rows = self._now
        row = rows.get(self._chosen)
        return frame(answer, self.lang).iloc[row.positions if row else []]

    @property
    def references(self) -> list[str]:
        """What commands take for the selected row: ``%image pull {explorer.references}``."""
        row = self._now[1].get(self._chosen)
        return [row.name] if row else []

    def wait(self, seconds: float = 60) -> bool:
        """Whether all that was asked in the page is done, after waiting for it as long as that at most."""
        return all(lane.wait(seconds) for lane in (self._listing, self._looking, self._acting))

    # ---- what the page asks

    def _heard(self, _widget: object, asked: object, _buffers: object) -> None:
        """Take a question; one that no page of ours would ask is left alone."""
        if not isinstance(asked, dict) or not isinstance(asked.get("id"), int):
            return
        number, key, what = asked["id"], str(asked.get("key", "")), asked.get("ask")
        if what == "rows":
            self._send({"id": number, **self._listed()})
        elif what == "choose":
            self._chosen = key
        elif what == "list":
            self._put(self._listing, number, "catalog", self._list(key, back=bool(asked.get("back"))))
        elif what == "look":
            self._chosen = key
            self._put(self._looking, number, "inspect", self._look(key, str(asked.get("platform", ""))))
        elif what == "do" and not self._acting.busy:
            line = str(asked.get("line", ""))
            self._put(self._acting, number, _kind(line), self._do(line))
        elif what == "do":
            self._send({"id": number, **self._error("something else is still running", "stop it first")})
        elif what == "stop" and asked.get("acting"):
            self._acting.stop()
        elif what == "stop":
            self._listing.stop(leave=True)
            self._looking.stop(leave=True)

    def _list(self, key: str, *, back: bool) -> Generator[Step, None, Plain]:
        """What is there again; with a key the tags of that repository, and back to where it began."""
        # of the first list, whatever is shown by now: a click may have been on what was about to be replaced
        row = next((row for row in rows_of(self._first) if row.key == key), None) if key else None
        if key and row is None:
            raise ImageError(self._say("this repository is gone"), hint=self._say("refresh the list"))
        name = "" if back else row.name if row else self._below
        answer = self._first if back else (yield from _noting(self.port.listing(name)))
        self._take(answer)
        self._below = name
        if not name:
            self._first = answer
        return self._listed()

    def _look(self, key: str, platform: str) -> Generator[Step, None, Plain]:
        row = self._now[1].get(key)
        if row is None:
            raise ImageError(self._say("this row is gone"), hint=self._say("refresh the list"))
        wanted = platform or row.platform
        seen = yield from self.port.looking(row.name, wanted)
        return {"is": "sight", "key": key, **sight(seen, remote=self.port.remote, platform=wanted, lang=self.lang)}

    def _do(self, line: str) -> Generator[Step, None, Plain]:
        return {"is": "done", "text": outcome((yield from self.port.doing(line)), self.lang)}

    def _listed(self) -> Plain:
        answer, rows = self._now
        return {
            "is": "rows",
            "kind": answer.kind,
            "place": self.port.place or self._say("images here"),
            "below": self._below,
            "chosen": self._chosen if self._chosen in rows else "",
            "notes": [tongue.note(self.lang, words.clean(note)) for note in answer.notes],
            "rows": plain_rows(rows.values(), self.lang),
        }

    # ---- how it is answered

    def _put(self, lane: Lane, number: int, kind: str, steps: Generator[Step, None, Plain]) -> None:
        lane.put(lambda stop: self._work(number, kind, steps, stop))

    def _work(self, number: int, kind: str, steps: Generator[Step, None, Plain], stop: Event) -> None:
        """Run a question to its end in this thread, tell how far it is, and answer it whatever happens."""
        try:
            answer = told(steps, self._teller(number, kind), stop)
        except ImageError as error:
            answer = {"is": "error", "text": error.message, "hint": error.hint}
        except KeyboardInterrupt:
            answer = {**self._error("stopped", "what arrived is kept; run it again to go on"), "stopped": True}
        except Exception as error:  # noqa: BLE001 - a page has no traceback: it must be told here or nowhere
            answer = {
                "is": "error",
                "text": f"{type(error).__name__}: {error}",
                "hint": self._say("this is a fault of jupyimg"),
            }
        self._send({"id": number, **answer})

    def _teller(self, number: int, kind: str) -> Callable[[Step], None]:
        ledger, last = Ledger(kind, time.monotonic(), lang=self.lang), [0.0]

        def tell(step: Step) -> None:
            ledger.take(step)
            now = time.monotonic()
            if now - last[0] >= _EVERY:
                last[0] = now
                done, whole = ledger.share
                self._send({"id": number, "is": "step", "text": _news(ledger, now), "done": done, "whole": whole})

        return tell

    def _error(self, text: str, hint: str) -> Plain:
        return {"is": "error", "text": self._say(text), "hint": self._say(hint)}

    def _send(self, message: Plain) -> None:
        self.widget.send({"id": 0, **message})

    # ---- how it is shown

    def __repr__(self) -> str:
        return to_text(self.frame) or repr(self.frame)

    def _html(self) -> str:
        return folded(to_html(frame(self._first, self.lang), most=_TWIN) or "", self.lang)


def explorer(answer: Answer, lang: str = tongue.ENGLISH) -> Explorer:
    """The explorer of this place and language, up to date; a new one where there is none or it was closed."""
    assert answer.port is not None
    key = answer.port.place, lang
    known = _explorers.get(key)
    if known is None or known.widget.comm is None:
        _explorers[key] = Explorer(answer, lang)
    else:
        known.update(answer)
    return _explorers[key]


def _news(ledger: Ledger, now: float) -> str:
    """Where it stands; before there is anything to count, what was said last."""
    if ledger.items or ledger.counts or ledger.pauses:
        return ledger.sentence(now)
    return (ledger.before or ["…"])[-1]


def _noting(steps: Generator[Step, None, Answer]) -> Generator[Step, None, Answer]:
    """What is said on the way stays beside the list, for no progress is left standing there."""
    said: list[str] = []
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            answer: Answer = stop.value
            return replace(answer, notes=(*said, *answer.notes))
        said += [step.text] if step.phase is Phase.NOTE else []
        yield step


def _kind(line: str) -> str:
    return next((word for word in line.split() if word != "%image"), "")
