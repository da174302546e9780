"""Labs as notebooks: the form without solutions, and a grader that runs what a learner hands in.

A lab is stored solved. What a cell is for stands in its tags: `solution` is the learner's, `check` says whether it is
done, `setup` prepares both. Cells keep their IDs, so a notebook that was handed in is matched to its lab by them.
"""

from __future__ import annotations

import copy
import json
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyimg.errors import Misuse
from jupyimg.testing.sentences import NOT_RUN, TURN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyimg.testing.sentences import Language

Notebook = dict[str, Any]
Cell = dict[str, Any]

SOLUTION, CHECK, SETUP = "solution", "check", "setup"
_ASSIGNED = re.compile(r"^(\w+) *= *(?!=)")
_NOTHING: Cell = {"outputs": [], "execution_count": None}
_ENDED = "iopub.status.idle"
"""What stands in a cell's execution once all of its outputs came; before that, an error may be missing."""
_OUTPUT_SECONDS = 60
"""How long outputs may come after a cell has ended; nbclient's own 4 seconds lose some on a busy machine."""
_ASIDE = "import os; os.environ['JUPYIMG_HOME'] = {home!r}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one check of a lab ended.

    Attributes:
        check: the ID of its cell.
        title: its first comment, or the ID.
        passed: whether it did.
        sentence: what it said otherwise.
    """

    check: str
    title: str
    passed: bool
    sentence: str = ""


def unsolved(lab: Notebook) -> Notebook:
    """A lab without its solutions and outputs: comments stay, variables become ``...``, the rest is the learner's turn.

    Args:
        lab: a notebook of format 4 as JSON has it; it stays as it is.

    Raises:
        Misuse: it is no notebook, or none of its cells is tagged `solution`.
    """
    emptied = copy.deepcopy(lab)
    turn = TURN[_language(lab)]
    solutions = 0
    for cell in _code(emptied):
        cell["outputs"], cell["execution_count"] = [], None
        if is_a(cell, SOLUTION):
            cell["source"] = _emptied(source(cell), turn)
            solutions += 1
    if not solutions:
        raise Misuse("this notebook has no cell that is tagged `solution`", hint="give a lab, as it is stored")
    return emptied


def grade(lab: Notebook, handed_in: Notebook, *, seconds: int = 60) -> list[Outcome]:
    """Run a notebook that was handed in, and say how each of the lab's checks ends.

    The cells that prepare and check are the lab's own, whatever became of them. It runs without anybody to answer, with
    a store and a folder that are thrown away. It is the learner's code that runs: what it must not reach, it must be
    kept from by where this runs.

    Args:
        lab: the lab, solved or not.
        handed_in: what came back.
        seconds: how long one cell may take.

    Raises:
        Misuse: one of them is no notebook, or nbclient is not installed.
    """
    checks = [cell for cell in _code(lab) if is_a(cell, CHECK)]
    outcomes: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory(prefix="jupyimg-grade-", ignore_cleanup_errors=True) as folder:
        for cell in _run(_restored(lab, handed_in), folder, seconds):
            if _ENDED in cell["metadata"].get("execution", {}):
                outcomes[cell["id"]] = _outcome(cell)
    missing = NOT_RUN[_language(lab)]
    return [
        outcomes.get(cell["id"], Outcome(cell["id"], title(cell), passed=False, sentence=missing)) for cell in checks
    ]


def is_a(cell: Cell, tag: str) -> bool:
    """Whether a cell has a tag."""
    return tag in cell["metadata"].get("tags", [])


def source(cell: Cell) -> str:
    """What a cell says; a file may hold it as lines."""
    said = cell["source"]
    return said if isinstance(said, str) else "".join(said)


def title(cell: Cell) -> str:
    """The first comment of a cell, or its ID."""
    first = source(cell).partition("\n")[0]
    return first.lstrip("# ") if first.startswith("#") else str(cell["id"])


def _language(lab: Notebook) -> Language:
    return "zh" if lab.get("metadata", {}).get("jupyimg", {}).get("lang") == "zh" else "en"


def _code(notebook: Notebook) -> Iterator[Cell]:
    """The code cells.

    Raises:
        Misuse: it is no notebook.
    """
    cells = notebook.get("cells")
    if not isinstance(cells, list) or not all(_is_a_cell(cell) for cell in cells):
        raise Misuse("this is no notebook of format 4", hint="save it with Jupyter, as .ipynb")
    yield from (cell for cell in cells if cell.get("cell_type") == "code")


def _is_a_cell(cell: object) -> bool:
    return isinstance(cell, dict) and "source" in cell and isinstance(cell.get("metadata"), dict)


def _emptied(solution: str, turn: str) -> str:
    lines = solution.splitlines()
    told = [line for line in lines if line.startswith("#")]
    names = dict.fromkeys(found[1] for line in lines if (found := _ASSIGNED.match(line)))
    return "\n".join([*told, *(f"{name} = ...  # {turn}" for name in names), *([] if names else [f"# {turn}"])])


def _restored(lab: Notebook, handed_in: Notebook) -> Notebook:
    """What was handed in, with the lab's own cells where it has prepared and checked."""
    kept = {cell["id"]: cell for cell in _code(lab) if is_a(cell, CHECK) or is_a(cell, SETUP)}
    theirs = [cell for cell in _code(handed_in) if not is_a(cell, CHECK) or cell.get("id") in kept]
    there = {cell.get("id") for cell in theirs}
    first = [cell for name, cell in kept.items() if is_a(cell, SETUP) and name not in there]
    last = [cell for name, cell in kept.items() if is_a(cell, CHECK) and name not in there]
    cells = [*first, *(kept.get(cell.get("id", ""), cell) for cell in theirs), *last]
    return {**lab, "cells": copy.deepcopy(cells)}


def _run(notebook: Notebook, folder: str, seconds: int) -> list[Cell]:
    """The checks after all cells ran, each to its end or its error, whatever happened to the kernel."""
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellTimeoutError, DeadKernelError
        from traitlets.config import Config
    except ImportError:
        raise Misuse("grading runs notebooks with nbclient", hint="pip install nbclient ipykernel") from None
    read: Any = nbformat.reads
    run = read(json.dumps(_bare(notebook, f"{folder}/home")), as_version=4)
    # sockets that only this user reaches, where there are such
    ipc = {"KernelManager": {"transport": "ipc", "connection_file": f"{folder}/kernel.json"}}
    work = Path(folder) / "work"
    work.mkdir()
    client = NotebookClient(
        run,
        config=Config(ipc if os.name == "posix" else {}),
        timeout=seconds,
        iopub_timeout=_OUTPUT_SECONDS,
        kernel_name="python3",
        allow_errors=True,
        interrupt_on_timeout=True,
        resources={"metadata": {"path": str(work)}},
    )
    with suppress(CellTimeoutError, DeadKernelError):  # the checks that it did not come to say so
        client.execute()
    return [cell for cell in run.cells if is_a(cell, CHECK)]


def _bare(notebook: Notebook, home: str) -> Notebook:
    """The code alone, in a store of its own; tags of a learner's cell could keep it from running."""
    said: list[tuple[str, list[str], str]] = [("aside", [], _ASIDE.format(home=home))]
    for cell in _code(notebook):
        name = str(cell.get("id", ""))
        known = name and name not in {before for before, _, _ in said}
        tags = [CHECK] if is_a(cell, CHECK) else []
        said.append((name if known else f"cell-{len(said)}", tags, source(cell)))
    cells = [
        {"cell_type": "code", "id": name, "metadata": {"tags": tags}, "source": text} | _NOTHING
        for name, tags, text in said
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def _outcome(cell: Cell) -> Outcome:
    errors = [output for output in cell["outputs"] if output["output_type"] == "error"]
    if not errors:
        return Outcome(cell["id"], title(cell), passed=True)
    error = errors[-1]
    sentence = error["evalue"] if error["ename"] == "NotYet" else f"{error['ename']}: {error['evalue']}"
    return Outcome(cell["id"], title(cell), passed=False, sentence=" ".join(sentence.split()))
