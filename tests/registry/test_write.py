"""Writing: a blob arrives whole by whatever way the registry allows, or not at all."""

from __future__ import annotations

import pytest

from jupyimg.errors import (
    Denied,
    DigestMismatch,
    ProtocolError,
    RateLimited,
    RegistryError,
    RemoteNotFound,
    SizeMismatch,
    Unreachable,
)
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor
from jupyimg.registry import upload
from tests.registry.content import DATA, Content, blob_of
from tests.registry.fake import Answer, error

CHUNK_SIZE = 1 << 20


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setattr(upload, "CHUNK_SIZE", CHUNK_SIZE)


@pytest.fixture
def repository(fake, connect):
    return connect().repository(fake.reference("app"))


def sent(fake):
    return [seen.method for seen in fake.seen]


def test_a_blob_goes_in_one_piece(fake, repository):
    blob, content = blob_of(DATA), Content(DATA)
    assert not repository.has(blob)
    repository.write(blob, content)
    assert fake.blobs[blob.digest] == DATA
    assert repository.has(blob)
    assert sent(fake) == ["HEAD", "POST", "PUT", "HEAD"]
    assert content.opened == [0]
    assert fake.seen[2].headers["content-length"] == str(len(DATA))
    assert "transfer-encoding" not in fake.seen[2].headers


@pytest.mark.parametrize("data", [b"", b"x"])
def test_the_smallest_blobs_are_taken(fake, repository, data):
    repository.write(blob_of(data), Content(data))
    assert fake.blobs[Digest.of(data)] == data


@pytest.mark.parametrize("refusal", [400, 404, 405, 411, 413, 415, 416, 501])
def test_where_one_piece_is_refused_chunks_go(fake, repository, refusal):
    blob, content = blob_of(DATA), Content(DATA)
    fake.rule("PUT /upload", lambda seen: Answer(refusal) if seen.body else None)
    repository.write(blob, content)
    assert fake.blobs[blob.digest] == DATA
    ranges = [seen.headers["content-range"] for seen in fake.matching("PATCH")]
    assert ranges[0] == f"0-{CHUNK_SIZE - 1}"
    assert ranges[-1].endswith(f"-{len(DATA) - 1}")
    assert len(ranges) == 4


def test_a_host_that_wants_chunks_is_asked_only_once(fake, repository):
    fake.rule("PUT /upload", lambda seen: Answer(413) if seen.body else None)
    for data in (b"first", b"second"):
        repository.write(blob_of(data), Content(data))
        assert fake.blobs[Digest.of(data)] == data
    assert fake.count("PUT") == 3


def test_the_least_size_of_a_chunk_is_honoured(fake, repository):
    least = 5 << 18
    fake.rule("PUT /upload", lambda seen: Answer(413) if seen.body else None)
    fake.rule("POST", lambda seen: _opened(fake, least))
    repository.write(blob_of(DATA), Content(DATA))
    assert [len(seen.body) for seen in fake.matching("PATCH")] == [least, least, len(DATA) - 2 * least]


def test_the_newest_location_counts_and_is_not_re_encoded(fake, repository):
    fake.rule("PUT /upload", lambda seen: Answer(413) if seen.body else None)
    repository.write(blob_of(DATA), Content(DATA))
    states = [seen.query["_state"][0] for seen in fake.matching("(PATCH|PUT) /upload") if seen.query.get("_state")]
    assert states == ["a==", "a==", *(str(n * CHUNK_SIZE) for n in (1, 2, 3)), str(len(DATA))]
    assert fake.matching("PUT")[0].path == f"/upload/app-0?_state=a%3d%3D&digest={Digest.of(DATA)}"


@pytest.mark.parametrize("form", ["/upload/u", "{url}/upload/u", "../../../../upload/u", "//{host}/upload/u?x=%2f&y"])
def test_a_location_may_be_relative_or_absolute(fake, repository, form):
    fake.uploads["u"] = bytearray()
    fake.rule("POST", Answer(202, b"", {"Location": form.format(url=fake.url, host=fake.host)}))
    repository.write(blob_of(b"data"), Content(b"data"))
    assert fake.blobs[Digest.of(b"data")] == b"data"
    path = fake.matching("PUT")[0].path
    assert path.startswith("/upload/u?x=%2f&y&digest=" if "?" in form else "/upload/u?digest=")


def test_an_answer_to_a_chunk_without_a_location_leaves_it_where_it_was(fake, repository):
    fake.rule("PUT /upload", lambda seen: Answer(413) if seen.body else None)
    fake.rule("PATCH", lambda seen: (fake._patch(seen, "app-1"), Answer(201))[1])
    repository.write(blob_of(DATA), Content(DATA))
    assert fake.blobs[Digest.of(DATA)] == DATA


def test_a_location_on_another_host_is_used_without_our_token(fake, other, connect):
    registries = connect(lambda host: None)
    fake.rule(".", lambda seen: _challenge(fake, seen))
    other.uploads["u"] = bytearray()
    fake.rule("POST /v2", Answer(202, b"", {"Location": f"{other.url}/upload/u"}))
    registries.repository(fake.reference("app")).write(blob_of(b"data"), Content(b"data"))
    assert other.blobs[Digest.of(b"data")] == b"data"
    assert all("authorization" not in seen.headers for seen in other.seen)
    assert "authorization" in fake.matching("POST")[-1].headers


@pytest.mark.parametrize("location", [None, "http://h:port/", "ftp://h/x", "http://registry.example/upload"])
def test_a_location_that_leads_nowhere_safe_is_refused(fake, repository, location):
    fake.rule("POST", Answer(202, b"", {"Location": location} if location else {}))
    with pytest.raises(ProtocolError):
        repository.write(blob_of(b"data"), Content(b"data"))


def test_a_chunk_out_of_order_is_put_right_by_asking(fake, repository):
    blob = blob_of(DATA)
    fake.rule("PUT /upload", lambda seen: Answer(413) if seen.body else None)
    fake.rule("PATCH", lambda seen: _half(fake, seen), times=1)
    repository.write(blob, Content(DATA))
    assert fake.blobs[blob.digest] == DATA
    assert fake.count("GET /upload") == 1


def test_a_chunk_taken_in_part_is_continued_where_the_registry_stands(fake, repository):
    blob = blob_of(DATA)
    fake.rule("PUT /upload", lambda seen: Answer(413) if seen.body else None)
    fake.rule("PATCH", lambda seen: _part(fake, seen, 500_000), times=1)
    repository.write(blob, Content(DATA))
    assert fake.blobs[blob.digest] == DATA
    assert fake.matching("PATCH")[1].headers["content-range"].startswith("500000-")


@pytest.mark.parametrize("claim", ["0-99999999999", "0-0", "nonsense", "5-9"])
def test_what_a_registry_claims_to_have_is_not_believed_beyond_reason(fake, connect, claim):
    repository = connect(attempts=3).repository(fake.reference("app"))
    fake.rule("PUT /upload", lambda seen: Answer(413) if seen.body else None)
    fake.rule("PATCH", lambda seen: _claims(fake, seen, claim), times=1)
    repository.write(blob_of(DATA), Content(DATA))
    assert fake.blobs[Digest.of(DATA)] == DATA


def test_a_broken_upload_goes_on_from_what_arrived(fake, repository):
    blob, content = blob_of(DATA), Content(DATA)

    def broken(seen):
        fake.uploads["app-0"] += seen.body[:2_000_000]
        return Answer(reset=True)

    fake.rule("PUT /upload", broken, times=1)
    repository.write(blob, content)
    assert fake.blobs[blob.digest] == DATA
    assert content.opened == [0, 2_000_000]


@pytest.mark.parametrize("trouble", [Answer(reset=True), Answer(504)])
def test_an_upload_whose_answer_is_lost_is_found_done(fake, repository, trouble):
    blob, content = blob_of(DATA), Content(DATA)

    def done(seen):
        fake.uploads.clear()
        fake.blobs[blob.digest] = seen.body
        return trouble

    fake.rule("PUT /upload", done, times=1)
    repository.write(blob, content)
    assert content.opened == [0]
    assert fake.count("POST") == 1


@pytest.mark.parametrize("trouble", [Answer(reset=True), Answer(500), Answer(503)])
def test_an_upload_that_is_lost_begins_again(fake, repository, trouble):
    blob, content = blob_of(DATA), Content(DATA)

    def lost(seen):
        fake.uploads.clear()
        return trouble

    fake.rule("PUT /upload", lost, times=1)
    repository.write(blob, content)
    assert fake.blobs[blob.digest] == DATA
    assert content.opened == [0, 0]


def test_an_upload_that_never_works_is_given_up_and_cancelled(fake, connect):
    repository = connect(attempts=2).repository(fake.reference("app"))
    fake.rule("PUT /upload", Answer(503))
    with pytest.raises(RegistryError, match="503") as failure:
        repository.write(blob_of(b"data"), Content(b"data"))
    assert failure.value.status == 503
    assert fake.count("DELETE /upload") == 1


def test_a_registry_that_hangs_up_on_every_upload_is_unreachable(fake, connect):
    repository = connect(attempts=2).repository(fake.reference("app"))
    fake.rule("PUT /upload", Answer(reset=True))
    with pytest.raises(Unreachable, match="broke"):
        repository.write(blob_of(b"data"), Content(b"data"))


def test_wrong_bytes_are_never_visible(fake, repository):
    blob = blob_of(b"right")
    with pytest.raises(DigestMismatch, match=str(blob.digest)):
        repository.write(blob, Content(b"wrong"))
    assert not fake.blobs


@pytest.mark.parametrize(("data", "said"), [(b"short", "only 5"), (b"much longer than that", "more")])
def test_wrong_sizes_are_noticed_before_the_last_byte_is_sent(fake, repository, data, said):
    blob = Descriptor(media_type=OCI_LAYER, digest=Digest.of(data), size=10)
    for step in (1, 5, 100):
        with pytest.raises(SizeMismatch, match=said):
            repository.write(blob, Content(data, step))
    assert not fake.blobs
    assert repository.has(blob) is False, "the place is not usable afterwards"


def test_what_fails_at_the_source_is_not_retried_here(fake, repository):
    class Broken(Exception):
        pass

    def read(offset):
        yield b"da"
        raise Broken

    with pytest.raises(Broken):
        repository.write(blob_of(b"data"), read)
    assert fake.count("POST") == 1


def test_an_upload_that_is_redirected_carries_its_body_along(fake, other, repository):
    other.uploads["u"] = bytearray()
    fake.rule("PUT", Answer(307, b"", {"Location": f"{other.url}/upload/u?digest={Digest.of(DATA)}"}))
    repository.write(blob_of(DATA), Content(DATA))
    assert other.blobs[Digest.of(DATA)] == DATA


def test_an_upload_is_never_turned_into_a_download(fake, repository):
    fake.rule("PUT", Answer(302, b"", {"Location": "/login"}))
    fake.rule("GET /login", Answer(200, b"<html>"))
    with pytest.raises(RegistryError, match="302"):
        repository.write(blob_of(b"data"), Content(b"data"))
    assert not fake.count("GET /login")


def test_a_chunk_that_is_refused_is_the_end(fake, repository):
    fake.rule("PUT /upload", lambda seen: Answer(413) if seen.body else None)
    fake.rule("PATCH", error(400, "BLOB_UPLOAD_INVALID", "not like this"))
    with pytest.raises(RegistryError, match=r"400 BLOB_UPLOAD_INVALID .*not like this"):
        repository.write(blob_of(DATA), Content(DATA))
    fake.rules.clear()
    repository.write(blob_of(b"data"), Content(b"data"))
    assert fake.count("PATCH") == 1, "what did not help was taken for a habit of the host"


def test_a_session_that_is_forgotten_between_chunks_begins_again(fake, repository):
    fake.rule("PUT /upload", lambda seen: Answer(413) if seen.body else None)
    fake.rule("PATCH .*_state=1048576", lambda seen: fake.uploads.pop("app-1", None) and None, times=1)
    repository.write(blob_of(DATA), Content(DATA))
    assert fake.blobs[Digest.of(DATA)] == DATA


def test_a_registry_that_forgets_every_session_after_one_chunk_is_given_up(fake, connect):
    """Two backends that share nothing behind one name."""
    fake.rule("PUT /upload", lambda seen: Answer(413) if seen.body else None)
    fake.rule("PATCH", lambda seen: None if seen.headers["content-range"].startswith("0-") else error(404))
    with pytest.raises(RegistryError, match="404"):
        connect(attempts=5).repository(fake.reference("app")).write(blob_of(DATA), Content(DATA))
    assert fake.count("POST") <= 6


def test_what_is_sent_again_after_a_lost_session_is_no_failure(fake, connect):
    fake.rule("PUT /upload", lambda seen: Answer(413) if seen.body else None)
    fake.rule(f"PATCH.*={3 * CHUNK_SIZE}", error(404), times=1)
    blob = blob_of(DATA)
    connect(attempts=2).repository(fake.reference("app")).write(blob, Content(DATA))
    assert fake.blobs[blob.digest] == DATA


def test_a_registry_that_never_moves_on_is_given_up(fake, connect):
    fake.rule("PUT /upload", lambda seen: Answer(413) if seen.body else None)
    fake.rule("PATCH", Answer(202, headers={"Range": "0-0"}))
    with pytest.raises(RegistryError):
        connect(attempts=5).repository(fake.reference("app")).write(blob_of(DATA), Content(DATA))
    assert fake.count("PATCH") <= 6


def test_an_upload_that_is_to_wait_too_long_says_so(fake, repository):
    fake.rule("PUT", Answer(429, b"", {"Retry-After": "7200"}))
    with pytest.raises(RateLimited, match="2 hours"):
        repository.write(blob_of(b"data"), Content(b"data"))


def test_a_place_that_does_not_exist_is_named(fake, repository):
    fake.rule("POST", error(404, "NAME_UNKNOWN", "project app not found"))
    with pytest.raises(RemoteNotFound, match=r"no place for .*app \(project app not found\)"):
        repository.write(blob_of(b"data"), Content(b"data"))


def test_an_early_refusal_of_a_large_upload_is_heard(fake, repository):
    fake.rule("POST", error(403, "DENIED", "no more space"))
    with pytest.raises(Denied, match="no more space"):
        repository.write(blob_of(DATA), Content(DATA))


@pytest.mark.parametrize("status", [400, 403])
def test_a_blob_store_that_refuses_heads_still_proves_that_a_blob_is_there(fake, other, repository, status):
    blob = fake.put(b"data")
    fake.rule("HEAD /v2/app/blobs/", Answer(307, b"", {"Location": f"{other.url}/signed-for-get"}))
    other.rule("HEAD", Answer(status))
    assert repository.has(blob)


def test_a_registry_that_refuses_to_tell_is_an_error(fake, repository):
    fake.rule("HEAD", Answer(403))
    with pytest.raises(Denied):
        repository.has(fake.put(b"data"))


def _opened(fake, least):
    fake.uploads["s"] = bytearray()
    return Answer(202, b"", {"Location": "/upload/s", "OCI-Chunk-Min-Length": str(least)})


def _half(fake, seen):
    fake.uploads["app-1"] += seen.body[:1000]
    return error(416, "BLOB_UPLOAD_INVALID")


def _part(fake, seen, size):
    fake.uploads["app-1"] += seen.body[:size]
    return Answer(202, b"", {"Location": "/upload/app-1", "Range": f"0-{size - 1}"})


def _challenge(fake, seen):
    if seen.route == "/token":
        return Answer(200, b'{"token":"t"}')
    if "authorization" in seen.headers:
        return None
    return Answer(401, b"", {"WWW-Authenticate": f'Bearer realm="{fake.url}/token"'})


def _claims(fake, seen, claim):
    fake.uploads["app-1"] += seen.body
    return Answer(202, b"", {"Location": "/upload/app-1", "Range": claim})
