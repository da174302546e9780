"""`%image engine`, `ps` and `logs`, as a line asks for them and as it is shown."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

import jupyimg
from jupyimg import views
from jupyimg.commands import Session, containers, run
from jupyimg.commands import engine as engine_command
from jupyimg.commands.complete import candidates
from jupyimg.errors import ContainerNotFound, Misuse, NoDaemon, Unsupported
from jupyimg.model.content import Phase
from jupyimg.model.running import ContainerRecord
from jupyimg.model.settings import DaemonSettings, Settings
from jupyimg.views.answer import Answer
from jupyimg.views.html import to_html
from tests.docker_containers.daemons import ran, settings_for
from tests.docker_containers.fake import fake_daemon
from tests.services.process import environment
from tests.services.process import run as run_tool
from tests.services.waiting import PATIENCE, until


@pytest.fixture
def session(dockerd, tmp_path):
    made = Session(settings_for(dockerd, tmp_path))
    yield made
    made.close()


@pytest.fixture
def embedded(dockerd, podmand, tmp_path, monkeypatch):
    """A session on the embedded engine, which knows where the daemons are, and waits for busy ones."""
    monkeypatch.setattr(engine_command, "PATIENCE", 60.0)
    daemon = DaemonSettings(host=dockerd.host, podman_host=podmand.host, config=tmp_path / "config")
    made = Session(Settings(home=tmp_path / "home", daemon=daemon))
    yield made
    made.close()


@pytest.fixture(scope="module")
def web(dockerd):
    """A container that wrote to both streams and has ended."""
    return ran(
        dockerd, "echo one; sleep 0.5; echo two >&2; sleep 0.5; printf '\\033[31mred\\033[0m\\t<b>\\n'", "--name=web"
    )


@pytest.fixture(scope="module")
def ticker(dockerd):
    """A container that goes on writing."""
    script = "i=0; while i=$((i+1)); do echo line $i; sleep 0.02; done"
    return dockerd.start("--stop-signal=KILL", "--name=ticker", "localhost/box:1", "sh", "-c", script)


def asked(session, line, follow=None):
    return run(session, line.split(), follow)


def frame(session, line):
    return views.to_notebook(asked(session, line))


def text(session, line):
    return views.to_text(asked(session, line))


def refused(session, line, kind):
    with pytest.raises(kind) as caught:
        asked(session, line)
    assert caught.value.hint
    return caught.value


# ---- engine


def test_all_engines_are_shown_with_the_one_that_is_current(embedded):
    shown = frame(embedded, "engine")
    assert list(shown.columns) == ["engine", "current", "reachable", "version", "api_version", "address"]
    assert shown["engine"].tolist() == ["embedded", "docker", "podman"]
    assert shown["current"].tolist() == [True, False, False]
    assert shown["reachable"].all()
    assert [text.rpartition(" ")[0] for text in shown["version"]] == ["jupyimg", "Docker Engine", "Podman Engine"]
    assert pd.isna(shown["address"][0])
    assert shown["address"][1].startswith("unix:///")


def test_a_notebook_changes_its_engine_and_back(embedded, web):
    assert frame(embedded, "engine docker")[["engine", "current"]].to_numpy().tolist() == [["docker", True]]
    assert "localhost/box:1" in set(frame(embedded, "images")["reference"])
    assert "web" in set(frame(embedded, "ps -a")["name"])
    assert frame(embedded, "engine podman")["version"][0].startswith("Podman")
    assert "web" not in set(frame(embedded, "ps -a")["name"])
    asked(embedded, "engine embedded")
    assert embedded.engine.name == "embedded"
    assert frame(embedded, "images").empty


def test_an_engine_that_does_not_answer_leaves_the_current_one(embedded):
    asked(embedded, "engine docker")
    error = refused(embedded, "engine docker --host unix:///nowhere.sock", NoDaemon)
    assert "the engine is still docker" in error.hint
    assert len(frame(embedded, "ps -a").columns) == 9
    assert refused(embedded, "engine podman --host tcp://127.0.0.1", NoDaemon)
    assert frame(embedded, "engine")["current"].tolist() == [False, True, False]


def test_an_address_on_the_line_counts_for_that_line(embedded, podmand, dockerd):
    assert frame(embedded, f"engine --host {podmand.host}")["version"][0].startswith("Podman")
    assert frame(embedded, "engine docker")["address"][0] == dockerd.host


def test_a_context_on_the_line_goes_before_docker_host(embedded, podmand, tmp_path):
    env = environment(tmp_path / "client", DOCKER_CONFIG=str(tmp_path / "config"))
    run_tool(["docker", "context", "create", "other", "--docker", f"host={podmand.host}"], env=env)
    assert frame(embedded, "engine docker --context other")["address"][0] == podmand.host
    assert "default, other" in refused(embedded, "engine --context gone", Misuse).hint


def test_what_an_engine_cannot_be_told_is_refused(embedded):
    for line in (
        "engine embedded --host unix:///x",
        "engine docker --host unix:///x --context y",
        "engine podman --context y",
        "engine docker --host ftp://x",
        "engine swarm",
    ):
        refused(embedded, line, Misuse)
    assert embedded.engine.name == "embedded"


def test_an_engine_that_is_silent_is_only_waited_for_a_while(embedded, monkeypatch):
    monkeypatch.setattr(engine_command, "PATIENCE", 0.2)
    with fake_daemon(version=lambda _: time.sleep(5)) as fake:
        daemon = replace(embedded.given.daemon, host=fake.host, podman_host="unix:///nowhere.sock")
        embedded.given = replace(embedded.given, daemon=daemon)
        answer = asked(embedded, "engine")
    assert [one.reachable for one in answer.records] == [True, False, False]
    docker, podman = answer.notes
    assert "docker: " in docker
    assert "does not answer in time" in docker
    assert "no such socket" in podman
    assert docker in to_html(views.to_notebook(answer)).replace("&#x27;", "'")


def test_python_connects_to_a_daemon_by_its_address(podmand):
    engine = jupyimg.connect(engine="podman", host=podmand.host)
    assert engine.about().version.startswith("Podman")
    assert jupyimg.frame(engine.containers(), "ps").empty
    engine.close()


def test_a_terminal_only_shows_engines(embedded):
    embedded.terminal = True
    assert "ENGINE" in text(embedded, "engine")
    assert "JUPYIMG_ENGINE=docker" in refused(embedded, "engine docker", Misuse).hint


# ---- ps


def test_ps_lists_what_runs_and_with_a_all(session, web, ticker):
    shown = frame(session, "ps")
    assert list(shown.columns) == [
        *("container_id", "name", "image", "state", "created", "ports", "status", "command", "exit_code")
    ]
    assert shown["name"].tolist() == ["ticker"]
    every = frame(session, "ps -a").set_index("name")
    assert every["state"].astype(str).to_dict() == {"ticker": "running", "web": "exited"}
    assert set(every["container_id"]) == {web, ticker}
    assert set(every["image"]) == {"localhost/box:1"}


def test_ps_agrees_with_docker_ps(session, dockerd, web, ticker):
    for flags in (
        "-aq",
        "-aq --no-trunc",
        "-q",
        "-lq",
        "-qn 1",
        "-aq -f name=web",
        "-aq -f status=exited -f status=created",
    ):
        assert text(session, f"ps {flags}").splitlines() == dockerd.lines("ps", *flags.split()), flags
    titles = text(session, "ps -a").splitlines()[0].split("  ")
    assert [title.strip() for title in titles if title] == [
        "CONTAINER ID",
        "IMAGE",
        "COMMAND",
        "CREATED",
        "STATUS",
        "PORTS",
        "NAMES",
    ]


def test_containers_are_listed_and_read_but_not_changed(session, web):
    assert text(session, "docker container ls -aq") == text(session, "ps -aq")
    assert len(frame(session, "container logs web")) == 3
    for line in ("container rm web", "docker container prune", "container ls-files"):
        refused(session, line, Misuse)
    assert "web" in set(frame(session, "ps -a")["name"])


def test_an_image_whose_name_has_moved_on_is_shown_by_its_short_id():
    record = ContainerRecord(container_id="c" * 64, name="x", image=f"sha256:{'a' * 64}", state="exited", created=None)
    shown, whole = (views.to_text(Answer(kind="ps", records=[record], no_trunc=no_trunc)) for no_trunc in (False, True))
    assert f" {'a' * 12} " in shown
    assert record.image in whole


def test_an_unknown_filter_is_refused(session):
    for line in ("ps -f nope=1", "ps -f name", "ps -f name="):
        assert "ancestor" in refused(session, line, Misuse).hint


def test_the_embedded_engine_runs_no_containers(embedded):
    for line in ("ps", "logs web"):
        error = refused(embedded, line, Unsupported)
        assert error.message == "the embedded engine runs no containers"
        assert "%image engine docker" in error.hint


def test_names_of_containers_complete(session, embedded, web, ticker):
    assert candidates(session, "logs ti") == ("ti", ["ticker"])
    assert candidates(embedded, "logs ti") == ("ti", [])
    assert candidates(session, "engine p") == ("p", ["podman"])


# ---- logs


def test_logs_are_a_frame_of_lines_with_times_to_the_nanosecond(session, dockerd, web):
    shown = frame(session, "logs web")
    assert {name: str(dtype) for name, dtype in shown.dtypes.items()} == {
        "time": "datetime64[ns, UTC]",
        "stream": "category",
        "line": "str",
    }
    assert shown["stream"].tolist() == ["stdout", "stderr", "stdout"]
    assert shown["line"].tolist() == ["one", "two", "\x1b[31mred\x1b[0m\t<b>"]
    real = dockerd.run("logs", "-t", "web")
    stamps = sorted(line.split(" ", 1)[0] for line in (real.stdout + real.stderr).splitlines())
    assert shown["time"].tolist() == [pd.Timestamp(stamp) for stamp in stamps]


def test_a_time_of_a_frame_can_be_asked_for_again(session, web):
    times = frame(session, "logs web")["time"]
    again = views.to_notebook(run(session, ["logs", "web", "--since", str(times[1])]))
    assert again["line"].tolist()[0] == "two"
    until = str(times[1] - timedelta(microseconds=1))
    assert views.to_notebook(run(session, ["logs", "web", "--until", until]))["line"].tolist() == ["one"]
    assert len(frame(session, "logs web --since 10m -n 1")) == 1
    assert frame(session, "logs web --until 10m").empty


def test_what_is_shown_of_a_line_obeys_nobody(session, web):
    shown = frame(session, "logs web")
    html = to_html(shown)
    assert "\x1b" not in html
    assert "&lt;b&gt;" in html
    assert "red" in html


def test_lines_that_cannot_be_meant_are_refused(session, web):
    for line in ("logs", "logs web --tail some", "logs web --tail=-1", "logs web --since yesterday", "logs web web"):
        refused(session, line, Misuse)
    refused(session, "logs nobody", ContainerNotFound)


def test_an_interrupt_is_how_following_ends_wherever_it_comes(session, ticker):
    steps = []

    class Stopping:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def __call__(self, step):
            steps.append(step)
            if len(steps) > 20:
                raise KeyboardInterrupt

    answer = asked(session, "logs -f ticker", lambda *_: Stopping())
    assert len(answer.records) >= 10
    assert views.to_notebook(answer)["line"][0] == "line 1"
    with pytest.raises(KeyboardInterrupt):  # only following is meant to be interrupted
        _interrupted_pull(session)


def _interrupted_pull(session):
    def show(_):
        raise KeyboardInterrupt

    class Show:
        def __enter__(self):
            return show

        def __exit__(self, *_):
            return None

    run(session, ["pull", "127.0.0.1:1/nothing"], lambda *_: Show())


def test_a_long_following_forgets_its_first_lines_and_says_so(session, ticker, monkeypatch):
    monkeypatch.setattr(containers, "KEPT", 5)
    count = 0

    class Show:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def __call__(self, step):
            nonlocal count
            count += step.phase is Phase.NOTE
            if count == 12:
                raise KeyboardInterrupt

    answer = asked(session, "logs -f ticker", lambda *_: Show())
    assert len(answer.records) == 5
    assert "are not kept" in answer.notes[0]
    assert answer.notes[0] in to_html(views.to_notebook(answer))


# ---- in a terminal


def terminal(dockerd, *words, **options):
    env = {**os.environ, "JUPYIMG_ENGINE": "docker", "DOCKER_HOST": dockerd.host}
    command = [sys.executable, "-m", "jupyimg", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, **options)


@pytest.mark.parametrize("flags", [[], ["-t"], ["-t", "-n", "2"]])
def test_a_terminal_prints_the_lines_of_each_stream_to_its_own(dockerd, web, flags):
    out, err = terminal(dockerd, "logs", *flags, "web").communicate(timeout=60)
    real = dockerd.run("logs", *flags, "web")
    assert (out, err) == (real.stdout.replace("\x1b[31m", "").replace("\x1b[0m", ""), real.stderr)


def test_a_terminal_follows_until_ctrl_c_which_is_no_error(dockerd, ticker):
    process = terminal(dockerd, "logs", "-f", "--tail", "1", "ticker", start_new_session=True)
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert first.startswith("line ")
    assert err == ""
    assert process.returncode == 0


def test_a_reader_that_has_seen_enough_ends_the_following(dockerd, ticker):
    process = terminal(dockerd, "logs", "-f", "ticker")
    process.stdout.readline()
    process.stdout.close()
    until(lambda: process.poll() is not None)
    assert process.stderr.read() == ""
    process.stderr.close()
