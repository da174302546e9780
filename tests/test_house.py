"""The house rules that no linter holds.

Floors are held by import-linter (the contract stands in pyproject.toml), the rest by reading the syntax trees. Every
rule gives complaints for one module, and is itself tried on a module that breaks it.
"""

from __future__ import annotations

import ast
import graphlib
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
MODULE_LINES = 400
FUNCTION_LINES = 50

DOORS = {
    "httpx": ("registry",),
    "cryptography": ("trust",),
    "docker": ("engines",),
    "pandas": ("views",),
    "ipywidgets": ("views",),
    "anywidget": ("views",),
    "itables": ("views",),
    "IPython.display": ("views",),
    "IPython": ("magic", "views"),
    "yaml": ("trust",),
}
"""Which floors may import what is not ours; the longest name that fits counts."""

FRONT_DOOR = "jupyimg"
"""The one module that imports our own inside functions, so that importing it stays cheap."""

SEAMS = ("jupyimg.engines", "jupyimg.views")
"""The modules that import by name at first use: `open_engine` and the table of views."""

ENVIRONMENT = ("jupyimg.commands.session",)
DRAWERS = ("utils", "util", "helpers", "helper", "common", "misc", "tools")


@dataclass(frozen=True)
class Module:
    """A module's name and text."""

    name: str
    text: str
    is_package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def floor(self) -> str:
        return self.name.split(".")[1] if "." in self.name else ""

    def nodes(self, *, types_too: bool = True) -> Iterator[ast.AST]:
        """All nodes; without ``types_too`` not what only a type checker sees."""
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            yield node
            only_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            waiting += node.orelse if only_types and not types_too else ast.iter_child_nodes(node)  # type: ignore[attr-defined]

    def imported(self, node: ast.AST) -> list[str]:
        """The modules, or names in modules, that an import statement asks for."""
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "ruff's TID252 holds this"
            return [f"{node.module}.{alias.name}" for alias in node.names]
        return []


def modules(folder: Path) -> Iterator[Module]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        package = parts[-1] == "__init__"
        yield Module(".".join(parts[:-1] if package else parts), path.read_text(), package)


OURS = list(modules(ROOT / "jupyimg"))
ERRORS = next(module for module in OURS if module.name == "jupyimg.errors")


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def too_long(module: Module) -> Iterator[str]:
    lines = module.text.count("\n")
    if lines > MODULE_LINES:
        yield f"{lines} lines: give each of its jobs a module"


def functions_too_long(module: Module) -> Iterator[str]:
    for node in module.nodes():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            lines = node.end_lineno - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"line {node.lineno}: {node.name} has {lines} lines"


def hidden_imports(module: Module) -> Iterator[str]:
    for function in module.nodes():
        if module.name != FRONT_DOOR and isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if any(within(name, "jupyimg") for name in module.imported(node)):
                    yield f"line {node.lineno}: imports our own inside {function.name}"  # type: ignore[attr-defined]
    for node in module.nodes():
        if any(name == "importlib.import_module" for name in module.imported(node)) and module.name not in SEAMS:
            yield f"line {node.lineno}: imports by name, which only the seams {SEAMS} do"  # type: ignore[attr-defined]


def wrong_doors(module: Module) -> Iterator[str]:
    for node in module.nodes(types_too=False):
        for name in module.imported(node):
            door = max((door for door in DOORS if within(name, door)), key=len, default=None)
            if door and module.floor not in DOORS[door]:
                yield f"line {node.lineno}: {name} is imported in {DOORS[door]} only"  # type: ignore[attr-defined]


def reads_environment(module: Module) -> Iterator[str]:
    for node in module.nodes():
        if module.name not in ENVIRONMENT and isinstance(node, ast.Attribute | ast.alias):
            said = node.name if isinstance(node, ast.alias) else ast.unparse(node)
            if said in ("os.environ", "os.getenv", "os.environb", "environ", "getenv"):
                yield f"line {node.lineno}: reads the environment, which only {ENVIRONMENT} do"


def is_a_drawer(module: Module) -> Iterator[str]:
    if module.name.rpartition(".")[2].strip("_") in DRAWERS:
        yield "a name that says nothing holds everything"


def unfinished(module: Module) -> Iterator[str]:
    for number, line in enumerate(module.text.splitlines(), 1):
        if re.search(r"\b(TODO|FIXME|XXX)\b|pragma: no cover", line):
            yield f"line {number}: {line.strip()}"


def drawn(docstring: str) -> dict[str, str]:
    """Each class in a tree drawn with box characters, and its parent there ("" at the root)."""
    parents, path = {}, [""]
    for branch, name in re.findall(r"^([│├└─ ]{4,})([A-Z]\w+)  ", docstring, re.MULTILINE):
        depth = len(branch) // 4
        path[depth:] = [name]
        parents[name] = path[depth - 1]
    return parents


TREE = drawn(ast.get_docstring(ERRORS.tree, clean=False) or "")


def errors_not_drawn(module: Module) -> Iterator[str]:
    for node in module.nodes():
        if isinstance(node, ast.ClassDef):
            bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
            if module.name != ERRORS.name:
                if any(base in TREE for base in bases):
                    yield f"line {node.lineno}: {node.name} does not stand in the tree of errors.py"
            elif node.name not in TREE:
                yield f"line {node.lineno}: {node.name} is not drawn"
            elif TREE[node.name] and TREE[node.name] not in bases:
                yield f"line {node.lineno}: {node.name} is drawn below {TREE[node.name]}, but is not one"


def signals(module: Module) -> Iterator[str]:
    """Exceptions of a module that are none of ours: they carry a decision to the edge of their floor."""
    for node in module.nodes():
        if isinstance(node, ast.ClassDef) and module.name != ERRORS.name:
            bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
            if any(base.endswith(("Error", "Exception")) and base not in TREE for base in bases):
                yield f"{module.name}.{node.name}"


def strayed(given: list[Module]) -> list[str]:
    """Signals that another floor imports."""
    floors = {signal: module.floor for module in given for signal in signals(module)}
    asked = [(module, name) for module in given for node in module.nodes() for name in module.imported(node)]
    return [f"{module.name}: {name}" for module, name in asked if floors.get(name, module.floor) != module.floor]


RULES: dict[Callable[[Module], Iterator[str]], Module] = {
    too_long: Module("jupyimg.store.x", "pass\n" * 401),
    functions_too_long: Module("jupyimg.store.x", "class A:\n    def f(self):\n" + "        pass\n" * 50),
    hidden_imports: Module("jupyimg.store.x", "def f():\n    from jupyimg.model import digest\n"),
    wrong_doors: Module("jupyimg.store.x", "from httpx import Client\n"),
    reads_environment: Module("jupyimg.store.x", "import os\nHOME = os.environ['HOME']\n"),
    is_a_drawer: Module("jupyimg.store.utils", ""),
    unfinished: Module("jupyimg.store.x", "pass  # TODO: more\n"),
    errors_not_drawn: Module("jupyimg.store.x", "class Odd(StoreError):\n    pass\n"),
}
"""Each rule, and a module that breaks it."""


@pytest.mark.parametrize("rule", RULES)
def test_house_rule(rule):
    assert not [f"{module.name}: {complaint}" for module in OURS for complaint in rule(module)]


@pytest.mark.parametrize("rule", RULES)
def test_house_rule_can_be_broken(rule):
    assert list(rule(RULES[rule]))


def test_other_ways_to_break_a_rule():
    by_name = Module("jupyimg.store.x", "from importlib import import_module\n")
    display = Module("jupyimg.magic", "from IPython.display import HTML\n")
    moved = Module("jupyimg.errors", "class BadDigest(StoreError):\n    pass\n")
    undrawn = Module("jupyimg.errors", "class Odd(StoreError):\n    pass\n")
    assert list(hidden_imports(by_name))
    assert list(wrong_doors(display))
    assert list(errors_not_drawn(moved))
    assert list(errors_not_drawn(undrawn))
    assert not list(wrong_doors(Module("jupyimg.magic", "from IPython.core import magic\n")))
    assert not list(wrong_doors(Module("jupyimg.store.x", "if TYPE_CHECKING:\n    import pandas\n")))


def test_every_drawn_error_exists():
    assert set(TREE) <= {node.name for node in ERRORS.tree.body if isinstance(node, ast.ClassDef)}
    assert TREE["RateLimited"] == "RegistryError"
    assert TREE["RegistryError"] == "ImageError"
    assert TREE["Interrupted"] == ""


def test_no_foreign_exception_leaves_its_floor():
    thrower = Module("jupyimg.store.x", "class Odd(OSError):\n    pass\n")
    assert strayed([thrower, Module("jupyimg.views.y", "from jupyimg.store.x import Odd\n")])
    assert not strayed([thrower, Module("jupyimg.store.y", "from jupyimg.store.x import Odd\n")])
    assert not strayed(OURS)


def test_no_test_is_switched_off():
    switch = re.compile(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b|pragma: no cover")
    tests = [module for module in modules(ROOT / "tests") if module.name != "tests.test_house"]
    assert tests
    assert not [f"{module.name}: {found[0]}" for module in tests for found in switch.finditer(module.text)]
    assert not [f"{module.name}: {complaint}" for module in tests for complaint in too_long(module)]


def cycle(given: list[Module]) -> list[str]:
    """One circle of imports at run time, or []."""
    names = {module.name for module in given}
    graph = {}
    for module in given:
        asked = [name for node in module.nodes(types_too=False) for name in module.imported(node)]
        graph[module.name] = {name if name in names else name.rpartition(".")[0] for name in asked} & names
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_by_way_of_others():
    assert cycle([Module("a", "import b\n"), Module("b", "from c import x\n"), Module("c", "from a import y\n")])
    # the front door's own imports are lazy, and everything's package is the front door
    assert not cycle([module for module in OURS if module.name != FRONT_DOOR])


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter on the jupyimg package of a folder, with the contract of its pyproject.toml."""
    program = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None))"
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_floor_imports_only_floors_below_it():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("floor", "line"),
    [
        ("model/digest", "from jupyimg.store import layout\n"),
        ("store/layout", "from jupyimg.registry import client\n"),
        ("views/frames", "from jupyimg.engines import base\n"),
        ("newcomer", ""),
    ],
)
def test_the_contract_can_be_broken(floor, line, tmp_path):
    for module in ("errors", "model/digest", "store/layout", "registry/client", "views/frames", "engines/base", floor):
        path = tmp_path / "jupyimg" / f"{module}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(line if module == floor else "")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout or "not listed" in done.stdout, done.stdout + done.stderr
