"""A login written into a name (``me:PASSWORD@HOST/app``) is refused, whatever the password holds, and never repeated."""

from __future__ import annotations

import pytest

from jupyimg.commands import run
from jupyimg.commands.session import Session
from jupyimg.errors import BadReference, ImageError
from jupyimg.model.reference import Reference
from jupyimg.model.settings import Settings

HALVES = ("Zq", "Zr")
LINES = [
    "pull {}/app",
    "push {}/app:1",
    "tag app {}/app",
    "tag {}/app app",
    "inspect --remote {}/app",
    "inspect {}/app",
    "images {}/app",
    "history {}/app",
    "save -o x.tar {}/app",
    "rmi {}/app",
    "pin {}/app",
    "compare app {}/app",
    "send {}/app --to docker",
    "copy {}/app app",
    "tags {}/app",
    "search {}/app",
    "catalog {}",
    "catalog https://{}",
    "browse {}/",
    "mirror add docker.io {}",
    "mirror test {}",
    "samples --push {}",
    "serve --host {}",
    "login {}",
    "logout {}",
    "engine docker --host tcp://{}",
]


@pytest.mark.parametrize("between", ["", "/", ":@", "'", " ", "?/"])
@pytest.mark.parametrize("line", LINES)
def test_a_login_in_a_name_is_refused_and_not_repeated(line, between, home):
    login = "me:" + between.join(HALVES) + "@h.example"
    words = [word.format(login) for word in line.split()]
    with pytest.raises(ImageError) as caught:
        run(Session(Settings(home=home)), words)
    told = f"{caught.value!r} {caught.value} {caught.value.hint} {caught.value.__cause__!r}"
    assert [half for half in HALVES if half in told] == []


@pytest.mark.parametrize("between", ["", "/", ":", "@", "'", " "])
def test_a_reference_that_holds_a_login_is_not_repeated(between):
    with pytest.raises(BadReference) as caught:
        Reference.parse("me:" + between.join(HALVES) + "@h.example/app:1")
    assert [half for half in HALVES if half in str(caught.value)] == []
    assert "login" in caught.value.hint
