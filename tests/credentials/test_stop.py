"""Stop means now for a helper too: the program and its children are gone, and nobody else's are touched."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from jupyimg.commands.run import run
from jupyimg.commands.session import Session
from jupyimg.engines.docker.moving import Moving
from jupyimg.errors import Interrupted
from jupyimg.model.reference import Reference
from jupyimg.registry import Registries
from jupyimg.registry.call import Call, current
from tests.registry.test_interrupt import Worker
from tests.services.process import environment
from tests.services.waiting import AT_ONCE, PATIENCE, until


def programs(vault) -> list[int]:
    """The processes of the helper that run, children included."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        found += [int(entry.name)] if str(vault.bin).encode() in line else []
    return found


@pytest.fixture
def hanging(homes, vault, htpasswd_registry):
    """A helper that hangs is set for a registry that asks who we are; its helper's time is long."""
    homes.write(homes.docker, credsStore="vault", auths={})
    vault.misbehave("hang")
    yield dataclasses.replace(homes.settings, helper_timeout=60.0)
    assert_gone(vault)


@pytest.fixture
def session(hanging):
    opened = Session(hanging)
    yield opened
    opened.close()


def assert_gone(vault):
    until(lambda: programs(vault) == [], AT_ONCE)  # the helper itself would hang for a minute


def hangs(vault):
    return (vault.folder / "child").exists() and len(programs(vault)) >= 2


def stopped(steps, vault):
    """Go on until the helper hangs, then press stop, which ends the steps at once."""
    deadline = time.monotonic() + PATIENCE
    while not hangs(vault):
        next(steps)
        assert time.monotonic() < deadline
    began = time.monotonic()
    with pytest.raises(Interrupted):
        steps.throw(KeyboardInterrupt)
    assert time.monotonic() - began < AT_ONCE


@pytest.mark.parametrize("what", ["pull", "tags", "catalog", "copy", "inspect of a repository"])
def test_stop_ends_a_helper_that_hangs(session, vault, htpasswd_registry, what):
    host, remote = htpasswd_registry.host, session.engine.remote
    asked = {
        "pull": lambda: session.engine.pulling(f"{host}/app:1"),
        "tags": lambda: remote.tagging(f"{host}/app"),
        "catalog": lambda: remote.cataloguing(host, tags=True),
        "copy": lambda: remote.copying(f"{host}/app:1", f"{host}/app:2"),
        "inspect of a repository": lambda: remote.listing(Reference.parse(f"{host}/app")),
    }
    steps = asked[what]()
    stopped(steps, vault)
    assert_gone(vault)
    assert len(vault.calls) == 1


def test_a_job_that_is_cancelled_ends_its_helper(session, vault, htpasswd_registry):
    job = run(session, ["pull", "--detach", f"{htpasswd_registry.host}/app:1"])
    until(lambda: hangs(vault))
    began = time.monotonic()
    job.cancel()
    assert job.done
    assert time.monotonic() - began < AT_ONCE
    assert isinstance(job.error, Interrupted)
    assert_gone(vault)


def test_what_else_waited_for_the_login_asks_the_helper_no_more(hanging, vault, htpasswd_registry, homes):
    registries = Registries(hanging, homes.open(helper_timeout=60.0).find)
    repository = registries.repository(Reference.parse(f"{htpasswd_registry.host}/app"))
    workers = [Worker(lambda: list(repository.tags())) for _ in range(5)]
    until(lambda: hangs(vault))
    time.sleep(0.2)
    repository.interrupt()
    for worker in workers:
        assert worker.ends_within(AT_ONCE)
        assert isinstance(worker.error, Interrupted)
    assert len(vault.calls) == 1
    registries.close()


def test_a_stop_ends_the_helper_of_its_own_operation_alone(hanging, vault, htpasswd_registry, homes):
    registries = Registries(hanging, homes.open(helper_timeout=60.0).find)
    reference = Reference.parse(f"{htpasswd_registry.host}/app")
    one, other = registries.repository(reference), registries.repository(reference)
    first = Worker(lambda: list(one.tags()))
    until(lambda: hangs(vault))
    mine = set(programs(vault))
    second = Worker(lambda: list(other.tags()))
    until(lambda: len(programs(vault)) == 4)
    one.interrupt()
    assert first.ends_within(AT_ONCE)
    until(lambda: not mine & set(programs(vault)))
    assert len(programs(vault)) == 2
    assert second.is_alive()
    registries.interrupt()
    assert second.ends_within(AT_ONCE)
    registries.close()


def test_after_a_stop_the_helper_is_asked_anew(hanging, vault, htpasswd_registry, homes):
    registries = Registries(hanging, homes.open().find)
    repository = registries.repository(Reference.parse(f"{htpasswd_registry.host}/app"))
    worker = Worker(lambda: list(repository.tags()))
    until(lambda: hangs(vault))
    repository.interrupt()
    assert worker.ends_within(AT_ONCE)
    vault.misbehave("")
    vault.keep(htpasswd_registry.host, *htpasswd_registry.login)
    htpasswd_registry.push_manifest("app", "1", *_empty(htpasswd_registry))
    assert list(repository.tags()) == ["1"]
    registries.close()


def _empty(registry):
    kind = "application/vnd.oci.image.manifest.v1+json"
    blob = registry.push_blob("app", b"{}")
    text = f'{{"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": "{blob}"}}'
    return f'{{"schemaVersion": 2, "mediaType": "{kind}", "config": {text}, "layers": []}}'.encode(), kind


def test_a_login_for_a_daemon_can_be_stopped_too(hanging, vault, homes):
    closed = []
    call = SimpleNamespace(send=lambda *_, **__: iter(()), interrupt=lambda: None, close=lambda: closed.append(True))
    api = SimpleNamespace(open=lambda: call, dialect=SimpleNamespace(name="Docker"))
    moving = Moving(api, hanging, lambda: None, homes.open(helper_timeout=60.0).find)
    steps = moving._listen("/images/app/push", {}, Reference.parse("quay.io/app:1"))
    stopped(steps, vault)
    assert closed
    assert_gone(vault)


def test_ctrl_c_in_a_terminal_ends_the_helper(hanging, vault, homes, htpasswd_registry, tmp_path):
    env = environment(tmp_path / "home", DOCKER_CONFIG=str(homes.docker.parent))
    env["PATH"] = f"{vault.bin}:{env['PATH']}"
    words = ["pull", f"{htpasswd_registry.host}/app:1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyimg", *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        until(lambda: hangs(vault))
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=AT_ONCE)
    finally:
        process.kill()
    assert process.returncode == 130
    assert b"Traceback" not in said
    assert_gone(vault)


def test_a_call_is_found_by_its_thread_and_ends_what_it_was_told_to():
    call, ended = Call(), []
    assert current() is not current(), "nobody's"
    with call.here():
        assert current() is call
        assert Worker(current).ends_within()
        with current().ending(lambda: ended.append("a")):
            pass
        with current().ending(lambda: ended.append("b")):
            call.cut()
            with pytest.raises(Interrupted), call.ending(lambda: ended.append("c")):
                pass
    assert ended == ["b"]
    assert current() is not call
