"""What a person sees of long work in JupyterLab: bars that move, buttons that stop it, and a notebook that keeps it."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.bench import images
from tests.crash.relay import relayed

SLOW = 400 << 10


@pytest.fixture
def slow(registry):
    images.push(registry, "lab/big", "1", layers=4, size=1_500_000)
    with relayed(registry.host, SLOW) as relay:
        yield f"{relay.host}/lab/big:1"


def run_cell(page, at):
    page.page.locator(".jp-Notebook .jp-CodeCell .cm-content").nth(at).click()
    page.page.keyboard.press("Control+Enter")


def output(page, at):
    return page.page.locator(".jp-Notebook .jp-CodeCell").nth(at).locator(".jp-Cell-outputArea")


def test_a_job_can_be_watched_and_cancelled_while_cells_run(jupyter_page, slow, tmp_path):
    jupyter_page.open(["%load_ext jupyimg", f"job = %image pull -d {slow}", "print(6 * 7)", "job", "job.wait()"])
    page = jupyter_page.page
    for at in range(2):
        run_cell(jupyter_page, at)
    seen = output(jupyter_page, 1)
    seen.get_by_text("Downloading").first.wait_for()
    run_cell(jupyter_page, 2)
    output(jupyter_page, 2).get_by_text("42").wait_for()
    seen.get_by_text("1 of 4 layers").or_(seen.get_by_text("left")).first.wait_for()
    run_cell(jupyter_page, 3)  # the same display once more, with a button of its own
    output(jupyter_page, 3).get_by_role("button", name="Cancel").wait_for()
    jupyter_page.screenshot(tmp_path / "running.png")
    assert seen.get_by_role("progressbar").count() >= 2
    seen.get_by_role("button", name="Cancel").click()
    for at in (1, 3):
        output(jupyter_page, at).get_by_text("cancelled: what arrived is kept").wait_for(timeout=5000)
        output(jupyter_page, at).get_by_text("Interrupted: 0 of 4 layers complete").wait_for()
        assert output(jupyter_page, at).get_by_role("progressbar").count() == 0
        assert output(jupyter_page, at).get_by_role("button").count() == 0
    run_cell(jupyter_page, 4)
    output(jupyter_page, 4).get_by_text("Interrupted: interrupted; ").wait_for()
    jupyter_page.screenshot(tmp_path / "cancelled.png")
    run_cell(jupyter_page, 1)
    output(jupyter_page, 1).get_by_text("over: the .result() of this job").wait_for()
    output(jupyter_page, 1).get_by_text("from an earlier attempt").wait_for()
    assert jupyter_page.complaints == []
    assert jupyter_page.outside == []

    page.wait_for_timeout(200)
    saved = jupyter_page.save()
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    assert "widget" not in json.dumps(json.loads(saved.read_text())["cells"][1]["outputs"])
    shutil.copy(saved, tmp_path / "saved.ipynb")
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")  # whose widgets end with it
    jupyter_page.open(tmp_path / "saved.ipynb")
    output(jupyter_page, 1).get_by_text("Pull complete").first.wait_for()
    output(jupyter_page, 1).get_by_text("over: the .result() of this job").wait_for()
    jupyter_page.screenshot(tmp_path / "reopened.png")
    assert page.get_by_text("model not found").count() == 0


def test_the_interrupt_button_stops_a_pull_in_front_and_says_what_is_kept(jupyter_page, slow, tmp_path):
    jupyter_page.open(["%load_ext jupyimg", f"%image pull {slow}", f"%image push -d {slow}"])
    page = jupyter_page.page
    for at in range(2):
        run_cell(jupyter_page, at)
    output(jupyter_page, 1).get_by_text("left").wait_for()
    jupyter_page.screenshot(tmp_path / "pulling.png")
    assert output(jupyter_page, 1).get_by_role("button").count() == 0
    page.locator(
        "[data-command='notebook:interrupt-kernel'] button, button[data-command='notebook:interrupt-kernel']"
    ).or_(page.get_by_role("button", name="Interrupt the kernel")).first.click()
    output(jupyter_page, 1).get_by_text("Interrupted: 0 of 4 layers complete").wait_for(timeout=5000)
    output(jupyter_page, 1).get_by_text("hint: run the line again").wait_for()
    jupyter_page.wait_idle()
    run_cell(jupyter_page, 1)
    output(jupyter_page, 1).get_by_text("from an earlier attempt").wait_for()
    run_cell(jupyter_page, 2)
    output(jupyter_page, 2).get_by_text("4 layers, all already there").wait_for()
    jupyter_page.screenshot(tmp_path / "again.png")
    assert jupyter_page.complaints == []
    assert jupyter_page.outside == []
