"""Whatever word stands anywhere in a line: what comes out is an answer or one of our errors, never a foreign one."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click
import pytest

from jupyimg.commands import Session, run
from jupyimg.commands.line import Expanded
from jupyimg.commands.run import commands
from jupyimg.commands.verbs import Secret
from jupyimg.errors import ImageError
from jupyimg.model.settings import DaemonSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyimg.commands.verbs import Verb

HOSTILE = (
    *("", "-", "--", "*", "@", "\0", "\ud800", "\u2028", "../..", "." * 300, "a" * 5000, "/dev/null\0"),
    *("~nobody-is-called-so/x", "a" * 70 + ".example/x", "é.example/x", "é" * 70, "a..b/x", "a-.b/x", "xn--/x"),
    *("127.0.0.1:1", "127.0.0.1:99999/x", "127.0.0.1:000001/x", "[::1]:1/x", "http://[::1", "x@sha256:" + "0" * 64),
    *(
        "9" * 17,
        "9" * 30,
        "9" * 400,
        "1e400",
        "until=" + "9" * 17,
        "until=" + "9" * 30,
        "label=\ud800",
        "ada:" + "s" * 400,
    ),
)
NOWHERE = "127.0.0.1:1/x"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session that can reach nobody, and writes nowhere else."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    found = socket.getaddrinfo

    def numbers_only(host, *args, **how):
        if isinstance(host, str) and host.encode("idna") and not host.strip("[]").startswith(("127.", "::1")):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found(host, *args, **how)

    monkeypatch.setattr(socket, "getaddrinfo", numbers_only)
    opened = Session(
        Settings(
            home=tmp_path / "home",
            user_config=tmp_path / "config",
            docker_config=tmp_path / "docker" / "config.json",
            daemon=DaemonSettings(host="tcp://127.0.0.1:1", podman_host="tcp://127.0.0.1:1"),
            attempts=1,
            connect_timeout=1,
            read_timeout=1,
        )
    )
    run(opened, ["samples"])
    yield opened
    opened.close()


def lines(verb: Verb, word: str) -> Iterator[list[str]]:
    """The word as every argument, and as the value of every option."""
    local = verb.name in {"save", "images", "inspect", "history", "send"}
    arguments = [param for param in verb.params if isinstance(param, click.Argument)]
    options = [param for param in verb.params if isinstance(param, click.Option) and not param.is_flag]
    for at in range(len(arguments)):
        yield [verb.name, *(word if at == other else NOWHERE for other in range(len(arguments)))]
    for option in options:
        given = Expanded(word) if isinstance(option.type, Secret) else word
        yield [verb.name, *["sample/web:1.0" if local else NOWHERE] * len(arguments), option.opts[-1], given]


@pytest.mark.parametrize("name", commands())
def test_only_our_errors_come_out(session: Session, name: str):
    verb = commands()[name]
    for word in HOSTILE:
        for line in lines(verb, word):
            if name == "serve" and "--port" not in line:
                line += ["--port", "0"]
            try:
                run(session, line)
            except ImageError as error:
                assert "--auth" not in line or "s" * 300 not in str(error)
            except Exception as error:
                pytest.fail(f"{[part[:40] for part in line]}: {type(error).__name__}: {error}")
            if name == "serve" and session.serving.running:
                run(session, ["serve", "--stop"])


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_only_our_errors_come_out_where_no_daemon_is(session: Session, engine: str):
    away = Session(replace(session.settings, engine=engine))
    for name in ("pull", "save", "load", "images", "rmi", "ps", "logs"):
        for word in HOSTILE:
            for line in lines(commands()[name], word):
                with suppress(ImageError):
                    run(away, line)
    away.close()
