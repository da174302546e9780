"""`import jupyimg`: what it offers, that it is cheap, and that its three ways in are one path."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import jupyimg
from jupyimg.errors import Misuse
from jupyimg.model.content import drain
from jupyimg.samples import Samples
from jupyimg.store import Store
from jupyimg.transfer import copying


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYIMG_HOME", str(tmp_path / "jupyimg"))
    place = Samples()
    with Store(tmp_path / "jupyimg" / "store").writer() as sink:
        for reference in place.references():
            drain(copying(place, sink, reference))
    return tmp_path / "jupyimg"


def test_what_the_front_door_names_is_there():
    assert sorted(jupyimg.__all__) == jupyimg.__all__
    assert all(hasattr(jupyimg, name) for name in jupyimg.__all__)


def test_connect_opens_the_store_that_the_environment_names_or_another(home, tmp_path):
    assert len(jupyimg.connect().images()) == 13
    assert jupyimg.connect(home=str(tmp_path / "empty")).images() == []
    with pytest.raises(Misuse, match="no engine 'none'"):
        jupyimg.connect(engine="none")


def test_records_become_the_frame_that_the_magic_returns(home):
    engine = jupyimg.connect()
    assert jupyimg.frame(engine.images())["reference"].nunique() == 6
    assert list(jupyimg.frame([], "history").columns)[:2] == ["image_id", "created"]
    with pytest.raises(Misuse):
        jupyimg.frame([*engine.images(), *engine.history("sample/web:1.0")])


def test_the_terminal_and_python_say_the_same(home):
    said = subprocess.run(
        [sys.executable, "-m", "jupyimg", "images", "--format", "json"], capture_output=True, check=True
    )
    assert [row["image_id"] for row in json.loads(said.stdout)] == [
        str(image.image_id) for image in jupyimg.connect().images()
    ]


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import jupyimg", ["pandas", "httpx", "IPython", "click", "msgspec"]),
        (
            "from jupyimg.__main__ import main; main(['images', '-q'])",
            ["pandas", "httpx", "IPython", "rich", "ipywidgets", "cryptography", "yaml", "jupyimg.trust"],
        ),
        ("import jupyimg.magic", ["pandas", "httpx", "ipywidgets", "itables", "jupyimg.server"]),
    ],
)
def test_what_is_not_needed_is_not_imported(home, code, absent):
    check = f"{code}; import sys; print([name for name in {absent} if name in sys.modules])"
    said = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert said.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_has_seen_enough_is_no_error(home):
    said = subprocess.run(
        f"{sys.executable} -m jupyimg inspect sample/web:1.0 | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (said.stdout, said.stderr) == ("[\n", "")


@pytest.mark.parametrize("module", ["jupyimg.commands", "click", "jupyimg.engines.embedded"])
def test_ctrl_c_while_a_command_is_still_being_loaded_is_no_traceback(home, module):
    press = f"""
import os, runpy, signal, sys

class Press:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Press())
sys.argv[1:] = ["images"]
runpy.run_module("jupyimg", run_name="__main__", alter_sys=True)
"""
    said = subprocess.run([sys.executable, "-c", press], capture_output=True, text=True, check=False)
    assert said.returncode == 130
    assert said.stderr.startswith("jupyimg: interrupted")
    assert "Traceback" not in said.stderr
