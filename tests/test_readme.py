"""The README says what is true: its table is the declared commands, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jupyimg.commands import commands
from jupyimg.commands.manual import readme_table
from jupyimg.commands.run import find

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_table_of_commands_is_the_declared_one():
    _, _, rest = README.partition("holds it -->\n")
    table, _, _ = rest.partition("<!-- end -->")
    assert table.strip() == readme_table()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"(?:%image|(?:`|\n)jupyimg) ([a-z]+)(?= |`|\n|$)", README))))
def test_every_command_that_is_shown_exists(name):
    words = {"help", "image", "pull"} | set(commands())
    assert name in words or find(name)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_file_that_is_linked_exists(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("script", ["notebooks/run", "tests/run"])
def test_the_two_commands_are_there(script):
    assert f"bash {script}" in README
    assert (ROOT / script).read_text().startswith("#!/usr/bin/env bash\n")


def test_ci_runs_the_readmes_test_command():
    assert "bash tests/run" in (ROOT / ".ci" / "run").read_text()


def test_no_hint_names_a_command_that_does_not_exist():
    texts = [path.read_text() for path in (ROOT / "jupyimg").rglob("*.py")]
    named = {
        name
        for text in texts
        for line in re.findall(r"hint *=.*", text)
        for name in re.findall(r"%image ([a-z]+)\b", line)
    }
    assert named
    for name in named - {"help"}:
        assert find(name)
