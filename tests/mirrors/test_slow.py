"""A mirror that trickles is left while there is another place to ask, and taken as it is where there is none."""

from __future__ import annotations

import time

import pytest

from jupyimg.errors import Unreachable
from jupyimg.model.content import Phase, drain
from jupyimg.model.digest import Digest
from jupyimg.model.documents import Descriptor
from jupyimg.model.reference import Reference
from jupyimg.registry import pace
from tests.crash.relay import relayed
from tests.mirrors.conftest import BIG, passed_by, pulled
from tests.registry.fake import Answer, dead_port
from tests.registry.test_interrupt import Worker, stop_and_see
from tests.services.waiting import PATIENCE, until
from tests.store.checker import verify_store

SLOW = 4000
"""Bytes a second that are too few here."""
SEVERAL = 1_000_000
DATA = bytes(range(256)) * 12_000


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """What takes ten seconds elsewhere takes one and a half here; a busy machine may be silent for less."""
    monkeypatch.setattr(pace, "OVER", 1.5)


def trickling(host, rate=SLOW, free=0):
    return relayed(host, rate, free=free, piece=max(1, rate // 20))


def slow_notes(said):
    return [line for line in passed_by(said) if "sends less than 16 KiB a second" in line]


def test_a_mirror_that_trickles_in_mid_layer_is_left_and_what_came_is_kept(user, engine, upstream, mirror, skopeo):
    with trickling(mirror.host, free=SEVERAL) as relay:
        user.mirrors(upstream.host, relay.host)
        began = time.monotonic()
        said, digest = pulled(engine, upstream.reference("app:1"))
        assert time.monotonic() - began < PATIENCE, f"at {SLOW} bytes a second it would take a quarter of an hour"
    assert passed_by(said) == [f"{relay.host} sends less than 16 KiB a second: going on with {upstream.host}"]
    assert digest == upstream.digest("app", "1")
    rest = [a for a in upstream.accesses("/blobs/") if a.agent == "jupyimg" and a.status == 206]
    assert len(rest) == 2, "both layers go on where they stood"
    assert sum(access.size for access in rest) <= 2 * (BIG + 2) - 2 * (SEVERAL - 100_000)
    verify_store(engine.store.root, skopeo.inspect)


def test_a_mirror_whose_small_answers_trickle_is_left_too(user, engine, upstream, mirror):
    with trickling(mirror.host, 200) as relay:
        user.mirrors(upstream.host, relay.host)
        said, _ = pulled(engine, upstream.reference("app:1"))
        assert len(slow_notes(said)) == 1
        assert list(engine.remote.tags(upstream.reference("app"))) == ["1"]
        assert relay.sent < 2000


def test_a_mirror_that_was_slow_is_passed_by_for_a_while_and_then_tried_again(user, engine, upstream, mirror):
    with trickling(mirror.host, free=SEVERAL) as relay:
        user.mirrors(upstream.host, relay.host)
        pulled(engine, upstream.reference("app:1"))
        engine.remove([upstream.reference("app:1")])
        asked = len(mirror.accesses())
        said, _ = pulled(engine, upstream.reference("app:1"))
        assert passed_by(said) == [f"{relay.host} was slow a moment ago: going on with {upstream.host}"]
        assert len(mirror.accesses()) == asked
        engine.remove([upstream.reference("app:1")])
        relay.rate = 0
        engine.remote.registries._client.slow[relay.host] = time.monotonic()
        assert not passed_by(pulled(engine, upstream.reference("app:1"))[0])


def test_a_slow_mirror_is_followed_by_the_next_mirror(user, engine, upstream, mirror, start):
    other = start()
    other.stock(upstream.data)
    with trickling(mirror.host, free=SEVERAL) as relay:
        user.mirrors(upstream.host, relay.host, other.host)
        said, _ = pulled(engine, upstream.reference("app:1"))
    assert passed_by(said) == [f"{relay.host} sends less than 16 KiB a second: going on with {other.host}"]
    assert not [access for access in upstream.accesses() if access.agent == "jupyimg"]


def test_the_last_place_is_never_left_for_slowness(engine, upstream, monkeypatch):
    monkeypatch.setattr(pace, "OVER", 0.05)
    with trickling(upstream.host, 15_000) as relay:
        assert list(engine.remote.tags(f"{relay.host}/app")) == ["1"]
        relay.rate = 3_000_000
        monkeypatch.setattr(pace, "SLOWEST", 1 << 30)
        assert pulled(engine, f"{relay.host}/app:1")[1] == upstream.digest("app", "1")


@pytest.mark.parametrize("again", [False, True])
def test_a_slow_mirror_is_gone_back_to_where_nobody_else_has_the_image(user, engine, mirror, again):
    gone = f"127.0.0.1:{dead_port()}"
    with trickling(mirror.host, free=SEVERAL) as relay:
        user.mirrors(gone, relay.host)
        if again:  # another operation has found it slow already
            engine.remote.registries._client.slow[relay.host] = time.monotonic() + 60
        said = []
        for step in engine.pulling(f"{gone}/app:1", platform="linux/amd64"):
            said += [step.text] if step.phase is Phase.NOTE else []
            if any("going back" in line for line in said):
                relay.rate = 1_000_000
    back = [line for line in said if "going back" in line]
    assert back == [f"{gone} refuses the connection: going back to {relay.host}, as slow as it is"]
    assert len(passed_by(said)) == 1
    (image,) = engine.images()
    assert image.digest == mirror.digest("app", "1")


def test_where_the_slow_mirror_fails_too_the_error_is_the_upstreams(user, engine, upstream, mirror):
    with trickling(mirror.host, 200) as relay:
        user.mirrors(upstream.host, relay.host)
        steps = engine.pulling(upstream.reference("app:9"), platform="linux/amd64")
        with pytest.raises(Exception, match="has no tag 9") as failed:
            for step in steps:
                if "going back" in step.text:
                    relay.rate = 0
    assert failed.value.hint.startswith("mirrors were asked first: ")


def test_a_copy_and_a_digest_leave_a_slow_mirror_as_well(user, engine, upstream, mirror, start):
    goal = start()
    digest = upstream.digest("app", "1")
    with trickling(mirror.host, free=SEVERAL) as relay:
        user.mirrors(upstream.host, relay.host)
        drain(engine.remote.copying(upstream.reference(f"app@{digest}"), goal.reference("app:2")))
    assert goal.digest("app", "2") == digest


def test_who_reads_slowly_makes_no_mirror_slow(user, connect, fake, other):
    user.mirrors(other.host, fake.host)
    blob = fake.put(DATA)
    repository = connect().repository(other.reference("app"))
    came = b""
    for chunk in repository.read(blob):
        came += chunk
        time.sleep(0.1)
    assert came == DATA
    assert other.seen == []


def test_a_mirror_may_think_before_it_speaks(user, connect, fake, other):
    user.mirrors(other.host, fake.host)
    image = fake.image()
    fake.rule(".", lambda _: time.sleep(2))
    repository = connect().repository(other.reference("app"))
    assert repository.resolve(other.reference("app:1")) == image
    assert b"".join(repository.read(fake.put(DATA))) == DATA
    assert other.seen == []


def test_the_average_counts_and_nothing_where_nobody_else_is_left(monkeypatch):
    rate = pace.Pace()
    monkeypatch.setattr(pace, "SLOWEST", 1000)
    monkeypatch.setattr(pace, "OVER", 0.4)
    rate.judge(500)
    assert not rate.slow
    rate.judge(300)
    assert rate.slow
    with pytest.raises(pace.TooSlow):
        rate.check()
    rate.relax()
    rate.judge(0)
    rate.check()


def test_a_mirror_that_trickles_can_be_stopped(user, connect, upstream, mirror, monkeypatch):
    monkeypatch.setattr(pace, "OVER", 30.0)
    with trickling(mirror.host, free=200_000) as relay:
        user.mirrors(upstream.host, relay.host)
        reference = Reference.parse(upstream.reference("app:1"))
        repository = connect().repository(reference)
        layer = upstream.manifest("app", "1").json()["layers"][0]
        blob = Descriptor(media_type=layer["mediaType"], digest=Digest(layer["digest"]), size=layer["size"])
        worker = Worker(lambda: b"".join(repository.read(blob)))
        until(lambda: relay.sent > 200_000)
        stop_and_see(repository, worker)
    assert not [access for access in upstream.accesses() if access.agent == "jupyimg"]


@pytest.mark.parametrize("how", ["a length", "the end of the connection", "chunks"])
def test_every_kind_of_body_is_minded(user, connect, fake, other, how):
    """Also one whose end nobody announced: what was cut is not taken for whole."""
    blob = fake.put(DATA)
    other.put(DATA)
    pieces = b"".join(b"10000\r\n%b\r\n" % DATA[at : at + 0x10000] for at in range(0, len(DATA), 0x10000))
    answers = {
        "a length": Answer(200, DATA),
        "the end of the connection": Answer(200, DATA, length=-1),
        "chunks": Answer(200, pieces, {"Transfer-Encoding": "chunked"}, length=-1),
    }
    fake.rule("GET .*/blobs/", answers[how])
    with trickling(fake.host, free=500_000) as relay:
        user.mirrors(other.host, relay.host)
        repository = connect().repository(other.reference("app"))
        assert b"".join(repository.read(blob)) == DATA
        assert repository.notes() == [f"{relay.host} sends less than 16 KiB a second: going on with {other.host}"]
    (asked,) = other.matching("GET .*/blobs/")
    assert int(asked.headers["range"].removeprefix("bytes=").rstrip("-")) > 300_000


def test_unreachable_is_what_a_slow_mirror_alone_says(user, connect, upstream, mirror):
    """As `mirror test` asks it: without anybody behind it."""
    with trickling(mirror.host, 100) as relay:
        user.mirrors(upstream.host, relay.host)
        place, _ = connect().places(Reference.parse(upstream.reference("app:1")))
        with pytest.raises(Unreachable, match="sends less than 16 KiB a second"):
            place.ping()


def test_layers_that_come_at_once_are_one_flow(user, connect, fake, other, monkeypatch):
    """A layer that trickles holds nobody while others come quickly by the same line; when it is the last, it does."""
    monkeypatch.setattr(pace, "SLOWEST", 20_000)
    user.mirrors(other.host, fake.host)
    blob = fake.put(DATA)
    other.put(DATA)
    with trickling(fake.host, SLOW, free=100_000) as relay:
        user.mirrors(other.host, relay.host)
        repository = connect().repository(other.reference("app"))
        (mirror,) = repository._mirrors
        worker = Worker(lambda: b"".join(repository.read(blob)))
        until(lambda: relay.sent > 100_000)
        for _ in range(30):  # what another connection of the same operation brings
            mirror._line.pace.add(20_000)
            time.sleep(0.1)
        assert repository.notes() == []
        assert not other.seen
        assert worker.ends_within()
    assert worker.result == DATA
    assert len(other.matching("GET")) == 1
