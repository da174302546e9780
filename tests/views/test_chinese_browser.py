"""A Chinese notebook in JupyterLab: what lives in it says no word of ours in English, and names stay as they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.bench import images
from tests.crash.relay import Relay, relayed
from tests.services import synthetic
from tests.views.test_browser import SETUP

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Locator

    from tests.services.browser import JupyterPage
    from tests.services.registry import Registry

SLOW = 64 << 10
"""Bytes a second and connection: no layer is complete before the test has seen it come."""
LOAD = '%load_ext jupyimg\n%config ImageMagics.lang = "zh"'
TEXTS = """(root) => {
    const seen = [];
    for (const node of [root, ...root.querySelectorAll('*')]) {
        if (node.closest('[hidden], style, script, bdi, code, .jie-code, .jie-box, .jp-OutputArea-promptOverlay') || !node.getClientRects().length) continue;
        for (const name of ['placeholder', 'aria-label', 'title', 'alt']) seen.push(node.getAttribute(name) ?? '');
        for (const child of node.childNodes) if (child.nodeType === Node.TEXT_NODE) seen.push(child.nodeValue);
    }
    return seen.map((text) => text.trim()).filter(Boolean);
}"""
"""All that is to be seen, hovered over or read out, one text each; not what is hidden, foreign text, or JupyterLab's."""
DATA = re.compile(
    r"%image[^：。；]*|\bpull \S+|127\.0\.0\.1:\d+|docker\.io|\blatest\b|\S*(lab|team|sample|app)[/-]\S*|sha256:\w+|\b[0-9a-f]{12}\b|linux/[\w/]+|"
    r"\d[\d.,]* ?[kMG]?B(/s)?|\d[\d.]* s\b|\.(result|cancel)\(\)|<none>|~/\S+|\bID\b|\bada\b|\bN/A\b|\d{4}-\d\d-\d\dT[\d:.]+Z|"
    r"列名 \w+|数据中的其他列：[\w, ]+|docker images|tags 和 pull|^pagination$|按 docker \w+"
)
"""What is data, or a line to type: it stays in every language; and a word that DataTables gives nobody a say in."""
SLOW_PORT = """
import pathlib, time
from jupyimg.model.records import RepositoryRecord, TagRecord
class Port:
    place, remote = "lab.example", True
    def listing(self, name=""):
        while not pathlib.Path("go").exists():
            time.sleep(0.05)
            yield Step(Phase.IDLE)
        pathlib.Path("go").unlink()
        if name.endswith("bad"):
            raise ImageError("no")
        return Answer(kind="tags", records=[TagRecord(repository=name, tag="1")], port=self)
from jupyimg.errors import ImageError
from jupyimg.model.content import Phase, Step
found = [RepositoryRecord(repository=f"lab.example/{name}") for name in ("app", "bad")]
views.to_notebook(Answer(kind="catalog", records=found, port=Port()))
"""


@pytest.fixture
def relay(registry: Registry) -> Iterator[Relay]:
    images.push(registry, "lab/big", "1", layers=3, size=4_000_000)
    with relayed(registry.host, SLOW) as relay:
        yield relay


def english(root: Locator) -> list[str]:
    """The texts in it that hold a word of English that is no data."""
    texts: list[str] = root.evaluate(TEXTS)
    assert texts
    return [text for text in texts if re.search(r"[A-Za-z]{2,}", DATA.sub(" ", text))]


def test_a_pull_that_runs_beside_speaks_chinese(jupyter_page: JupyterPage, relay: Relay, tmp_path: Path) -> None:
    slow = f"{relay.host}/lab/big:1"
    jupyter_page.open([LOAD, f"job = %image pull -d {slow}", f"%image pull {slow}", "%image images"])
    for at in range(2):
        jupyter_page.run_cell(at)
    seen = jupyter_page.output(1)
    seen.get_by_text(re.compile("正在下载 ?[1-9]")).first.wait_for()  # of a layer some is here, and is kept
    seen.get_by_text("剩余").first.wait_for()
    jupyter_page.screenshot(tmp_path / "job.png")
    assert english(seen) == []
    seen.get_by_role("button", name="取消").click()
    seen.get_by_text("已取消：已收到的内容会保留").wait_for()
    relay.rate = 0
    jupyter_page.run_cell(2)
    jupyter_page.output(2).get_by_text("状态：已下载较新的镜像").wait_for()
    jupyter_page.output(2).get_by_text("此前已传输").wait_for()
    jupyter_page.run_cell(3)
    jupyter_page.output(3).get_by_text("1 个镜像").first.wait_for()
    jupyter_page.screenshot(tmp_path / "pulled.png")
    assert [english(jupyter_page.output(at)) for at in (1, 2, 3)] == [[], [], []]
    assert jupyter_page.complaints == jupyter_page.outside == []


def test_the_explorer_speaks_chinese(jupyter_page: JupyterPage, tmp_path: Path) -> None:
    jupyter_page.open([LOAD, "%image samples;", "%image browse"])
    jupyter_page.run_all()
    root, page = jupyter_page.page.locator(".jie"), jupyter_page.page
    root.locator(".jie-row").first.wait_for()
    root.scroll_into_view_if_needed()
    jupyter_page.screenshot(tmp_path / "browse-list.png")
    assert english(root) == []
    root.get_by_role("searchbox").fill("sample/web:1.0")
    root.locator(".jie-row").first.click()
    expect(root.locator(".jie-title")).to_have_text("sample/web:1.0")
    root.locator("summary", has_text="构建历史").click()
    jupyter_page.screenshot(tmp_path / "browse-one.png")
    assert english(root) == []
    for name in ("拉取", "打标签…", "推送", "保存…", "移除…"):
        root.get_by_role("button", name=name, exact=True).click()
        assert english(root.locator(".jie-act")) == []
    jupyter_page.screenshot(tmp_path / "browse-remove.png")
    root.get_by_role("button", name="打标签…").click()
    expect(root.locator(".jie-line input")).to_have_value("%image tag sample/web:1.0 sample/web:NEW")
    page.keyboard.type("team/web:v1")
    page.keyboard.press("Enter")
    expect(root.locator(".jie-said")).to_contain_text("已打标签：team/web:v1")
    assert english(root.locator(".jie-said")) == []
    root.get_by_role("searchbox").fill("no such thing")
    expect(root.locator(".jie-none")).to_have_text("没有符合搜索的内容。")
    assert english(root.locator(".jie-left")) == []
    jupyter_page.screenshot(tmp_path / "browse-none.png")
    assert jupyter_page.complaints == jupyter_page.outside == []


def test_forms_and_tables_speak_chinese(
    jupyter_page: JupyterPage, htpasswd_registry: Registry, registry: Registry, tmp_path: Path
) -> None:
    host = htpasswd_registry.host
    for at in range(12):
        synthetic.push(registry, f"team/app-{at}", "1", synthetic.make_image(synthetic.make_layers(2, 5_000 + at)))
    jupyter_page.page.set_viewport_size({"width": 1280, "height": 2400})
    cells = ["%image samples;\n%image serve --port 0", "%image prune -a --widget", f"%image login {host} --widget"]
    tables = [f"%image catalog {registry.host} --widget", f"%image tags {registry.host}/team/app-1"]
    jupyter_page.open([LOAD, *cells, *tables], HOME=str(jupyter_page.folder / "user"))
    jupyter_page.run_all()
    served, preview, login, table, tags = (jupyter_page.output(at) for at in range(1, 6))
    box = preview.get_by_label("sample/web:1.0", exact=False).first
    box.check()
    preview.get_by_role("button", name="移除 2 个镜像，释放").wait_for()
    login.get_by_role("button", name="登录").click()
    login.get_by_text("用户名和密码都要填写。").wait_for()
    table.locator("table.dataTable tbody tr").first.wait_for()
    table.get_by_text("共 12 行").wait_for()
    jupyter_page.screenshot(tmp_path / "forms.png")
    assert [english(each) for each in (served, preview, login, tags)] == [[], [], [], []]
    assert english(table) == []
    preview.get_by_role("button", name="移除 2 个镜像，释放").click()
    preview.get_by_text("释放了").first.wait_for()
    username, password = htpasswd_registry.login or ("", "")
    login.get_by_label("用户名").fill(username)
    login.get_by_label("密码或令牌").fill(password)
    login.get_by_role("button", name="登录").click()
    login.get_by_text(f"登录成功：{host}").wait_for()
    jupyter_page.screenshot(tmp_path / "forms-done.png")
    assert [english(each) for each in (preview, login)] == [[], []]
    assert jupyter_page.complaints == jupyter_page.outside == []


def test_a_list_that_is_about_to_be_replaced_is_marked_until_it_is(jupyter_page: JupyterPage, tmp_path: Path) -> None:
    jupyter_page.open([SETUP, SLOW_PORT])
    jupyter_page.run_all()
    root, listed, go = (
        jupyter_page.page.locator(".jie"),
        jupyter_page.page.locator(".jie-list"),
        jupyter_page.folder / "go",
    )
    rows = root.locator(".jie-row")
    for name in ("bad", "app"):
        rows.filter(has_text=name).click()
        expect(listed).to_have_attribute("aria-busy", "true")
        jupyter_page.screenshot(tmp_path / "busy.png")
        root.get_by_role("button", name="Stop").click()  # and then it is the list again
        expect(listed).not_to_have_attribute("aria-busy", "true")
        rows.filter(has_text=name).click()
        expect(listed).to_have_attribute("aria-busy", "true")
        go.touch()
        expect(listed).not_to_have_attribute("aria-busy", "true")
        expect(root.locator(".jie-place")).to_have_text("lab.example/app" if name == "app" else "lab.example")
    assert jupyter_page.complaints == jupyter_page.outside == []
