"""The form without solutions, and grades: what a learner does to a notebook, and what is said of it."""

from __future__ import annotations

import copy
import json
import subprocess
import sys

import nbformat
import pytest

from jupyimg.errors import Misuse
from jupyimg.testing import grade, unsolved
from jupyimg.testing.labs import source
from tests.labs.lessons import ROOT

CHECK = "from jupyimg.testing import assert_answer, speak\nassert_answer({}, {}, what={!r})"


def cell(name: str, tag: str, text: str) -> dict:
    said = {"cell_type": "code", "id": name, "metadata": {"tags": [tag]}, "source": text}
    return {**said, "outputs": [], "execution_count": None}


def lab(*solutions: str) -> dict:
    cells = [
        cell("setup", "setup", "two = 2"),
        cell("s1", "solution", solutions[0]),
        cell("c1", "check", "# First\n" + CHECK.format("one", 1, "one")),
        cell("s2", "solution", solutions[1]),
        cell("c2", "check", "# Second\n" + CHECK.format("four", 4, "four")),
    ]
    return {"cells": cells, "metadata": {"jupyimg": {"lang": "en"}}, "nbformat": 4, "nbformat_minor": 5}


LAB = lab("# say one\none = 1", "# two and two\nfour = two + two\nfour")


def passed(handed_in: dict, **how) -> list[bool]:
    return [outcome.passed for outcome in grade(LAB, handed_in, **how)]


def test_the_form_without_solutions_keeps_the_task_and_the_names():
    lab = {**LAB, "metadata": {"jupyimg": {"lang": "zh"}}}
    lab["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "1"}]
    before = copy.deepcopy(lab)
    emptied = unsolved(lab)
    assert lab == before
    lab["cells"][1]["outputs"] = []
    texts = {one["id"]: one["source"] for one in emptied["cells"]}
    assert texts["s1"] == "# say one\none = ...  # 轮到你了"
    assert texts["s2"] == "# two and two\nfour = ...  # 轮到你了"
    assert [texts[name] for name in ("setup", "c1", "c2")] == [source(LAB["cells"][n]) for n in (0, 2, 4)]
    assert all(one["outputs"] == [] for one in emptied["cells"])
    nbformat.validate(emptied)


def test_a_solution_without_names_leaves_the_turn_alone():
    assert source(unsolved(lab("# pull\n%image pull x", "a == b"))["cells"][1]) == "# pull\n# your turn"
    assert source(unsolved(lab("# pull\n%image pull x", "a == b"))["cells"][3]) == "# your turn"


@pytest.mark.parametrize("wrong", [{}, {"cells": 3}, {"cells": [{"cell_type": "code"}]}, {"cells": [], "nbformat": 4}])
def test_what_is_no_lab_is_refused(wrong):
    with pytest.raises(Misuse):
        unsolved(wrong)


def test_the_solution_passes_and_the_form_without_does_not():
    assert passed(LAB) == [True, True]
    outcomes = grade(LAB, unsolved(LAB))
    assert [(one.check, one.title, one.passed) for one in outcomes] == [("c1", "First", False), ("c2", "Second", False)]
    assert outcomes[0].sentence.startswith("one has no value yet: it is your turn")


def test_checks_and_preparation_are_the_labs_own():
    """Emptied, deleted, and with the tag taken away: none of it helps."""
    cheat = unsolved(LAB)
    cheat["cells"][2]["source"] = "pass"
    del cheat["cells"][4]
    cheat["cells"][0]["source"] = "two = 7"
    assert passed(cheat) == [False, False]
    half = lab("one = 1", "four = two + two")
    half["cells"][0]["source"] = "two = 7"
    half["cells"][4]["metadata"] = {}
    half["cells"].insert(1, cell("mine", "", "print('a cell of my own')"))
    assert passed(half) == [True, True]


def test_nobody_is_asked_and_nothing_runs_for_ever():
    handed_in = lab("one = input('which? ')", "while True:\n    pass")
    outcomes = grade(LAB, handed_in, seconds=2)
    assert [one.passed for one in outcomes] == [False, False]
    assert outcomes[1].sentence.startswith("NameError")


def test_a_kernel_that_dies_fails_what_it_did_not_come_to():
    outcomes = grade(LAB, lab("one = 1", "import os\nos._exit(1)"))
    assert [one.passed for one in outcomes] == [True, False]
    assert outcomes[1].sentence == "it did not run"


def test_an_answer_that_ends_the_kernel_when_it_is_looked_at_does_not_pass():
    handed_in = lab("import os\none = type('One', (), {'__eq__': lambda *_: os._exit(0)})()", "four = 4")
    assert passed(handed_in) == [False, False]


def test_grading_leaves_the_graders_own_store_alone(engine, tmp_path):
    handed_in = lab("import os\none = 1", "%reload_ext jupyimg\n%image rmi sample/web:1.0\nfour = 4")
    assert passed(handed_in)[0]
    assert "sample/web:1.0" in engine.names()


def command(*words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "jupyimg.testing", *words]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL)


def test_a_real_lab_goes_out_and_comes_back(tmp_path):
    stored, form = ROOT / "notebooks" / "zh" / "2-tags.ipynb", tmp_path / "form.ipynb"
    done = command("unsolved", str(stored), str(form))
    assert (done.returncode, done.stderr) == (0, "")
    assert "my-web:v1\n" not in "".join(
        source(one) for one in json.loads(form.read_text())["cells"] if one["id"] == "solution-1"
    )
    done = command("grade", str(stored), str(form), str(stored))
    assert done.returncode == 1, done.stderr
    assert f"{form}: 0 of 5" in done.stdout
    assert f"{stored}: 5 of 5" in done.stdout
    assert "not yet  检查 1：两个名字是同一个镜像" in done.stdout
    assert "本机还没有镜像 my-web:v1" in done.stdout


def test_grades_as_json_have_one_object_for_each_notebook(tmp_path):
    file = tmp_path / "lab.ipynb"
    file.write_text(json.dumps(LAB))
    done = command("grade", "--json", str(file), str(file))
    assert done.returncode == 0
    assert json.loads(done.stdout)["checks"] == [
        {"check": "c1", "title": "First", "passed": True, "sentence": ""},
        {"check": "c2", "title": "Second", "passed": True, "sentence": ""},
    ]
    assert done.stderr == ""


@pytest.mark.parametrize(
    "words",
    [("unsolved", "none.ipynb", "out"), ("grade", "pyproject.toml", "x"), ("unsolved", "x"), ("grade", "/", "/")],
)
def test_a_wrong_line_says_so_in_a_sentence(words):
    done = command(*words)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr
