"""An engine that holds the teaching images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import jupyimg
from jupyimg.model.content import drain
from jupyimg.samples import Samples
from jupyimg.store import Store
from jupyimg.testing import speak
from jupyimg.transfer import copying

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyimg.engines import Engine


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The engine that `jupyimg.connect` opens, with all samples."""
    home = tmp_path / "jupyimg"
    monkeypatch.setenv("JUPYIMG_HOME", str(home))
    place = Samples()
    with Store(home / "store").writer() as sink:
        for reference in place.references():
            drain(copying(place, sink, reference))
    opened = jupyimg.connect()
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    yield
    speak("en")
