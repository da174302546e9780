"""Finding a daemon and agreeing with it; and one clear sentence for each way in which that fails."""

from __future__ import annotations

import dataclasses
import os
import socket
import ssl
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from jupyimg.__main__ import main
from jupyimg.engines.docker.connection import NEWEST, OLDEST, _proxies, agreed, connect
from jupyimg.engines.docker.contexts import endpoints
from jupyimg.engines.docker.engine import Docker
from jupyimg.engines.docker.tunnel import command
from jupyimg.errors import DaemonDenied, EngineError, Misuse, NoDaemon
from jupyimg.model.settings import DaemonSettings, Settings
from tests.docker_containers.daemons import settings_at, settings_for
from tests.docker_containers.fake import VERSION, answer, fake_daemon
from tests.registry.certificates import make_certificate
from tests.registry.fake import dead_port
from tests.services.waiting import best


@pytest.fixture
def socket_path(tmp_path_factory):
    """A path that is short enough for a socket."""
    return tmp_path_factory.mktemp("s") / "d.sock"


def asked(host, home, **more):
    client = connect(settings_at(host, home, **more))
    client.close()
    return client


def failed(host, home, kind, **more):
    with pytest.raises(kind) as caught:
        asked(host, home, **more)
    assert type(caught.value) is kind
    assert caught.value.hint
    return caught.value.message


# ---- real daemons


def test_a_real_daemon_says_who_it_is(backend, tmp_path):
    client = connect(settings_for(backend, tmp_path))
    said = {"docker": "Docker Engine", "podman": "Podman Engine"}
    assert client.server.name == said[backend.name]
    real = backend.lines("version", "--format", "{{.Server.Version}} {{.Server.APIVersion}}")[0].split()
    assert [client.server.version, client.api_version] == real
    client.close()


def test_the_version_of_the_api_is_as_the_environment_wants_it(dockerd, tmp_path):
    settings = settings_for(dockerd, tmp_path)
    wanting = dataclasses.replace(settings, daemon=dataclasses.replace(settings.daemon, api_version="1.30"))
    client = connect(wanting)
    assert client.api_version == "1.30"
    assert client.containers(all=True) == []
    client.close()


def test_a_daemon_at_the_other_end_of_ssh_is_the_same_daemon(dockerd, tmp_path, monkeypatch):
    """The ssh command is one that runs what it is given here; what it runs is Docker's own dial-stdio."""
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    words = tmp_path / "words"
    ssh.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {words}\nfor last; do :; done\nDOCKER_HOST={dockerd.host} exec $last\n'
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ssh.parent}:{os.environ['PATH']}")
    client = connect(settings_at("ssh://me@far.example:2222", tmp_path))
    assert client.server.version == dockerd.lines("version", "--format", "{{.Server.Version}}")[0]
    assert client.containers(all=True) == []
    assert words.read_text().splitlines()[-7:] == [
        "-l",
        "me",
        "-p",
        "2222",
        "--",
        "far.example",
        "docker system dial-stdio",
    ]
    assert client.tunnel._pool._running
    running = list(client.tunnel._pool._running)
    client.close()
    assert all(one.poll() is not None for one in running)


def test_a_log_is_followed_over_ssh_and_stops_at_once(dockerd, tmp_path, monkeypatch):
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(f"#!/bin/sh\nfor last; do :; done\nDOCKER_HOST={dockerd.host} exec $last\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ssh.parent}:{os.environ['PATH']}")
    made = dockerd.start("--stop-signal=KILL", "localhost/box:1", "sh", "-c", "while sleep 0.05; do echo x; done")
    engine = Docker(settings_at("ssh://far.example", tmp_path))

    def left():
        with closing(engine.logs(made, follow=True)) as lines:
            assert [one.line for one in islice(lines, 3)] == ["x"] * 3
            began = time.monotonic()
        return time.monotonic() - began

    assert best(left, 0.2) < 0.2
    engine.close()
    dockerd.run("rm", "-f", made)


def test_a_stopped_daemon_is_said_to_be_none(tmp_path, socket_path):
    with fake_daemon(socket_path) as fake:
        assert asked(fake.host, tmp_path).api_version == "1.41"
    assert "nobody listens there" in failed(f"unix://{socket_path}", tmp_path, NoDaemon)


# ---- where it is not


def test_a_socket_that_is_not_there(tmp_path):
    assert "no such socket" in failed(f"unix://{tmp_path}/none.sock", tmp_path, NoDaemon)


@pytest.mark.parametrize(("engine", "variable"), [("docker", "DOCKER_HOST"), ("podman", "CONTAINER_HOST")])
def test_the_hint_names_the_engine_that_is_not_there_and_what_a_terminal_can_do(
    engine, variable, tmp_path, monkeypatch, capsys
):
    gone = f"unix://{tmp_path}/none.sock"
    settings = Settings(home=tmp_path, engine=engine, daemon=DaemonSettings(host=gone, podman_host=gone))
    with pytest.raises(NoDaemon) as caught:
        Docker(settings).images()
    assert f"%image engine {engine} --host" in caught.value.hint
    assert "%image engine embedded" in caught.value.hint
    monkeypatch.setenv("JUPYIMG_HOME", str(tmp_path))
    monkeypatch.setenv("JUPYIMG_ENGINE", engine)
    monkeypatch.setenv(variable, gone)
    assert main(["images"]) == 1
    said = capsys.readouterr().err
    assert f"{variable}=…" in said
    assert "JUPYIMG_ENGINE=embedded" in said
    assert "jupyimg engine" not in said


def test_a_port_where_nobody_listens(tmp_path):
    port = dead_port()
    assert f"tcp://127.0.0.1:{port}" in failed(f"tcp://127.0.0.1:{port}", tmp_path, NoDaemon)


def test_a_name_that_has_no_address(tmp_path):
    assert "no address is known" in failed("tcp://nowhere.example", tmp_path, NoDaemon)


def test_a_socket_without_permission(tmp_path):
    with TemporaryDirectory(dir="/tmp") as folder, fake_daemon(Path(folder) / "d.sock") as fake:
        Path(folder).chmod(0o755)
        (Path(folder) / "d.sock").chmod(0o600)
        os.seteuid(65534)  # nobody
        try:
            message = failed(fake.host, tmp_path, DaemonDenied)
        finally:
            os.seteuid(0)
    assert "this user may not use the Docker daemon" in message


def test_an_ssh_that_is_refused_says_what_it_said(tmp_path, monkeypatch):
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text('#!/bin/sh\necho "me@far.example: Permission denied (publickey)." >&2\nexit 255\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ssh.parent}:{os.environ['PATH']}")
    assert "Permission denied (publickey)" in failed("ssh://me@far.example", tmp_path, DaemonDenied)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no ssh command" in failed("ssh://me@far.example", tmp_path, NoDaemon)


def test_the_far_path_of_a_socket_goes_to_the_far_command_as_one_word():
    settings = DaemonSettings(host="ssh://h/run/a b;reboot.sock")
    assert command(endpoints(settings)[0])[-1] == "docker --host 'unix:///run/a b;reboot.sock' system dial-stdio"
    podman = DaemonSettings(podman_host="ssh://h/run/p.sock")
    assert command(endpoints(podman, "podman")[0])[-1] == "podman --url unix:///run/p.sock system dial-stdio"


def test_the_first_usual_socket_that_answers_is_taken(tmp_path, socket_path):
    stale = socket_path.parent / "docker.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(stale))
    listener.close()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "docker.sock").symlink_to(socket_path)
    where = DaemonSettings(runtime_dir=str(stale.parent), config=tmp_path)
    settings = Settings(home=tmp_path, engine="docker", daemon=where)
    with fake_daemon(socket_path, version={**VERSION, "Version": "rootless"}):
        client = connect(settings)
    assert client.server.version == "rootless"
    with pytest.raises(NoDaemon):
        connect(settings)


# ---- what is no daemon, or not one for us


@pytest.mark.parametrize(
    "said",
    [
        answer(b"<html>It works!</html>", kind="text/html"),
        answer({"hello": "world"}),
        answer({"ApiVersion": 3}),
        answer({"ApiVersion": "new"}),
        answer(b"\xff\xfe"),
        answer(b"[" * 100_000),
        answer({"message": "gone"}, "404 Not Found"),
        answer(b"Client sent an HTTP request to an HTTPS server.\n", "400 Bad Request", "text/plain"),
        answer(b"[" + b" " * (2 << 20) + b"]"),
    ],
)
def test_what_answers_with_something_else_is_no_daemon(tmp_path, said):
    with fake_daemon(version=said) as fake:
        message = failed(fake.host, tmp_path, EngineError)
    assert "daemon" in message


@pytest.mark.parametrize(
    "said", [b"\x00\x01\x02 nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b""]
)
def test_what_speaks_no_http_or_hangs_up_is_said_so(tmp_path, said):
    def hang_up(client):
        client.sendall(said)
        client.shutdown(socket.SHUT_RDWR)

    with fake_daemon(version=hang_up) as fake, pytest.raises(EngineError) as caught:
        asked(fake.host, tmp_path)
    assert caught.value.hint


def test_silence_has_an_end(tmp_path):
    settings = dataclasses.replace(settings_at("", tmp_path), read_timeout=0.2)
    with fake_daemon(version=lambda _: time.sleep(5)) as fake, pytest.raises(NoDaemon, match="does not answer in time"):
        connect(dataclasses.replace(settings, daemon=DaemonSettings(host=fake.host)))


def test_a_daemon_that_refuses_us(tmp_path):
    with fake_daemon(version=answer({"message": "no"}, "403 Forbidden")) as fake:
        assert "refuses" in failed(fake.host, tmp_path, DaemonDenied)


def test_a_redirect_is_not_followed(tmp_path):
    with fake_daemon() as other:
        moved = (
            b"HTTP/1.1 307 Moved\r\nLocation: http" + other.host[3:].encode() + b"/version\r\nContent-Length: 0\r\n\r\n"
        )
        with fake_daemon(version=moved) as fake:
            failed(fake.host, tmp_path, NoDaemon)
        assert other.heads == []


@pytest.mark.parametrize(
    ("newest", "oldest", "wanted", "spoken"),
    [
        ("1.41", "1.12", "", "1.41"),
        ("1.99", "1.44", "", NEWEST),
        (OLDEST, "", "", OLDEST),
        ("1.41", "1.12", "1.30", "1.30"),
        ("1.41", "1.12", "v1.30", "1.30"),
    ],
)
def test_the_newest_version_that_both_know_is_spoken(newest, oldest, wanted, spoken):
    assert agreed(newest, oldest, wanted, "here") == spoken


@pytest.mark.parametrize(
    ("newest", "oldest", "wanted", "kind", "says"),
    [
        ("1.20", "1.12", "", EngineError, "too old"),
        ("2.3", "2.0", "", EngineError, "too new"),
        ("1.41", "1.12", "1.45", EngineError, "1.12 to 1.41, not 1.45"),
        ("1.41", "1.12", "new", Misuse, "DOCKER_API_VERSION=new"),
        ("x", "1.12", "", EngineError, "does not say"),
    ],
)
def test_without_a_common_version_it_is_said_why(newest, oldest, wanted, kind, says):
    with pytest.raises(kind, match=says) as caught:
        agreed(newest, oldest, wanted, "here")
    assert caught.value.hint


@pytest.mark.parametrize(("newest", "says"), [("1.20", "too old"), ("1.41", "")])
def test_an_old_daemon_is_refused_when_it_is_connected(tmp_path, socket_path, newest, says):
    with fake_daemon(socket_path, version={**VERSION, "ApiVersion": newest}) as fake:
        if says:
            assert says in failed(fake.host, tmp_path, EngineError)
        else:
            assert asked(fake.host, tmp_path).api_version == newest


# ---- on the way


def test_nothing_of_the_environment_goes_along(tmp_path, socket_path, monkeypatch):
    """No proxy stands before a socket or loopback, and no password of ~/.netrc is for a daemon."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    netrc = tmp_path / "home" / ".netrc"
    netrc.write_text("default login me password s3cret\n")
    netrc.chmod(0o600)
    with fake_daemon(socket_path) as here, fake_daemon() as there:
        for fake in (here, there):
            assert asked(fake.host, tmp_path).api_version == "1.41"
            assert fake.heads
            assert "authorization" not in fake.heads[0].lower()


def test_a_far_daemon_is_reached_by_the_proxy_of_the_settings():
    proxies = {"http": "http://proxy.example:3128", "no": "near.example,.local"}
    assert _proxies("http://far.example:2375", proxies) == {"http": "http://proxy.example:3128"}
    for straight in ("near.example", "x.local", "127.0.0.1", "[::1]", "localhost"):
        assert _proxies(f"http://{straight}:2375", proxies) == {}
    assert _proxies("https://far.example:2376", proxies) == {}


@pytest.fixture
def certificates(tmp_path):
    """DOCKER_CERT_PATH of a client whose daemon is called localhost."""
    folder = tmp_path / "certs"
    folder.mkdir()
    server = make_certificate(folder, "localhost")
    mine = make_certificate(folder, "me")
    mine[0].rename(folder / "cert.pem")
    mine[1].rename(folder / "key.pem")
    (folder / "ca.pem").write_bytes(server[0].read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server)
    context.load_verify_locations(folder / "cert.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return folder, context


def test_tls_proves_both_sides(tmp_path, certificates):
    folder, context = certificates
    with fake_daemon(tls=context) as fake:
        host = fake.host.replace("127.0.0.1", "localhost")
        assert asked(host, tmp_path, tls_verify=True, cert_path=str(folder)).api_version == "1.41"
        assert asked(fake.host, tmp_path, cert_path=str(folder)).api_version == "1.41", "a name is not looked at"


def test_tls_that_proves_nothing_is_refused(tmp_path, certificates):
    folder, context = certificates
    with fake_daemon(tls=context) as fake:
        host = fake.host.replace("127.0.0.1", "localhost")
        assert "prove who it is" in failed(host, tmp_path, NoDaemon, tls_verify=True)
        (folder / "cert.pem").unlink()
        failed(host, tmp_path, NoDaemon, tls_verify=True, cert_path=str(folder))
    with fake_daemon() as plain:
        assert "TLS" in failed(plain.host, tmp_path, NoDaemon, tls_verify=True, cert_path=str(folder))
