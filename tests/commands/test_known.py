"""Completion asks an engine that may be slow, or silent: it is never waited for, and what it said last is offered."""

from __future__ import annotations

import socket
import threading

import pytest

from jupyimg.commands import Session, known
from jupyimg.commands.complete import candidates
from jupyimg.commands.known import Known
from jupyimg.errors import NoDaemon
from jupyimg.model.settings import DaemonSettings, Settings


@pytest.mark.parametrize("line", ["rmi ng", "logs ng"])
def test_a_daemon_that_never_answers_holds_no_completion(tmp_path, line):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        host = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        session = Session(Settings(home=tmp_path, engine="docker", daemon=DaemonSettings(host=host), read_timeout=60))
        offered = []
        beside = threading.Thread(target=lambda: offered.append(candidates(session, line)), daemon=True)
        beside.start()
        peer, _ = silent.accept()
        with peer:
            beside.join(20)  # and not the 60 s that the daemon may take
            assert offered == [("ng", [])]
        session.close()


def test_what_was_known_is_offered_while_it_is_asked_again_once(monkeypatch):
    asked, answer = [], threading.Event()

    def slow():
        asked.append(1)
        assert answer.wait(30)
        return ["new"]

    names = Known()
    with monkeypatch.context() as patient:
        patient.setattr(known, "PATIENCE", 30)
        assert names.names("images", lambda: ["old"]) == ["old"]
    assert names.names("images", slow) == ["old"]
    assert names.names("images", slow) == ["old"]
    assert asked == [1]
    answer.set()
    monkeypatch.setattr(known, "PATIENCE", 30)
    assert names.names("images", slow) == ["new"]
    assert names.names("containers", list) == []


def test_an_engine_that_says_no_offers_nothing(monkeypatch):
    def refused():
        raise NoDaemon("nobody answers")

    monkeypatch.setattr(known, "PATIENCE", 30)
    names = Known()
    names.names("images", lambda: ["old"])
    assert names.names("images", refused) == []
