"""Table: a frame to search, sort and select rows in, under its static twin.

itables' ITable does the work in the browser, offline. It sees only words, each number's words sorted by the number in
a hidden column; what is selected comes back as positions of the original rows, which this class turns into rows of
the original frame. Every ITable brings 0.7 MB of script along, so there is one for each kind of answer: the same line
run again updates it, in every cell that shows it, and what was selected stays selected.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from IPython import get_ipython
from IPython.display import display
from itables.widget import ITable

from jupyimg.views.columns import Meaning
from jupyimg.views.html import to_html, to_text
from jupyimg.views.markup import FAINT, element
from jupyimg.views.plans import Look
from jupyimg.views.reading import read
from jupyimg.views.shown import show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyimg.views.shown import Head

_WIDGET = "application/vnd.jupyter.widget-view+json"
_PAGE = 10
_tables: dict[str, Table] = {}


class Table:
    """An interactive table of a frame of ours.

    Attributes:
        frame: the data, all columns.
        widget: the ITable that shows it.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        words, options = _words(frame)
        self.frame = frame
        self.widget = ITable(words, select="multi", showIndex=False, maxBytes=0, maxRows=0, maxColumns=0, **options)

    def update(self, frame: pd.DataFrame) -> None:
        """Show another frame; rows that are in both stay selected."""
        chosen = set(_keys(self.selection))
        words, options = _words(frame)
        self.frame = frame
        rows = [at for at, key in enumerate(_keys(frame)) if key in chosen]
        self.widget.update(words, selected_rows=rows, **options)

    @property
    def selection(self) -> pd.DataFrame:
        """The selected rows, of the frame as it was given."""
        return self.frame.iloc[list(self.widget.selected_rows)]

    @property
    def references(self) -> list[str]:
        """What commands take for the selected rows: ``%image rmi {table.references}``.

        Raises:
            AttributeError: the rows of this table are no images.
        """
        if "reference" not in self.frame.columns:
            raise AttributeError("the rows of this table have no references")
        return [str(reference) for reference in self.selection["reference"].dropna()]

    def __repr__(self) -> str:
        return to_text(self.frame) or repr(self.frame)

    def _twin(self) -> str:
        summary = element("summary", "static copy, which stays in a saved notebook", style=FAINT)
        return element("details", summary, to_html(self.frame, most=_PAGE) or "", open="")

    def _ipython_display_(self) -> None:
        """Show two outputs: of one that holds both, JupyterLab takes the widget, which a saved notebook cannot open."""
        display({"text/html": self._twin(), "text/plain": repr(self)}, raw=True)  # type: ignore[no-untyped-call]
        if getattr(get_ipython(), "kernel", None) is not None:
            view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
            display({_WIDGET: view, "text/plain": "(an interactive table: run the cell to use it)"}, raw=True)  # type: ignore[no-untyped-call]


def table(frame: pd.DataFrame) -> Table:
    """The table of this kind of frame, updated; a new one where there is none or it was closed."""
    kind = frame.attrs["jupyimg"]["kind"]
    known = _tables.get(kind)
    if known is None or known.widget.comm is None:
        _tables[kind] = Table(frame)
    else:
        known.update(frame)
    return _tables[kind]


def _keys(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    names = [name for name in ("reference", "platform", "digest", "repository", "name", "tag") if name in frame.columns]
    return list(frame[names].astype(str).itertuples(index=False, name=None))


def _words(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """What the browser is given: cells in words, hidden numbers to sort them by, and DataTables' options for both."""
    reading = read(frame)
    if reading is None:
        raise AttributeError("only a frame of %image with its own columns can be shown as a table")
    rows = reading.rows(frame)
    shown = show(
        reading.kind,
        rows,
        Look(now=datetime.now(UTC), rich=True, no_trunc=bool(reading.flags.get("no_trunc")), lang=reading.lang),
    )
    columns = {head.title: [row[at].text for row in shown.rows] for at, head in enumerate(shown.heads)}
    definitions: list[dict[str, Any]] = []
    for at, head in enumerate(shown.heads):
        if head.right:
            definitions.append({"targets": [at], "className": "dt-right"})
        if head.right or head.column.meaning is Meaning.TIME:
            definitions.append({"targets": [at], "orderData": [len(columns)]})
            definitions.append({"targets": [len(columns)], "visible": False, "searchable": False})
            columns[f"{head.title} (exact)"] = _numbers(head, rows)
    options = {
        "columnDefs": definitions,
        "order": [],
        "text_in_header_can_be_selected": False,  # so that a click on the name sorts, not only one on the arrow
        "paging": len(frame) > _PAGE,
        "classes": "display compact nowrap",
        "style": "table-layout:auto;width:auto;margin-left:0",
    }
    return pd.DataFrame(columns), options


def _numbers(head: Head, rows: Sequence[dict[str, Any]]) -> list[Any]:
    values = (row[head.column.name] for row in rows)
    return [
        -1.0 if value is None else value.timestamp() if isinstance(value, datetime) else float(value)
        for value in values
    ]
