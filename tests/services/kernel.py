"""A real kernel that runs the cells of a notebook, one after another, as nbclient does for everybody else."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config


@dataclass(frozen=True)
class Cell:
    """A cell that ran.

    Attributes:
        source: what it said.
        outputs: its outputs, as a notebook holds them.
    """

    source: str
    outputs: tuple[Any, ...]

    @property
    def error(self) -> tuple[str, str] | None:
        """The name and the message of the exception that ended it."""
        errors = [(output.ename, output.evalue) for output in self.outputs if output.output_type == "error"]
        return errors[-1] if errors else None

    @property
    def traceback(self) -> str:
        """What is shown of that exception."""
        return "\n".join("\n".join(output.traceback) for output in self.outputs if output.output_type == "error")

    def stream(self, name: str = "stdout") -> str:
        """What it printed."""
        return "".join(output.text for output in self.outputs if output.get("name") == name)

    def shown(self, media_type: str = "text/plain") -> list[str]:
        """What it displayed or returned, in that form."""
        return [output.data[media_type] for output in self.outputs if media_type in output.get("data", {})]


def write_notebook(path: Path, cells: list[str]) -> Path:
    """A notebook of code cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return path


def run_notebook(
    path: Path, *, env: dict[str, str] | None = None, errors: bool = True, seconds: int = 120
) -> list[Cell]:
    """Run a notebook's code cells in a new kernel, in the notebook's folder; the file itself stays as it is.

    Args:
        path: the notebook.
        env: variables added to this process's own for the kernel.
        errors: go on after a cell that fails, and give its error; otherwise nbclient raises it.
        seconds: how long one cell may take.
    """
    runtime = tempfile.mkdtemp(prefix="jupyimg-kernel-", dir="/tmp")  # short enough for the paths of sockets
    # sockets have names of their own, where ports of two workers might meet
    config = Config({"KernelManager": {"transport": "ipc", "connection_file": f"{runtime}/kernel.json"}})
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        config=config,
        timeout=seconds,
        startup_timeout=seconds,
        iopub_timeout=seconds,  # nbclient's own four seconds lose outputs on a busy machine
        raise_on_iopub_timeout=True,
        kernel_name="python3",
        allow_errors=errors,
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute(env={**os.environ, **(env or {})})
    finally:
        shutil.rmtree(runtime, ignore_errors=True)
    return [Cell(cell.source, tuple(cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"]


def run_cells(folder: Path, cells: list[str], **env: str) -> list[Cell]:
    """Run cells in a new kernel with an empty folder as ``JUPYIMG_HOME``; ``env`` adds variables."""
    path = write_notebook(folder / "notebook.ipynb", cells)
    return run_notebook(path, env={"JUPYIMG_HOME": str(folder / "jupyimg"), **env})
