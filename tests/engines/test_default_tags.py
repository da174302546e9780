"""What a name without a tag means: each subcommand does what its help says."""

from __future__ import annotations

import pytest

from jupyimg.commands.manual import one
from jupyimg.commands.run import find
from jupyimg.model.content import drain


def test_a_copy_keeps_the_tag_and_says_so(engine, stocked):
    (record,) = drain(engine.remote.copying(stocked.reference("sample/web:1.0"), stocked.reference("me/c")))
    assert record.reference == stocked.reference("me/c:1.0")
    assert stocked.tags("me/c") == ["1.0"]
    assert "TARGET without one gets the tag of SOURCE" in one(find("copy"))


def test_a_further_name_is_latest_and_the_help_says_so(engine, samples):
    assert engine.tag("sample/web:1.0", "me/c").reference == "me/c:latest"
    assert "A name without a tag is :latest" in one(find("tag"))


@pytest.mark.parametrize("name", ["copy", "tag"])
def test_the_first_line_of_the_help_is_still_the_short_one(name):
    assert find(name).get_short_help_str(90).endswith(".")
