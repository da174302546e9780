"""Detached: how a job in the background looks as a value, in text and HTML; the display that moves is beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyimg.views import progress_html, words
from jupyimg.views.markup import FAINT, RED, element, say

if TYPE_CHECKING:
    from jupyimg.views.ledger import Ledger


def to_text(title: str, ledger: Ledger, now: float, error: BaseException | None = None) -> str:
    """One line for where it stands, and one for what went wrong."""
    at = f"{words.clean(title)} ({ledger.outcome.value})"
    sentence = ledger.sentence(now)
    return "\n".join([f"{at}: {sentence}" if sentence else at, *_reason(error)])


def to_html(title: str, ledger: Ledger, now: float, error: BaseException | None = None) -> str:
    """The same with its layers, as it stands and without anything that moves."""
    reason = "".join(element("div", say(line), style=RED) for line in _reason(error))
    return element("div", head(title, ledger), progress_html.to_html(ledger, now), reason, class_="jupyimg")


def head(title: str, ledger: Ledger) -> str:
    """The line above it."""
    return element("div", element("b", say(title)), " ", element("span", say(ledger.outcome.value), style=FAINT))


def _reason(error: BaseException | None) -> list[str]:
    if isinstance(error, KeyboardInterrupt):  # which the sentence has said
        return []
    message = getattr(error, "message", "") or (type(error).__name__ if error else "")
    hint = getattr(error, "hint", "")
    return [words.clean(line) for line in (message, f"hint: {hint}" if hint else "") if line]
