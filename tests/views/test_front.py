"""The front costs nothing until something is shown, and gives each answer its form."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from jupyimg import views
from jupyimg.views import Answer, Text
from tests.views.samples import image

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

HEAVY = ("pandas", "numpy", "IPython", "ipywidgets", "anywidget", "itables", "rich")


def imported_by(code: str) -> set[str]:
    check = f"{code}\nimport sys, json; print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    run = subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True, timeout=60)
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_importing_the_front_imports_nothing_heavy() -> None:
    assert imported_by("import jupyimg.views") == set()


@pytest.mark.parametrize("kind", ["images", "inspect"])
@pytest.mark.parametrize("form", ["json=True", "quiet=True", "no_trunc=True"])
def test_the_terminal_pays_for_nothing_heavy(kind: str, form: str) -> None:
    code = f"from jupyimg.views import Answer, to_text, progress\nto_text(Answer(kind={kind!r}, records=[], {form}))"
    assert imported_by(code + "\nwith progress('log') as show: pass") == set()


def test_a_bar_needs_rich_and_nothing_else() -> None:
    assert imported_by("from jupyimg.views import progress\nprogress('terminal')") == {"rich"}


def test_each_heavy_room_is_the_only_one_to_import_its_library() -> None:
    assert "itables" not in imported_by("import jupyimg.views.html, jupyimg.views.detail")
    assert "pandas" not in imported_by("import jupyimg.views.progress_kernel")


def test_json_in_a_notebook_shows_and_parses_as_what_it_is(shell: InteractiveShell) -> None:
    shown = views.to_notebook(Answer(kind="images", records=[image()], json=True))
    assert isinstance(shown, Text)
    assert json.loads(shown)[0]["size"] == 72_900_123
    assert repr(shown) == str(shown)
    assert shell.display_formatter.format(shown)[0]["text/plain"] == str(shown)


def test_quiet_images_are_a_frame_of_ids() -> None:
    made = views.to_notebook(Answer(kind="images", records=[image()], quiet=True))
    assert isinstance(made, pd.DataFrame)
    assert list(made.columns) == ["image_id"]


def test_a_kind_that_there_is_not_is_an_error() -> None:
    with pytest.raises(KeyError):
        views.to_notebook(Answer(kind="nonsense", records=[]))
    with pytest.raises(KeyError):
        views.to_text(Answer(kind="nonsense", records=[]))
