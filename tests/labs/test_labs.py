"""The labs: same code in both languages, and each does in a real kernel without a network what it says."""

from __future__ import annotations

import importlib.util
import re
import time
from typing import TYPE_CHECKING

import pytest

from jupyimg.testing import unsolved
from jupyimg.testing.labs import source
from tests.labs.lessons import NAMES, ROOT, STORED, code, read, run_labs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services.daemons import Daemon

CHINESE = re.compile(r"[\u4e00-\u9fff]")
LEFT_OUT = re.compile("not checked|不检查")


def builder():
    spec = importlib.util.spec_from_file_location("build", ROOT / "notebooks" / "labs" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_is_a_lab_for_every_lesson_and_it_is_what_its_source_says():
    built = builder().labs()
    assert len(built) == 14
    assert {path: path.read_text() for path in STORED} == built, "run: python notebooks/labs/build.py"


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_have_the_same_tasks_and_code(name):
    english, chinese = read("en", name), read("zh", name)
    assert [cell["id"] for cell in english["cells"]] == [cell["id"] for cell in chinese["cells"]]
    bare = [[re.sub(r'#.*|"[^"\n]*"', "", source(cell)) for cell in code(notebook)] for notebook in (english, chinese)]
    assert bare[0] == bare[1]
    assert not CHINESE.search("".join(source(cell) for cell in english["cells"]))
    assert all(CHINESE.search(source(cell)) for cell in chinese["cells"] if cell["cell_type"] == "markdown")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_every_task_has_a_hint_a_solution_and_a_check(name, lang):
    cells = read(lang, name)["cells"]
    tags = [tag for cell in cells for tag in cell["metadata"].get("tags", []) if tag in {"solution", "check"}]
    assert tags == ["solution", "check"] * (len(tags) // 2)
    tasks = [cell for cell in cells if re.search(r"\*\*(Task\.|任务。)\*\*", source(cell))]
    assert len(tasks) == len(tags) // 2 >= 4
    assert all("<details><summary>" in source(cell) for cell in tasks)
    assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.parametrize("name", NAMES)
def test_solutions_pass_and_their_absence_fails_in_both_languages_and_again(name, tmp_path: Path, record_property):
    english, chinese = read("en", name), read("zh", name)
    first, second = tmp_path / "first", tmp_path / "second"
    began = time.perf_counter()
    empty, solved = run_labs(tmp_path / "en", (unsolved(english), first), (english, first))
    nothing, again, once_more = run_labs(
        tmp_path / "zh", (unsolved(chinese), second), (chinese, first), (chinese, first)
    )
    record_property("seconds of five runs", round(time.perf_counter() - began, 1))  # noted; machines differ
    assert [run.errors for run in (solved, again, once_more)] == [{}, {}, {}]
    for run in (solved, again, once_more):
        assert all(re.search("^✓ |not checked|不检查", cell.stream(), re.MULTILINE) for cell in run.tagged("check"))
    for run, is_chinese in ((empty, False), (nothing, True)):
        checks = [cell for cell in run.tagged("check") if not LEFT_OUT.search(cell.stream())]
        assert checks
        for cell in checks:
            assert cell.error, f"passes without a solution: {cell.source}"
            assert cell.error[0] == "NotYet", f"{cell.source}\n{cell.error}"
            assert bool(CHINESE.search(cell.error[1])) is is_chinese
            assert cell.traceback == f"NotYet: {cell.error[1]}", "one sentence, and nothing else"


def test_the_lab_of_containers_works_with_a_daemon(busybox_image, docker: Daemon, tmp_path: Path):
    docker.run("pull", busybox_image.reference)
    docker.start(busybox_image.reference, "sh", "-c", "seq 1 30; sleep 600")
    lab = read("en", "6-engines")
    home = tmp_path / "home"
    empty, solved = run_labs(tmp_path / "kernel", (unsolved(lab), home), (lab, home), DOCKER_HOST=docker.host)
    assert solved.errors == {}
    assert [cell.error[0] for cell in empty.tagged("check")] == ["NotYet"] * 4
    assert not any(LEFT_OUT.search(cell.stream()) for cell in solved.tagged("check"))
    assert len(docker.lines("ps", "-q")) == 1
