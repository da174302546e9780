"""A push, a save and a load beside the notebook that are cancelled: over at once, and nothing is half done."""

from __future__ import annotations

import time

import pytest

from jupyimg.commands.run import run
from jupyimg.commands.session import Session
from jupyimg.errors import Interrupted
from jupyimg.model.settings import Settings
from jupyimg.store import Store
from jupyimg.store.archives import Archive
from tests.archives import build
from tests.archives.test_failures import BIG, slowed
from tests.bench import images
from tests.crash.relay import relayed
from tests.services.waiting import AT_ONCE, PATIENCE, until
from tests.store.checker import verify_store

LAYERS, LAYER = 3, 1_500_000


@pytest.fixture
def session(tmp_path):
    opened = Session(Settings(home=tmp_path / "home"))
    yield opened
    opened.close()


@pytest.fixture
def ask(session):
    return lambda line: run(session, line.split())


@pytest.fixture
def big(registry, ask):
    """An image of several layers that is in the store."""
    images.push(registry, "big", "1", layers=LAYERS, size=LAYER)
    name = registry.reference("big:1")
    ask(f"pull {name}")
    return name


def cancelled(job):
    """Cancel a job that has begun, and see that it is over at once as one that was stopped."""
    assert not job.done
    began = time.monotonic()
    job.cancel()
    assert time.monotonic() - began < AT_ONCE
    assert job.done
    assert isinstance(job.error, Interrupted)
    with pytest.raises(Interrupted):
        job.wait(PATIENCE)


@pytest.mark.parametrize("stall", [0, 1_000, 2_000_000], ids=["at the first word", "at a layer", "in mid-layer"])
def test_a_push_that_is_cancelled_leaves_no_half_image(session, ask, big, second_registry, stall):
    before = session.engine.images()
    with relayed(second_registry.host) as relay:
        relay.stall = stall
        name = f"{relay.host}/copy:1"
        ask(f"tag {big} {name}")
        job = ask(f"push --detach {name}")
        until(lambda: relay.taken > stall)
        cancelled(job)
        time.sleep(0.3)
        assert second_registry.request("GET", "/v2/copy/manifests/1").status == 404
        assert second_registry.request("GET", "/v2/copy/tags/list").status == 404
        verify_store(session.settings.store)
        relay.stall = float("inf")
        (record,) = ask(f"push {name}").records
    assert second_registry.digest("copy", "1") == record.digest == before[0].digest


@pytest.fixture
def archive(tmp_path):
    return build.write(tmp_path / "in.tar", build.layout({"docker.io/library/big:1": BIG}))


def test_a_save_that_is_cancelled_leaves_no_archive(session, ask, archive, tmp_path, monkeypatch):
    ask(f"load -i {archive}")
    (tmp_path / "out").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(Store, "read", slowed(Store.read))
        job = ask(f"save --detach -o {tmp_path / 'out' / 'big.tar'} big:1")
        until(lambda: job.progress.moved > 100_000)
        cancelled(job)
    assert list((tmp_path / "out").iterdir()) == []
    verify_store(session.settings.store)
    ask(f"save -o {tmp_path / 'out' / 'big.tar'} big:1")


def test_a_load_that_is_cancelled_brings_no_image(session, ask, archive, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Archive, "read", slowed(Archive.read))
        job = ask(f"load --detach -i {archive}")
        until(lambda: job.progress.moved > 100_000)
        cancelled(job)
    assert session.engine.images(everything=True) == []
    verify_store(session.settings.store)
    ask(f"load -i {archive}")
    assert [image.reference for image in session.engine.images()] == ["big:1"]
