"""A shell with the extension loaded, and a store of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from jupyimg.model.content import drain
from jupyimg.samples import Samples
from jupyimg.store import Store
from jupyimg.transfer import copying

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYIMG_HOME", str(tmp_path / "jupyimg"))
    return tmp_path / "jupyimg"


@pytest.fixture
def bare_shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    yield InteractiveShell.instance(config=config)
    InteractiveShell.clear_instance()


@pytest.fixture
def shell(bare_shell: InteractiveShell, home: Path) -> Iterator[InteractiveShell]:
    bare_shell.run_line_magic("load_ext", "jupyimg")
    yield bare_shell
    bare_shell.run_line_magic("unload_ext", "jupyimg")


@pytest.fixture
def samples(home: Path) -> list[str]:
    """The teaching images, in the store that the shell uses."""
    place = Samples()
    with Store(home / "store").writer() as sink:
        for reference in place.references():
            drain(copying(place, sink, reference))
    return [reference.familiar for reference in place.references()]
