"""Table: a frame to search, sort and select rows in, under its static twin.

itables' ITable does the work in the browser, offline. It sees only words, each number's words sorted by the number in
a hidden column; what is selected comes back as positions of the original rows, which this class turns into rows of
the original frame. Its script of 0.7 MB is sent once to each page that asks for it and is in no widget's state. The
same line run again updates the table that it has, and what was selected stays selected.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import itables
import pandas as pd
from itables.widget import ITable
from traitlets import Dict, Unicode

from jupyimg.views import tongue
from jupyimg.views.chinese_scripts import TABLE
from jupyimg.views.columns import Meaning
from jupyimg.views.html import to_html, to_text
from jupyimg.views.plans import Look
from jupyimg.views.reading import read
from jupyimg.views.shown import show
from jupyimg.views.twin import Twin, folded, script

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jupyimg.views.shown import Head

_LIBRARY = files("itables.widget") / "static"
_PAGE = 10
_tables: dict[tuple[str, str, str], Table] = {}


class Sheet(ITable):
    """An ITable that sends its library when a page asks for it."""

    _esm = script("shared.js", "table.js")  # type: ignore[assignment]
    _css = script("table.css")  # type: ignore[assignment]
    _library = Unicode(itables.__version__).tag(sync=True)
    foot = Unicode().tag(sync=True)
    phrases = Dict().tag(sync=True)

    def __init__(self, frame: pd.DataFrame, **options: Any) -> None:
        super().__init__(frame, **options)
        self.on_msg(self._asked)

    def _asked(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        if content.get("want") == self._library:
            js, css = ((_LIBRARY / name).read_text(encoding="utf-8") for name in ("widget.js", "widget.css"))
            self.send({"library": self._library, "js": js, "css": css})


class Table(Twin):
    """An interactive table of a frame of ours.

    Attributes:
        frame: the data, all columns.
        widget: the ITable that shows it.
    """

    noun = "an interactive table"

    def __init__(self, frame: pd.DataFrame) -> None:
        super().__init__(_lang(frame))
        words, options, foot = _words(frame)
        self.frame = frame
        self.widget = Sheet(words, select="multi", showIndex=False, maxBytes=0, maxRows=0, maxColumns=0, **options)
        self.widget.foot = foot
        self.widget.phrases = tongue.phrases(self.lang, "table")

    def update(self, frame: pd.DataFrame) -> None:
        """Show another frame; rows that are in both stay selected."""
        chosen = set(_keys(self.selection))
        words, options, foot = _words(frame)
        self.frame = frame
        rows = [at for at, key in enumerate(_keys(frame)) if key in chosen]
        self.widget.update(words, selected_rows=rows, **options)
        self.widget.foot = foot

    @property
    def selection(self) -> pd.DataFrame:
        """The selected rows, of the frame as it was given."""
        return self.frame.iloc[list(self.widget.selected_rows)]

    @property
    def references(self) -> list[str]:
        """What commands take for the selected rows: ``%image pull {table.references}``, each once.

        Raises:
            AttributeError: the rows of this table are no images.
        """
        kind = self.frame.attrs["jupyimg"]["kind"]
        try:
            return list(dict.fromkeys(_REFERENCES[kind](self.selection)))
        except KeyError:
            why = f"the rows of {kind} name no images; table.selection has the rows themselves"
            raise AttributeError(why) from None

    def __repr__(self) -> str:
        return to_text(self.frame) or repr(self.frame)

    def _html(self) -> str:
        return folded(to_html(self.frame, most=_PAGE) or "", self.lang)


def _named(column: str) -> Callable[[pd.DataFrame], list[str]]:
    return lambda frame: [str(name) for name in frame[column].dropna()]


def _tagged(frame: pd.DataFrame) -> list[str]:
    return [f"{name}:{tag}" for name, tag in zip(frame["repository"], frame["tag"], strict=True)]


_REFERENCES: dict[str, Callable[[pd.DataFrame], list[str]]] = {
    "images": _named("reference"),
    "df -v": _named("reference"),
    "search": _named("name"),
    "tags": _tagged,
    "catalog": _named("repository"),
}
"""What the rows of each kind name; the rows of a history or of df name no image."""

_KEYS: dict[str, tuple[str, ...]] = {
    "images": ("reference", "platform", "digest"),
    "df -v": ("manifest_digest",),
    "history": ("created_by", "created", "layer_digest"),
    "df": ("type",),
    "search": ("source", "name"),
    "tags": ("repository", "tag", "platform"),
    "catalog": ("repository",),
}
"""What makes two rows the same row, of an earlier and a later answer."""


def table(frame: pd.DataFrame, line: str = "") -> Table:
    """The table of this line and language, updated; a new one where there is none or it was closed."""
    key = (frame.attrs["jupyimg"]["kind"], line, _lang(frame))
    known = _tables.get(key)
    if known is None or known.widget.comm is None:
        _tables[key] = Table(frame)
    else:
        known.update(frame)
    return _tables[key]


def _lang(frame: pd.DataFrame) -> str:
    return str(frame.attrs["jupyimg"].get("lang", tongue.ENGLISH))


def _keys(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    names = [name for name in _KEYS.get(frame.attrs["jupyimg"]["kind"], tuple(frame.columns)) if name in frame.columns]
    return list(frame[names].astype(str).itertuples(index=False, name=None))


def _words(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any], str]:
    """What the browser is given: cells in words, hidden numbers to sort them by, DataTables' options, and a foot."""
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
        side = "dt-right" if head.right else "dt-left"
        mono = " jupyimg-digest" if head.column.meaning is Meaning.DIGEST else ""
        definitions.append({"targets": [at], "className": side + mono, "type": "string"})
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
    if reading.lang == tongue.CHINESE:
        options["language"] = TABLE
    return pd.DataFrame(columns), options, shown.foot


def _numbers(head: Head, rows: Sequence[dict[str, Any]]) -> list[Any]:
    values = (row[head.column.name] for row in rows)
    return [
        -1.0 if value is None else value.timestamp() if isinstance(value, datetime) else float(value)
        for value in values
    ]
