"""Served: what `%image serve` returns: where the registry is, how others pull from it, and who does."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from jupyimg.views import tongue, visits, words

if TYPE_CHECKING:
    from jupyimg.model.running import ServerRecord, TrafficRecord


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

    @property
    def traffic(self) -> TrafficRecord | None:
        """What it was asked; None where that is not seen from here."""
        return self.record.traffic

    def __str__(self) -> str:
        return self.address

    def __repr__(self) -> str:
        return self.bundle(self.traffic)["text/plain"]

    def _repr_html_(self) -> str:
        return self.bundle(self.traffic)["text/html"]

    def bundle(self, traffic: TrafficRecord | None) -> dict[str, str]:
        """How it looks, in the forms that a notebook keeps."""
        over = traffic is not None and not traffic.running
        record = replace(self.record, running=False) if over else self.record
        first, *ways = (tongue.note(self.lang, words.clean(line)) for line in record.lines())
        text, html = [first, *ways], f"<div>{escape(first)}</div>"
        if ways:
            listed = "".join(f"<div><code>{escape(way.strip())}</code></div>" for way in ways)
            html += f'<div style="margin-left:1.5em">{listed}</div>'
        if traffic is not None:
            text.append(visits.to_text(traffic, self.lang))
            html += visits.to_html(traffic, self.lang)
        return {"text/plain": "\n".join(text), "text/html": f'<div class="jupyimg">{html}</div>'}
