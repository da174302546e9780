"""Widgets as a person uses them in JupyterLab: search and select, tick and confirm, type a password; then reopen it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from jupyimg.engines import open_engine
from jupyimg.model.settings import Settings
from tests.places.memory import MemoryPlace
from tests.store.bring import bring

if TYPE_CHECKING:
    from tests.services.browser import JupyterPage
    from tests.services.registry import Registry

LOAD = "%load_ext jupyimg"
RECORDS = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.views.samples import *
from jupyimg import views
from jupyimg.model.records import SearchRecord
from jupyimg.views import Answer
views.install(get_ipython())
EVIL = HOSTILE + '<img src=x onerror=alert(1)>' + chr(0x202e) + 'x' * 10_000
found = [SearchRecord(name=f'r/{{at}}', description=f'image {{at}}', stars=at * 37 % 41) for at in range(40)]
found += [SearchRecord(name='evil', description=EVIL, stars=0)]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A store with two images that share 50,000 bytes, one alone, one whose tag has moved on, and one with odd labels."""
    folder = tmp_path / "stock"
    store, place = open_engine(Settings(home=folder)).store, MemoryPlace(1 << 20)
    shared = b"s" * 50_000
    for name, layers in (
        ("app", (b"o" * 1000,)),
        ("app", (shared, b"n")),
        ("tool:1", (shared, b"t")),
        ("solo:2", (b"z" * 700,)),
    ):
        bring(store, place, name, place.image(layers=layers))
    return folder


def test_a_search_is_filtered_sorted_and_selected_from_and_its_text_stays_text(jupyter_page: JupyterPage) -> None:
    page = jupyter_page.page
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    answer = "table = views.to_notebook(Answer(kind='search', records=found, widget=True), line='search r'); table"
    jupyter_page.open([RECORDS, answer, "print(sorted(table.references), len(table.selection))"])
    jupyter_page.run_all()
    table = jupyter_page.output(1)
    rows = table.locator("table.dataTable tbody tr")
    rows.first.wait_for()
    # what lives is seen once: its static copy is folded
    table.locator("details.jupyimg-twin:not([open])").wait_for()
    expect(table.locator("details table")).to_be_hidden()
    for first in ("0", "40"):  # ascending, then descending
        table.locator("table.dataTable thead th", has_text="stars").click()
        rows.first.locator("td").nth(2).get_by_text(first, exact=True).wait_for()
    table.get_by_role("searchbox").fill('"image 3"')
    table.get_by_text("of 11 entries").wait_for()
    for name in ("r/3", "r/31"):
        table.get_by_role("cell", name=name, exact=True).click()
    expect(table.locator("tr.selected")).to_have_count(2)
    jupyter_page.run_until(2, r"\['r/3', 'r/31'\] 2")
    table.get_by_role("searchbox").fill("evil")
    rows.filter(has_text="evil").first.hover()
    page.screenshot(path=jupyter_page.folder / "search.png")
    assert dialogs == []
    assert page.locator(".jp-OutputArea img, .jp-OutputArea script").count() == 0
    assert "\u202e" not in table.inner_text()
    assert jupyter_page.complaints == jupyter_page.outside == []


def test_a_pruning_is_ticked_counted_exactly_and_confirmed(jupyter_page: JupyterPage, home: Path) -> None:
    page, engine = jupyter_page.page, open_engine(Settings(home=home))
    jupyter_page.open(
        [LOAD, "form = %image prune -a --widget\nform", "form.result[['action', 'reference']]"], JUPYIMG_HOME=str(home)
    )
    jupyter_page.run_all()
    preview = jupyter_page.output(1)

    def frees(*names: str) -> str:
        only = [
            one for one in engine.prunable(everything=True) if one.reference in names or (one.dangling and "" in names)
        ]
        return f"({sum(row.freed or 0 for row in engine.prune_plan(everything=True, only=only)):,} bytes)"

    preview.get_by_text(frees("")).wait_for()
    preview.get_by_label("app:latest").check()
    preview.get_by_text(frees("", "app:latest")).wait_for()
    preview.get_by_label("tool:1").focus()
    for key in ("Space", "d", "d"):  # the notebook's own shortcuts, of which two would delete the cell
        page.keyboard.press(key)
    preview.get_by_text(frees("", "app:latest", "tool:1")).wait_for()
    assert page.locator(".jp-CodeCell").count() == 3
    preview.get_by_label("app:<none>").uncheck()
    both = frees("app:latest", "tool:1")
    preview.get_by_text(both).wait_for()
    page.screenshot(path=jupyter_page.folder / "prune.png")
    preview.get_by_role("button", name="Remove 2 images").click()
    preview.get_by_text("Removed app:latest, tool:1.").wait_for()
    preview.get_by_text(f"Freed exactly 51.1kB {both}").first.wait_for()
    preview.get_by_text("every name and blob").click()
    preview.get_by_text("total reclaimed space").last.wait_for()
    page.screenshot(path=jupyter_page.folder / "pruned.png")
    assert [one.reference for one in engine.images()] == ["solo:2"]
    assert [one.dangling for one in engine.images(everything=True)].count(True) == 1
    jupyter_page.run_cell(2)
    jupyter_page.output(2).get_by_text("untagged").first.wait_for()
    assert jupyter_page.complaints == jupyter_page.outside == []


def test_a_login_is_typed_refused_typed_again_and_nowhere_in_the_notebook(
    jupyter_page: JupyterPage, htpasswd_registry: Registry
) -> None:
    page, host = jupyter_page.page, htpasswd_registry.host
    username, password = htpasswd_registry.login or ("", "")
    user = jupyter_page.folder / "user"
    jupyter_page.open(
        [
            LOAD,
            f"form = %image login {host} --widget\nform",
            "print(form, vars(form), form.widget.get_state())",
            "_ih, _oh",
        ],
        HOME=str(user),
    )
    jupyter_page.run_all()
    form = jupyter_page.output(1)
    secret = form.locator("input[type=password]")
    secret.wait_for()
    form.get_by_role("button").click()
    form.get_by_text("Both a user name and a password are needed.").wait_for()
    form.get_by_label("User name").fill(username)
    secret.fill("not the password")
    page.keyboard.press("Enter")
    form.get_by_text("does not accept this login").wait_for()
    page.screenshot(path=jupyter_page.folder / "refused.png")
    expect(secret).to_have_value("")
    assert not (user / ".docker").exists()
    secret.fill(password)
    form.get_by_role("button").click()
    form.get_by_text(f"Login Succeeded for {host}").wait_for()
    form.get_by_text(f"Logged in as {username}.").wait_for()
    page.screenshot(path=jupyter_page.folder / "accepted.png")
    expect(secret).to_be_hidden()
    for at in (2, 3):
        jupyter_page.run_cell(at)
        jupyter_page.wait_idle()
    assert list(json.loads((user / ".docker" / "config.json").read_text())["auths"]) == [host]
    saved = jupyter_page.save()
    shutil.rmtree(user / ".docker")
    texts = {path: path.read_bytes().decode("latin-1") for path in jupyter_page.folder.rglob("*") if path.is_file()}
    assert f"Login Succeeded for {host}" in texts[saved]
    assert "widgets" not in json.loads(texts[saved])["metadata"]
    for word in (password, json.dumps(password)[1:-1], "not the password"):
        assert not [path for path, text in texts.items() if word in text]
        assert word not in page.content()
    assert jupyter_page.complaints == jupyter_page.outside == []


def test_a_saved_notebook_shows_every_copy_without_its_kernel(jupyter_page: JupyterPage, home: Path) -> None:
    # all cells at once, since JupyterLab draws only those that are in sight
    jupyter_page.page.set_viewport_size({"width": 1280, "height": 2600})
    lines = ["images", "history app", "df", "df -v", "prune -a", "login localhost:1"]
    page = jupyter_page.page
    jupyter_page.open([LOAD, *(f"%image {line} --widget" for line in lines), "%image images"], JUPYIMG_HOME=str(home))
    jupyter_page.run_all()
    jupyter_page.output(1).locator("table.dataTable").wait_for()
    saved = jupyter_page.save()
    notebook = json.loads(saved.read_text())
    assert len(saved.read_bytes()) < 50_000
    assert all(len(each["outputs"]) == 2 for each in notebook["cells"][1:-1])
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    page.goto(page.url + "&reset" if "?" in page.url else page.url + "?reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    for at in range(1, len(lines)):
        jupyter_page.output(at).locator("details.jupyimg-twin[open] table").first.wait_for()
    jupyter_page.output(len(lines)).get_by_text("Log in to localhost:1").wait_for()
    plain = jupyter_page.output(len(lines) + 1)
    expect(plain).to_contain_text("3 images")
    expect(plain).not_to_contain_text("not found")
    page.screenshot(path=jupyter_page.folder / "reopened.png")
    assert jupyter_page.outside == []
