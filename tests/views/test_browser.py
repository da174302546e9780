"""What a person sees in JupyterLab: words, tables that sort by the number behind a word, and text that stays text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.views.samples import digest

if TYPE_CHECKING:
    from tests.services.browser import JupyterPage

SETUP = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.views.samples import *
from tests.views.test_progress import PULL
from jupyimg import views
from jupyimg.views import Answer
views.install(get_ipython())
"""
SIZES = (20_000, 999, 1_000_000, 5_000_000_000, 70_000)


def test_what_is_shown_can_be_read_sorted_and_selected(jupyter_page: JupyterPage) -> None:
    jupyter_page.open(
        [
            SETUP,
            "views.to_notebook(Answer(kind='images', records=[image(size=198_000_000)]))",
            (
                f"rows = [image(size=size, reference=f'r:{{size}}', tag=str(size)) for size in {SIZES}]\n"
                "table = views.to_notebook(Answer(kind='images', records=rows, widget=True)); table"
            ),
            "with views.progress('kernel') as show:\n    for each in PULL: show(each)",
            "table.references",
        ]
    )
    jupyter_page.run_all()
    expect(jupyter_page.output(1)).to_contain_text("198MB")
    expect(jupyter_page.output(2)).to_contain_text("static copy")
    row = jupyter_page.output(3).locator("tr", has_text=digest("top").short).locator("th, td")
    expect(row.filter(has_text=re.compile("."))).to_have_text([digest("top").short, "layer", "6MB", "Pull complete"])

    page = jupyter_page.page
    page.locator("table.dataTable thead th", has_text="size").click()
    rows = page.locator("table.dataTable tbody tr")
    expect(rows.locator("td:nth-child(5)")).to_have_text(["999B", "20kB", "70kB", "1MB", "5GB"])
    rows.nth(0).click()
    rows.nth(4).click()
    expect(page.locator("table.dataTable tbody tr.selected")).to_have_count(2)
    jupyter_page.run_until(4, r"\['r:(999', 'r:5000000000|5000000000', 'r:999)'\]")

    saved = json.loads(jupyter_page.save().read_text())
    first = saved["cells"][2]["outputs"][0]["data"]
    assert set(first) == {"text/html", "text/plain"}
    assert jupyter_page.complaints == []
    assert jupyter_page.outside == []


def test_hostile_text_is_never_run(jupyter_page: JupyterPage) -> None:
    dialogs: list[str] = []
    jupyter_page.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    jupyter_page.open(
        [
            SETUP + "EVIL = '<img src=x onerror=alert(1)><script>alert(2)</script>\"\\' onmouseover=alert(3) '",
            "views.to_notebook(Answer(kind='images', records=[image(repository=EVIL, tag=EVIL, reference=EVIL)]))",
            "views.to_notebook(Answer(kind='images', records=[image(repository=EVIL, tag=EVIL)], widget=True))",
            (
                "views.to_notebook(Answer(kind='inspect', records=[detail(reference=EVIL, document={EVIL: EVIL}, "
                "config={'Config': {'Env': [EVIL]}})]))"
            ),
            (
                "from jupyimg.model.content import Phase, Step\n"
                "with views.progress('kernel') as show: show(Step(Phase.FAILED, EVIL, 0, 1, EVIL))"
            ),
        ]
    )
    jupyter_page.run_all()
    page = jupyter_page.page
    page.locator("table.dataTable tbody tr").first.hover()
    expect(jupyter_page.output(4)).to_contain_text("onerror")  # the last of them is drawn
    for fold in page.locator(".jupyimg summary").all():
        fold.click()
    assert page.locator(".jp-OutputArea img").count() == 0
    assert page.locator(".jp-OutputArea script").count() == 0
    assert dialogs == []
    assert jupyter_page.outside == []
