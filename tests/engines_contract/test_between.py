"""Between engines: the same image in every store, sent in every direction; and a daemon that is stopped for real."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from jupyimg.commands.run import run
from jupyimg.commands.session import Session
from jupyimg.engines import open_engine
from jupyimg.engines.sending import sending
from jupyimg.errors import ContentError, ImageError, ImageNotFound, Misuse, NoDaemon
from jupyimg.model.content import Phase, Step, drain
from jupyimg.model.records import Status
from jupyimg.model.settings import DaemonSettings, Settings
from tests.engines_contract.conftest import BACKENDS
from tests.services.daemons import serve_docker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jupyimg.engines import Engine
    from tests.services.daemons import Daemon
    from tests.services.registry import Registry


def test_an_image_has_the_same_ids_in_every_engine(every: Callable[[str], Engine], shelf: Registry):
    name = shelf.reference("sample/web:1.0")
    found = [every(backend).pull(name)[0] for backend in BACKENDS]
    assert len({(record.reference, record.digest, record.image_id) for record in found}) == 1
    rows = [every(backend).images()[0] for backend in BACKENDS]
    for field in ("image_id", "digest", "created", "reference"):
        assert len({str(getattr(row, field)) for row in rows}) == 1, field
    assert rows[0].labels == rows[1].labels == rows[2].labels


def test_an_image_is_sent_from_any_engine_to_any_other(every: Callable[[str], Engine], shelf: Registry):
    name = shelf.reference("sample/web:1.0")
    image_id = every("embedded").pull(name)[0].image_id
    for source, target in (
        *itertools.pairwise([*BACKENDS, *BACKENDS]),
        *itertools.pairwise([*BACKENDS, *BACKENDS][::-1]),
    ):
        every(target).remove([name], force=True)
        (record,) = drain(sending(every(source), every(target), [name]))
        assert (record.reference, record.image_id, record.status) == (name, image_id, Status.LOADED), (source, target)
        assert every(target).inspect(name).image_id == image_id


def test_a_name_without_a_host_stays_docker_hubs_in_every_engine(every: Callable[[str], Engine], shelf: Registry):
    source = shelf.reference("sample/web:1.0")
    every("docker").pull(source)
    every("podman").pull(shelf.reference("sample/base:1.0"))
    every("podman").tag(shelf.reference("sample/base:1.0"), "localhost/nginx:9")
    for name in ("nginx:9", "sample/hello:latest", "localhost/box:1"):
        every("docker").tag(source, name)
        for giver, taker in (("docker", "podman"), ("podman", "embedded"), ("embedded", "docker")):
            (record,) = drain(sending(every(giver), every(taker), [name]))
            assert record.reference == name, (giver, taker)
            assert every(taker).inspect(name).image_id == every("docker").inspect(source).image_id
    others = {row.reference: row.image_id for row in every("podman").images()}
    assert others["localhost/nginx:9"] == others[shelf.reference("sample/base:1.0")], "it was somebody else's"
    assert set(others) == {
        *("nginx:9", "sample/hello:latest", "localhost/box:1", "localhost/nginx:9"),
        shelf.reference("sample/base:1.0"),
    }


def test_podman_loads_the_names_of_docker_save_as_docker_does(
    every: Callable[[str], Engine], _docker: Daemon, shelf: Registry, tmp_path: Path
):
    every("docker").pull(shelf.reference("sample/web:1.0"))
    every("docker").tag(shelf.reference("sample/web:1.0"), "nginx:9")
    every("docker").tag(shelf.reference("sample/web:1.0"), "me/app:2")
    _docker.run("save", "-o", str(tmp_path / "saved.tar"), "nginx:9", "me/app:2")
    assert {row.reference for row in every("podman").load(tmp_path / "saved.tar")} == {"nginx:9", "me/app:2"}


def test_the_end_that_failed_first_tells(every: Callable[[str], Engine], shelf: Registry):
    for source, target in (("embedded", "docker"), ("docker", "podman"), ("podman", "embedded")):
        with pytest.raises(ImageNotFound) as caught:
            drain(sending(every(source), every(target), ["nothing:here"]))
        assert "nothing:here" in caught.value.message

    class Full:
        name = "full"

        def loading(self, source, *, platform=None):
            source.read(10)
            yield Step(Phase.MOVING, "archive", 10, 0, "archive")
            message = "no room"
            raise ContentError(message)

    name = shelf.reference("sample/web:1.0")
    every("docker").pull(name)
    with pytest.raises(ContentError, match="no room"):
        drain(sending(every("docker"), Full(), [name]))
    assert every("docker").images()


def test_send_is_a_command_in_both_directions(_docker: Daemon, shelf: Registry, tmp_path: Path):
    _docker.reset()
    session = Session(Settings(home=tmp_path, daemon=DaemonSettings(host=_docker.host)))
    name = shelf.reference("sample/hello:latest")
    run(session, ["pull", "-q", name])
    answer = run(session, ["send", name, "--to", "docker"])
    assert (answer.kind, answer.records[0].reference) == ("send", name)
    assert name in _docker.lines("images", "--format={{.Repository}}:{{.Tag}}")
    run(session, ["rmi", name])
    assert run(session, ["send", "--from", "docker", name]).records[0].reference == name
    assert [row.reference for row in run(session, ["images"]).records] == [name]
    with pytest.raises(Misuse) as caught:
        run(session, ["send", name, "--to", "embedded"])
    assert "--from docker" in caught.value.hint
    session.close()


MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class _Stalling(BaseHTTPRequestHandler):
    """A registry whose layer never ends."""

    def do_GET(self) -> None:
        config = (
            b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:' + b"0" * 64 + b'"]}}'
        )
        blobs = {"sha256:" + hashlib.sha256(config).hexdigest(): config}
        layer = {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "digest": "sha256:" + "1" * 64}
        own = {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": next(iter(blobs))}
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {**own, "size": len(config)},
                "layers": [{**layer, "size": 100_000_000}],
            }
        ).encode()
        stalls = self.path.endswith(layer["digest"])
        body = manifest if "/manifests/" in self.path else blobs.get(self.path.rpartition("/")[2], b"{}")
        self.send_response(200)
        self.send_header("Content-Type", MANIFEST if "/manifests/" in self.path else "application/octet-stream")
        self.send_header("Content-Length", str(100_000_000 if stalls else len(body)))
        self.send_header("Docker-Content-Digest", "sha256:" + hashlib.sha256(body).hexdigest())
        self.end_headers()
        if stalls:
            self.wfile.write(b"x" * 100_000)
            self.server.stalled.set()
            time.sleep(60)
        elif self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


def _refused(engine: Engine) -> NoDaemon:
    with pytest.raises(NoDaemon) as caught:
        engine.images()
    return caught.value


def test_a_daemon_that_is_stopped_during_a_pull_is_an_error_that_says_so(tmp_path: Path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Stalling)
    server.daemon_threads = True
    server.stalled = threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with serve_docker() as docker:
        settings = Settings(home=tmp_path, engine="docker", daemon=DaemonSettings(host=docker.host))
        engine = open_engine(settings)
        assert engine.images() == []
        pid = int((docker.folder / "pid").read_text())

        def stop() -> None:
            assert server.stalled.wait(20)
            os.kill(pid, signal.SIGTERM)

        threading.Thread(target=stop, daemon=True).start()
        with pytest.raises(ImageError) as caught:
            engine.pull(f"127.0.0.1:{server.server_port}/app:1")
        assert caught.value.hint
        deadline = time.monotonic() + 20
        while "%image engine" not in _refused(engine).hint:  # it takes a moment to be gone
            assert time.monotonic() < deadline
            time.sleep(0.1)
        engine.close()
    server.shutdown()
