"""What may go wrong inside a stream of events, told by a daemon of a few lines; and stopping it."""

from __future__ import annotations

import io
import json
import os
import socket
import stat
import threading
import time
from typing import TYPE_CHECKING

import pytest

from jupyimg.engines import open_engine
from jupyimg.engines.docker.api import Call
from jupyimg.engines.docker.aside import aside
from jupyimg.engines.docker.events import Told, decoded
from jupyimg.engines.docker.moving import auth_header
from jupyimg.engines.docker.refusals import refusal
from jupyimg.errors import (
    Conflict,
    Denied,
    EngineError,
    ImageNotFound,
    Interrupted,
    NoDaemon,
    PlatformNotFound,
    RateLimited,
    RemoteNotFound,
    StoreError,
    Unreachable,
)
from jupyimg.model.content import Phase, told
from jupyimg.model.settings import DaemonSettings, Settings
from jupyimg.registry.auth import Credentials
from tests.engines_contract.fake import fake_daemon, stall
from tests.services.waiting import AT_ONCE, best, pressed

if TYPE_CHECKING:
    from pathlib import Path

    from jupyimg.engines import Engine
    from tests.engines_contract.fake import FakeDaemon, Line

DIGEST = "sha256:" + "a" * 64
IMAGE = {"Id": DIGEST, "RepoTags": ["app:1"], "RepoDigests": [f"app@{DIGEST}"], "Os": "linux", "Architecture": "amd64"}
EVENTS = [
    {"status": "Pulling from library/app", "id": "1"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "0b2ea1d0df8e"},
    {"status": "Downloading", "progressDetail": {"current": 10, "total": 30}, "id": "0b2ea1d0df8e"},
    {"status": "Downloading", "progressDetail": {"current": 25}, "id": "0b2ea1d0df8e"},
    {"status": "Download complete", "progressDetail": {}, "id": "0b2ea1d0df8e"},
    {"status": "Extracting", "progressDetail": {"current": 5, "total": 30}, "id": "0b2ea1d0df8e"},
    {"status": "Pull complete", "progressDetail": {}, "id": "0b2ea1d0df8e"},
    {"status": f"Digest: {DIGEST}"},
    {"status": "Status: Downloaded newer image for app:1"},
]


def raw(events) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\r\n" for event in events)


def inspect(line: Line) -> None:
    line.document(IMAGE)


def opened(daemon: FakeDaemon, tmp_path: Path, name: str = "docker") -> Engine:
    return open_engine(
        Settings(home=tmp_path, engine=name, daemon=DaemonSettings(host=daemon.host, podman_host=daemon.host))
    )


def answering(*pieces: bytes, ended: bool = True):
    """An answer in these pieces."""

    def answer(line: Line) -> None:
        line.begin()
        for piece in pieces:
            line.piece(piece)
        if ended:
            line.end()
        else:
            line.socket.shutdown(socket.SHUT_RDWR)

    return answer


@pytest.mark.parametrize("size", [1, 2, 7, 64, 10_000])
def test_events_may_be_cut_anywhere_and_stand_several_in_a_piece(size: int):
    text = raw([{"status": "教学 ✓", "id": "x"}, *EVENTS])
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert list(decoded(pieces)) == [{"status": "教学 ✓", "id": "x"}, *EVENTS]


@pytest.mark.parametrize("text", [b'{"status": "Pul', b'{"status":"x"}\n[', b"[1]", b"{" * (2 << 20), b"<html>"])
def test_what_is_no_whole_event_is_an_error_and_no_success(text: bytes):
    with pytest.raises(EngineError):
        list(decoded([text]))


def test_a_layer_never_moves_back_while_it_is_extracted():
    told, seen = Told(), []
    for event in EVENTS:
        seen += [step for step in told.take(event, "Docker") if step.item]
    assert [step.current for step in seen] == sorted(step.current for step in seen)
    assert (seen[-1].phase, seen[-1].current, seen[-1].total) == (Phase.DONE, 30, 30)
    assert told.transferred == 30
    list(told.take({"status": "Download complete", "id": "ffffffffffff"}, "Docker"))
    assert told.transferred is None  # a layer that did not say how much it was


def test_an_error_inside_a_stream_that_began_well_is_raised(tmp_path: Path):
    error = {"errorDetail": {"message": "no matching manifest for linux/s390x in the manifest list entries"}}
    answers = {"/images/create": answering(raw([*EVENTS[:3], error])), "/json": inspect}
    with fake_daemon(answers) as daemon, pytest.raises(PlatformNotFound):
        opened(daemon, tmp_path).pull("app:1")


def test_a_pull_whose_end_was_not_told_is_unknown_and_no_success(tmp_path: Path):
    answers = {"/images/create": answering(raw(EVENTS[:-1])), "/json": inspect}
    with fake_daemon(answers) as daemon, pytest.raises(EngineError) as caught:
        opened(daemon, tmp_path).pull("app:1")
    assert "not known" in caught.value.message
    assert "%image images" in caught.value.hint


def test_a_push_whose_end_was_not_told_is_unknown_and_no_success(tmp_path: Path):
    events = [{"status": "The push refers to repository [docker.io/library/app]"}]
    answers = {
        "/push": answering(raw(events)),
        "/images/json": lambda line: line.document([IMAGE]),
        "/json": inspect,
    }
    with fake_daemon(answers) as daemon, pytest.raises(EngineError) as caught:
        opened(daemon, tmp_path).push("app:1")
    assert "not known" in caught.value.message


@pytest.mark.parametrize("events", [EVENTS[:4], EVENTS])
def test_a_daemon_that_goes_away_in_the_middle_is_an_error(events, tmp_path: Path):
    answers = {"/images/create": answering(raw(events), ended=False), "/json": inspect}
    with fake_daemon(answers) as daemon, pytest.raises(NoDaemon) as caught:
        opened(daemon, tmp_path).pull("app:1")
    assert "hung up" in caught.value.message
    assert caught.value.hint


def test_a_save_that_is_cut_off_leaves_no_file(tmp_path: Path):
    answers = {
        "/images/get": answering(b"half of a tar", ended=False),
        "/images/json": lambda line: line.document([IMAGE]),
    }
    target = tmp_path / "app.tar"
    with fake_daemon(answers) as daemon, pytest.raises(NoDaemon):
        opened(daemon, tmp_path / "home").save(["app:1"], target)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_a_load_that_does_not_say_what_it_loaded_is_unknown(tmp_path: Path):
    with fake_daemon({"/images/load": answering(b"")}) as daemon, pytest.raises(EngineError) as caught:
        opened(daemon, tmp_path).load(io.BytesIO(b"tar"))
    assert "does not say" in caught.value.message


def test_a_transfer_may_be_silent_for_longer_than_the_sdk_would_wait(tmp_path: Path):
    def slow(line: Line) -> None:
        line.begin()
        line.piece(raw(EVENTS[:3]))
        time.sleep(3)
        line.piece(raw(EVENTS[3:]))
        line.end()

    with fake_daemon({"/images/create": slow, "/json": inspect}) as daemon:
        settings = Settings(home=tmp_path, engine="docker", read_timeout=1.5, daemon=DaemonSettings(host=daemon.host))
        (record,) = open_engine(settings).pull("app:1")
    assert record.digest == DIGEST


ASKS = {
    "pull": ("/images/create", lambda engine, _: engine.pulling("app:1")),
    "push": ("/push", lambda engine, _: engine.pushing("app:1")),
    "save": ("/images/get", lambda engine, path: engine.saving(["app:1"], path / "app.tar")),
    "load": ("/images/load", lambda engine, _: engine.loading(io.BytesIO(b"tar"))),
}


@pytest.mark.parametrize("what", ASKS)
@pytest.mark.parametrize("begun", [False, True])
def test_a_stop_ends_a_stalled_daemon_within_a_fifth_of_a_second(what: str, begun, tmp_path: Path):
    path, ask = ASKS[what]

    def stopped() -> float:
        hung_up, waiting = threading.Event(), threading.Event()

        def stalled(line: Line) -> None:
            if begun:
                line.begin()
            waiting.set()
            stall(hung_up)(line)

        answers = {path: stalled, "/images/json": lambda line: line.document([IMAGE]), "/json": inspect}
        with fake_daemon(answers) as daemon:
            steps = ask(opened(daemon, tmp_path / "home"), tmp_path)
            with pytest.raises(Interrupted), pressed(waiting.is_set) as moments:
                for _ in steps:
                    pass
            took = time.monotonic() - moments[0]
            assert hung_up.wait(AT_ONCE), "the socket is still open"
        return took

    assert best(stopped, 0.2) < 0.2
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFCHR])
def test_neither_a_pipe_nor_a_device_is_replaced_by_an_archive(tmp_path: Path, kind: int):
    """As root, a rename over /dev/null would succeed."""
    target = tmp_path / "odd"
    os.mknod(target, kind | 0o666, os.makedev(1, 3))
    answers = {"/images/get": answering(b"tar"), "/images/json": lambda line: line.document([IMAGE]), "/json": inspect}
    with fake_daemon(answers) as daemon, pytest.raises(StoreError, match="is no file"):
        opened(daemon, tmp_path / "home").save(["app:1"], target)
    assert stat.S_IFMT(target.stat().st_mode) == kind
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_an_archive_of_a_daemon_goes_where_any_other_may_go(tmp_path: Path):
    answers = {"/images/get": answering(b"tar"), "/images/json": lambda line: line.document([IMAGE]), "/json": inspect}
    long = tmp_path / ("x" * 250 + ".tar")
    with fake_daemon(answers) as daemon:
        engine = opened(daemon, tmp_path / "home")
        engine.save(["app:1"], long)
        with pytest.raises(StoreError) as caught:
            engine.save(["app:1"], tmp_path / "none" / "x.tar")
    assert long.read_bytes() == b"tar"
    assert "folder" in caught.value.hint
    assert "JUPYIMG_HOME" not in caught.value.hint


def test_a_daemon_that_falls_silent_still_gives_steps_between_which_a_stop_is_heard(tmp_path: Path):
    stop, hung_up = threading.Event(), threading.Event()
    answers = {"/images/create": stall(hung_up), "/json": inspect}
    with fake_daemon(answers) as daemon:
        with pytest.raises(KeyboardInterrupt):
            told(opened(daemon, tmp_path).pulling("app:1"), lambda step: step.phase is Phase.IDLE and stop.set(), stop)
        assert hung_up.wait(30)


def test_a_registry_that_falls_silent_before_a_podman_pulls_all_its_tags_can_be_left(tmp_path: Path):
    stop = threading.Event()
    with fake_daemon({}, engine="Podman Engine") as daemon, socket.create_server(("127.0.0.1", 0)) as silent:
        steps = opened(daemon, tmp_path, "podman").pulling(
            f"127.0.0.1:{silent.getsockname()[1]}/app", all_tags=True, trust=False
        )
        with pytest.raises(Interrupted):
            told(steps, lambda step: step.phase is Phase.IDLE and stop.set(), stop)


def test_what_is_stopped_while_it_connects_asks_nothing_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with fake_daemon({"/images/create": answering(raw(EVENTS))}) as daemon:
        engine = opened(daemon, tmp_path)
        call = engine.api.open()
        connected = call._dial

        def slowly(prepared):
            call.interrupt()  # it comes before there is a socket
            connected(prepared)

        monkeypatch.setattr(Call, "_dial", lambda _, prepared: slowly(prepared))
        with pytest.raises(Interrupted):
            list(call.send("POST", "/images/create", {"fromImage": "app"}))
        call.close()
        assert not any("/images/create" in asked for asked in daemon.asked)


def test_a_job_aside_hands_over_its_failure_and_its_result():
    def good(put):
        put(1)
        return "result"

    def bad(put):
        put(1)
        message = "no"
        raise ImageNotFound(message)

    def drained(job):
        steps = aside(job, lambda: None)
        seen = []
        try:
            while True:
                seen.append(next(steps))
        except StopIteration as stop:
            return [item for item in seen if item is not None], stop.value

    assert drained(good) == ([1], "result")
    with pytest.raises(ImageNotFound):
        drained(bad)


def test_credentials_go_to_the_daemon_in_its_header_and_nowhere_else(tmp_path: Path):
    seen: list[str] = []

    def answer(line: Line) -> None:
        seen.append(line.headers["x-registry-auth"])
        answering(raw(EVENTS))(line)

    with fake_daemon({"/images/create": answer, "/json": inspect}) as daemon:
        engine = opened(daemon, tmp_path)
        engine.pull("registry.example/app:1")
        known = {"registry.example": Credentials("ada", "s3cret?>~")}
        engine.find = lambda reference: known.get(reference.host)
        engine.pull("registry.example/app:1")
        engine.pull("other.example/app:1")
        assert not any("s3cret" in asked for asked in daemon.asked)
    assert seen == ["e30=", auth_header("registry.example", Credentials("ada", "s3cret?>~")), "e30="]


def test_the_header_is_url_safe_and_names_docker_hub_as_docker_does():
    import base64

    def read(header: str) -> dict:
        return json.loads(base64.urlsafe_b64decode(header))

    header = auth_header("docker.io", Credentials("ada", "???>>>~~~"))
    assert not {"+", "/"} & set(header)
    assert read(header) == {
        "username": "ada",
        "password": "???>>>~~~",
        "serveraddress": "https://index.docker.io/v1/",
    }
    assert read(auth_header("quay.io", Credentials("", "", "token"))) == {
        "identitytoken": "token",
        "serveraddress": "quay.io",
    }
    assert read(auth_header("quay.io", Credentials("", registry_token="token"))) == {
        "registrytoken": "token",
        "serveraddress": "quay.io",
    }


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("toomanyrequests: You have reached your pull rate limit", RateLimited),
        ("pull access denied for x, repository does not exist or may require 'docker login'", Denied),
        ("unauthorized: authentication required", Denied),
        ("no basic auth credentials", Denied),
        ("manifest for x:1 not found: manifest unknown: manifest unknown", RemoteNotFound),
        ('Get "https://x/v2/": dial tcp: lookup x: no such host', Unreachable),
        ('Get "https://x/v2/": x509: certificate signed by unknown authority', Unreachable),
        ("http: server gave HTTP response to HTTPS client", Unreachable),
        (
            "choosing an image from manifest list: no image found in manifest list for architecture s390x",
            PlatformNotFound,
        ),
        ("No such image: x:1", ImageNotFound),
        ("failed to find image x: x: image not known", ImageNotFound),
        ("conflict: unable to delete x (cannot be forced) - image is being used by running container y", Conflict),
        ("something new", EngineError),
        ("", EngineError),
    ],
)
def test_the_words_of_a_daemon_become_one_of_our_errors(words: str, kind: type):
    found = refusal(words, status=500)
    assert type(found) is kind
    assert found.message
    assert found.hint or kind is EngineError
