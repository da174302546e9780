"""Each failure is one sentence and a hint, a real error for whoever runs the notebook, and leaves the store as it was."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from nbclient.exceptions import CellExecutionError

from tests.bench import images
from tests.services.kernel import run_cells, run_notebook, write_notebook
from tests.services.waiting import AT_ONCE, PATIENCE, until

if TYPE_CHECKING:
    from pathlib import Path


def fingerprint(store: Path) -> dict[str, str]:
    """All that others can see of a store."""
    files = [path for path in store.rglob("*") if path.is_file() and ".jupyimg" not in path.parts]
    return {str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def unchanged(store: Path, before: dict[str, str]) -> bool:
    """Whether names and content are what they were; whole layers of a pull that failed may wait for the next one."""
    after = fingerprint(store)
    added = after.keys() - before.keys()
    return {name: after.get(name) for name in before} == before and all(
        name.startswith("blobs/") and name.endswith(after[name]) for name in added
    )


def blob(registry, digest: str) -> Path:
    hexadecimal = digest.partition(":")[2]
    return registry.data / "docker/registry/v2/blobs/sha256" / hexadecimal[:2] / hexadecimal / "data"


@pytest.fixture
def bad_registry(registry):
    """Good images, and for each way to be bad one that is."""
    images.push(registry, "good", "1", layers=2, size=50_000)
    for name in ("corrupt", "truncated", "lying"):
        images.push(registry, name, "1", layers=2, size=50_000)
    layers = {name: registry.manifest(name, "1").json()["layers"][0]["digest"] for name in ("corrupt", "truncated")}
    data = blob(registry, layers["corrupt"])
    first, *rest = data.read_bytes()  # of random bytes: any fixed one would be the same now and then
    data.write_bytes(bytes([first ^ 1, *rest]))
    data = blob(registry, layers["truncated"])
    data.write_bytes(data.read_bytes()[:-100])
    data = blob(registry, registry.digest("lying", "1"))
    data.write_bytes(data.read_bytes().replace(b'"schemaVersion": 2', b'"schemaVersion": 2 '))
    return registry


CASES = [
    # what is typed, the error's name, a word of its sentence
    ("pull nohost.invalid/x", "Unreachable", "nohost.invalid"),
    ("pull localhost:1/x", "Unreachable", "refuses"),
    ("pull HOST/none", "RemoteNotFound", "none"),
    ("pull HOST/good:none", "RemoteNotFound", "none"),
    ("pull --platform linux/s390x HOST/good:1", "PlatformNotFound", "linux/amd64"),
    ("pull HOST/corrupt:1", "DigestMismatch", "digest"),
    ("pull HOST/truncated:1", "SizeMismatch|DigestMismatch|ProtocolError|Unreachable", ""),
    ("pull HOST/lying:1", "DigestMismatch|SizeMismatch|ProtocolError|RemoteNotFound|RegistryError", ""),
    ("pull HOST/Bad_Name", "BadReference", "lowercase"),
    ("pull --platform a_b! HOST/good:1", "Misuse", "platform"),
    ("pull --nope HOST/good:1", "Misuse", "--nope"),
    ("pull -a HOST/good:1", "Misuse", "--all-tags"),
    ("push HOST/missing:1", "ImageNotFound", "missing"),
    ("inspect missing", "ImageNotFound", "missing"),
    ("history missing", "ImageNotFound", "missing"),
    ("tag missing x", "ImageNotFound", "missing"),
    ("rmi missing", "ImageNotFound", "missing"),
    ("copy HOST/none HOST/other:1", "RemoteNotFound", "none"),
    ("inspect --remote HOST/none", "RemoteNotFound", "none"),
    ("images -f nope=1", "Misuse", "nope"),
    ("nope", "Misuse", "nope"),
]
IN_A_NOTEBOOK = [
    ("pull app:{tga}", "UndefinedName", "tga"),
    ("pull app:$tga", "UndefinedName", "tga"),
    ("images | head", "Misuse", "no |"),
    ("images; x = 1", "Misuse", "one command"),
    ("inspect 'open", "Misuse", "not closed"),
    ("inspect {open", "Misuse", "not closed"),
    ("inspect {1/0}", "Misuse", "ZeroDivisionError"),
    ("inspect {None}", "Misuse", "None"),
    ("images --format '{{.ID}}'", "Misuse", "Go templates"),
    ("serve --port 0 --auth me:pw", "Misuse", "written in a cell"),
]


def test_in_a_kernel_each_is_an_error_of_one_sentence_and_a_hint(bad_registry, tmp_path):
    cases = [*CASES, *IN_A_NOTEBOOK]
    lines = [case[0].replace("HOST", bad_registry.host) for case in cases]
    run_cells(tmp_path, ["%load_ext jupyimg", f"%image pull {bad_registry.reference('good:1')}"])
    before = fingerprint(tmp_path / "jupyimg" / "store")
    assert before
    cells = run_cells(tmp_path, ["%load_ext jupyimg", *[f"%image {line}" for line in lines], "%image images -a"])
    for (line, name, word), cell in zip(cases, cells[1:-1], strict=True):
        assert cell.error is not None, f"{line} was no error"
        assert re.fullmatch(name, cell.error[0]), f"{line}: {cell.error}"
        assert word in cell.error[1], f"{line}: {cell.error}"
        shown = cell.traceback.strip().splitlines()
        assert len(shown) == 2, f"{line}: {shown}"
        assert shown[1].startswith("  hint: "), f"{line}: {shown}"
        assert not cell.stream("stderr"), f"{line}: {cell.stream('stderr')}"
    assert "good" in cells[-1].shown()[0]
    assert unchanged(tmp_path / "jupyimg" / "store", before)


def test_in_a_terminal_each_is_two_lines_and_an_exit_status(bad_registry, tmp_path):
    env = {**os.environ, "JUPYIMG_HOME": str(tmp_path / "jupyimg")}

    def run(line):
        words = [sys.executable, "-m", "jupyimg", *line.replace("HOST", bad_registry.host).split()]
        return subprocess.run(words, env=env, capture_output=True, text=True, check=False)

    assert run("pull HOST/good:1").returncode == 0
    before = fingerprint(tmp_path / "jupyimg" / "store")
    for line, name, word in CASES:
        ended = run(line)
        said = [text for text in ended.stderr.splitlines() if text.startswith(("jupyimg: ", "  hint: "))]
        assert ended.returncode == (2 if name in {"Misuse", "BadReference"} else 1), f"{line}: {ended}"
        assert len(said) == 2, f"{line}: {ended.stderr}"
        assert word in said[0], f"{line}: {said}"
        assert "Traceback" not in ended.stderr
        assert ended.stdout == "", f"{line}: {ended.stdout}"
    assert unchanged(tmp_path / "jupyimg" / "store", before)


def test_a_failing_line_stops_a_notebook_that_is_run_as_a_whole(tmp_path):
    path = write_notebook(tmp_path / "n.ipynb", ["%load_ext jupyimg", "%image inspect missing", "print('on')"])
    with pytest.raises(CellExecutionError, match="ImageNotFound"):
        run_notebook(path, env={"JUPYIMG_HOME": str(tmp_path / "jupyimg")}, errors=False)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_said_and_what_was_there_stays(registry, small_disk, tmp_path):
    images.push(registry, "small", "1", layers=1, size=50_000)
    images.push(registry, "large", "1", layers=3, size=900_000)
    small, large = registry.reference("small:1"), registry.reference("large:1")
    home = str(small_disk / "jupyimg")
    cells = run_cells(
        tmp_path,
        ["%load_ext jupyimg", f"%image pull {small}", f"%image pull {large}", "%image images -q"],
        JUPYIMG_HOME=home,
    )
    assert cells[1].error is None
    assert cells[2].error[0] == "DiskFull"
    assert len(cells[2].traceback.splitlines()) == 2
    assert cells[3].error is None
    # with room, the same line goes on from what had arrived
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    cells = run_cells(
        tmp_path,
        ["%load_ext jupyimg", f"x = %image pull {large}", "print(x.transferred[0] < 3 * 900_000)"],
        JUPYIMG_HOME=home,
    )
    assert [cell.error for cell in cells if cell.error] == []
    assert cells[2].stream() == "True\n"


def test_a_read_only_store_can_be_read_and_says_that_it_cannot_be_written(registry, small_disk, tmp_path):
    images.push(registry, "small", "1", layers=1, size=50_000)
    images.push(registry, "other", "1", layers=1, size=50_000)
    small, home = registry.reference("small:1"), str(small_disk / "jupyimg")
    run_cells(tmp_path, ["%load_ext jupyimg", f"%image pull {small}"], JUPYIMG_HOME=home)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    before = fingerprint(small_disk)
    lines = [f"pull {registry.reference('other:1')}", f"tag {small} x:1", f"rmi {small}"]
    cells = run_cells(
        tmp_path,
        [
            "%load_ext jupyimg",
            f"%image images {small}",
            f"%image inspect {small}",
            *[f"%image {line}" for line in lines],
        ],
        JUPYIMG_HOME=home,
    )
    assert [cell.error for cell in cells[:3]] == [None] * 3
    assert [cell.error[0] for cell in cells[3:]] == ["StoreDenied"] * 3
    assert fingerprint(small_disk) == before


def test_a_damaged_index_is_said_and_not_overwritten(registry, tmp_path):
    images.push(registry, "small", "1", layers=1, size=50_000)
    name = registry.reference("small:1")
    run_cells(tmp_path, ["%load_ext jupyimg", f"%image pull {name}"])
    index = tmp_path / "jupyimg" / "store" / "index.json"
    index.write_bytes(b'{"manifests": [')
    cells = run_cells(tmp_path, ["%load_ext jupyimg", "%image images", f"%image pull {name}", f"%image rmi {name}"])
    for cell in cells[1:]:
        assert cell.error is not None
        assert "index.json" in cell.error[1]
        assert len(cell.traceback.splitlines()) == 2
    assert index.read_bytes() == b'{"manifests": ['


STOP = """
import pathlib, signal, threading, time
def later():
    while not pathlib.Path("held").exists(): time.sleep(0.01)
    time.sleep(0.5)
    began.append(time.monotonic())
    signal.raise_signal(signal.SIGINT)
began = []
threading.Thread(target=later, daemon=True).start()
"""


def test_stop_ends_a_pull_from_a_silent_registry_at_once(registry, tmp_path, mitmproxy):
    images.push(registry, "small", "1", layers=2, size=50_000)
    addon = f"""
import asyncio, pathlib
async def response(flow):
    if "/blobs/" in flow.request.path:
        pathlib.Path({str(tmp_path / "held")!r}).touch()
        await asyncio.sleep(60)
"""
    silent = mitmproxy(addon, upstream=registry.url)
    cells = run_cells(
        tmp_path,
        [
            "%load_ext jupyimg",
            STOP,
            f"%image pull {silent.host}/small:1",
            "print(time.monotonic() - began[0])",
            "%image images -a -q",
            f"x = %image pull {registry.reference('small:1')}\nprint(x.status[0])",
        ],
    )
    assert cells[2].error[0] == "Interrupted"
    assert len(cells[2].traceback.splitlines()) == 2
    assert float(cells[3].stream()) < AT_ONCE  # until the next cell had begun
    assert cells[5].stream() == "downloaded\n"


def test_a_terminal_that_is_interrupted_ends_with_130(registry, tmp_path, mitmproxy):
    images.push(registry, "small", "1", layers=2, size=50_000)
    silent = mitmproxy(
        "import asyncio\nasync def response(flow):\n    if '/blobs/' in flow.request.path: await asyncio.sleep(60)\n",
        upstream=registry.url,
    )
    env = {**os.environ, "JUPYIMG_HOME": str(tmp_path / "jupyimg")}
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyimg", "pull", f"{silent.host}/small:1"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: [access for access in registry.accesses("/blobs/") if access.method == "GET"])
    time.sleep(0.5)
    process.send_signal(2)
    began = time.monotonic()
    _, err = process.communicate(timeout=PATIENCE)
    assert time.monotonic() - began < AT_ONCE
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
