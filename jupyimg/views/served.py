"""Served: what `%image serve` returns: where the registry is, and how others pull from it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from jupyimg.views import tongue, words

if TYPE_CHECKING:
    from jupyimg.model.running import ServerRecord


class Served:
    """A registry of ours.

    Attributes:
        record: all that is known of it.
        lang: of what is said of it.
    """

    def __init__(self, record: ServerRecord, lang: str = tongue.ENGLISH) -> None:
        self.record = record
        self.lang = lang

    @property
    def address(self) -> str:
        """``HOST:PORT``, which a name in this registry begins with."""
        return self.record.address

    def __str__(self) -> str:
        return self.address

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        first, *ways = map(escape, self._lines())
        listed = "".join(f"<div><code>{way.strip()}</code></div>" for way in ways)
        shown = f'<div style="margin-left:1.5em">{listed}</div>' if ways else ""
        return f"<div>{first}</div>{shown}"

    def _lines(self) -> list[str]:
        return [tongue.note(self.lang, words.clean(line)) for line in self.record.lines()]
