"""Quotas and pauses: what a registry says is left is kept; one 429 makes all who use the host wait, visibly."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import UTC, datetime

import httpx
import pytest

from jupyimg.errors import Interrupted, RateLimited
from jupyimg.model.content import Phase, drain
from jupyimg.model.records import Quota
from jupyimg.registry import hosts
from jupyimg.registry.quotas import read_quota
from jupyimg.registry.retry import retry_after
from jupyimg.transfer import copying
from tests.places.memory import MemoryPlace
from tests.registry.fake import Answer, error
from tests.services.waiting import AT_ONCE, PATIENCE, until

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BUSY = error(429, "TOOMANYREQUESTS", "slow down", Retry_After="2")
HUB = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600", "docker-ratelimit-source": "192.0.2.1"}


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        (HUB, Quota(remaining=76, limit=100, window=21600)),
        ({"RateLimit-Limit": "100", "RateLimit-Remaining": " 7 "}, Quota(remaining=7, limit=100)),
        ({"ratelimit-remaining": "0;w=21600"}, Quota(remaining=0, window=21600)),
        ({"ratelimit-remaining": '9, 10;w="60"'}, Quota(remaining=9, window=60)),
        ({"ratelimit-remaining": "76;w=21600", "ratelimit-limit": "lots"}, Quota(remaining=76, window=21600)),
        ({"ratelimit-limit": "100;w=21600"}, None),
        ({"ratelimit-remaining": "many"}, None),
        ({"ratelimit-remaining": "-1"}, None),
        ({"ratelimit-remaining": "9" * 40}, None),
        ({"ratelimit-remaining": ""}, None),
        ({}, None),
    ],
)
def test_what_is_left_is_read_where_it_can_be(headers, quota):
    assert read_quota(httpx.Headers(headers)) == quota


def test_hubs_api_names_the_moment_to_come_back():
    until = int(NOW.timestamp()) + 30
    assert retry_after(httpx.Headers({"x-retry-after": str(until)}), NOW) == 30
    assert retry_after(httpx.Headers({"x-retry-after": "12"}), NOW) == 0
    assert retry_after(httpx.Headers({"x-retry-after": "soon"}), NOW) is None
    assert retry_after(httpx.Headers({"x-retry-after": str(until), "retry-after": "5"}), NOW) == 5


def test_the_quota_of_a_host_is_kept_and_its_requests_counted(fake, connect, monkeypatch):
    monkeypatch.setitem(hosts.ROWS, "docker.io", hosts.Host(api=fake.host))
    registries = connect()
    assert registries.quota("docker.io") is None
    root = fake.image("library/nginx", "1")
    raw = fake.manifests["library/nginx", "1"][1]
    answer = {"Content-Type": root.media_type, "Docker-Content-Digest": root.digest, **HUB}
    fake.rule("GET /v2/library/nginx/manifests", Answer(200, raw, {**answer, "ratelimit-remaining": "75;w=21600"}))
    fake.rule("HEAD /v2/library/nginx/manifests", Answer(200, raw, answer))
    reference = fake.reference("nginx:1").parse("nginx:1")
    place = registries.repository(reference)
    place.resolve(reference)
    assert registries.quota("docker.io") == Quota(remaining=76, limit=100, window=21600)
    assert (registries.learned("docker.io").requests, registries.learned("docker.io").manifests) == (1, 0)
    b"".join(place.read(root))
    assert registries.quota("docker.io").remaining == 75
    assert registries.learned("docker.io").manifests == 1


def test_an_answer_without_a_quota_leaves_what_was_known(fake, connect):
    registries = connect()
    fake.rule("GET /v2/app/tags", Answer(200, b'{"tags": ["1"]}', HUB), times=1)
    place = registries.repository(fake.reference("app"))
    fake.tags["app"] = ["1"]
    list(place.tags())
    list(place.tags())
    assert registries.quota(fake.host).remaining == 76


def pushed(fake, connect, **settings):
    """An image on its way from a busy registry, as steps; and the place."""
    root = fake.image("app", "1", layers=tuple(f"layer {n}".encode() for n in range(12)))
    place = connect(**settings).repository(fake.reference("app:1"))
    return place, MemoryPlace(), root


def test_one_429_makes_every_worker_of_the_host_wait(fake, connect):
    place, sink, _ = pushed(fake, connect)
    fake.rule("GET .*/blobs/", BUSY, times=1)
    moments = []
    fake.rules.append(lambda seen: moments.append(time.monotonic()))
    began = time.monotonic()
    drain(copying(place, sink, fake.reference("app:1"), workers=4))
    assert time.monotonic() - began >= 2
    gaps = [after - before for before, after in zip(sorted(moments), sorted(moments)[1:], strict=False)]
    assert max(gaps) > 1.5, "somebody asked during the pause"


def test_a_pause_is_counted_down_in_steps_and_ends_at_nothing(fake, connect):
    place, sink, _ = pushed(fake, connect)
    fake.rule("GET .*/blobs/", BUSY, times=1)
    steps = list(copying(place, sink, fake.reference("app:1"), workers=4))
    paused = [step for step in steps if step.phase is Phase.PAUSED]
    assert [step.current for step in paused] in ([3, 2, 1, 0], [2, 1, 0])
    assert {step.item for step in paused} == {fake.host}
    assert len({step.total for step in paused}) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(429, b"", {}),
        Answer(429, b"<html>Too Many Requests</html>", {"Content-Type": "text/html", "Retry-After": "1"}),
        Answer(429, b'{"errors": null}', {"Retry-After": "Fri, 02 Jan 2026 03:04:05 GMT"}),
        Answer(
            429, b"You have reached your pull rate limit\r\r\n", {"Content-Type": "text/plain", "Retry-After": "soon"}
        ),
    ],
    ids=["nothing", "html", "date", "plain"],
)
def test_a_429_in_any_dress_is_waited_out(fake, connect, answer):
    place, sink, _ = pushed(fake, connect)
    fake.rule("HEAD", answer, times=1)
    assert drain(copying(place, sink, fake.reference("app:1"))).tree.blobs


def test_a_wait_that_is_too_long_is_an_error_that_says_how_long(fake, connect):
    place, sink, _ = pushed(fake, connect, longest_wait=60)
    fake.rule("HEAD", error(429, "TOOMANYREQUESTS", "limit reached", Retry_After="21600"))
    with pytest.raises(RateLimited, match="6 hours") as caught:
        drain(copying(place, sink, fake.reference("app:1")))
    assert caught.value.hint


def test_a_pause_can_be_stopped_at_once(fake, connect):
    place, sink, _ = pushed(fake, connect)
    fake.rule("GET .*/blobs/", error(429, "TOOMANYREQUESTS", "", Retry_After="50"))
    steps = copying(place, sink, fake.reference("app:1"), workers=4)
    while next(steps).phase is not Phase.PAUSED:
        pass
    threads = threading.active_count()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        steps.throw(KeyboardInterrupt())
    assert time.monotonic() - began < AT_ONCE
    until(lambda: threading.active_count() < threads)


def test_another_host_is_not_made_to_wait(fake, other, connect):
    registries = connect()
    fake.tags["app"] = other.tags["app"] = ["1"]
    fake.rule("GET", error(429, "TOOMANYREQUESTS", "", Retry_After="50"))

    def ask():
        with suppress(Interrupted):
            list(registries.repository(fake.reference("app")).tags())

    worker = threading.Thread(target=ask, daemon=True)
    worker.start()
    until(lambda: registries.learned(fake.host).left)
    began = time.monotonic()
    assert list(registries.repository(other.reference("app")).tags()) == ["1"]
    assert time.monotonic() - began < AT_ONCE
    registries.interrupt()
    worker.join(PATIENCE)
