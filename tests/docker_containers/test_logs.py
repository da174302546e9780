"""What containers wrote on real daemons: every line, with its time and stream, at once or while it comes."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from jupyimg.engines.docker import logs
from jupyimg.engines.docker.engine import Docker
from jupyimg.errors import ContainerNotFound, EngineError, NoDaemon
from tests.docker_containers.daemons import ran, settings_at, settings_for
from tests.docker_containers.fake import answer, fake_daemon
from tests.services.daemons import serve_docker
from tests.services.process import ServiceFailed
from tests.services.waiting import PATIENCE, best, until


def texts(records):
    return [(record.stream, record.line) for record in records]


@pytest.fixture(scope="module")
def talker(backend):
    """A container that wrote to both streams and has ended."""
    return ran(backend, "echo one; sleep 0.5; echo two >&2; sleep 1.1; echo three; echo end")


def test_lines_come_with_their_streams_in_the_order_in_which_they_were_written(engine, talker):
    assert texts(engine.logs(talker)) == [("stdout", "one"), ("stderr", "two"), ("stdout", "three"), ("stdout", "end")]


def test_times_are_those_that_docker_logs_shows(engine, backend, talker):
    done = backend.run("logs", "-t", talker)
    shown = sorted(line.split(" ", 1)[0] for line in (done.stdout + done.stderr).splitlines())
    ours = sorted(f"{one.time:%Y-%m-%dT%H:%M:%S.%f}{one.nanosecond:03}Z" for one in engine.logs(talker))
    if backend.name == "podman":  # which has whole seconds
        ours = [f"{text[:19]}Z" for text in ours]
    assert ours == shown
    assert all(abs(datetime.now(UTC) - one.time) < timedelta(minutes=5) for one in engine.logs(talker))


@pytest.mark.parametrize(("tail", "lines"), [(0, 0), (1, 1), (3, 3), (99, 4), (None, 4)])
def test_tail_leaves_the_last_lines(engine, talker, tail, lines):
    found = texts(engine.logs(talker, tail=tail))
    assert found == texts(engine.logs(talker))[4 - lines :]


def test_since_and_until_part_the_log(engine, talker):
    every = list(engine.logs(talker))
    border = every[2].time
    assert [one.line for one in engine.logs(talker, since=border)] == ["three", "end"]
    assert [one.line for one in engine.logs(talker, until=border - timedelta(milliseconds=1))] == ["one", "two"]
    assert list(engine.logs(talker, since=datetime.now(UTC) + timedelta(hours=1))) == []


def test_a_line_without_end_is_a_line_and_what_a_second_start_writes_is_another(docker_engine, dockerd):
    made = ran(dockerd, "echo one; printf two")
    dockerd.run("start", "-a", made)
    assert [one.line for one in docker_engine.logs(made)] == ["one", "two", "one", "two"]


def test_a_name_and_the_beginning_of_an_id_will_do(docker_engine, dockerd):
    made = ran(dockerd, "echo here", "--name=named")
    assert texts(docker_engine.logs("named")) == texts(docker_engine.logs(made[:8])) == [("stdout", "here")]


def test_a_terminal_has_one_stream_and_no_frames(engine, backend):
    made = ran(backend, "stty -echo 2>/dev/null; echo out; echo err >&2; printf 'a\\rb\\r\\n'; echo 中", "-t")
    assert texts(engine.logs(made)) == [("stdout", line) for line in ("out", "err", "a", "b", "中")]


def test_what_the_driver_noted_stands_before_each_line(docker_engine, dockerd):
    made = ran(dockerd, "echo here", "--log-opt=env=WHO", "--env=WHO=me")
    assert [one.line for one in docker_engine.logs(made, details=True)] == ["WHO=me here"]


def test_a_long_line_is_one_line(docker_engine, dockerd):
    made = ran(dockerd, "yes x | tr -d '\\n' | head -c 1000000; echo; echo next")
    assert [one.line for one in docker_engine.logs(made)] == ["x" * 1_000_000, "next"]


def test_a_long_line_of_a_terminal_is_one_line(docker_engine, dockerd):
    made = ran(dockerd, "yes 中 | tr -d '\\n' | head -c 99999; echo; echo next", "-t")
    first, second = docker_engine.logs(made)
    assert set(first.line) <= {"中", "\N{REPLACEMENT CHARACTER}"}, "Docker itself loses what it cuts"
    assert first.line.count("中") > 33_300
    assert second.line == "next"


def test_hostile_text_is_kept_as_it_is(docker_engine, dockerd):
    made = ran(dockerd, "printf '\\033[31mred\\033[0m\\0nul\\n\\342\\200\\256rtl\\n\\377\\376\\n<b>&\\n'")
    found = [one.line for one in docker_engine.logs(made)]
    assert found == ["\x1b[31mred\x1b[0m\0nul", "\u202ertl", "\N{REPLACEMENT CHARACTER}" * 2, "<b>&"]


def test_a_container_that_is_not_there(engine):
    with pytest.raises(ContainerNotFound, match=r"(?i)no such container") as caught:
        list(engine.logs("never-made"))
    assert "ps -a" in caught.value.hint
    for odd in ("", "../images/json?x=1", "a b", "-"):
        with pytest.raises(ContainerNotFound):
            list(engine.logs(odd))


def test_a_log_that_nobody_keeps_is_an_error(docker_engine, dockerd):
    made = ran(dockerd, "echo here", "--log-driver=none")
    with pytest.raises(EngineError, match="does not support reading"):
        list(docker_engine.logs(made))


def test_the_real_nginx_logs_who_asked(docker_engine, dockerd, nginx_image):
    dockerd.run("pull", nginx_image.reference)
    conf = "sed -i 's/listen 80 .*/listen 127.0.0.1:0;/; /listen \\[/d' /etc/nginx/sites-enabled/default"
    port = _free_port()
    start = f"{conf.replace(':0;', f':{port};')} && mkdir empty && exec nginx -g 'daemon off;'"
    made = dockerd.start("--network=host", nginx_image.reference, "sh", "-c", start)
    url = f"http://127.0.0.1:{port}"
    until(lambda: subprocess.run(["curl", "-sfo", "/dev/null", f"{url}/"], check=False).returncode == 0)
    subprocess.run(["curl", "-s", "-A", "a reader", f"{url}/missing"], check=True, capture_output=True)
    subprocess.run(["curl", "-s", f"{url}/empty/"], check=True, capture_output=True)
    until(lambda: len(list(docker_engine.logs(made))) >= 4)
    found = list(docker_engine.logs(made))
    access = [one.line for one in found if one.stream == "stdout"]
    errors = [one.line for one in found if one.stream == "stderr"]
    assert any('"GET / HTTP/1.1" 200' in line for line in access)
    assert any('"GET /missing HTTP/1.1" 404' in line and "a reader" in line for line in access)
    assert any("directory index" in line and "forbidden" in line for line in errors)
    assert all(one.time is not None for one in found)
    (shown,) = docker_engine.containers(filters={"id": [made]})
    assert (shown.state, shown.image) == ("running", nginx_image.reference)
    dockerd.run("rm", "-f", made)


def _free_port():
    """A port that is free, and that no connection or server of somebody else's is given before it is used."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])  # from there on they are given
    for port in random.sample(range(10_000, first), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


MEASURE = """
import resource, sys
from pathlib import Path
from jupyimg.engines.docker.engine import Docker
from jupyimg.model.settings import DaemonSettings, Settings
engine = Docker(Settings(home=Path("/nowhere"), engine=sys.argv[1], daemon=DaemonSettings(host=sys.argv[2], podman_host=sys.argv[2])))
list(engine.logs(sys.argv[3], tail=1))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(len(line.line) > 0 for line in engine.logs(sys.argv[3]))
print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_hundred_thousand_lines_need_no_more_memory_than_one(dockerd):
    made = ran(dockerd, "seq 100000 | awk '{print $0, \"the quick brown fox jumps over the lazy dog\"}'")
    said = subprocess.run(
        [sys.executable, "-c", MEASURE, dockerd.name, dockerd.host, made], capture_output=True, text=True, check=True
    )
    lines, megabytes = map(int, said.stdout.split())
    assert lines == 100_000
    assert megabytes <= 10


# ---- following


@pytest.fixture(scope="module")
def ticker(backend):
    """A container that goes on writing."""
    return backend.start(
        "--stop-signal=KILL",
        "localhost/box:1",
        "sh",
        "-c",
        "i=0; while i=$((i+1)); do echo $i; echo e$i >&2; sleep 0.05; done",
    )


def test_a_follower_has_lines_as_they_are_written(engine, ticker):
    with closing(engine.logs(ticker, follow=True, tail=0)) as lines:
        began = time.monotonic()
        found = list(islice(lines, 6))
    assert 0.05 < time.monotonic() - began < PATIENCE
    assert {one.stream for one in found} == {"stdout", "stderr"}
    assert len({one.line for one in found}) == 6


def test_a_follower_hears_that_nothing_comes(engine, backend):
    made = backend.start("localhost/box:1", "sleep", "60")
    with closing(engine.log_batches(made, follow=True)) as batches:
        assert list(islice(batches, 3)) == [[], [], []]
    backend.run("rm", "-f", made)


def test_following_ends_with_the_container(engine, backend):
    made = backend.start("localhost/box:1", "sh", "-c", "sleep 0.3; echo one; sleep 0.3; echo two; sleep 0.3")
    assert texts(engine.logs(made, follow=True)) == [("stdout", "one"), ("stdout", "two")]


def test_who_stops_following_leaves_no_thread_and_a_usable_engine(engine, ticker):

    def left():
        with closing(engine.logs(ticker, follow=True)) as lines:
            next(lines)
            began = time.monotonic()
        return time.monotonic() - began

    assert best(left, 0.2) < 0.2
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "jupyimg-logs"])
    assert next(engine.logs(ticker, tail=1)).line


def test_a_slow_follower_holds_up_no_memory(docker_engine, dockerd):
    made = dockerd.start("localhost/box:1", "sh", "-c", "yes | head -c 100000; sleep 60")
    with closing(docker_engine.log_batches(made, follow=True)) as batches:
        next(batches)
        time.sleep(0.5)
        assert 0 < len(next(batches)) <= logs.AHEAD + 1
    dockerd.run("rm", "-f", made)


# ---- the daemon goes away


def test_a_daemon_that_hangs_up_in_the_middle_of_a_log(tmp_path):
    frame = b"\x01\0\0\0\0\0\0\x23" + b"2026-11-24T11:50:24.263585122Z one\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    def cut(client):
        client.sendall(head + b"%x\r\n" % len(frame) + frame + b"\r\n" + b"ff\r\n\x01\0\0")

    asked = {"containers/x/logs": cut, "containers/x/json": answer({"Id": "x", "Config": {"Tty": False}})}
    with fake_daemon(**asked) as fake:
        engine = Docker(settings_at(fake.host, tmp_path))
        for follow in (True, False):
            with pytest.raises(NoDaemon, match="hung up"):
                list(engine.logs("x", follow=follow))


@pytest.mark.parametrize("kind", ["multiplexed-stream", "raw-stream", ""])
@pytest.mark.parametrize("terminal", [True, False])
def test_the_form_of_a_log_is_read_off_the_container(tmp_path, kind, terminal):
    line = b"2026-11-24T11:50:24.263585122Z one\n"
    body = line if terminal else b"\x02\0\0\0\0\0\0\x23" + line
    answers = {
        "containers/x/json": answer({"Id": "x", "Config": {"Tty": terminal}}),
        "containers/x/logs": answer(body, kind=f"application/vnd.docker.{kind}"),
    }
    with fake_daemon(**answers) as fake:
        found = texts(Docker(settings_at(fake.host, tmp_path)).logs("x"))
    assert found == [("stdout" if terminal else "stderr", "one")]


def test_a_daemon_that_stops_ends_the_log_and_is_missed_afterwards(busybox_image, tmp_path):
    ended = False
    with suppress(ServiceFailed), serve_docker() as own:  # which finds it gone when it cleans up
        own.run("pull", busybox_image.reference)
        script = "while sleep 0.1; do echo x; done"
        made = own.start("--stop-signal=KILL", busybox_image.reference, "sh", "-c", script)
        engine = Docker(settings_for(own, tmp_path))
        lines = engine.logs(made, follow=True)
        assert next(lines).line == "x"
        os.kill(int((own.folder / "pid").read_text()), signal.SIGTERM)
        try:
            assert all(one.line == "x" for one in lines)
        except NoDaemon as error:
            assert "hung up" in error.message
        until(lambda: not own.socket.exists())
        with pytest.raises(NoDaemon, match="no such socket"):
            engine.containers()
        ended = True
    assert ended
