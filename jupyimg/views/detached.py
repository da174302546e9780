"""Detached: how a job in the background looks as a value, in text and HTML; the display that moves is beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyimg.views import progress_html, tongue, words
from jupyimg.views.markup import FAINT, RED, element, say

if TYPE_CHECKING:
    from jupyimg.views.ledger import Ledger


def to_text(title: str, ledger: Ledger, now: float, error: BaseException | None = None) -> str:
    """One line for where it stands, and one for what went wrong."""
    lang, sentence = ledger.lang, ledger.sentence(now)
    outcome = tongue.word(lang, ledger.outcome.value)
    at = tongue.say(lang, "{title} ({outcome})", title=words.clean(title), outcome=outcome)
    line = tongue.say(lang, "{outcome}: {what}", outcome=at, what=sentence) if sentence else at
    return "\n".join([line, *_reason(error, lang)])


def to_html(title: str, ledger: Ledger, now: float, error: BaseException | None = None) -> str:
    """The same with its layers, as it stands and without anything that moves."""
    reason = "".join(element("div", say(line), style=RED) for line in _reason(error, ledger.lang))
    return element("div", head(title, ledger), progress_html.to_html(ledger, now), reason, class_="jupyimg")


def head(title: str, ledger: Ledger) -> str:
    """The line above it."""
    return element(
        "div",
        element("b", say(title)),
        " ",
        element("span", say(tongue.word(ledger.lang, ledger.outcome.value)), style=FAINT),
    )


def _reason(error: BaseException | None, lang: str) -> list[str]:
    if isinstance(error, KeyboardInterrupt):  # which the sentence has said
        return []
    message = getattr(error, "message", "") or (type(error).__name__ if error else "")
    hint = getattr(error, "hint", "")
    return [words.clean(line) for line in (message, hint and tongue.say(lang, "hint: {hint}", hint=hint)) if line]
