"""Visits: who pulled what from a registry of ours and pushed what to it, in words and as a small table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from jupyimg.views import tongue, words
from jupyimg.views.markup import FAINT, LEFT, MONO, RIGHT, element, say, style

if TYPE_CHECKING:
    from jupyimg.model.running import TrafficRecord, VisitRecord

SHOWN = 10
"""Visits that are listed; the rest is in the sums."""
_WIDEST = 120
"""Characters of a foreign name."""
_DOING = {"pull": ("pulling", "pulled"), "push": ("pushing", "pushed")}
_LINES = {
    "pull": "{who} pulled {name}: {size} in {time}",
    "push": "{who} pushed {name}: {size} in {time}",
}


class Live(Protocol):
    """What is asked of something that runs."""

    def look(self) -> TrafficRecord:
        """Where it stands."""
        ...

    def wait(self, version: int, timeout: float | None = None) -> None:
        """Return when there is more to know than in that version, or after so many seconds."""
        ...


def visited(visit: VisitRecord, lang: str = tongue.ENGLISH) -> str:
    """One that is over, in a line."""
    return tongue.say(
        lang,
        _LINES[visit.action],
        who=_who(visit),
        name=_name(visit),
        size=words.size(visit.bytes, 3),
        time=words.seconds(visit.seconds),
    )


def summary(traffic: TrafficRecord, lang: str = tongue.ENGLISH) -> str:
    """All of it in a line."""
    if not traffic.requests:
        return tongue.say(lang, "nothing was pulled or pushed yet" if traffic.running else "nothing was asked for")
    return tongue.say(
        lang,
        "{pulls}, {pushes}, {requests}: {sent} out, {received} in",
        pulls=tongue.count(lang, traffic.pulls, "pull"),
        pushes=f"{traffic.pushes} push{'' if traffic.pushes == 1 else 'es'}"
        if lang == tongue.ENGLISH
        else tongue.count(lang, traffic.pushes, "push"),
        requests=tongue.count(lang, traffic.requests, "request"),
        sent=words.size(traffic.sent, 3),
        received=words.size(traffic.received, 3),
    )


def to_text(traffic: TrafficRecord, lang: str = tongue.ENGLISH) -> str:
    """The sum, and a line for each of the last."""
    lines = [f"  {_doing(visit, lang)} {_name(visit)}: {_who(visit)}, {_figures(visit)}" for visit in _listed(traffic)]
    return "\n".join([summary(traffic, lang), *lines])


def to_html(traffic: TrafficRecord, lang: str = tongue.ENGLISH) -> str:
    """The same as a table."""
    rows = "".join(_row(visit, lang) for visit in _listed(traffic))
    table = element("table", element("tbody", rows), class_="dataframe", style="margin:.3em 0", aria_label="visits")
    return (table if rows else "") + element("div", say(summary(traffic, lang)), style=FAINT)


def _row(visit: VisitRecord, lang: str) -> str:
    moved = f"{visit.bytes:,} bytes, {words.count(visit.requests, 'request')}"
    cells = [
        element("td", say(_doing(visit, lang)), style=style(LEFT, FAINT, "min-width:4em")),
        element("td", say(_name(visit)), style=style(LEFT, MONO), title=visit.name),
        element("td", say(_who(visit)), style=LEFT),
        element("td", say(words.size(visit.bytes, 3)), style=style(RIGHT, "min-width:5em"), title=moved),
        element("td", say(words.seconds(visit.seconds)), style=style(RIGHT, "min-width:5em")),
    ]
    return element("tr", *cells)


def _listed(traffic: TrafficRecord) -> tuple[VisitRecord, ...]:
    return traffic.visits[:SHOWN]


def _doing(visit: VisitRecord, lang: str) -> str:
    return tongue.word(lang, _DOING[visit.action][visit.ended])


def _name(visit: VisitRecord) -> str:
    return words.ellipsis(words.clean(visit.name), _WIDEST)


def _who(visit: VisitRecord) -> str:
    return words.clean(f"{visit.who} ({visit.agent})" if visit.agent else visit.who)


def _figures(visit: VisitRecord) -> str:
    return f"{words.size(visit.bytes, 3)} in {words.seconds(visit.seconds)}"
