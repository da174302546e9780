"""Widgets where nobody can use them: a run without a front end, a shell, a terminal. Each says it in text instead."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.services.kernel import run_cells
from tests.services.process import environment

VIEW = "application/vnd.jupyter.widget-view+json"
LISTS = {
    "images": "REPOSITORY",
    "history sample/web:1.0": "CREATED BY",
    "df": "RECLAIMABLE",
    "df -v": "UNIQUE SIZE",
    "tags {served}/sample/web": "REPOSITORY",
    "search {served}/web": "DESCRIPTION",
    "catalog {served}": "sample/web",
}
FORMS = {
    "prune -a": "Nothing was removed yet; to remove all of these without ticking: %image prune -a -f",
    "login localhost:1 -u ada": "where nobody can fill it in: %image login localhost:1 -u NAME -p env:VARIABLE",
}
BEFORE = ["%load_ext jupyimg", "%image samples;", "served = %image serve --port 0"]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Every line with a widget, in a kernel that no front end talks to; then in a notebook that wants widgets."""
    asked = [f"%image {line} --widget" for line in [*LISTS, *FORMS]]
    wanted = ['%config ImageMagics.display = "widget"', *(f"%image {line}" for line in LISTS), "%image rmi {[]}"]
    return {cell.source: cell for cell in run_cells(tmp_path_factory.mktemp("widgets"), [*BEFORE, *asked, *wanted])}


@pytest.mark.parametrize(("line", "text"), [*LISTS.items(), *FORMS.items()])
def test_without_a_front_end_there_is_good_text_above_the_widget(ran, line, text):
    cell = ran[f"%image {line} --widget"]
    assert cell.error is None
    faces = [output.data for output in cell.outputs if output.get("data", {}).keys() & {"text/html", VIEW}]
    static, live = faces[-2:]  # a progress may stand above them
    assert text in static["text/plain"]
    assert VIEW not in static
    assert VIEW in live
    assert "text/html" not in live
    assert live["text/plain"].endswith(": run the cell to use it)")
    assert len(json.dumps([static, live])) < 50_000


@pytest.mark.parametrize("line", LISTS)
def test_a_notebook_that_wants_widgets_has_one_for_every_list(ran, line):
    assert ran[f"%image {line}"].shown(VIEW)
    assert not ran["%image rmi {[]}"].shown(VIEW)


@pytest.mark.parametrize("line", ["images", "history sample/web:1.0", "df", "prune -a"])
def test_a_terminal_and_a_bare_shell_show_text_alone(tmp_path, line):
    env = environment(tmp_path / "home", JUPYIMG_HOME=str(tmp_path / "jupyimg"), PATH=os.environ["PATH"])

    def said(*command: str) -> str:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    program = (sys.executable, "-m", "jupyimg")
    said(*program, "samples")
    plain = said(*program, *line.split())
    assert said(*program, *line.split(), "--widget") == plain
    shell = said(
        sys.executable,
        "-m",
        "IPython",
        "--no-banner",
        "--colors=nocolor",
        "-c",
        f"%load_ext jupyimg\n%image {line} --widget",
    )
    assert plain.split()[0].lower() in shell.lower()
    assert "object at 0x" not in shell
