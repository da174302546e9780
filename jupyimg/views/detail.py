"""Detail: what `%image inspect` returns: Docker's document as a mapping, with a readable face and a frame.

``x["Config"]["Env"]`` works as it does on `docker inspect`'s output; the manifest and the config as they are stored
stand beside it. As text it is JSON, in a notebook a card with a tree that folds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import pandas as pd

from jupyimg.model.config import read_time
from jupyimg.views.card import card
from jupyimg.views.columns import Column, Meaning
from jupyimg.views.plain import dump
from jupyimg.views.series import series
from jupyimg.views.tongue import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyimg.model.records import ImageDetail

_FREE = frozenset({"Labels", "ExposedPorts", "Volumes"})
"""Maps whose keys are the image's own words; they stay one value each and do not become columns."""


class Detail(Mapping[str, Any]):
    """One image in full.

    Attributes:
        record: what the engine returned.
        lang: of the words on its card.
    """

    def __init__(self, record: ImageDetail, lang: str = ENGLISH) -> None:
        self.record = record
        self.lang = lang

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest as plain data."""
        return self.record.manifest

    @property
    def config(self) -> dict[str, Any]:
        """The config as it is stored, as plain data."""
        return self.record.config

    def to_frame(self) -> pd.DataFrame:
        """One row; the columns are Docker's keys joined by dots, such as ``Config.WorkingDir``."""
        return Details([self]).to_frame()

    def __getitem__(self, key: str) -> Any:
        return self.record.document[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.record.document)

    def __len__(self) -> int:
        return len(self.record.document)

    def __repr__(self) -> str:
        return dump(self.record.document, indent=4)

    def _repr_html_(self) -> str:
        return card(self.record, self.lang)


class Details(Sequence[Detail]):
    """Several images in full, in the order they were asked for."""

    def __init__(self, items: Sequence[Detail]) -> None:
        self._items = tuple(items)

    def to_frame(self) -> pd.DataFrame:
        """One row for each image; the columns are Docker's keys joined by dots, missing where an image has none."""
        rows = [dict(_flat(item.record.document)) for item in self]
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = {name: _column(name, [row.get(name) for row in rows]) for name in names}
        return pd.DataFrame(columns, index=range(len(rows)))

    @overload
    def __getitem__(self, at: int) -> Detail: ...
    @overload
    def __getitem__(self, at: slice) -> Details: ...
    def __getitem__(self, at: int | slice) -> Detail | Details:
        return Details(self._items[at]) if isinstance(at, slice) else self._items[at]

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return dump([item.record.document for item in self], indent=4)

    def _repr_html_(self) -> str:
        return "".join(card(item.record, item.lang, folded=True) for item in self)


def _flat(document: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a document under their path; two levels hold all that Docker nests."""
    for key, value in document.items():
        if isinstance(value, dict) and value and not before and key not in _FREE:
            yield from _flat(value, f"{key}.")
        else:
            yield f"{before}{key}", value


def _column(name: str, values: list[Any]) -> pd.Series[Any]:
    if name == "Created":
        texts = (value if isinstance(value, str) else None for value in values)
        return series(Column(name, Meaning.TIME), [read_time(text) for text in texts])
    kinds = {type(value) for value in values if value is not None}
    meaning = {frozenset({str}): Meaning.TEXT, frozenset({int}): Meaning.COUNT}.get(frozenset(kinds), Meaning.MAPPING)
    return series(Column(name, meaning), values)
