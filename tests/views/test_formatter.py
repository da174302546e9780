"""The formatter shows our frames, touches no other, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import itables
import itables.javascript
import pandas as pd
import pytest

from jupyimg import views
from jupyimg.views import Answer
from jupyimg.views.frames import frame
from tests.views.samples import image

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

OTHER = pd.DataFrame({"size": [1, 2_000_000]})


def ours() -> pd.DataFrame:
    return frame(Answer(kind="images", records=[image()]))


def shown(shell: InteractiveShell, value: object) -> dict[str, Any]:
    return shell.display_formatter.format(value)[0]


def registered(shell: InteractiveShell) -> list[object]:
    formatters = shell.display_formatter.formatters
    kept = [
        {**formatters[mime].type_printers, **formatters[mime].deferred_printers} for mime in ("text/html", "text/plain")
    ]
    return [dict(printers) for printers in kept]


def test_our_frames_are_shown_in_words(shell: InteractiveShell) -> None:
    bundle = shown(shell, ours())
    assert "72.9MB" in bundle["text/html"]
    assert bundle["text/plain"].startswith("REPOSITORY")


def test_other_frames_are_shown_as_without_us(bare_shell: InteractiveShell) -> None:
    before = shown(bare_shell, OTHER)
    views.install(bare_shell)
    assert shown(bare_shell, OTHER) == before


def test_a_frame_that_lost_its_note_is_shown_by_pandas(shell: InteractiveShell) -> None:
    lost = ours()
    lost.attrs.clear()
    assert shown(shell, lost)["text/html"] == lost._repr_html_()
    assert shown(shell, ours().describe())["text/html"] == ours().describe()._repr_html_()


def test_uninstall_restores_all_there_was(bare_shell: InteractiveShell) -> None:
    before = registered(bare_shell)
    plain = shown(bare_shell, ours())
    for _ in range(3):
        views.install(bare_shell)
        views.install(bare_shell)
        assert shown(bare_shell, ours()) != plain
        views.uninstall(bare_shell)
        views.uninstall(bare_shell)
    assert registered(bare_shell) == before
    assert shown(bare_shell, ours()) == plain


def test_uninstall_before_any_frame_was_shown_restores_too(bare_shell: InteractiveShell) -> None:
    before = registered(bare_shell)
    views.install(bare_shell)
    assert registered(bare_shell) != before
    views.uninstall(bare_shell)
    assert registered(bare_shell) == before


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_printer_of_the_users_stays_whenever_it_came(bare_shell: InteractiveShell, when: str) -> None:
    html = bare_shell.display_formatter.formatters["text/html"]

    def theirs(made: pd.DataFrame) -> str:
        return f"<p>{len(made)}</p>"

    if when == "before":
        html.for_type(pd.DataFrame, theirs)
    views.install(bare_shell)
    if when == "after":
        html.for_type(pd.DataFrame, theirs)
    assert shown(bare_shell, ours())["text/html"] == "<p>1</p>"
    views.uninstall(bare_shell)
    assert shown(bare_shell, ours())["text/html"] == "<p>1</p>"
    assert html.lookup_by_type(pd.DataFrame) is theirs


def test_itables_shows_all_frames_if_the_user_turned_it_on(shell: InteractiveShell) -> None:
    itables.javascript.set_itables_repr_html_methods(all_interactive=True)
    try:
        assert "72.9MB" not in shown(shell, ours())["text/html"]
    finally:
        itables.javascript.set_itables_repr_html_methods(all_interactive=False)
    assert "72.9MB" in shown(shell, ours())["text/html"]


def test_a_subclass_with_its_own_face_keeps_it(shell: InteractiveShell) -> None:
    class Mine(pd.DataFrame):
        def _repr_html_(self) -> str:
            return "<p>mine</p>"

    mine = Mine(ours())
    mine.attrs.update(ours().attrs)
    assert shown(shell, mine)["text/html"] == "<p>mine</p>"


def test_frames_inside_other_values_are_shown_too(shell: InteractiveShell) -> None:
    assert "REPOSITORY" in shown(shell, [ours()])["text/plain"]


def test_install_imports_no_pandas_and_works_once_it_is_there() -> None:
    code = """
import sys
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
config = Config(); config.HistoryManager.enabled = False
shell = InteractiveShell.instance(config=config)
from jupyimg import views
views.install(shell)
assert "pandas" not in sys.modules
from jupyimg.views import Answer
made = views.to_notebook(Answer(kind="images", records=[]))
shell.display_formatter.active_types = shell.display_formatter.format_types
assert shell.display_formatter.format(made)[0]["text/plain"].startswith("REPOSITORY")
views.uninstall(shell)
assert shell.display_formatter.format(made)[0]["text/plain"].startswith("Empty DataFrame")
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
