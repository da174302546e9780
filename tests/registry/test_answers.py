"""What goes wrong is told in one sentence with what to do next, and tried again only where that can help."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.errors import Denied, ImageError, ProtocolError, RateLimited, RegistryError, RemoteNotFound, Unreachable
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor
from jupyimg.model.reference import Reference
from jupyimg.registry.answers import Context, clean, duration, problem
from jupyimg.registry.challenges import parse_challenges
from jupyimg.registry.pages import next_link
from jupyimg.registry.retry import TRANSIENT, backoff, retry_after, wait_after_answer
from tests.registry.fake import Answer, dead_port, error, full_backlog
from tests.services.waiting import AT_ONCE, until

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def repository(fake, connect):
    return connect().repository(fake.reference("app"))


def read(repository, blob):
    return b"".join(repository.read(blob))


# ---- trying again


@pytest.mark.parametrize("status", sorted(TRANSIENT - {429}))
def test_what_may_pass_is_tried_again(fake, repository, status):
    fake.rule("GET", Answer(status), times=1)
    assert read(repository, fake.put(b"data")) == b"data"


@pytest.mark.parametrize("status", [400, 403, 404, 410, 418, 501])
def test_what_will_not_pass_is_not(fake, repository, status):
    fake.rule("GET", Answer(status))
    with pytest.raises(ImageError):
        read(repository, fake.put(b"data"))
    assert fake.count("GET") == 1


def test_a_server_that_hangs_up_is_tried_again(fake, repository):
    fake.rule("GET", Answer(reset=True), times=2)
    assert read(repository, fake.put(b"data")) == b"data"


def test_tries_end(fake, connect):
    fake.rule("GET", error(503, "UNAVAILABLE", "back soon"))
    with pytest.raises(RegistryError, match=r"503 UNAVAILABLE.*back soon") as failed:
        read(connect(attempts=2).repository(fake.reference("app")), fake.put(b"data"))
    assert fake.count("GET") == 2
    assert failed.value.status == 503
    assert failed.value.code == "UNAVAILABLE"


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_obeyed_in_both_forms(fake, repository, form):
    when = "1" if form == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    fake.rule("GET", Answer(429, b"", {"Retry-After": when}), times=1)
    began = time.monotonic()
    assert read(repository, fake.put(b"data")) == b"data"
    assert 0.9 < time.monotonic() - began < AT_ONCE


def test_all_workers_of_a_host_wait_together(fake, connect):
    registries = connect()
    repository = registries.repository(fake.reference("app"))
    blobs = [fake.put(bytes([n])) for n in range(5)]
    arrivals = []
    fake.rule("GET", lambda seen: arrivals.append(time.monotonic()))
    fake.rule(f"GET .*{blobs[0].digest}", Answer(429, b"", {"Retry-After": "1"}), times=1)
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(read, repository, blobs[0])
        until(lambda: arrivals and registries.learned(fake.host).left)  # the first one has been told
        rest = [pool.submit(read, repository, blob) for blob in blobs[1:]]
        assert [job.result() for job in (first, *rest)] == [bytes([n]) for n in range(5)]
    assert min(arrivals[1:]) - arrivals[0] > 0.9


def test_a_wait_too_long_is_an_error_that_says_how_long(fake, connect):
    fake.rule("GET", error(429, "TOOMANYREQUESTS", "slow down", Retry_After="5400"))
    began = time.monotonic()
    with pytest.raises(RateLimited, match=r"for 90 minutes: slow down") as limited:
        read(connect(longest_wait=60).repository(fake.reference("app")), fake.put(b"data"))
    assert time.monotonic() - began < AT_ONCE
    assert "wait" in limited.value.hint
    assert fake.count("GET") == 1


def test_a_spent_quota_is_not_waited_for(fake, repository):
    fake.rule(
        "GET",
        Answer(
            429,
            b"You have reached your pull rate limit.",
            {"ratelimit-remaining": "0;w=21600", "Content-Type": "text/plain"},
        ),
    )
    with pytest.raises(RateLimited, match=r"6 hours: You have reached your pull rate limit"):
        read(repository, fake.put(b"data"))
    assert fake.count("GET") == 1


def test_a_host_that_refuses_gets_one_quick_second_chance(connect):
    reference = Reference.parse(f"127.0.0.1:{dead_port()}/app:1")
    began = time.monotonic()
    with pytest.raises(Unreachable, match="refuses the connection"):
        connect().repository(reference).resolve(reference)
    assert time.monotonic() - began < AT_ONCE


def test_waits_double_within_bounds_and_are_spread():
    assert [backoff(n, 1.0) for n in (1, 2, 3, 4)] == [0.2, 0.4, 0.8, 1.6]
    assert backoff(50, 1.0) == 15.0
    assert backoff(3, 0.0) == backoff(3, 1.0) / 2
    assert wait_after_answer(503, None, 5, 5, 0.5) is None
    assert wait_after_answer(503, 7.0, 1, 5, 0.0) == 7.0
    assert wait_after_answer(404, 7.0, 1, 5, 0.0) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "Fri, 02 Jan 2026 03:05:05 GMT"}, 60.0),
        ({"retry-after": "Fri, 02 Jan 2026 03:00:00 GMT"}, 0.0),
        ({"retry-after": "Friday, 02-Jan-26 03:05:05 GMT"}, 60.0),
        ({"retry-after": "Fri, 02 Jan 2026 03:05:05"}, 60.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "9" * 400}, 999999999.0),
        ({"ratelimit-remaining": "0;w=21600"}, 21600.0),
        ({"ratelimit-remaining": "76;w=21600"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers, seconds):
    assert retry_after(httpx.Headers(headers), NOW) == seconds


@given(st.text(st.characters(codec="latin-1"), max_size=50))
def test_retry_after_may_hold_anything(text):
    found = retry_after(httpx.Headers({"retry-after": text.encode("latin-1")}), NOW)
    assert found is None or found >= 0


# ---- what is said


def context(name="registry.example/team/app:1", **more):
    return Context(reference=Reference.parse(name), **more)


def raised(status, body=b"", content_type="application/json", **more):
    answer = httpx.Response(status, content=body, headers={"content-type": content_type})
    return problem(answer, context(**more))


def test_denied_on_pull_says_what_docker_says():
    error = raised(401, b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":null}]}')
    assert isinstance(error, Denied)
    assert "there is no such repository, or it wants a login" in error.message
    assert "registry.example/team/app:1" in error.message
    assert error.hint == "check the spelling, or log in: %image login registry.example"


def test_pushing_where_only_docker_may_says_how_to_name_it():
    error = raised(401, b"", name="nginx:1", pushing=True)
    assert error.hint == "only docker.io itself may; tag it YOUR_NAME/nginx and push that"
    assert raised(403, b"", name="ada/nginx:1", pushing=True).hint.startswith("use an account")


@pytest.mark.parametrize("code", ["UNAUTHORIZED", "DENIED"])
def test_the_code_counts_whatever_the_status(code):
    assert isinstance(raised(400, b'{"errors":[{"code":"%s"}]}' % code.encode()), Denied)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("NAME_UNKNOWN", "registry.example has no repository registry.example/team/app"),
        ("MANIFEST_UNKNOWN", "registry.example has no image registry.example/team/app:1"),
        ("", "registry.example has no image registry.example/team/app:1"),
    ],
)
def test_missing_is_missing_and_says_of_what(code, said):
    error = raised(404, b'{"errors":[{"code":"%s"}]}' % code.encode())
    assert isinstance(error, RemoteNotFound)
    assert error.message == said


def test_a_digest_that_is_missing_is_named():
    digest = Digest.of(b"x")
    error = raised(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}', name=f"r.example/app@{digest}")
    assert error.message == f"r.example/app has nothing with the digest {digest}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'{"errors":null}',
        b'{"errors":[]}',
        b'{"errors":["x"]}',
        b'{"errors":[{"code":5}]}',
        b"{",
        b'{"errors":{"a":1}}',
        b"\xff\xfe",
    ],
)
def test_error_bodies_may_be_anything(body):
    error = raised(418, body)
    assert error.message == "registry.example answered 418 for registry.example/team/app:1"
    assert error.status == 418


def test_a_page_for_browsers_is_not_shown():
    assert raised(502, b"<html>Bad gateway</html>", "text/html").message.endswith(
        "answered 502 for registry.example/team/app:1"
    )


def test_an_endless_error_page_is_read_no_further_than_its_message(fake, repository):
    fake.rule("GET", Answer(400, b"x" * 5_000_000, {"Content-Type": "text/plain"}))
    with pytest.raises(RegistryError) as failed:
        read(repository, fake.put(b"data"))
    assert len(failed.value.message) < 400


def test_outside_text_is_made_safe():
    text = clean("see https://ada:pw@cdn.example/blob?X-Amz-Signature=abc#x \x1b[31mred\u202e\r\n or http://h/p.")
    assert text == "see https://cdn.example/blob [31mred or http://h/p"
    assert len(clean("x" * 1000)) == 200


@given(st.text(max_size=300))
def test_clean_text_is_one_short_printable_line(text):
    made = clean(text)
    assert len(made) <= 200
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in made)


def test_waits_are_told_in_words():
    assert [duration(n) for n in (1, 45, 119, 120, 5400, 7200, 21600)] == [
        "1 second",
        "45 seconds",
        "119 seconds",
        "2 minutes",
        "90 minutes",
        "2 hours",
        "6 hours",
    ]


# ---- no answer


def test_an_unknown_host_is_said_to_be_unknown(connect):
    reference = Reference.parse("no-such-registry.example/app:1")
    with pytest.raises(Unreachable, match=r"no address is known for no-such-registry\.example"):
        connect().repository(reference).resolve(reference)


def test_a_host_that_cannot_be_one_is_unknown_too(connect):
    for name in (f"{'a' * 70}.example/app:1", "r.example:99999999/app:1"):
        reference = Reference.parse(name)
        with pytest.raises(Unreachable, match="no address"):
            connect().repository(reference).resolve(reference)


def test_a_silent_server_is_said_to_be_silent(fake, connect):
    fake.rule("GET", Answer(stall=-1))
    with pytest.raises(Unreachable, match="went silent"):
        read(connect(read_timeout=0.1, attempts=2).repository(fake.reference("app")), fake.put(b"data"))


def test_what_is_no_http_is_no_registry(fake, connect):
    fake.rule("GET", Answer(99))
    with pytest.raises(ProtocolError, match="does not answer as a registry"):
        read(connect(attempts=2).repository(fake.reference("app")), fake.put(b"data"))


def test_a_connection_that_is_not_taken_in_time_is_given_up_soon(connect):
    with full_backlog() as host:
        reference = Reference.parse(f"{host}/app:1")
        with pytest.raises(Unreachable, match="did not take the connection in time"):
            connect(connect_timeout=0.2).repository(reference).resolve(reference)


@pytest.mark.parametrize("path", ["/v2/app/blobs/again", "{url}/v2/app/blobs/again"])
def test_redirects_without_end_are_ended(fake, repository, path):
    fake.rule("GET", Answer(307, b"", {"Location": path.format(url=fake.url)}))
    with pytest.raises(ProtocolError, match="redirects without end"):
        read(repository, fake.put(b"data"))
    assert fake.count("GET") == 6


@pytest.mark.parametrize(
    "target", ["http://cdn.example/blob", "ftp://cdn.example/", "http://169.254.169.254/latest", "http://h:port/"]
)
def test_redirects_to_where_it_is_not_safe_are_refused(fake, repository, target):
    fake.rule("GET", Answer(307, b"", {"Location": target}))
    with pytest.raises(ProtocolError):
        read(repository, fake.put(b"data"))


def test_the_host_that_failed_is_named_with_who_sent_us(fake, repository):
    port = dead_port()
    fake.rule("GET", Answer(307, b"", {"Location": f"http://localhost:{port}/blob?sig=hidden"}))
    with pytest.raises(Unreachable, match=rf"localhost \(where {fake.host} sends us\) refuses") as failed:
        read(repository, fake.put(b"data"))
    assert "hidden" not in failed.value.message


def test_a_connection_that_was_closed_meanwhile_is_replaced(fake, connect):
    """Servers close connections that wait, even just when they are used again; that is no failed attempt."""
    repository = connect(attempts=1).repository(fake.reference("app"))
    blob = fake.put(b"data")
    read(repository, blob)
    fake.rule("GET", Answer(reset=True), times=1)
    assert read(repository, blob) == b"data"


def test_a_connection_that_waited_long_is_not_trusted(fake, repository, monkeypatch):
    blob = fake.put(b"data")
    read(repository, blob)
    monkeypatch.setattr("jupyimg.registry.wire.IDLE", 0.0)
    read(repository, blob)
    assert len({seen.peer for seen in fake.seen}) == 2


def test_connections_are_used_again(fake, repository):
    blob = fake.put(b"data")
    for _ in range(10):
        read(repository, blob)
        assert repository.has(blob)
        assert not repository.has(Descriptor(media_type=OCI_LAYER, digest=Digest.of(b"?"), size=1))
    assert len({seen.peer for seen in fake.seen}) == 1


@pytest.mark.parametrize("piece", ["x", "<", "a=", '"', "\\", ";", " ", "a ", "://", "<a>;", 'a="', "-"])
def test_hostile_text_takes_no_time(piece):
    text = piece * (65_536 // len(piece))
    began = time.thread_time()  # not the clock: a busy machine is no fault of ours
    clean(text)
    parse_challenges([text, f"Bearer {text}"])
    next_link([text])
    retry_after(httpx.Headers({"retry-after": text}), NOW)
    assert time.thread_time() - began < 1
