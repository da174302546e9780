"""The explorer in JupyterLab, by mouse and by keyboard: search, look, act; and nothing leaves the machine."""

from __future__ import annotations

import json
import re
import socket
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.services import synthetic
from tests.services.waiting import PATIENCE
from tests.views.test_browser import SETUP

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.services.browser import JupyterPage
    from tests.services.registry import Registry

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>\"' onmouseover=alert(3) \u202eevil"
NOTEBOOKS_OWN = {
    "Cannot read properties of undefined (reading 'schema')",
    "Command 'filebrowser:open-path' not registered.",
}
"""What Notebook 7.6 complains about in an empty notebook too."""
FIVE_THOUSAND = """
from datetime import timedelta
class Port:
    place, remote = "", False
    def listing(self, name=""):
        yield from ()
        return answer
    def looking(self, name, platform):
        yield from ()
        raise KeyError(name)
records = [image(reference=f"team/app-{at % 40}:{at}", tag=str(at), size=at * 1000, manifest_digest=digest(str(at)),
    created=NOW - timedelta(hours=at)) for at in range(5000)]
answer = Answer(kind="images", records=records, port=Port())
views.to_notebook(answer)
"""
KEY_PRESS = """async () => {
    const search = document.querySelector('.jie input[type=search]');
    const began = performance.now();
    search.value = 'app-7:4';
    search.dispatchEvent(new Event('input', { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return performance.now() - began;
}"""


def open_explorer(jupyter_page: JupyterPage, *cells: str) -> Locator:
    jupyter_page.open(["%load_ext jupyimg", *cells])
    jupyter_page.run_all()
    root = jupyter_page.page.locator(".jie").last
    root.locator(".jie-row").first.wait_for()
    root.scroll_into_view_if_needed()
    return root


def theme(page: Page, name: str) -> None:
    """Change it; the server keeps it for the tests that come after."""
    page.evaluate(f"window.jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {name}'}})")
    page.wait_for_selector(f"body[data-jp-theme-light={'true' if name == 'Light' else 'false'}]", state="attached")
    page.wait_for_selector("#jupyterlab-splash", state="detached")


def button(root: Locator, label: str) -> Locator:
    return root.get_by_role("button", name=label, exact=True)


def test_images_are_found_tagged_and_removed_with_the_line_in_sight(jupyter_page: JupyterPage, tmp_path: Path) -> None:
    root = open_explorer(
        jupyter_page, "%image samples;", "x = %image browse\nx", "print(list(x.selection['reference']))"
    )
    page = jupyter_page.page
    search, rows = root.get_by_role("searchbox"), root.locator(".jie-row")
    search.fill("WEB arm64")
    expect(rows).to_have_count(4)
    search.press("ArrowDown")  # into the list, which takes the keys that JupyterLab would take
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    expect(root.locator("[aria-selected=true]")).to_have_attribute("aria-posinset", "2")
    search.fill("sample/web:1.0")
    rows.first.click()
    expect(root.locator(".jie-title")).to_have_text("sample/web:1.0")
    expect(root.locator(".jie-shared").first).to_be_visible()
    expect(root.locator(".jie-map > .jie-box")).to_have_count(4)
    jupyter_page.screenshot(tmp_path / "browse.png")
    jupyter_page.run_cell(3)
    expect(jupyter_page.output(3)).to_have_text("['sample/web:1.0']")

    line, said = root.get_by_label("the line to run"), root.locator(".jie-said")
    button(root, "Tag…").click()
    expect(line).to_have_value("%image tag sample/web:1.0 sample/web:NEW")
    page.keyboard.type("me/web:v1")  # over what is selected of the line
    page.keyboard.press("Enter")
    expect(said).to_contain_text("Tagged: me/web:v1")
    search.fill("me/web:v1 amd64")
    rows.first.click()
    expect(root.locator(".jie-title")).to_have_text("me/web:v1")
    button(root, "Remove…").click()
    expect(line).to_have_value("%image rmi me/web:v1")
    jupyter_page.screenshot(tmp_path / "remove.png")
    button(root, "Cancel").click()
    expect(rows).to_have_count(1)
    button(root, "Remove…").click()
    button(root, "Remove").click()
    expect(said).to_contain_text("Untagged: me/web:v1")
    expect(rows).to_have_count(0)

    search.fill("sample/base amd64")
    rows.first.click()
    expect(root.locator(".jie-title")).to_have_text("sample/base:1.0")
    button(root, "Push").click()
    line.fill("%image push 127.0.0.1:1/no/such")
    line.press("Enter")
    expect(root.get_by_role("alert").filter(has_text="It failed")).to_contain_text("no such image")
    jupyter_page.screenshot(tmp_path / "failed.png")

    button(root, "Pull").click()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # a registry that never answers
        line.fill(f"%image pull 127.0.0.1:{silent.getsockname()[1]}/no/such")
        line.press("Enter")
        silent.settimeout(PATIENCE)
        silent.accept()
        expect(root.get_by_role("progressbar")).to_be_visible()
        jupyter_page.screenshot(tmp_path / "running.png")
        button(root, "Stop").click()
        expect(root.locator(".jie-status [role=alert]")).to_contain_text("stopped")
    expect(button(root, "Stop")).to_be_hidden()

    outputs = json.loads(jupyter_page.save().read_text())["cells"][2]["outputs"]
    assert [sorted(output["data"]) for output in outputs] == [
        ["text/html", "text/plain"],
        ["application/vnd.jupyter.widget-view+json", "text/plain"],
    ]
    assert len(json.dumps(outputs)) < 50_000
    assert jupyter_page.complaints == []
    assert jupyter_page.outside == []


def test_a_registry_is_walked_by_keyboard_pulled_from_and_hostile_text_does_nothing(
    jupyter_page: JupyterPage, registry: Registry, tmp_path: Path
) -> None:
    dialogs: list[str] = []
    jupyter_page.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    layers = synthetic.make_layers(3, 40_000)
    steps = [{"created": synthetic.CREATED, "created_by": text} for text in (EVIL, "RUN 安装软件", "y" * 10_000)]
    labels = {EVIL: EVIL, "long": "x" * 10_000, "描述": "教学用的镜像", "hebrew": "\u05e9\u05dc\u05d5\u05dd!"}
    evil = synthetic.make_image(layers, labels=labels, config={"history": steps})
    synthetic.push(registry, "team/evil", "1.0", evil)
    arms = [synthetic.make_image(layers[:2], platform=name) for name in ("linux/amd64", "linux/arm64")]
    synthetic.push(registry, "team/app", "2.0", synthetic.make_index(arms))
    for at in range(12):
        synthetic.push(registry, f"team/more-{at}", "1", arms[0])
    root = open_explorer(jupyter_page, f"%image browse {registry.host}")
    page, title, listed = jupyter_page.page, root.locator(".jie-title"), root.locator(".jie-list[role=listbox]")
    expect(root.locator(".jie-place")).to_have_text(registry.host)
    listed.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(root.locator(".jie-place")).to_have_text(f"{registry.host}/team/app")
    page.keyboard.press("ArrowDown")
    expect(title).to_have_text(f"{registry.host}/team/app:2.0")
    expect(button(root, "Push")).to_be_disabled()  # it is not here
    button(root, "linux/arm64").click()
    expect(button(root, "linux/arm64")).to_have_attribute("aria-pressed", "true")
    button(root, "Pull").click()
    expect(root.get_by_label("the line to run")).to_have_value(
        f"%image pull --platform linux/arm64 {registry.host}/team/app:2.0"
    )
    button(root, "Run").click()
    expect(root.locator(".jie-said")).to_contain_text("Downloaded")
    expect(button(root, "Push")).to_be_enabled()
    expect(button(root, "linux/arm64")).to_have_attribute("aria-pressed", "true")
    expect(root.locator(".jie-shared").first).to_be_visible()
    jupyter_page.screenshot(tmp_path / "registry.png")

    listed.focus()
    page.keyboard.press("Backspace")
    expect(root.locator(".jie-place")).to_have_text(registry.host)
    for row in root.locator(".jie-row").all():
        assert len(row.inner_text().splitlines()) == 1, "a repository is a name, and no line below it is empty"
        assert row.bounding_box()["height"] < 40
    root.locator(".jie-row").filter(has_text="team/evil").click()
    expect(root.locator(".jie-place")).to_have_text(f"{registry.host}/team/evil")
    root.locator(".jie-row").first.click()
    expect(title).to_have_text(f"{registry.host}/team/evil:1.0")
    for fold in root.locator("summary").all():
        fold.scroll_into_view_if_needed()
        fold.hover()
    root.locator("summary", has_text="History").click()
    root.locator("summary", has_text="Labels").scroll_into_view_if_needed()
    theme(page, "Dark")
    jupyter_page.screenshot(tmp_path / "hostile-dark.png")
    theme(page, "Light")
    assert root.locator("img, script, iframe, style").count() == 0
    assert dialogs == []
    assert jupyter_page.complaints == []
    assert jupyter_page.outside == []


def test_a_click_counts_where_the_list_is_drawn_anew_in_the_middle_of_it(jupyter_page: JupyterPage) -> None:
    root = open_explorer(jupyter_page, "%image samples;", "%image browse")
    row = root.locator(".jie-row").nth(1)
    name = row.locator("bdi").inner_text()
    row.hover()
    jupyter_page.page.mouse.down()
    root.get_by_role("searchbox").evaluate("(search) => search.dispatchEvent(new Event('input', { bubbles: true }))")
    jupyter_page.page.mouse.up()
    expect(root.locator(".jie-title")).to_have_text(name)


def test_notebook_7_shows_it_too_and_a_line_is_copied(jupyter_page: JupyterPage, tmp_path: Path) -> None:
    jupyter_page.open(["%load_ext jupyimg", "%image samples;", "%image browse"], classic=True)
    jupyter_page.run_all()
    root, page = jupyter_page.page.locator(".jie"), jupyter_page.page
    root.locator(".jie-row", has_text="sample/hello").first.click()
    expect(root.locator(".jie-title")).to_have_text("sample/hello:latest")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button(root, "Save…").click()
    button(root, "Copy as code").click()
    expect(root.locator(".jie-act")).to_contain_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "%image save -o hello-latest.tar sample/hello:latest"
    root.scroll_into_view_if_needed()
    jupyter_page.screenshot(tmp_path / "notebook-7.png")
    assert [each for each in jupyter_page.complaints if each not in NOTEBOOKS_OWN] == []
    assert jupyter_page.outside == []


def test_five_thousand_images_are_searched_and_scrolled(jupyter_page: JupyterPage, tmp_path: Path) -> None:
    jupyter_page.open([SETUP, FIVE_THOUSAND])
    jupyter_page.run_all()
    page, root = jupyter_page.page, jupyter_page.page.locator(".jie")
    expect(root.locator(".jie-row").first).to_be_visible()
    page.evaluate("window.painted = 0")
    page.evaluate(
        """() => {
            const began = performance.now();
            new MutationObserver(() => {
                if (!window.painted && document.querySelector('.jie-row')) window.painted = performance.now() - began;
            }).observe(document.body, { childList: true, subtree: true });
        }"""
    )
    page.evaluate("() => document.querySelectorAll('.jie').forEach((each) => each.remove())")
    jupyter_page.run_cell(1)
    page.wait_for_function("() => window.painted > 0")
    painted = page.evaluate("window.painted") / 1000
    expect(root.locator(".jie-row").first).to_be_visible()
    pressed = page.evaluate(KEY_PRESS) / 1000
    print(f"5,000 rows: first paint {painted:.2f} s after the cell was run, a key press in the filter {pressed:.3f} s")
    expect(root.locator(".jie-bar [role=status]")).to_have_text(re.compile(r"^\d+ of 5000$"))
    expect(root.locator(".jie-row").filter(has_not_text="app-7:4")).to_have_count(0)
    root.get_by_role("searchbox").fill("")
    root.get_by_label("sort").select_option("largest first")
    expect(root.locator(".jie-row").first).to_contain_text("team/app-39:4999")
    root.locator(".jie-list").focus()
    page.keyboard.press("End")
    expect(root.locator("[aria-selected=true]")).to_contain_text("team/app-0:0")
    assert root.locator(".jie-row").count() < 60  # only what is seen exists
    expect(root.locator(".jie-sight [role=alert]")).to_contain_text("KeyError")
    jupyter_page.screenshot(tmp_path / "five-thousand.png")
    assert jupyter_page.complaints == []
