"""Labs on the command line: ``python -m jupyimg.testing unsolved LAB OUT`` and ``… grade LAB HANDED_IN...``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from jupyimg.errors import ImageError, Misuse
from jupyimg.testing.labs import grade, unsolved

_FILE = click.Path(path_type=Path)


@click.group()
def labs() -> None:
    """Labs without their solutions, and how what was handed in does."""


@labs.command("unsolved")
@click.argument("lab", type=_FILE)
@click.argument("out", type=_FILE)
def write_unsolved(lab: Path, out: Path) -> None:
    """Write a LAB without its solutions to OUT."""
    text = json.dumps(unsolved(_read(lab)), ensure_ascii=False, indent=1)
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise Misuse(f"{out} cannot be written: {error.strerror}", hint="name a file in a folder of yours") from None


@labs.command("grade")
@click.argument("lab", type=_FILE)
@click.argument("handed_in", type=_FILE, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="one JSON object for each notebook")
@click.option("--seconds", type=click.IntRange(min=1), default=60, help="how long one cell may take")
def print_grades(lab: Path, handed_in: tuple[Path, ...], seconds: int, *, as_json: bool) -> None:
    """Run notebooks that were HANDED_IN and print how each check of the LAB ends; status 1 if one fails."""
    own, failed = _read(lab), False
    for path in handed_in:
        outcomes = grade(own, _read(path), seconds=seconds)
        passed = sum(outcome.passed for outcome in outcomes)
        failed |= passed < len(outcomes)
        if as_json:
            checks = [{name: getattr(one, name) for name in one.__slots__} for one in outcomes]
            click.echo(json.dumps({"file": str(path), "passed": passed, "checks": checks}, ensure_ascii=False))
            continue
        click.echo(f"{path}: {passed} of {len(outcomes)}")
        for outcome in outcomes:
            click.echo(f"  {'passed' if outcome.passed else 'not yet'}  {outcome.title}")
            if not outcome.passed:
                click.echo(f"           {outcome.sentence}")
    sys.exit(1 if failed else 0)


def _read(path: Path) -> dict[str, Any]:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Misuse(f"{path} cannot be read: {error.strerror}", hint="name a notebook") from None
    except ValueError:
        notebook = None
    if not isinstance(notebook, dict):
        raise Misuse(f"{path} is no notebook", hint="save it with Jupyter, as .ipynb")
    return notebook


def main() -> None:
    """Run one command line; exits with 0, 1 where a check fails, 2 where the line is wrong."""
    try:
        labs(prog_name="python -m jupyimg.testing")
    except ImageError as error:
        click.echo(f"{error.message}\n  hint: {error.hint}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
