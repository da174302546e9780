"""Formatter: tells IPython to show frames of ours in words, and is polite about it.

It asks for pandas' DataFrame by name, so that loading the extension does not import pandas. A printer that is there
already stays; one that takes pandas' own place later (itables, quak) wins too; a frame without our note is shown
exactly as it would be without us. Nothing is kept here: what is registered is found again by its type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    Render = Callable[[Any], str | None]

HTML, PLAIN = "text/html", "text/plain"
_FRAMES = ("pandas.DataFrame", "pandas.core.frame.DataFrame")
"""The class by the names under which pandas 3 and 2 know it."""


class Pretty(Protocol):
    """What IPython hands a text printer (IPython.lib.pretty.RepresentationPrinter)."""

    def text(self, obj: str) -> None:
        """Write text."""

    def break_(self) -> None:
        """Begin a new line."""


class HtmlPrinter:
    """Frames for the html formatter."""

    def __init__(self, render: Render) -> None:
        self.render = render

    def __call__(self, frame: Any) -> str | None:
        own = self.render(frame) if _pandas_shows(frame) and _is_ours(frame) else None
        shown: str | None = frame._repr_html_() if own is None else own
        return shown


class PlainPrinter:
    """Frames for the text formatter."""

    def __init__(self, render: Render) -> None:
        self.render = render

    def __call__(self, frame: Any, pretty: Pretty, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's signature
        own = self.render(frame) if _is_ours(frame) else None
        for at, line in enumerate((repr(frame) if own is None else own).splitlines()):
            if at:
                pretty.break_()
            pretty.text(line)


def _is_ours(frame: Any) -> bool:
    return "jupyimg" in frame.attrs


def _pandas_shows(frame: Any) -> bool:
    """Whether `_repr_html_` is still pandas' own; itables replaces it, a subclass may have another."""
    method = getattr(type(frame), "_repr_html_", None)
    return str(getattr(method, "__module__", "")).partition(".")[0] == "pandas"


def install(shell: Any, *, html: Render, text: Render) -> None:
    """Register the printers with a shell; a second time changes nothing."""
    for mime, printer in ((HTML, HtmlPrinter(html)), (PLAIN, PlainPrinter(text))):
        formatter = shell.display_formatter.formatters[mime]
        if all(_registered(formatter, name) is None for name in _FRAMES):
            for name in _FRAMES:
                formatter.for_type(name, printer)


def uninstall(shell: Any) -> None:
    """Take our printers out again; those of others stay."""
    for mime in (HTML, PLAIN):
        formatter = shell.display_formatter.formatters[mime]
        for name in _FRAMES:
            if isinstance(_registered(formatter, name), HtmlPrinter | PlainPrinter):
                formatter.pop(name, None)


def _registered(formatter: Any, name: str) -> object:
    try:
        return formatter.lookup_by_type(name)
    except KeyError:
        return None
