"""`ps`, `info`, `inspect` and `system prune` of a session on a real daemon: what it tells of all that the daemon has."""

from __future__ import annotations

import json

import pytest

from jupyimg.__main__ import main
from jupyimg.commands import Session, run
from jupyimg.errors import ImageNotFound, Misuse
from jupyimg.model.records import ImageDetail
from jupyimg.model.settings import Settings
from jupyimg.views import plain
from jupyimg.views.answer import Answer
from tests.docker_containers.daemons import settings_for


@pytest.fixture
def session(dockerd, tmp_path):
    made = Session(settings_for(dockerd, tmp_path))
    yield made
    made.close()


@pytest.fixture
def embedded(tmp_path):
    made = Session(Settings(home=tmp_path / "home"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def ticker(dockerd):
    """A container that runs."""
    return dockerd.start("--stop-signal=KILL", "--name=ticker", "localhost/box:1", "sleep", "600")


@pytest.fixture(scope="module")
def ended(dockerd):
    """A container that does not run any more."""
    made = dockerd.start("--name=ended", "localhost/box:1", "true")
    dockerd.run("wait", made)
    return made


def asked(session, line):
    return run(session, line.split())


def refused(session, line, kind):
    with pytest.raises(kind) as caught:
        asked(session, line)
    return caught.value


def test_ps_tells_what_a_container_ran_and_what_it_ended_with(engine, backend):
    backend.start("--name", "failing", "localhost/box:1", "sh", "-c", "exit 3")
    backend.run("wait", "failing")
    backend.run("create", "--name", "fresh", "--network=none", "localhost/box:1", "echo", 'say "hello" to everybody')
    try:
        found = {row.name: row for row in engine.containers(everything=True)}
        failing, fresh = found["failing"], found["fresh"]
        assert (failing.state, failing.exit_code) == ("exited", 3)
        assert failing.status.startswith("Exited (3) ")
        assert failing.command.startswith("sh -c ")
        assert (fresh.state, fresh.exit_code, fresh.status) == ("created", None, "Created")
        shown = plain.text(Answer(kind="ps", records=[fresh, failing])).splitlines()
        theirs = backend.lines("ps", "-a", "-f", "name=failing", "-f", "name=fresh")
        where = slice(theirs[0].index("COMMAND"), theirs[0].index("CREATED"))
        at = slice(shown[0].index("COMMAND"), shown[0].index("CREATED"))
        assert {line[at].strip() for line in shown} == {line[where].strip() for line in theirs}
        assert "Exited (3) " in "".join(shown)
    finally:
        backend.run("rm", "failing", "fresh")


def test_info_tells_who_the_daemon_is_and_what_it_has(session, dockerd, ended, ticker):
    told = {record.field: record for record in asked(session, "info").records}
    assert (
        told["engine version"].value == f"Docker Engine {dockerd.lines('version', '--format={{.Server.Version}}')[0]}"
    )
    assert told["engine address"].value == dockerd.host
    there, running = len(dockerd.lines("ps", "-aq")), len(dockerd.lines("ps", "-q"))
    assert (told["containers"].value, told["containers"].number) == (f"{there}, of which {running} run", there)
    assert told["images"].number == len(set(dockerd.lines("images", "-q")))


@pytest.mark.parametrize("line", ["system prune", "docker system prune -af", "system prune --filter until=24h"])
def test_system_prune_is_refused_where_it_means_more_than_images(session, line):
    error = refused(session, line, Misuse)
    assert "containers" in error.message
    assert "%image prune" in error.hint
    assert "localhost/box:1" in {record.reference for record in asked(session, "images").records}


def test_system_prune_of_the_embedded_engine_says_that_it_is_image_prune(embedded):
    assert "system prune is image prune" in asked(embedded, "system prune -f").notes[0]
    assert asked(embedded, "image prune -f").notes == ()
    assert asked(embedded, "system df").records


@pytest.mark.parametrize("line", ["inspect localhost/box:1 nope:1", "inspect nope:1 localhost/box:1"])
def test_inspect_shows_what_there_is_beside_what_is_missing(session, line):
    error = refused(session, line, ImageNotFound)
    assert "nope:1" in error.message
    (found,) = error.done
    assert isinstance(found, ImageDetail)
    assert found.reference == "localhost/box:1"
    assert "(and 1 more)" in refused(session, f"{line} nope:2", ImageNotFound).message


def test_a_terminal_prints_the_document_before_the_error_as_docker_does(dockerd, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("JUPYIMG_HOME", str(tmp_path))
    monkeypatch.setenv("JUPYIMG_ENGINE", "docker")
    monkeypatch.setenv("DOCKER_HOST", dockerd.host)
    assert main(["inspect", "localhost/box:1", "nope:1"]) == 1
    theirs = dockerd.run("image", "inspect", "localhost/box:1", "nope:1", check=False)
    said = capsys.readouterr()
    assert [one["Id"] for one in json.loads(said.out)] == [one["Id"] for one in json.loads(theirs.stdout)]
    assert "no such image: nope:1" in said.err
