"""Progress as text and HTML: a ledger drawn, while it runs and when it is over. No widget, no display, no clock.

While it runs, what moves has bars that a screen reader can read; only the last state announces itself, since the ones
before it are replaced eight times a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyimg.model.content import ARCHIVE, Phase
from jupyimg.views import tongue, words
from jupyimg.views.ledger import Outcome
from jupyimg.views.markup import FAINT, LEFT, MONO, RED, RIGHT, element, say, style
from jupyimg.views.progress import line_of

if TYPE_CHECKING:
    from jupyimg.model.content import Step
    from jupyimg.views.ledger import Ledger

ROWS = 40
"""Items that are listed; a repository's every tag may be thousands, which are only counted."""
_BAR = "width:10em;vertical-align:middle;accent-color:var(--jp-brand-color1,#1976d2)"
_WIDE = _BAR.replace("10em", "16em")
_STATE = "min-width:24em;white-space:nowrap"
"""As wide as the longest word with a bar, so that nothing jumps when a layer is done."""


def to_text(ledger: Ledger, now: float) -> str:
    """The state as lines: Docker's, and a sentence."""
    lines = (line_of(ledger, step) for step in _listed(ledger))
    sentence = ledger.sentence(now)
    return "\n".join([*ledger.before, *filter(None, lines), *ledger.after, *([sentence] if sentence else [])])


def to_html(ledger: Ledger, now: float) -> str:
    """The state as HTML."""
    listed = _listed(ledger)
    rows = "".join(_row(ledger, step) for step in listed)
    rest = len(ledger.items) - len(listed)
    parts = [
        *map(_note, ledger.before),
        _table(rows, ledger.lang) if rows else "",
        element("div", _more(ledger.lang, rest), style=FAINT) if rest else "",
        *map(_note, ledger.after),
        _sentence(ledger, now),
    ]
    label = tongue.say(ledger.lang, "progress of {kind}", kind=tongue.word(ledger.lang, ledger.kind))
    return element("div", *parts, class_="jupyimg", role="group", aria_label=label)


def _more(lang: str, rest: int) -> str:
    return tongue.say(lang, "and {items}", items=tongue.count(lang, rest, "more item"))


def _listed(ledger: Ledger) -> list[Step]:
    """The items to list, in their order; where there are too many, what failed or moves goes before what is over."""
    items = list(ledger.items.values())
    if len(items) <= ROWS:
        return items
    weight = {Phase.FAILED: 0, Phase.MOVING: 1}
    chosen = sorted(range(len(items)), key=lambda at: weight.get(items[at].phase, 2))[:ROWS]
    return [items[at] for at in sorted(chosen)]


def _note(text: str) -> str:
    return element("div", say(text), style="overflow-wrap:anywhere")


def _table(rows: str, lang: str) -> str:
    label = tongue.say(lang, "layers and documents")
    return element("table", element("tbody", rows), class_="dataframe", style="margin:.3em 0", aria_label=label)


def _row(ledger: Ledger, step: Step) -> str:
    red = RED if step.phase is Phase.FAILED else ""
    exact = tongue.say(ledger.lang, "{exact} bytes", exact=f"{step.total:,}")
    wide = _STATE if ledger.outcome is Outcome.RUNNING else "white-space:nowrap"
    cells = [
        element("td", say(_name(ledger.lang, step)), style=style(LEFT, MONO), title=step.item),
        element("td", say(tongue.word(ledger.lang, step.text)), style=style(LEFT, FAINT)),
        element("td", say(words.size(step.total, 3)), style=RIGHT, title=exact),
        element("td", _state(ledger, step), style=style(LEFT, wide, red)),
    ]
    return element("tr", *cells)


def _name(lang: str, step: Step) -> str:
    """A digest, cut, or what an archive is called."""
    return tongue.word(lang, ARCHIVE) if step.item == ARCHIVE else words.short(step.item)


def _state(ledger: Ledger, step: Step) -> str:
    word = say(ledger.state(step))
    if step.phase is not Phase.MOVING or ledger.outcome is not Outcome.RUNNING:
        return word
    bar = _bar(step.current, step.total, _name(ledger.lang, step), _BAR)
    return f"{bar} {word} {words.size(step.current, 3)}"


def _bar(done: int, total: int, name: str, look: str) -> str:
    share = min(100, done * 100 // total) if total else 0
    text = f"{share}%"
    return element("progress", text, value=str(share), max="100", style=look, aria_label=f"{name} {text}")


def _sentence(ledger: Ledger, now: float) -> str:
    sentence = ledger.sentence(now)
    if not sentence:
        return ""
    look = style(RED if ledger.outcome is Outcome.FAILED else FAINT, "margin:.25em 0")
    if ledger.outcome is not Outcome.RUNNING:
        return element("div", say(sentence), style=look, role="status")
    done, expected = ledger.share
    bar = _bar(done, expected, tongue.say(ledger.lang, "all"), _WIDE) + " " if expected else ""
    return element("div", bar + say(sentence), style=look)
