"""Blobs are sent whole, in part or by their head, from the repositories that they belong to."""

from __future__ import annotations

import json

import pytest

from tests.server.client import digest_of, image

DATA = bytes(range(256)) * 8
DIGEST = digest_of(DATA)


@pytest.fixture
def held(client):
    client.push_blob("lab/app", DATA)
    return client


def test_a_registry_says_that_it_is_one(client):
    for path in ("/v2/", "/v2"):
        reply = client("GET", path)
        assert (reply.status, reply.json()) == (200, {})
        assert reply.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_blob_comes_back_as_it_was(client, algorithm):
    digest = client.push_blob("lab/app", DATA, algorithm)
    got, head = client("GET", f"/v2/lab/app/blobs/{digest}"), client("HEAD", f"/v2/lab/app/blobs/{digest}")
    assert (got.status, got.body, head.status, head.body) == (200, DATA, 200, b"")
    for reply in (got, head):
        assert reply.headers["Docker-Content-Digest"] == digest
        assert reply.headers["Content-Length"] == str(len(DATA))
        assert reply.headers["Content-Type"] == "application/octet-stream"


def test_an_empty_blob_is_a_blob(client):
    digest = client.push_blob("lab/app", b"")
    assert client("GET", f"/v2/lab/app/blobs/{digest}").body == b""
    assert client("HEAD", f"/v2/lab/app/blobs/{digest}").headers["Content-Length"] == "0"


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        ("500-1499", 500, 1500),
        ("500-", 500, 2048),
        ("-500", 1548, 2048),
        ("-5000", 0, 2048),
        ("2000-5000", 2000, 2048),
        ("0-0", 0, 1),
        ("2047-", 2047, 2048),
    ],
)
def test_one_range_is_sent(held, asked, begin, end):
    reply = held("GET", f"/v2/lab/app/blobs/{DIGEST}", range=f"bytes={asked}")
    assert (reply.status, reply.body) == (206, DATA[begin:end])
    assert reply.headers["Content-Range"] == f"bytes {begin}-{end - 1}/2048"
    assert reply.headers["Content-Length"] == str(end - begin)


@pytest.mark.parametrize("asked", ["500-0", "5000-10000", "2048-", "-0", "-", "a-b", "--5", "1-2-3"])
def test_a_range_that_is_not_there_is_refused(held, asked):
    reply = held("GET", f"/v2/lab/app/blobs/{DIGEST}", range=f"bytes={asked}")
    assert (reply.status, reply.headers["Content-Range"]) == (416, "bytes */2048")


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=1-2", "nonsense"])
def test_other_ranges_are_no_ranges(held, asked):
    assert held("GET", f"/v2/lab/app/blobs/{DIGEST}", range=asked).body == DATA


def test_a_range_is_nothing_to_a_head(held):
    reply = held("HEAD", f"/v2/lab/app/blobs/{DIGEST}", range="bytes=1-2")
    assert (reply.status, reply.headers["Content-Length"]) == (200, "2048")


def test_a_blob_that_is_nowhere_is_unknown(client):
    reply = client("GET", f"/v2/lab/app/blobs/{DIGEST}")
    assert (reply.status, reply.codes) == (404, ["BLOB_UNKNOWN"])
    assert client("HEAD", f"/v2/lab/app/blobs/{DIGEST}").status == 404
    assert client("DELETE", f"/v2/lab/app/blobs/{DIGEST}").status == 404


def test_a_blob_is_served_from_its_own_repository_only(held):
    held.push_image("lab/other", "1")
    assert held("GET", f"/v2/lab/other/blobs/{DIGEST}").status == 404
    assert held("DELETE", f"/v2/lab/other/blobs/{DIGEST}").status == 404
    assert held("GET", f"/v2/app/blobs/{DIGEST}").status == 404


@pytest.mark.parametrize(
    "word",
    [
        "sha256:123",
        "sha256:" + "A" * 64,
        "md5:" + "0" * 32,
        "sha256",
        "sha256:" + "0" * 63 + "/",
        "..",
        "sha256:..%2f..%2findex.json",
        "%2e%2e%2f%2e%2e%2findex.json",
    ],
)
def test_what_is_no_digest_never_becomes_a_path(held, word):
    reply = held("GET", f"/v2/lab/app/blobs/{word}")
    assert reply.status in (400, 404)
    assert reply.codes[0] in ("DIGEST_INVALID", "NAME_UNKNOWN", "NAME_INVALID")


def test_deleting_a_loose_blob_hides_it_at_once_and_from_there_alone(held, store):
    held.push_blob("lab/other", DATA)
    assert held("DELETE", f"/v2/lab/app/blobs/{DIGEST}").status == 202
    assert held("HEAD", f"/v2/lab/app/blobs/{DIGEST}").status == 404
    assert held("GET", f"/v2/lab/other/blobs/{DIGEST}").body == DATA
    store.collect()
    assert held("GET", f"/v2/lab/other/blobs/{DIGEST}").body == DATA
    assert held("DELETE", f"/v2/lab/other/blobs/{DIGEST}").status == 202
    assert store.blobs() == {DIGEST: len(DATA)}
    store.collect()
    assert store.blobs() == {}


def test_a_blob_that_a_manifest_needs_is_not_deleted(client, store):
    client.push_image("lab/app", "1")
    config, layers, _ = image()
    for data in (config, *layers):
        reply = client("DELETE", f"/v2/lab/app/blobs/{digest_of(data)}")
        assert (reply.status, reply.codes) == (405, ["DENIED"])
        assert client("GET", f"/v2/lab/app/blobs/{digest_of(data)}").body == data


def test_a_manifest_may_be_read_as_a_blob_but_no_blob_as_a_manifest(client):
    digest, raw = client.push_image("lab/app", "1")
    assert client("GET", f"/v2/lab/app/blobs/{digest}").body == raw
    config, _, document = image(architecture="arm64")
    pushed = client.push_blob("lab/app", json.dumps(document).encode())
    assert client("GET", f"/v2/lab/app/manifests/{pushed}").status == 404
    assert client("GET", f"/v2/lab/app/manifests/{digest_of(config)}").status == 404


def test_a_blob_that_another_process_took_from_the_disk_is_unknown(held, root):
    (root / "blobs" / DIGEST.replace(":", "/")).unlink()
    assert held("GET", f"/v2/lab/app/blobs/{DIGEST}").codes == ["BLOB_UNKNOWN"]


def test_a_blob_that_cannot_be_read_is_an_error_of_ours_without_its_path(held, root, caplog):
    path = root / "blobs" / DIGEST.replace(":", "/")
    path.unlink()
    path.mkdir()
    reply = held("GET", f"/v2/lab/app/blobs/{DIGEST}")
    assert (reply.status, reply.codes) == (500, ["UNKNOWN"])
    assert str(root) not in reply.body.decode()
    assert str(path) in caplog.text
    assert "Traceback" not in caplog.text
    path.rmdir()
