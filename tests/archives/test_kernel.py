"""save and load in a real kernel: frames, progress, and errors in words."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.archives import build
from tests.services.synthetic import make_image, make_layer

ONE = make_image([make_layer({"one": b"1" * 3000})])
TWO = make_image([make_layer({"two": b"2" * 3000})])


def test_save_and_load_in_a_notebook(kernel, tmp_path):
    stock = build.write(
        tmp_path / "stock.tar", build.layout({"docker.io/library/one:1": ONE, "docker.io/library/two:1": TWO})
    )
    bad = build.write(tmp_path / "bad.tar", {"etc/passwd": b"root"})
    setup, load, save, again, frame, *broken = kernel(
        [
            "%load_ext jupyimg",
            f"x = %image load -i {stock}\nx",
            f"y = %image save -o {tmp_path}/out.tar.gz one:1 two:1\ny",
            f"z = %image load -q -i {tmp_path}/out.tar.gz\nz",
            "print(list(x), list(y), x.dtypes.astype(str).tolist() == y.dtypes.astype(str).tolist(), x.status.tolist(), y.status.tolist())",
            "%image save one:1",
            "%image load",
            f"%image load -i {bad}",
            f"%image load -i {tmp_path}/none.tar",
            f"%image save -o {tmp_path} one:1",
            f"%image save -o {tmp_path}/none.tar none:1",
        ]
    )
    assert [cell.error for cell in (setup, load, save, again, frame)] == [None] * 5
    columns = ["reference", "digest", "image_id", "status", "size", "transferred", "seconds"]
    assert frame.stream() == f"{columns} {columns} True ['loaded', 'loaded'] ['saved', 'saved']\n"
    shown = "\n".join(load.shown())
    assert "one:1" in shown
    assert "Loaded" in shown
    assert "Saved" in "\n".join(save.shown())
    assert save.shown("text/html")
    for cell, kind, words, hint in zip(
        broken,
        ("Misuse", "Misuse", "ContentError", "NotFound", "StoreError", "ImageNotFound"),
        (
            "cannot show an archive",
            "no archive to load",
            "holds no images",
            "there is no file",
            "is a folder",
            "no such image",
        ),
        ("-o one.tar", "-i nginx.tar", "docker save", "path", "name the file", "%image images"),
        strict=True,
    ):
        assert cell.error[0] == kind
        assert words in cell.error[1]
        assert f"hint: {hint}" in cell.traceback or hint in cell.traceback.partition("hint:")[2]
        assert len(cell.traceback.splitlines()) == 2
    assert not (tmp_path / "none.tar").exists()


@pytest.mark.parametrize("words", ["save", "load"])
def test_a_terminal_is_not_filled_with_bytes(words, tmp_path):
    """A pseudo-terminal as standard input and output: nothing is read from it or written to it."""
    leader, follower = os.openpty()
    arguments = [words, "one:1"] if words == "save" else [words]
    env = {**os.environ, "JUPYIMG_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "jupyimg", *arguments],
        stdin=follower,
        stdout=follower,
        stderr=subprocess.PIPE,
        env=env,
        timeout=120,
        check=False,
    )
    os.close(leader)
    os.close(follower)
    assert done.returncode == 2
    assert b"hint: say which file to" in done.stderr
