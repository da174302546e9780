"""`%image browse` of a real daemon: what it tells is shown, and the lines of the buttons reach it."""

from __future__ import annotations

import json

import pytest

from jupyimg.commands.browsing import Browsing
from jupyimg.commands.session import Session
from jupyimg.model.content import drain
from jupyimg.views.explorer_rows import rows_of
from jupyimg.views.explorer_sight import sight
from tests.docker_containers.daemons import settings_for


@pytest.fixture
def port(backend, tmp_path):
    session = Session(settings_for(backend, tmp_path))
    yield Browsing(session, "")
    session.close()


def test_an_image_of_a_daemon_is_seen_tagged_and_removed(port):
    row = next(row for row in rows_of(drain(port.listing())) if row.name == "localhost/box:1")
    told = sight(drain(port.looking(row.name, row.platform)), remote=False, platform=row.platform)
    assert json.loads(json.dumps(told)) == told
    assert told["title"] == "localhost/box:1"
    assert told["history"]
    assert {"tag", "rmi", "save"} <= set(told["lines"])
    drain(port.doing("%image tag localhost/box:1 localhost/box:browsed"))
    assert "localhost/box:browsed" in [row.name for row in rows_of(drain(port.listing()))]
    drain(port.doing("%image rmi localhost/box:browsed"))
    assert "localhost/box:browsed" not in [row.name for row in rows_of(drain(port.listing()))]
