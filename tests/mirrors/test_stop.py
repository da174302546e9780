"""Stop means now while a mirror is asked, and many readers at once share what is learned of a mirror."""

from __future__ import annotations

import time

import pytest

from jupyimg.errors import Interrupted
from jupyimg.model.reference import Reference
from tests.mirrors.conftest import push_image
from tests.registry.fake import Answer, full_backlog
from tests.registry.test_interrupt import Worker, connecting, read, stop_and_see
from tests.services.waiting import AT_ONCE, until

DATA = bytes(range(256)) * 20_000


@pytest.mark.parametrize("stall", [-1, 0, 1_000_000])
def test_a_mirror_that_stalls_holds_nobody(user, connect, fake, other, stall):
    user.mirrors(other.host, fake.host)
    repository = connect(read_timeout=30.0).repository(other.reference("app"))
    blobs = [other.put(DATA + bytes([n])) for n in range(4)]
    fake.rule("GET", Answer(200, DATA, stall=stall))
    workers = [Worker(lambda blob=blob: read(repository, blob)) for blob in blobs]
    until(lambda: fake.count("GET") == 4)
    time.sleep(0.1)
    stop_and_see(repository, *workers)
    assert other.seen == [], "what was stopped does not go on elsewhere"


@pytest.mark.parametrize("method", ["resolve", "tags"])
def test_every_question_to_a_mirror_can_be_stopped(user, connect, fake, other, method):
    user.mirrors(other.host, fake.host)
    other.image()
    repository = connect(read_timeout=30.0).repository(other.reference("app"))
    jobs = {"resolve": lambda: repository.resolve(other.reference("app:1")), "tags": lambda: list(repository.tags())}
    fake.rule(".", Answer(stall=-1), times=1)
    worker = Worker(jobs[method])
    until(lambda: fake.seen)
    stop_and_see(repository, worker)
    assert other.seen == []


def test_a_mirror_that_takes_no_connection_and_an_insecure_one_that_is_silent_hold_nobody(user, connect, fake, other):
    with full_backlog() as deaf:
        for host in (deaf, fake.host):
            path = user.mirrors(other.host, host)
            path.write_text(path.read_text() + "insecure = true\n")
            fake.rule(".", Answer(stall=-1))
            repository = connect(connect_timeout=30.0, read_timeout=30.0).repository(other.reference("app"))
            before = connecting(deaf)
            worker = Worker(lambda repository=repository: repository.resolve(other.reference("app:1")))
            until(lambda before=before: fake.seen or connecting(deaf) > before)
            stop_and_see(repository, worker)


def test_a_pull_is_stopped_while_a_mirror_is_silent(user, engine, registry, fake):
    push_image(registry)
    fake.rule(".", Answer(stall=-1))
    user.mirrors(registry.host, fake.host)
    steps = engine.pulling(registry.reference("app:1"))
    next(steps)
    worker = Worker(lambda: next(steps))
    until(lambda: fake.seen)
    began = time.monotonic()
    engine.remote.registries.interrupt()
    assert worker.ends_within()
    assert isinstance(worker.error, Interrupted)
    assert time.monotonic() - began < AT_ONCE
    assert engine.images() == []


def test_layers_that_a_mirror_breaks_off_go_on_elsewhere_from_where_they_stood(user, connect, fake, other):
    user.mirrors(other.host, fake.host)
    blobs = [other.put(bytes([n]) + DATA) for n in range(8)]
    for blob in blobs:
        fake.rule(f"GET .*{blob.digest}", Answer(200, other.blobs[blob.digest], cut=700_000))
    repository = connect(attempts=1).repository(other.reference("app"))
    workers = [Worker(lambda blob=blob: read(repository, blob)) for blob in blobs]
    for worker, blob in zip(workers, blobs, strict=True):
        assert worker.ends_within()
        assert worker.result == other.blobs[blob.digest]
    asked = [seen.headers.get("range", "") for seen in other.matching("GET")]
    assert len(asked) == len(blobs)
    assert any(asked), "none had to be read again from its beginning"
    assert len(repository.notes()) == 1
    assert repository.notes() == []


def test_many_pulls_at_once_wait_once_for_a_mirror_that_is_down(user, connect, fake, registry):
    push_image(registry)
    user.mirrors(registry.host, fake.host)
    fake.rule(".", Answer(stall=-1))
    registries = connect(read_timeout=2.0)
    reference = Reference.parse(registry.reference("app:1"))
    registries.repository(reference).resolve(reference)
    before = len(fake.seen)
    workers = [Worker(lambda: registries.repository(reference).resolve(reference)) for _ in range(20)]
    assert all(worker.ends_within() for worker in workers)
    assert len({worker.result.digest for worker in workers}) == 1
    assert len(fake.seen) == before


def test_a_stop_between_two_places_is_not_overlooked(user, connect, fake, other):
    user.mirrors(other.host, fake.host)
    other.image()
    repository = connect().repository(other.reference("app"))
    (mirror,) = repository._mirrors
    find = mirror.find

    def failing(reference):
        try:
            return find(reference)
        finally:
            repository.interrupt()

    mirror.find = failing
    with pytest.raises(Interrupted):
        repository.resolve(other.reference("app:1"))
    assert other.seen == []
    mirror.find = find
    assert repository.resolve(other.reference("app:1")), "what is asked for later works as ever"
