"""`%image browse`: what it lists, what it may run, and what a terminal sees instead."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from jupyimg.commands.browsing import Browsing
from jupyimg.commands.session import Session
from jupyimg.errors import BadReference, Misuse, RemoteNotFound, Unreachable, Unsupported
from jupyimg.model.content import drain, told
from jupyimg.views.explorer import Explorer
from jupyimg.views.lane import Lane
from tests.services import synthetic
from tests.services.waiting import PATIENCE


@pytest.fixture
def session(home):
    opened = Session()
    yield opened
    opened.close()


def image(**more):
    return synthetic.make_image(synthetic.make_layers(2), **more)


def test_the_images_here_are_listed_dangling_ones_too(shell, samples):
    shell.run_cell("x = %image browse")
    explorer = shell.user_ns["x"]
    assert isinstance(explorer, Explorer)
    assert set(explorer.frame["reference"]) >= {"sample/web:1.0", "sample/hello:latest"}
    assert explorer.selection.empty


def test_an_image_here_is_seen_with_who_else_has_its_layers(session, samples):
    seen = drain(Browsing(session, "").looking("sample/web:1.0", "linux/arm64"))
    assert str(seen.detail.platform) == "linux/arm64"
    base, *_ = [record.layer_digest for record in reversed(seen.history) if record.layer_digest]
    assert "sample/base:1.0" in seen.holders[base]
    assert seen.here


def test_a_registry_is_listed_opened_and_pulled_from(session, registry):
    synthetic.push(registry, "team/app", "1.0", image(labels={"a": "b"}))
    synthetic.push(registry, "team/other", "2", image())
    port = Browsing(session, registry.host)
    assert [record.repository for record in drain(port.listing()).records] == [
        f"{registry.host}/team/app",
        f"{registry.host}/team/other",
    ]
    (tag,) = drain(port.listing(f"{registry.host}/team/app")).records
    name = f"{tag.repository}:{tag.tag}"
    assert not drain(port.looking(name, "")).here
    (pulled,) = drain(port.doing(f"%image pull {name}")).records
    assert pulled.reference == name
    seen = drain(port.looking(name, ""))
    assert seen.here
    assert set(seen.holders.values()) == {(name,)}


def test_a_name_lists_its_tags(session, registry):
    synthetic.push(registry, "team/app", "1.0", image())
    port = Browsing(session, f"{registry.host}/team/app:whatever")
    assert [record.tag for record in drain(port.listing()).records] == ["1.0"]


@pytest.mark.parametrize(
    ("place", "is_host"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("quay.io", True),
        ("127.0.0.1:5000", True),
        ("[::1]:5000", True),
        ("registry:5000/", True),
        ("nginx", False),
        ("nginx:1.27", False),
        ("redis:7", False),
        ("quay.io/team/app", False),
        ("team/app", False),
    ],
)
def test_a_host_is_told_from_a_name(session, place, is_host):
    assert Browsing(session, place)._is_host is is_host


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("docker.io", Unsupported),
        ("127.0.0.1:1", Unreachable),
        ("Bad Name", BadReference),
        ("127.0.0.1:1/x", Unreachable),
    ],
)
def test_a_place_that_cannot_be_read_is_one_sentence(session, place, error):
    with pytest.raises(error):
        drain(Browsing(session, place).listing())


def test_a_repository_that_is_not_there_is_said(session, registry):
    with pytest.raises(RemoteNotFound):
        drain(Browsing(session, f"{registry.host}/no/such").listing())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "%image prune -a -f",
        "%image login x -u a -p b",
        "import os",
        "%image",
        "%image browse",
        "%image tag 'a",
        "%image tag a",
        "%image pull a --nope",
    ],
)
def test_only_the_lines_of_the_buttons_are_run(session, samples, line):
    with pytest.raises(Misuse):
        drain(Browsing(session, "").doing(line))
    assert len(session.engine.images()) == 13


def test_nothing_in_a_line_is_expanded(session, samples):
    with pytest.raises(BadReference):
        drain(Browsing(session, "").doing("%image tag sample/web:1.0 {__import__('os')}"))


def test_tag_save_and_remove_do_what_they_say(session, samples, tmp_path):
    port = Browsing(session, "")
    drain(port.doing("%image tag sample/web:1.0 me/web:v1"))
    drain(port.doing(f"%image save -o {tmp_path / 'web.tar'} me/web:v1"))
    assert (tmp_path / "web.tar").stat().st_size > 0
    drain(port.doing("%image rmi me/web:v1"))
    assert "me/web:v1" not in session.engine.names()


@pytest.mark.parametrize("place", [False, True], ids=["pull", "look"])
def test_a_registry_that_never_answers_is_left_by_a_stop(session, place):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        name = f"127.0.0.1:{silent.getsockname()[1]}/team/app"
        lane, ended = Lane(), []

        def ask(stop):
            port = Browsing(session, name.partition("/")[0] if place else "")
            steps = port.looking(f"{name}:1", "") if place else port.doing(f"%image pull {name}")
            try:
                told(steps, lambda _: None, stop)
            except KeyboardInterrupt as stopped:
                ended.append(stopped)

        lane.put(ask)
        silent.settimeout(PATIENCE)
        peer, _ = silent.accept()  # it asks
        with peer:
            lane.stop()
            assert lane.wait(30)  # and not the 60 s that the registry may take
            peer.settimeout(PATIENCE)
            while peer.recv(4096):  # to its end: the connection is closed too
                pass
    assert len(ended) == 1


def test_a_terminal_gets_the_list(samples, home):
    said = subprocess.run([sys.executable, "-m", "jupyimg", "browse"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("REPOSITORY")
    assert "sample/hello" in said.stdout
    assert said.stderr == ""


def test_an_explorer_goes_on_with_its_engine_when_another_becomes_current(session, registry, monkeypatch):
    synthetic.push(registry, "team/app", "1", image())
    before, closed = session.engine, []
    end = before.close
    monkeypatch.setattr(before, "close", lambda: (closed.append(True), end()))
    pulled = Browsing(session, registry.host).doing(f"%image pull {registry.host}/team/app:1")
    next(pulled)
    session.switch(session.given)
    assert closed == []
    assert [record.status for record in drain(pulled).records] == ["downloaded"]
    assert closed == [True]
