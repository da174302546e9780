"""Views: records -> what is shown. They know `jupyimg.model` and nothing else of ours.

This front imports nothing heavy: a terminal never pays for pandas, and loading the extension pays for nothing. The
modules that need pandas, IPython, ipywidgets or rich are imported by name when first used, through `_ROOMS`, the one
lazy seam of this floor.

    answer, columns   what is asked and what is promised        frames, series -> pandas (and `df.oci`: accessor, tree)
    plans, shown      which columns are seen, in which words    html      -> a frame in words, for browsers and text
    plain             -> a terminal, as Docker writes           detail    -> inspect: a mapping with a face
    tongue, chinese   English or Chinese around the data        compared, comparison -> two images side by side
    geometry, svg     numbers as bars in a small picture        charts    -> where the bytes are, under a table
    ledger, progress  -> long operations while they run         table     -> a widget to search and select in
    forms             what forms ask                            twin      -> a widget under its static copy
    login_form, prune_form  -> what is typed, and what is ticked
    lines, following  -> a log while it comes                   dispatch  -> what a frame runs for its user
    visits, served    -> a registry of ours, who uses it        served_live  -> and while they do
    port, explorer    -> a widget to look around in and act
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jupyimg.model.records import ImageDetail, RemovalRecord
from jupyimg.views import formatter, plain, tongue
from jupyimg.views.answer import Answer
from jupyimg.views.forms import LoginAsk, PruneAsk
from jupyimg.views.lines import Lines, PrintedLines
from jupyimg.views.progress import LogProgress, Progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

__all__ = [
    "Answer",
    "LogProgress",
    "LoginAsk",
    "Progress",
    "PruneAsk",
    "Text",
    "done",
    "explore",
    "install",
    "progress",
    "run_line",
    "show",
    "to_notebook",
    "to_text",
    "uninstall",
]

_ROOMS = {
    "frames": "jupyimg.views.frames",
    "html": "jupyimg.views.html",
    "detail": "jupyimg.views.detail",
    "comparison": "jupyimg.views.comparison",
    "table": "jupyimg.views.table",
    "dispatch": "jupyimg.views.dispatch",
    "login": "jupyimg.views.login_form",
    "prune": "jupyimg.views.prune_form",
    "served": "jupyimg.views.served",
    "served_live": "jupyimg.views.served_live",
    "explorer": "jupyimg.views.explorer",
    "kernel": "jupyimg.views.progress_kernel",
    "detached": "jupyimg.views.progress_detached",
    "terminal": "jupyimg.views.progress_terminal",
    "following": "jupyimg.views.following",
}


def _room(name: str) -> Any:
    return import_module(_ROOMS[name])


class Text(str):
    """Text that shows itself as it is, so that ``--format json`` in a cell can be read, copied and parsed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


_BROWSED = frozenset({"images", "history", "df", "df -v", "search", "tags", "catalog"})


def to_notebook(answer: Answer, *, widget: bool = False, lang: str = tongue.ENGLISH, line: str = "") -> Any:
    """What a line returns in a notebook: a DataFrame, a `Detail` or `Details`, a `Table`, a form, or JSON as `Text`.

    Args:
        answer: what to show; ``answer.widget`` asks for a `Table`, ``answer.form`` for a form.
        widget: the whole notebook wants tables for what there is to look through.
        lang: of all that stands around the data, "en" or "zh"; columns and values are the same in every language.
        line: what was asked; the same line again updates the table that it has.
    """
    if answer.json:
        return Text(plain.json_text(answer))
    if isinstance(answer.form, LoginAsk):
        return _room("login").LoginForm(answer.form, lang)
    if isinstance(answer.form, PruneAsk):
        return _room("prune").PruneForm(answer.form, lang)
    if answer.kind == "inspect":
        room = _room("detail")
        found = [room.Detail(record, lang) for record in answer.records]
        return found[0] if len(found) == 1 else room.Details(found)
    if answer.kind in plain.SPOKEN:
        return Text("\n".join(tongue.note(lang, line) for line in to_text(answer).splitlines()))
    if answer.kind == "serve":
        if answer.live is not None:
            return _room("served_live").LiveServed(answer.records[0], lang, answer.live)
        shown = [_room("served").Served(record, lang) for record in answer.records]
        return shown[0] if len(shown) == 1 else shown
    if answer.port is not None:
        return _room("explorer").explorer(answer, lang)
    if answer.kind == "compare":
        room = _room("comparison")
        found = [room.Comparison(record, lang, no_trunc=answer.no_trunc) for record in answer.records]
        return found[0] if len(found) == 1 else found
    frame = _room("frames").frame(answer, lang)
    browsed = answer.widget or (widget and not answer.quiet and answer.kind in _BROWSED)
    return _room("table").table(frame, line) if browsed else frame


def done(records: Sequence[object]) -> Answer:
    """What an operation that failed did all the same, the ``done`` of its error, as an answer."""
    kinds = {RemovalRecord: "rmi", ImageDetail: "inspect"}
    return Answer(kind=next((kinds[kind] for kind in kinds if isinstance(records[0], kind)), "pull"), records=records)


def show(value: Any) -> None:
    """Show a value beside what the cell returns."""
    _room("kernel").show(value)


def explore(frame: Any) -> Any:
    """A frame as the `Table` that ``--widget`` gives: to search, sort and select rows in."""
    return _room("table").table(frame)


def run_line(verb: str, name: str, *flags: str, platform: str | None = None) -> Any:
    """What a line of %image returns, run for a frame in the notebook that it is in; see `dispatch.run`."""
    return _room("dispatch").run(verb, name, *flags, platform=platform)


def to_text(answer: Answer, width: int | None = None) -> str:
    """What a line prints on a terminal, "" where Docker prints nothing; ``width`` is the terminal's, None is any."""
    return plain.text(answer, width=width)


def notes(answer: Answer) -> list[str]:
    """What is said beside what a line prints; a terminal keeps it out of what scripts cut."""
    return [] if answer.kind in plain.SPOKEN or answer.json else plain.notes(answer)


def progress(where: str, kind: str = "pull", *, file: TextIO | None = None, lang: str = tongue.ENGLISH) -> Progress:
    """How the steps of a long operation are shown.

    Args:
        where: "kernel" (a display in a notebook), "detached" (one that outlives its cell), "terminal" (bars), "log"
            (lines) or "quiet" (nothing).
        kind: the operation, which decides the words.
        file: where the terminal's and the log's go; standard error if None.
        lang: of the words in a notebook; a terminal's and a log's are Docker's.
    """
    if kind == "logs":
        return _lines(where, lang)
    match where:
        case "kernel":
            made: Progress = _room("kernel").KernelProgress(kind, lang=lang)
        case "detached":
            made = _room("detached").DetachedProgress(kind, lang=lang)
        case "terminal":
            made = _room("terminal").TerminalProgress(kind, file=file)
        case "log":
            made = LogProgress(kind, file=file)
        case _:
            made = Progress(kind)
    return made


def _lines(where: str, lang: str) -> Progress:
    """How the lines of a log are shown while they come."""
    if where == "kernel":
        made: Progress = _room("following").KernelLines(lang)
        return made
    return Lines() if where == "quiet" else PrintedLines()


def install(shell: Any) -> None:
    """Let an IPython shell show frames of ours in words; `uninstall` undoes it, and both may be done twice."""
    formatter.install(
        shell, html=lambda frame: _room("html").to_html(frame), text=lambda frame: _room("html").to_text(frame)
    )


def uninstall(shell: Any) -> None:
    """Let an IPython shell show all frames as pandas does."""
    formatter.uninstall(shell)
