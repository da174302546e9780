"""Comparison: what `%image compare` returns: two frames, and a face that shows both under a picture."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jupyimg.views import compared, tongue
from jupyimg.views.answer import Answer
from jupyimg.views.frames import frame
from jupyimg.views.html import grid
from jupyimg.views.markup import FAINT, element, say
from jupyimg.views.plain import comparison_text
from jupyimg.views.plans import Look
from jupyimg.views.svg import draw

if TYPE_CHECKING:
    import pandas as pd

    from jupyimg.model.comparison import ImageComparison


class Comparison:
    """Two images side by side.

    Attributes:
        record: what was found.
        lang: of what stands around the data.
        no_trunc: whether digests and texts are shown whole.
    """

    def __init__(self, record: ImageComparison, lang: str = tongue.ENGLISH, *, no_trunc: bool = False) -> None:
        self.record = record
        self.lang = lang
        self.no_trunc = no_trunc

    @property
    def layers(self) -> pd.DataFrame:
        """A row for each layer of the two, from the base up, with who has it."""
        answer = Answer(kind="compare", records=self.record.layers, no_trunc=self.no_trunc)
        return frame(answer, self.lang)

    @property
    def differences(self) -> pd.DataFrame:
        """A row for each setting, variable, label, port and volume that differs."""
        answer = Answer(kind="differences", records=self.record.differences, no_trunc=self.no_trunc)
        return frame(answer, self.lang)

    def __repr__(self) -> str:
        return comparison_text(self.record, self._look(rich=False))

    def _repr_html_(self) -> str:
        look = self._look(rich=True)
        names = (element("div", element("b", say(name[:2])), say(name[2:])) for name in compared.names(self.record))
        different = compared.differences(self.record, look)
        told = tongue.say(self.lang, "nothing differs in configuration")
        return element(
            "div",
            *names,
            draw(compared.picture(self.record, self.lang)),
            grid(different) if different.rows else element("div", told, style=FAINT),
            grid(compared.layers(self.record, look)),
            class_="jupyimg",
        )

    def _look(self, *, rich: bool) -> Look:
        return Look(now=datetime.now(UTC), rich=rich, no_trunc=self.no_trunc, lang=self.lang)
