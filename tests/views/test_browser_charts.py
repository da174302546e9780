"""Charts and comparisons in JupyterLab: to be seen in both themes, read out by role, and never more than text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.services.waiting import until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.services.browser import JupyterPage

SETUP = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.views.test_charts import *
from tests.views.test_comparison import compared, changed, layer as held, HOSTILE
from jupyimg import views
views.install(get_ipython())
EVIL = HOSTILE + "<img src=x onerror=alert(1)></title></svg><script>alert(2)</script>" * 50
"""
CELLS = [
    SETUP,
    (
        "steps = [step(), layer(1, 118_000_000, 43_900_000, 'RUN apt-get install nginx'), "
        "layer(2, 74_800_000, 28_200_000, 'ADD rootfs /'), layer(3, 9, 9, EVIL)]\n"
        "views.to_notebook(Answer(kind='history', records=steps), lang='zh')"
    ),
    "views.to_notebook(Answer(kind='df', records=[disk(), disk(type='Partial Downloads', size=310_000_000)]))",
    (
        "views.to_notebook(Answer(kind='compare', records=[compared(b=changed(User=EVIL, Labels={EVIL: EVIL}), "
        "mine=[held('own', 45_000_000), held('base', 28_000_000)], others=[held('base', 28_000_000)])]))"
    ),
]
THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
CHANGED = "light => document.body.dataset.jpThemeLight === light && !document.getElementById('jupyterlab-splash')"
INK = "node => getComputedStyle(node).color"


def lightness(colour: str) -> float:
    return sum(map(float, colour.removeprefix("rgba(").removeprefix("rgb(").rstrip(")").split(",")[:3])) / 3


def use(page: Page, theme: str, *, light: str) -> None:
    page.evaluate(THEME, theme)
    page.wait_for_function(CHANGED, arg=light)


def test_charts_are_seen_in_both_themes_and_are_text_and_bars(jupyter_page: JupyterPage, tmp_path: Path) -> None:
    dialogs: list[str] = []
    page = jupyter_page.page
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    jupyter_page.open(CELLS)
    use(page, "JupyterLab Light", light="true")  # whatever a test before this one left
    jupyter_page.run_all()
    bars = page.locator(".jp-OutputArea svg[role=img]")
    page.get_by_role("img", name="Images · in use: 500,000,000 bytes · reclaimable: 900,000,000 bytes").wait_for()
    expect(bars).to_have_count(7)
    widths = [(bar.bounding_box() or {"width": 0})["width"] for bar in bars.all()]
    assert [round(width) for width in widths[:2]] == [380, 241]  # 118MB and 74.8MB
    expect(jupyter_page.output(1)).to_contain_text("个步骤")
    ink = page.locator(".jp-OutputArea tr", has=page.locator("svg[role=img]")).locator("th").first
    light = lightness(ink.evaluate(INK))
    jupyter_page.screenshot(tmp_path / "light.png")
    use(page, "JupyterLab Dark", light="false")
    until(lambda: lightness(ink.evaluate(INK)) > light + 100)  # its style sheet may come after its name
    bars.last.scroll_into_view_if_needed()
    jupyter_page.screenshot(tmp_path / "dark.png")
    use(page, "JupyterLab Light", light="true")  # the server, and so its theme, is every test's
    assert page.locator(".jp-OutputArea img").count() == 0
    assert page.locator(".jp-OutputArea script").count() == 0
    assert dialogs == []
    assert jupyter_page.complaints == []
    assert jupyter_page.outside == []
    assert jupyter_page.save().stat().st_size < 3 * 50_000
