"""Labs in a real kernel: several notebooks one after another in the same one, with the network cut."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyimg.testing.labs import is_a, source, title
from tests.services.kernel import run_cells

if TYPE_CHECKING:
    from tests.services.kernel import Cell

ROOT = Path(__file__).parents[2]
STORED = [
    path
    for lang in ("en", "zh")
    for path in sorted((ROOT / "notebooks" / lang).glob("*.ipynb"))
    if not path.stem.endswith(".executed")  # what notebooks/run leaves
]
NAMES = [path.stem for path in STORED if path.parent.name == "en"]
NOWHERE = {"DOCKER_HOST": "unix:///nowhere/docker.sock", "CONTAINER_HOST": "unix:///nowhere/podman.sock"}
_CUT = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.services.isolation import refuse_the_network
refuse_the_network()
import socket
try:
    socket.create_connection(("192.0.2.1", 80))
except OSError as error:
    print("cut" if "loopback" in str(error) else error)
"""
_HOME = "import os; os.environ['JUPYIMG_HOME'] = {!r}"


@dataclass(frozen=True)
class Ran:
    """A notebook that ran: its code cells as they are stored, and as they ended."""

    stored: list[dict[str, Any]]
    cells: list[Cell]

    @property
    def errors(self) -> dict[str, tuple[str, str]]:
        """Errors by the cell's first comment."""
        pairs = zip(self.stored, self.cells, strict=True)
        return {f"{one['id']}: {title(one)}": ran.error for one, ran in pairs if ran.error}

    def tagged(self, tag: str) -> list[Cell]:
        """The cells that have a tag, as they ended."""
        return [ran for one, ran in zip(self.stored, self.cells, strict=True) if is_a(one, tag)]


def read(lang: str, name: str) -> dict[str, Any]:
    """A lab as it is stored."""
    return json.loads((ROOT / "notebooks" / lang / f"{name}.ipynb").read_text())


def code(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Its code cells."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run_labs(folder: Path, *labs: tuple[dict[str, Any], Path], **env: str) -> list[Ran]:
    """Run notebooks in one kernel, each with its home; an error in one cell stops nothing."""
    said = [_CUT]
    for notebook, home in labs:
        said += [_HOME.format(str(home)), *(source(cell) for cell in code(notebook))]
    cut, *left = run_cells(folder, said, **{**NOWHERE, **env})
    assert cut.stream() == "cut\n", cut.error
    done = []
    for notebook, _ in labs:
        stored = code(notebook)
        done.append(Ran(stored, left[1 : 1 + len(stored)]))
        left = left[1 + len(stored) :]
    assert not left
    return done
