"""A real JupyterLab on loopback, with Notebook 7 beside it, and a real browser that works in it.

The server has no token (it is a throw-away on loopback) and keeps everything in one temporary folder. Each notebook
lies in a folder of its own; the kernel's variables come from a file beside it, so that one server serves tests whose
stores must not meet. The browser can resolve no name, and what a page asked for or complained about is kept.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect, sync_playwright

from tests.services.kernel import write_notebook
from tests.services.process import environment, need, running
from tests.services.waiting import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

expect.set_options(timeout=PATIENCE * 1000)  # for all who use a page; a busy machine is no fault of the page's
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/lab")
_NO_NEWS = "lab-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
_STARTUP = "ipython/profile_default/startup/00-environment.py"
_READ_VARIABLES = """
import json, os, pathlib
_file = pathlib.Path("environment.json")
os.environ.update(json.loads(_file.read_text()) if _file.exists() else {})
del json, os, pathlib, _file
"""
_DIRECTORIES = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "lab-settings",
    "JUPYTERLAB_WORKSPACES_DIR": "lab-workspaces",
    "IPYTHONDIR": "ipython",
}
_READY = """() => {
    const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
    return Boolean(context?.isReady && context.session?.kernel?.status === 'idle');
}"""
_RUN = """() => {
    window.ran = false;
    window.jupyterapp.commands.execute('notebook:run-all-cells').finally(() => { window.ran = true; });
}"""
_DONE = """() => {
    const widget = window.jupyterapp.shell.currentWidget;
    if (widget.sessionContext.session.kernel.status !== 'idle') return false;
    const waiting = [...document.querySelectorAll('.jp-Notebook .jp-InputPrompt')];
    return !waiting.some(prompt => prompt.textContent.includes('*'));
}"""


@dataclass(frozen=True)
class Lab:
    """A JupyterLab that is up: ``url`` (``http://127.0.0.1:PORT``), the ``root`` of its files, its ``log``."""

    url: str
    root: Path
    log: Path


@dataclass
class JupyterPage:
    """A browser's page in a Lab.

    Attributes:
        page: Playwright's page, for everything else.
        lab: the server.
        name: the folder below the Lab's root that this page's notebooks lie in.
        complaints: errors of the console, and exceptions that nobody caught.
        outside: URLs asked for that are not the server's.
    """

    page: Page
    lab: Lab
    name: str
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where the notebooks lie, and what their kernels' working directory is."""
        return self.lab.root / self.name

    def open(self, notebook: list[str] | Path, *, classic: bool = False, **env: str) -> None:
        """Open a notebook (cells, or a file that is copied) and wait for its kernel; ``classic`` is in Notebook 7.

        ``env`` goes to the kernel; ``JUPYIMG_HOME`` is an empty folder beside the notebook unless given.
        """
        path = self.folder / "notebook.ipynb"
        if isinstance(notebook, Path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(notebook.read_bytes())
        else:
            write_notebook(path, notebook)
        variables = {"JUPYIMG_HOME": str(self.folder / "jupyimg"), **env}
        (self.folder / "environment.json").write_text(json.dumps(variables))
        app = "notebooks" if classic else "lab/tree"
        self.page.goto(f"{self.lab.url}/{app}/{self.name}/{path.name}?reset")
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        # a run before this opens the dialog "Select Kernel", and nothing runs
        self.page.wait_for_function(_READY)

    def run_all(self) -> None:
        """Run all cells and wait until the kernel is idle again."""
        # awaiting the command itself would be a wait inside the page, where no time limit reaches
        self.page.evaluate(_RUN)
        self.page.wait_for_function("() => window.ran", timeout=2 * PATIENCE * 1000)
        self.wait_idle()

    def run_cell(self, at: int) -> None:
        """Run one cell by its keys, and wait until it runs or has run: it has a star or a new number."""
        cell = self.page.locator(".jp-Notebook .jp-CodeCell").nth(at)
        prompt, text = cell.locator(".jp-InputPrompt"), cell.locator(".cm-content")
        before = prompt.text_content() or ""
        text.click()
        text.press("Control+Enter")
        expect(prompt).not_to_have_text(before)

    def run_until(self, at: int, shown: str | re.Pattern[str]) -> None:
        """Run one cell until it shows this: what a widget tells its kernel may arrive behind a cell that was run.

        (ipywidgets holds a change back for as long as the one before it is on its way.)
        """

        def shows() -> bool:
            self.run_cell(at)
            self.wait_idle()
            return bool(re.search(shown, self.output(at).inner_text()))

        until(shows)

    def wait_idle(self) -> None:
        """Wait until no cell runs or waits."""
        self.page.wait_for_function(_DONE)

    def output(self, at: int) -> Locator:
        """What a code cell shows below itself; it may still be drawn when the kernel is idle already."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(at).locator(".jp-Cell-outputArea")

    def save(self) -> Path:
        """Save the notebook as it stands, until there is nothing left to save, and give its path."""

        def saved() -> bool:
            self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
            return not self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.model.dirty")

        until(saved)
        return self.folder / "notebook.ipynb"

    def screenshot(self, path: Path) -> Path:
        """What a person would see."""
        self.page.screenshot(path=path)
        return path


@contextmanager
def serve_lab(folder: Path) -> Iterator[Lab]:
    """Run a JupyterLab whose files, settings and kernels' variables lie in ``folder``."""
    root = folder / "files"
    for name in ("files", *_DIRECTORIES.values()):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, text in ((_NO_NEWS, '{"fetchNews": "false", "checkForUpdates": false}'), (_STARTUP, _READ_VARIABLES)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0"]
    command += ["--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={root}"]
    command += ["--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"]
    command += ["--JupyterNotebookApp.expose_app_in_browser=True"]
    env = environment(folder / "home", **{name: str(folder / place) for name, place in _DIRECTORIES.items()})
    with running(command, folder / "lab.log", _address, env=env) as up:
        yield Lab(up.answer, root, up.log)


def _address(log: str) -> str | None:
    found = _ADDRESS.search(log)
    return f"http://127.0.0.1:{found[1]}" if found else None


@contextmanager
def open_page(lab: Lab, name: str) -> Iterator[JupyterPage]:
    """A page of a browser of its own, whose notebooks lie in a folder of that name."""
    # a browser for each test: Playwright's loop counts as running in this thread for as long as it lives
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=need("chromium"), args=arguments)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PATIENCE * 1000)
        opened = JupyterPage(page, lab, name)
        page.on("console", lambda said: opened.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        page.on("request", lambda request: opened.outside.append(request.url) if _outside(lab, request.url) else None)
        try:
            yield opened
        finally:
            browser.close()


def _outside(lab: Lab, url: str) -> bool:
    return not url.startswith((lab.url, lab.url.replace("http", "ws", 1), "data:", "blob:", "about:"))
