"""Blobs come in whole, in chunks, streamed or mounted, and are seen once their digest is proven."""

from __future__ import annotations

import errno
import json
import os
import socket
import time

import pytest

from jupyimg.server import sessions
from jupyimg.store import Store, ingest, pins
from tests.server.client import digest_of
from tests.services.waiting import until

DATA = b"0123456789" * 307
DIGEST = digest_of(DATA)
ADDRESS = f"/v2/lab/app/blobs/{DIGEST}"


def with_digest(location: str, digest: str = DIGEST) -> str:
    return f"{location}?digest={digest}"


def assert_arrived(client, reply, digest=DIGEST, data=DATA):
    assert reply.status == 201, reply.body
    assert reply.headers["Docker-Content-Digest"] == digest
    assert client("GET", reply.location).body == data


def post_only(client, digest):
    return client("POST", f"/v2/lab/app/blobs/uploads/?digest={digest}", DATA)


def post_and_put(client, digest, *, chunked=False):
    location = client("POST", f"/v2/lab/app/blobs/uploads/?digest-algorithm={digest.partition(':')[0]}").location
    return client("PUT", with_digest(location, digest), iter([DATA[:100], DATA[100:]]) if chunked else DATA)


def post_and_chunked_put(client, digest):
    return post_and_put(client, digest, chunked=True)


def streamed(client, digest):
    reply = client("PATCH", client.begin("lab/app"), iter([DATA[:1000], DATA[1000:]]))
    assert (reply.status, reply.headers["Range"]) == (202, f"0-{len(DATA) - 1}")
    return client("PUT", with_digest(reply.location, digest))


def in_chunks(client, digest, *, last_put=False):
    location, end = client.begin("lab/app"), len(DATA)
    for begin, behind in [(0, 1000), (1000, 2000), *([] if last_put else [(2000, end)])]:
        reply = client("PATCH", location, DATA[begin:behind], content_range=f"{begin}-{behind - 1}")
        assert (reply.status, reply.headers["Range"]) == (202, f"0-{behind - 1}")
        location = reply.location
    if last_put:
        return client("PUT", with_digest(location, digest), DATA[2000:], content_range=f"2000-{end - 1}")
    return client("PUT", with_digest(location, digest))


def in_chunks_the_last_one_put(client, digest):
    return in_chunks(client, digest, last_put=True)


WAYS = [post_only, post_and_put, post_and_chunked_put, streamed, in_chunks, in_chunks_the_last_one_put]


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_every_way_in_ends_at_the_same_blob(client, way, algorithm):
    digest = digest_of(DATA, algorithm)
    assert_arrived(client, way(client, digest), digest)


def test_nothing_is_seen_before_the_end(client, root):
    location = client.begin("lab/app")
    client("PATCH", location, DATA)
    assert client("HEAD", ADDRESS).status == 404
    assert Store(root).blobs() == {}
    assert client("PUT", with_digest(location)).status == 201
    assert client("HEAD", ADDRESS).status == 200
    assert client("GET", location).codes == ["BLOB_UPLOAD_UNKNOWN"], "the session has ended"


@pytest.mark.parametrize("way", ["post", "put", "patch"])
def test_wrong_bytes_are_refused_and_gone(client, root, way):
    if way == "post":
        reply = client("POST", f"/v2/lab/app/blobs/uploads/?digest={DIGEST}", DATA + b"oh no")
    else:
        location = client.begin("lab/app")
        if way == "patch":
            client("PATCH", location, DATA + b"oh no")
        reply = client("PUT", with_digest(location), DATA + b"oh no" if way == "put" else None)
    assert (reply.status, reply.codes) == (400, ["DIGEST_INVALID"])
    assert client("HEAD", ADDRESS).status == 404
    assert not list((root / ".jupyimg" / "ingest").iterdir())


def test_a_digest_that_is_none_leaves_the_upload_as_it_was(client):
    location = client.begin("lab/app")
    client("PATCH", location, DATA)
    for wrong in ("sha256:baddigest", "md5:" + "0" * 32, ""):
        assert client("PUT", with_digest(location, wrong)).codes == ["DIGEST_INVALID"]
        assert client("POST", f"/v2/lab/app/blobs/uploads/?mount={wrong}").codes == ["DIGEST_INVALID"]
    assert client("PUT", location).codes == ["DIGEST_INVALID"]
    assert_arrived(client, client("PUT", with_digest(location)))


def test_an_algorithm_that_is_not_known_is_refused(client):
    reply = client("POST", "/v2/lab/app/blobs/uploads/?digest-algorithm=md5")
    assert (reply.status, reply.codes) == (400, ["DIGEST_INVALID"])


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_chunk_out_of_order_is_refused_with_where_to_go_on(client, method):
    location = client.begin("lab/app")
    client("PATCH", location, DATA[:1000], content_range="0-999")
    path = with_digest(location) if method == "PUT" else location
    for begin in (0, 500, 2000):
        reply = client(method, path, DATA[begin : begin + 100], content_range=f"{begin}-{begin + 99}")
        assert (reply.status, reply.location, reply.headers["Range"]) == (416, location, "0-999")
    status = client("GET", location)
    assert (status.status, status.body) == (204, b"")
    assert (status.location, status.headers["Range"]) == (location, "0-999")
    assert_arrived(client, client("PUT", with_digest(location), DATA[1000:], content_range=f"1000-{len(DATA) - 1}"))


def test_a_chunk_says_how_long_it_is(client):
    location = client.begin("lab/app")
    for wrong in ("0-98", "0-100"):
        reply = client("PATCH", location, DATA[:100], content_range=wrong)
        assert (reply.status, reply.codes) == (400, ["SIZE_INVALID"])
    for wrong in ("bytes 0-99/*", "abc", "0-", "-5", "99-0"):
        assert client("PATCH", location, DATA[:100], content_range=wrong).status in (400, 416)
    assert client("GET", location).headers["Range"] == "0-0", "nothing of it was taken"
    reply = client("PATCH", location, iter([DATA[:50]]), content_range="0-99")
    assert (reply.status, reply.codes) == (400, ["SIZE_INVALID"])
    assert client("GET", location).status == 404, "what it holds now is anybody's guess"


def test_a_cancelled_upload_is_gone(client, root):
    location = client.begin("lab/app")
    client("PATCH", location, DATA)
    assert client("DELETE", location).status == 204
    for method in ("GET", "PATCH", "DELETE"):
        assert client(method, location).codes == ["BLOB_UPLOAD_UNKNOWN"]
    assert client("PUT", with_digest(location), DATA).status == 404
    assert not list((root / ".jupyimg" / "ingest").iterdir())


@pytest.mark.parametrize("word", ["x", "0" * 32, "..%2f..%2foci-layout", "sha256-" + "0" * 64])
def test_an_upload_that_never_began_is_unknown(client, word):
    reply = client("PATCH", f"/v2/lab/app/blobs/uploads/{word}", DATA)
    assert (reply.status, reply.codes) in (
        (404, ["BLOB_UPLOAD_UNKNOWN"]),
        (404, ["NAME_UNKNOWN"]),
        (400, ["NAME_INVALID"]),
    )


def test_an_upload_goes_on_in_its_own_repository_only(client):
    location = client.begin("lab/app")
    reply = client("PATCH", location.replace("lab/app", "lab/other"), DATA)
    assert (reply.status, reply.codes) == (404, ["BLOB_UPLOAD_UNKNOWN"])


def test_two_at_once_do_not_mix_their_bytes(client):
    location = client.begin("lab/app")
    head = f"PATCH {location} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(DATA)}\r\n\r\n"
    with client.connect() as slow:
        slow.sendall(head.encode() + DATA[:100])
        until(lambda: [each for each in client.server._sessions._open.values() if each.lock.locked()])
        reply = client("PATCH", location, DATA)
        assert (reply.status, reply.codes) == (409, ["BLOB_UPLOAD_INVALID"])
        slow.sendall(DATA[100:])
        assert b" 202 " in slow.recv(1000)
    assert_arrived(client, client("PUT", with_digest(location)))


def test_what_arrived_before_the_line_broke_is_kept(client):
    location = client.begin("lab/app")
    head = f"PATCH {location} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(DATA)}\r\n\r\n"
    with client.connect() as sock:
        sock.sendall(head.encode() + DATA[:1000])
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1000) == b"", "no answer to half a request"
    assert client("GET", location).headers["Range"] == "0-999"
    assert_arrived(client, client("PUT", with_digest(location), DATA[1000:]))


def test_a_whole_blob_that_broke_off_leaves_nothing(client, root):
    head = f"POST /v2/lab/app/blobs/uploads/?digest={DIGEST} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(DATA)}\r\n\r\n"
    with client.connect() as sock:
        sock.sendall(head.encode() + DATA[:1000])
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1000) == b""
    assert not list((root / ".jupyimg" / "ingest").iterdir())
    assert client("HEAD", ADDRESS).status == 404


@pytest.mark.parametrize("source", ["&from=lab/origin", "&from=lab/elsewhere", ""])
def test_a_blob_is_mounted_from_wherever_it_is(client, source):
    client.push_blob("lab/origin", DATA)
    reply = client("POST", f"/v2/lab/app/blobs/uploads/?mount={DIGEST}{source}")
    assert_arrived(client, reply)
    assert client("DELETE", f"/v2/lab/origin/blobs/{DIGEST}").status == 202
    assert client("GET", ADDRESS).body == DATA


def test_what_cannot_be_mounted_is_uploaded(client):
    reply = client("POST", f"/v2/lab/app/blobs/uploads/?mount={DIGEST}&from=lab/origin")
    assert reply.status == 202
    assert client("HEAD", ADDRESS).status == 404
    assert_arrived(client, client("PUT", with_digest(reply.location), DATA))


def test_a_blob_waits_a_day_for_its_manifest_and_no_longer(client, store, root):
    client.push_blob("lab/app", DATA)
    assert store.collect() == []
    assert client("HEAD", ADDRESS).status == 200
    (path,) = (root / ".jupyimg" / "pins").iterdir()
    kept = json.loads(path.read_text())
    assert kept["pins"][DIGEST] == pytest.approx(time.time() + 24 * 3600, abs=60)
    kept["pins"][DIGEST] = time.time() - 1
    path.write_text(json.dumps(kept))
    assert client("HEAD", ADDRESS).status == 404
    assert [freed.digest for freed in store.collect()] == [DIGEST]


def test_an_upload_under_way_survives_a_prune_by_another_process(client, store):
    location = client.begin("lab/app")
    client("PATCH", location, DATA[:1000])
    assert store.collect() == []
    assert_arrived(client, client("PUT", with_digest(location), DATA[1000:]))


def test_an_upload_goes_on_with_the_next_server(serve):
    first = serve()
    location = first.begin("lab/app")
    first("PATCH", location, DATA[:1000])
    second = serve()
    assert second("PATCH", location, DATA[1000:]).codes == ["BLOB_UPLOAD_INVALID"], "the first still has it"
    first.server.stop()
    assert second("GET", location).headers["Range"] == "0-999"
    assert_arrived(second, second("PUT", with_digest(location), DATA[1000:]))


def test_an_upload_stays_its_repository_s_with_the_next_server(serve):
    first = serve()
    location = first.begin("lab/app")
    first("PATCH", location, DATA[:1000])
    first.server.stop()
    second = serve()
    for method in ("GET", "PATCH", "DELETE"):
        assert second(method, location.replace("lab/app", "lab/other")).codes == ["BLOB_UPLOAD_UNKNOWN"]
    assert second("GET", location).headers["Range"] == "0-999"
    assert_arrived(second, second("PUT", with_digest(location), DATA[1000:]))


def test_while_what_has_arrived_is_read_again_other_uploads_go_on(serve, monkeypatch):
    first = serve()
    location = first.begin("lab/app")
    first("PATCH", location, DATA[:1000])
    first.server.stop()
    second, meanwhile = serve(), []

    def absorb(fd, hasher, real=ingest._absorb):
        size = real(fd, hasher)
        if size and not meanwhile:
            meanwhile.append(second("PATCH", second.begin("lab/other"), DATA).status)
            meanwhile.append(second("GET", location).status)
        return size

    monkeypatch.setattr(ingest, "_absorb", absorb)
    reply = second("PATCH", location, DATA[1000:])
    assert (reply.status, meanwhile) == (202, [202, 409]), "only who wants the same one is turned down"
    assert_arrived(second, second("PUT", with_digest(location)))


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_an_upload_that_a_full_disk_does_not_take_in_goes_on_once_there_is_room(client, monkeypatch):
    location = client.begin("lab/app")
    client("PATCH", location, DATA)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert client("PUT", with_digest(location)).status == 507
    assert client("GET", location).headers["Range"] == f"0-{len(DATA) - 1}"
    assert_arrived(client, client("PUT", with_digest(location)))


def test_an_upload_that_a_full_disk_takes_in_but_does_not_note_has_ended(client, store, root, monkeypatch):
    location = client.begin("lab/app")
    client("PATCH", location, DATA)
    with monkeypatch.context() as patched:
        patched.setattr(pins.Layout, "replace", full)
        assert client("PUT", with_digest(location)).status == 507
    for method in ("PUT", "GET"):
        assert client(method, with_digest(location)).codes == ["BLOB_UPLOAD_UNKNOWN"], "it begins again"
    assert_arrived(client, post_only(client, DIGEST))


def test_abandoned_uploads_age_out(serve, root, monkeypatch):
    client = serve()
    location, other = client.begin("lab/app"), client.begin("lab/app")
    uploads = client.server._sessions
    uploads.sweep()
    assert client("GET", location).status == 204
    uploads._open[location.rpartition("/")[2]].used -= sessions.IDLE_SECONDS + 1
    uploads.sweep()
    assert (client("GET", location).status, client("GET", other).status) == (404, 204)


def test_too_many_uploads_give_up_the_idlest_or_refuse(serve, monkeypatch):
    monkeypatch.setattr(sessions, "_LIMIT", 3)
    client = serve()
    locations = [client.begin("lab/app") for _ in range(3)]
    reply = client("POST", "/v2/lab/app/blobs/uploads/")
    assert (reply.status, reply.codes, reply.headers["Retry-After"]) == (429, ["TOOMANYREQUESTS"], "10")
    client.server._sessions._open[locations[1].rpartition("/")[2]].used -= 3600
    locations.append(client.begin("lab/app"))
    assert [client("GET", location).status for location in locations] == [204, 404, 204, 204]


def test_uploads_of_dead_servers_age_out(root):
    store = Store(root)
    with store.writer() as sink:
        with sink.ingest() as old, sink.ingest() as young:
            old.write(b"x")
            young.write(b"y")
        paths = {name: root / ".jupyimg" / "ingest" / item.id for name, item in (("old", old), ("young", young))}
    os.utime(paths["old"], (0, 0))
    store.drop_stale_uploads(3600)
    assert [name for name, path in paths.items() if path.exists()] == ["young"]
