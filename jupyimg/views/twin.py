"""Twin: a widget and its static copy, as two outputs of one cell; the copy is what a saved notebook still shows.

Two outputs, since of one that holds both JupyterLab takes the widget, which a saved notebook cannot open. While the
widget lives its script folds the copy, on the page only. Our scripts lie in ``scripts/`` and ask no network.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from IPython import get_ipython
from IPython.display import display

from jupyimg.views import tongue
from jupyimg.views.markup import FAINT, element, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anywidget import AnyWidget
    from IPython.display import DisplayHandle
    from ipywidgets import DOMWidget  # type: ignore[import-untyped]

COPY = "static copy, which stays in a saved notebook"
_WIDGET = "application/vnd.jupyter.widget-view+json"


def script(*names: str) -> str:
    """The text of some of our files, one after another, as one script or style sheet."""
    return "\n".join((files("jupyimg.views") / "scripts" / name).read_text(encoding="utf-8") for name in names)


class Twin:
    """What shows itself as a static copy and a widget under it; in a terminal as text alone.

    Attributes:
        widget: the living part.
        noun: what the widget is, in words.
        lang: of what is said.
    """

    widget: AnyWidget
    noun = "a widget"

    def __init__(self, lang: str = tongue.ENGLISH) -> None:
        self.lang = lang
        self._copies: list[DisplayHandle] = []

    def _say(self, template: str, **values: object) -> str:
        return tongue.say(self.lang, template, **values)

    def _html(self) -> str:
        """The static copy."""
        raise NotImplementedError

    def _refresh(self) -> None:
        """Show the static copy anew, in every cell that has it."""
        for copy in self._copies:
            copy.update(self._bundle(), raw=True)  # type: ignore[no-untyped-call]

    def _bundle(self) -> dict[str, Any]:
        return {"text/html": self._html(), "text/plain": repr(self)}

    def _ipython_display_(self) -> None:
        if getattr(get_ipython(), "kernel", None) is None:
            display(self._bundle(), raw=True)  # type: ignore[no-untyped-call]
            return
        self._copies.append(display(self._bundle(), raw=True, display_id=True))  # type: ignore[no-untyped-call]
        display(view(self.widget, unopened(self.lang, self.noun)), raw=True)  # type: ignore[no-untyped-call]


def view(widget: DOMWidget, without: str) -> dict[str, Any]:
    """A living widget as an output, and the text that stands for it where it cannot live."""
    shown = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {_WIDGET: shown, "text/plain": without}


def unopened(lang: str, noun: str) -> str:
    """What stands for a widget where none can be."""
    return tongue.say(lang, "({noun}: run the cell to use it)", noun=tongue.say(lang, noun))


def folded(html: str, lang: str, title: str = COPY) -> str:
    """HTML that a living widget below folds away."""
    summary = element("summary", tongue.say(lang, title), style=FAINT)
    return element("details", summary, html, open="", class_="jupyimg-twin")


def lines(texts: Sequence[str]) -> str:
    """Foreign text as lines of HTML."""
    return element("div", *(element("div", say(text)) for text in texts), class_="jupyimg")
