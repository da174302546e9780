"""Answer: what a command found, and how its user asked to see it. The one thing that every view takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyimg.views.forms import LoginAsk, PruneAsk
    from jupyimg.views.port import Port
    from jupyimg.views.visits import Live


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Records of one kind and the flags that decide how they are shown.

    Attributes:
        kind: the subcommand whose answer it is, in `columns.FRAMES`; or "inspect", whose records are `ImageDetail`.
        records: what the engine returned; each has a field for every column of its kind.
        notes: lines to say beside it that nothing has shown yet; progress shows the notes of its steps itself.
        quiet: only the IDs (``-q``).
        no_trunc: whole digests and texts (``--no-trunc``).
        digests: the digest column too (``--digests``).
        human: sizes and ages in words; False gives bytes and RFC 3339 times (``--human=false``).
        widget: an interactive table under the static one (``--widget``).
        json: the records as JSON text (``--format json``).
        form: what a form asks, where one was asked for (``--widget``) and can be shown.
        live: what goes on where something runs in the background, for a notebook to show while it does.
        port: what an explorer asks and has done, where a notebook is to show the records as one (`%image browse`).
    """

    kind: str
    records: Sequence[object]
    notes: tuple[str, ...] = ()
    quiet: bool = False
    no_trunc: bool = False
    digests: bool = False
    human: bool = True
    widget: bool = False
    json: bool = False
    form: LoginAsk | PruneAsk | None = None
    live: Live | None = None
    port: Port[Answer] | None = None
