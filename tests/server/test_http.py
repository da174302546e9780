"""HTTP/1.1 as strict as it must be: what two readers could understand differently is refused, what is legal is taken."""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time

import pytest

from jupyimg.server import Patience
from tests.server.client import digest_of, drained
from tests.services.waiting import PATIENCE, until

DATA = b"0123456789" * 100
DIGEST = digest_of(DATA)
POST = f"/v2/lab/app/blobs/uploads/?digest={DIGEST}"
PING = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n"


def request(start: str, *lines: str, body: bytes = b"", host: str = "Host: localhost") -> bytes:
    return "\r\n".join([start, *([host] if host else []), *lines, "", ""]).encode("latin-1") + body


def statuses(raw: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", raw)]


def test_many_requests_go_over_one_connection(client):
    connection = http.client.HTTPConnection(client.address, timeout=10)
    for _ in range(3):
        for method, path, body in [
            ("POST", POST, DATA),
            ("HEAD", f"/v2/lab/app/blobs/{DIGEST}", None),
            ("GET", f"/v2/lab/app/blobs/{DIGEST}", None),
            ("GET", "/v2/lab/app/manifests/none", None),
            ("POST", "/v2/lab/app/blobs/uploads/?digest=none", DATA),
            ("GET", "/nowhere", None),
        ]:
            connection.request(method, path, body)
            response = connection.getresponse()
            response.read()
            assert response.headers["Connection"] is None
    connection.close()


def test_requests_may_come_before_their_answers_went(client):
    put = request(f"POST {POST} HTTP/1.1", f"Content-Length: {len(DATA)}", body=DATA)
    chunked = request(
        f"POST {POST} HTTP/1.1",
        "Transfer-Encoding: chunked",
        body=b"3e8;x=y\r\n" + DATA + b"\r\n0\r\nTrailer: x\r\n\r\n",
    )
    last = request("GET /v2/ HTTP/1.1", "Connection: close")
    assert statuses(client.raw(put + chunked + b"\r\n" + PING + last)) == [201, 201, 200, 200]


def test_the_last_request_may_say_so(client):
    raw = client.raw(request("GET /v2/ HTTP/1.1", "Connection: Close"))
    assert statuses(raw) == [200]
    assert b"\r\nConnection: close\r\n" in raw
    assert statuses(client.raw(request("GET /v2/ HTTP/1.0"))) == [200], "HTTP/1.0 closes by itself"


def test_an_absolute_address_is_an_address(client):
    assert statuses(client.raw(request("GET http://127.0.0.1/v2/ HTTP/1.1", "Connection: close"))) == [200]
    assert statuses(client.raw(request("GET http://evil.test/v2/ HTTP/1.1", "Connection: close"))) == [403]


def test_a_client_that_waits_is_told_to_go_on(client):
    with client.connect() as sock:
        sock.sendall(request(f"POST {POST} HTTP/1.1", f"Content-Length: {len(DATA)}", "Expect: 100-continue"))
        assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(DATA)
        assert statuses(sock.recv(1000)) == [201]


def test_a_client_that_waits_is_told_no_instead(client):
    raw = client.raw(
        request("POST /v2/lab/app/blobs/uploads/?digest=none HTTP/1.1", "Content-Length: 1000", "Expect: 100-continue")
    )
    assert statuses(raw) == [400]
    assert statuses(client.raw(request("GET /v2/ HTTP/1.1", "Expect: the-unexpected"))) == [417]


def test_what_goes_beyond_its_length_is_not_a_part_of_it(client):
    said = client.raw(request(f"POST {POST} HTTP/1.1", f"Content-Length: {len(DATA)}", body=DATA + b"0123456789"))
    assert statuses(said) == [201, 400]
    assert client("GET", f"/v2/lab/app/blobs/{DIGEST}").body == DATA


def test_a_large_body_that_nobody_wants_does_not_hide_the_answer(client):
    body = b"x" * (8 << 20)
    reply = client("PUT", "/v2/lab/app/manifests/1", body, content_type="application/vnd.oci.image.manifest.v1+json")
    assert (reply.status, reply.headers["Connection"]) == (413, "close")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"get /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /v2/\r\n\r\n", 400),
        (b"GET  /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /v2/ HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (request("GET /v2/ HTTP/1.1", host=""), 400),
        (request("GET /v2/ HTTP/1.1", "Host: localhost"), 400),
        (request("GET /v2/ HTTP/1.1", "X : y"), 400),
        (request("GET /v2/ HTTP/1.1", "X: y", " folded"), 400),
        (request("GET /v2/ HTTP/1.1", "no colon"), 400),
        (request("GET /v2/ HTTP/1.1", "X: a\rb"), 400),
        (request("GET /v2/ HTTP/1.1", "X: a\nb"), 400),
        (request("GET /v2/ HTTP/1.1", "X: a\0b"), 400),
        (request("GET /v2/%00 HTTP/1.1"), 400),
        (request("GET /v2/%ff HTTP/1.1"), 400),
        (request("GET /v2/%0d%0aX:y HTTP/1.1"), 400),
        (request("GET /v2/_catalog?n=%ff HTTP/1.1"), 400),
        (request("GET /v2/?" + "a&" * 300 + " HTTP/1.1"), 400),
        (request("GET /v2/" + "a" * 9000 + " HTTP/1.1"), 414),
        (request("GET /v2/ HTTP/1.1", *(f"X{n}: y" for n in range(101))), 431),
        (request("GET /v2/ HTTP/1.1", "X: " + "y" * 40_000), 431),
        (b"A" * 100_000, 431),
        (request(f"POST {POST} HTTP/1.1", "Content-Length: 5", "Content-Length: 5"), 400),
        (request(f"POST {POST} HTTP/1.1", "Content-Length: 5, 5"), 400),
        (request(f"POST {POST} HTTP/1.1", "Content-Length: -1"), 400),
        (request(f"POST {POST} HTTP/1.1", "Content-Length: +1"), 400),
        (request(f"POST {POST} HTTP/1.1", "Content-Length: 0x10"), 400),
        (request(f"POST {POST} HTTP/1.1", "Content-Length: " + "9" * 30), 400),
        (request(f"POST {POST} HTTP/1.1", "Content-Length:"), 400),
        (
            request(
                f"POST {POST} HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked", body=b"1\r\na\r\n0\r\n\r\n"
            ),
            400,
        ),
        (request(f"POST {POST} HTTP/1.1", "Transfer-Encoding: gzip, chunked"), 501),
        (request(f"POST {POST} HTTP/1.1", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 501),
        (request(f"POST {POST} HTTP/1.1", "Transfer-Encoding: chunked", body=b"xyz\r\n"), 400),
        (request(f"POST {POST} HTTP/1.1", "Transfer-Encoding: chunked", body=b"5\r\nabcdefgh\r\n"), 400),
        (request(f"POST {POST} HTTP/1.1", "Transfer-Encoding: chunked", body=b"5\nabcde\n0\n\n"), 400),
        (request(f"POST {POST} HTTP/1.1", "Transfer-Encoding: chunked", body=b"1;" + b"x" * 5000), 400),
        (request(f"POST {POST} HTTP/1.1", "Transfer-Encoding: chunked", body=b"0\r\n" + b"X: y\r\n" * 5000), 400),
    ],
)
def test_what_is_no_http_of_ours_is_refused_and_hung_up_on(client, raw, status):
    # what follows must not be understood as a request of its own
    said = client.raw(raw + PING)
    assert statuses(said) == [status], said
    assert b'"errors":[{' in said
    assert b"\r\nConnection: close\r\n" in said


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v2/", 405),
        ("PUT", "/v2/_catalog", 405),
        ("DELETE", "/v2/lab/app/tags/list", 405),
        ("PATCH", f"/v2/lab/app/manifests/{DIGEST}", 405),
        ("PUT", f"/v2/lab/app/blobs/{DIGEST}", 405),
        ("GET", "/v2/lab/app/blobs/uploads/", 405),
        ("OPTIONS", "/v2/", 405),
        ("GET", "/", 404),
        ("GET", "/v1/_ping", 404),
        ("GET", "/v2/lab/app", 404),
        ("GET", "/v2/manifests/1", 404),
        ("GET", "/v2//manifests/1", 404),
        ("GET", "/v2/Lab/manifests/1", 400),
        ("GET", "/v2/../manifests/1", 400),
        ("GET", "/v2/a/../../b/manifests/1", 400),
        ("GET", "/v2/%2e%2e/manifests/1", 400),
        ("GET", "/v2/a%2f..%2fb/manifests/1", 400),
        ("GET", "/v2/a//b/manifests/1", 400),
        ("GET", "/v2/" + "a" * 300 + "/manifests/1", 400),
    ],
)
def test_other_methods_and_addresses(client, method, path, status):
    reply = client(method, path)
    assert reply.status == status
    assert reply.codes[0] in ("UNSUPPORTED", "NAME_UNKNOWN", "NAME_INVALID")
    assert ("Allow" in reply.headers) == (status == 405)


def test_a_repository_may_be_called_like_an_endpoint(client):
    for name in ("manifests/manifests", "blobs/uploads", "tags/list", "a/blobs/b", "v2/v2"):
        _, raw = client.push_image(name, "1")
        assert client("GET", f"/v2/{name}/manifests/1").body == raw
        assert client("GET", f"/v2/{name}/tags/list").json() == {"name": name, "tags": ["1"]}


def test_an_error_tells_nothing_of_this_machine(client, root, caplog):
    client.push_image("lab/app", "1")
    (root / "index.json").write_text("{")
    reply = client("GET", "/v2/lab/app/manifests/1")
    assert (reply.status, reply.codes) == (500, ["UNKNOWN"])
    assert str(root) not in reply.body.decode()
    assert str(root) in caplog.text
    (root / "index.json").unlink()


def test_a_failure_of_ours_ends_one_request_only(client, monkeypatch, caplog):
    monkeypatch.setattr("jupyimg.server.record.Record.names", lambda self: 1 / 0)
    reply = client("GET", "/v2/_catalog")
    assert (reply.status, reply.codes) == (500, ["UNKNOWN"])
    assert "ZeroDivisionError" in caplog.text
    assert client("GET", "/v2/").status == 200


# ---- slow and greedy peers


def working(client):
    """The connections on which a request is being answered."""
    return [channel for channel in list(client.server._listener._open) if channel.waiting_since is None]


NO_SILENCE = Patience(idle=1.5, head=1, silence=1, grace=60, linger=0.2)
NO_DRIPPING = Patience(idle=30, head=0.4, silence=30, grace=0.6, rate=1e6, linger=0.2)


@pytest.mark.parametrize(
    "beginning",
    [b"", b"GET /v2/ HT", b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n", request(f"POST {POST} HTTP/1.1", "Content-Length: 9"),
     request(f"POST {POST} HTTP/1.1", "Transfer-Encoding: chunked", body=b"5\r\nab")],
    ids=["nothing", "half a line", "no end", "no body", "half a chunk"],
)  # fmt: skip
def test_a_silent_peer_is_hung_up_on(serve, beginning):
    client = serve(patience=NO_SILENCE)
    assert client.raw(beginning, seconds=PATIENCE) == b""


@pytest.mark.parametrize("what", ["head", "body"])
def test_a_peer_that_drips_is_hung_up_on(serve, what):
    client = serve(patience=NO_DRIPPING)
    with client.connect(PATIENCE) as sock:
        if what == "body":
            sock.sendall(request(f"POST {POST} HTTP/1.1", "Content-Length: 100000"))
        sock.settimeout(0.05)
        for sent in range(1000):
            try:
                sock.sendall(b"GET /"[sent : sent + 1] or b"x")
                if sock.recv(100) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            raise AssertionError("it could go on dripping")


def test_a_peer_that_does_not_read_is_hung_up_on(serve):
    data = b"x" * (32 << 20)
    digest = serve().push_blob("lab/app", data)
    client = serve(patience=NO_SILENCE)
    with client.connect() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(request(f"GET /v2/lab/app/blobs/{digest} HTTP/1.1"))
        until(lambda: working(client))
        until(lambda: not working(client))
    assert client("HEAD", f"/v2/lab/app/blobs/{digest}").status == 200


def test_past_the_limit_the_one_that_waits_longest_makes_room(serve):
    client = serve(connections=3)
    waiting = [client.connect() for _ in range(3)]
    for sock in waiting[1:]:
        sock.sendall(PING)
        assert statuses(sock.recv(1000)) == [200]
    assert client("GET", "/v2/").status == 200
    assert waiting[0].recv(100) == b"", "it has asked for nothing"
    waiting[2].sendall(PING)
    assert statuses(waiting[2].recv(1000)) == [200]
    for sock in waiting:
        sock.close()


def test_where_all_are_busy_the_next_one_is_told(serve):
    client = serve(connections=2)
    busy = [client.connect() for _ in range(2)]
    for sock in busy:
        sock.sendall(request(f"POST {POST} HTTP/1.1", "Content-Length: 1000", body=b"x"))
    until(lambda: len(working(client)) == 2)
    reply = client("GET", "/v2/")
    assert (reply.status, reply.headers["Retry-After"]) == (503, "5")
    for sock in busy:
        sock.close()


def test_a_connection_that_no_thread_can_be_had_for_is_told_and_the_next_one_is_served(serve, monkeypatch):
    client, start = serve(), threading.Thread.start

    def cannot(thread):
        if thread.name == "jupyimg-connection":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", cannot)
        with client.connect() as sock:
            assert statuses(drained(sock)) == [503]
    assert client("GET", "/v2/").status == 200


def test_where_all_are_busy_the_slowest_of_the_long_ones_makes_room(serve):
    client = serve(connections=2, patience=Patience(silence=4, grace=60, rate=1))
    busy = [client.connect() for _ in range(2)]
    for number, sock in enumerate(busy):
        sock.sendall(request(f"POST {POST} HTTP/1.1", "Content-Length: 1000000"))
        sock.sendall(b"x" * (100 + 10_000 * number))
    began = time.monotonic()
    while time.monotonic() - began < 2.5:  # a request is young for half of the silence that it may keep
        time.sleep(0.1)
        for number, sock in enumerate(busy):
            sock.sendall(b"x" * (1 + 10_000 * number))
    assert client("GET", "/v2/").status == 200
    assert busy[0].recv(100) == b""
    for sock in busy:
        sock.close()
