"""What a person sees of long work in JupyterLab: bars that move, buttons that stop it, and a notebook that keeps it."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from playwright.sync_api import expect

from tests.bench import images
from tests.crash.relay import relayed

LAYER = 4_000_000
SLOW = 64 << 10
"""Bytes a second and connection: a layer takes a minute, so that none is complete when a test stops it."""

SOME = re.compile(r"Downloading [1-9]")
"""What a layer shows of which bytes are here."""


@pytest.fixture
def relay(registry):
    images.push(registry, "lab/big", "1", layers=4, size=LAYER)
    with relayed(registry.host, SLOW) as relay:
        yield relay


@pytest.fixture
def slow(relay):
    """An image behind a line that is slow until a test lets it go."""
    return f"{relay.host}/lab/big:1"


def test_a_job_can_be_watched_and_cancelled_while_cells_run(jupyter_page, relay, slow, tmp_path):
    jupyter_page.open(["%load_ext jupyimg", f"job = %image pull -d {slow}", "print(6 * 7)", "job", "job.wait()"])
    page = jupyter_page.page
    for at in range(2):
        jupyter_page.run_cell(at)
    seen = jupyter_page.output(1)
    seen.get_by_text(SOME).first.wait_for()
    jupyter_page.run_cell(2)
    jupyter_page.output(2).get_by_text("42").wait_for()
    seen.get_by_text("left").first.wait_for()
    jupyter_page.run_cell(3)  # the same display once more, with a button of its own
    jupyter_page.output(3).get_by_role("button", name="Cancel").wait_for()
    jupyter_page.screenshot(tmp_path / "running.png")
    seen.get_by_role("progressbar").nth(1).wait_for()
    seen.get_by_role("button", name="Cancel").click()
    for at in (1, 3):
        jupyter_page.output(at).get_by_text("cancelled: what arrived is kept").wait_for()
        jupyter_page.output(at).get_by_text("Interrupted: 0 of 4 layers complete").wait_for()
        expect(jupyter_page.output(at).get_by_role("progressbar")).to_have_count(0)
        expect(jupyter_page.output(at).get_by_role("button")).to_have_count(0)
    jupyter_page.run_cell(4)
    jupyter_page.output(4).get_by_text("Interrupted: interrupted; ").wait_for()
    jupyter_page.screenshot(tmp_path / "cancelled.png")
    relay.rate = 0
    jupyter_page.run_cell(1)
    jupyter_page.output(1).get_by_text("over: the .result() of this job").wait_for()
    jupyter_page.output(1).get_by_text("from an earlier attempt").wait_for()
    assert jupyter_page.complaints == []
    assert jupyter_page.outside == []

    saved = jupyter_page.save()
    assert "widget" not in json.dumps(json.loads(saved.read_text())["cells"][1]["outputs"])
    shutil.copy(saved, tmp_path / "saved.ipynb")
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")  # whose widgets end with it
    jupyter_page.open(tmp_path / "saved.ipynb")
    jupyter_page.output(1).get_by_text("Pull complete").first.wait_for()
    jupyter_page.output(1).get_by_text("over: the .result() of this job").wait_for()
    jupyter_page.screenshot(tmp_path / "reopened.png")
    expect(page.get_by_text("model not found")).to_have_count(0)


def test_the_interrupt_button_stops_a_pull_in_front_and_says_what_is_kept(jupyter_page, relay, slow, tmp_path):
    jupyter_page.open(["%load_ext jupyimg", f"%image pull {slow}", f"%image push -d {slow}"])
    page = jupyter_page.page
    for at in range(2):
        jupyter_page.run_cell(at)
    jupyter_page.output(1).get_by_text(SOME).first.wait_for()
    jupyter_page.output(1).get_by_text("left").first.wait_for()
    jupyter_page.screenshot(tmp_path / "pulling.png")
    expect(jupyter_page.output(1).get_by_role("button")).to_have_count(0)
    page.locator(
        "[data-command='notebook:interrupt-kernel'] button, button[data-command='notebook:interrupt-kernel']"
    ).or_(page.get_by_role("button", name="Interrupt the kernel")).first.click()
    jupyter_page.output(1).get_by_text("Interrupted: 0 of 4 layers complete").wait_for()
    jupyter_page.output(1).get_by_text("hint: run the line again").wait_for()
    jupyter_page.wait_idle()
    relay.rate = 0
    jupyter_page.run_cell(1)
    jupyter_page.output(1).get_by_text("from an earlier attempt").wait_for()
    jupyter_page.run_cell(2)
    jupyter_page.output(2).get_by_text("4 layers, all already there").wait_for()
    jupyter_page.screenshot(tmp_path / "again.png")
    assert jupyter_page.complaints == []
    assert jupyter_page.outside == []
