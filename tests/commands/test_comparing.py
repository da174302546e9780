"""compare as it is typed: of images that are here, and of images at a registry that are not."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from jupyimg.commands import Session, run
from jupyimg.engines import open_engine
from jupyimg.errors import ImageNotFound, Misuse
from jupyimg.model.settings import Settings
from jupyimg.views import to_notebook
from tests.places.memory import MemoryPlace
from tests.services import synthetic
from tests.services.process import environment
from tests.store.bring import bring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BASE = b"b" * 1000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A store with two images on one base."""
    folder = tmp_path / "jupyimg"
    store, place = open_engine(Settings(home=folder)).store, MemoryPlace(1 << 20)
    bring(store, place, "app:1", place.image(layers=(BASE, b"1" * 10)))
    bring(store, place, "app:2", place.image(layers=(BASE, b"2" * 20, b"3" * 30)))
    return folder


@pytest.fixture
def session(home: Path) -> Iterator[Session]:
    opened = Session(Settings(home=home))
    yield opened
    opened.close()


def test_images_that_are_here(session: Session) -> None:
    shown = to_notebook(run(session, ["compare", "app:1", "app:2"]))
    assert list(shown.layers["status"]) == ["shared", "only A", "only B", "only B"]
    assert shown.layers["size"].iloc[0] == len(BASE)
    assert shown.record.a == "app:1"


def test_images_at_a_registry_of_which_nothing_is_kept(session: Session, registry) -> None:
    for tag, version in (("1.0", "1"), ("1.1", "2")):
        synthetic.push(registry, "team/app", tag, synthetic.make_image(labels={"version": version}))
    names = [registry.reference(f"team/app:{tag}") for tag in ("1.0", "1.1")]
    shown = to_notebook(run(session, ["compare", "--remote", *names]))
    assert shown.differences.query("field == 'label'")[["key", "a", "b"]].to_numpy().tolist() == [["version", "1", "2"]]
    assert set(shown.layers["status"]) == {"shared"}
    assert len(session.engine.images()) == 2


def test_what_is_not_here_is_said_in_a_sentence(session: Session) -> None:
    with pytest.raises(ImageNotFound):
        run(session, ["compare", "app:1", "app:9"])


@pytest.mark.parametrize("words", [["compare"], ["compare", "app:1"], ["compare", "app:1", "app:2", "app:3"]])
def test_it_takes_two_images(session: Session, words: list[str]) -> None:
    with pytest.raises(Misuse):
        run(session, words)


def test_a_terminal_writes_text_or_json(home: Path) -> None:
    def said(*more: str) -> str:
        command = [sys.executable, "-m", "jupyimg", "compare", "app:1", "app:2", *more]
        env = environment(home.parent / "home", JUPYIMG_HOME=str(home), LANG="zh_CN.UTF-8")
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=env).stdout

    assert said().splitlines()[:2] == ["A: app:1", "B: app:2"]
    assert "STATUS" in said()
    assert len(json.loads(said("--format", "json"))[0]["layers"]) == 4
