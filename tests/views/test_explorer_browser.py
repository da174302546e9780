"""The explorer in JupyterLab, by hand and by keyboard: search, look, pull, remove; and nothing leaves the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.services.browser import JupyterPage


def test_smoke(jupyter_page: JupyterPage, tmp_path) -> None:
    jupyter_page.open(["%load_ext jupyimg", "%image samples;", "x = %image browse\nx"])
    jupyter_page.run_all()
    page = jupyter_page.page
    page.locator(".jie-row").first.wait_for()
    page.locator(".jie").scroll_into_view_if_needed()
    page.locator(".jie-row", has_text="sample/web:1.1").first.click()
    page.locator(".jie-title", has_text="sample/web").wait_for()
    jupyter_page.screenshot("/tmp/w-browse-1.png")
    print(jupyter_page.outputs()[2][:300])
    print(jupyter_page.complaints, jupyter_page.outside)
