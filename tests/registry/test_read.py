"""Reading: whatever the connection does, the right bytes arrive or an error says why not."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.errors import RemoteNotFound, SizeMismatch, Unreachable
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor
from jupyimg.registry.download import Download, starts_at
from tests.registry.fake import Answer, ranged

DATA = bytes(range(256)) * 40_000  # 10 MB


def read(repository, descriptor, offset=0):
    return b"".join(repository.read(descriptor, offset))


@pytest.fixture
def repository(fake, connect):
    return connect().repository(fake.reference("app"))


# ---- blobs


def test_a_blob_comes_whole_and_from_any_offset(fake, repository):
    blob = fake.put(DATA)
    assert read(repository, blob) == DATA
    assert read(repository, blob, 9_999_999) == DATA[9_999_999:]
    assert read(repository, blob, len(DATA)) == b""


def test_bytes_are_asked_for_and_kept_as_they_are_stored(fake, repository):
    blob = fake.put(b"\x1f\x8b not really gzip")
    fake.rule("/blobs/", lambda seen: Answer(200, fake.blobs[blob.digest], {"Content-Encoding": "gzip"}))
    assert read(repository, blob) == b"\x1f\x8b not really gzip"
    assert fake.seen[-1].headers["accept-encoding"] == "identity"


def test_an_empty_blob_is_legal(fake, repository):
    assert read(repository, fake.put(b"")) == b""


@pytest.mark.parametrize("cut", [0, 1, 70_000, len(DATA) - 1])
def test_a_connection_that_breaks_is_mended_from_where_it_stands(fake, repository, cut):
    blob = fake.put(DATA)
    fake.rule("GET /v2/app/blobs/", Answer(200, DATA, cut=cut), times=1)
    assert read(repository, blob) == DATA
    assert fake.count("GET") == 2
    resumed = fake.seen[-1].headers.get("range")
    assert resumed is None if cut == 0 else int(resumed.removeprefix("bytes=").rstrip("-")) <= cut


def test_a_connection_may_break_as_often_as_it_makes_progress(fake, repository):
    blob = fake.put(DATA)
    fake.rule("GET /v2/app/blobs/", lambda seen: _cut(ranged(seen, DATA), 1_200_000))
    assert read(repository, blob) == DATA
    assert fake.count("GET") > 5  # more than the attempts at one request


def test_a_connection_that_only_breaks_is_given_up(fake, connect):
    repository = connect(attempts=3).repository(fake.reference("app"))
    blob = fake.put(DATA)
    fake.rule("GET /v2/app/blobs/", Answer(200, DATA, cut=1000))
    with pytest.raises(Unreachable, match=r"the connection to .* broke"):
        read(repository, blob)
    assert fake.count("GET") == 3


def test_a_silent_connection_is_mended(fake, connect):
    repository = connect(read_timeout=0.3).repository(fake.reference("app"))
    blob = fake.put(DATA)
    fake.rule("GET /v2/app/blobs/", Answer(200, DATA, stall=3_000_000), times=1)
    assert read(repository, blob) == DATA
    assert "range" in fake.seen[-1].headers


@pytest.mark.parametrize("length", [len(DATA) - 5, len(DATA) + 5])
def test_a_wrong_content_length_does_no_harm(fake, repository, length):
    blob = fake.put(DATA)
    fake.rule("GET /v2/app/blobs/", Answer(200, DATA, length=length), times=1)
    assert read(repository, blob) == DATA


def test_a_body_without_a_length_that_ends_early_is_mended(fake, repository):
    blob = fake.put(DATA)
    fake.rule("GET /v2/app/blobs/", Answer(200, DATA[:5_000_000], length=-1), times=1)
    assert read(repository, blob) == DATA


def test_a_chunked_body_that_breaks_is_mended(fake, repository):
    blob = fake.put(DATA)
    half = b"%x\r\n%s\r\n" % (1_000_000, DATA[:1_000_000]) + b"100000\r\nshort"
    fake.rule("GET /v2/app/blobs/", Answer(200, half, {"Transfer-Encoding": "chunked"}, length=-1), times=1)
    assert read(repository, blob) == DATA


def test_a_server_that_ignores_ranges_is_skipped_through(fake, repository):
    blob = fake.put(DATA)
    fake.rule("GET /v2/app/blobs/", Answer(200, DATA, cut=2_000_000), times=1)
    fake.rule("GET /v2/app/blobs/", Answer(200, DATA))
    assert read(repository, blob) == DATA
    assert read(repository, blob, 7_654_321) == DATA[7_654_321:]


@pytest.mark.parametrize("shown", ["bytes 0-9999999/10240000", "bytes 5-/9", "", "items 5000000-9/10"])
def test_a_range_that_starts_elsewhere_is_not_believed(fake, repository, shown):
    blob = fake.put(DATA)
    fake.rule("GET /v2/app/blobs/", lambda seen: _lie(seen, shown))
    assert read(repository, blob, 5_000_000) == DATA[5_000_000:]


def test_a_blob_shorter_than_promised_is_an_error_that_counts(fake, repository):
    blob = fake.put(DATA)
    longer = Descriptor(media_type=OCI_LAYER, digest=blob.digest, size=len(DATA) + 10)
    with pytest.raises(SizeMismatch, match=f"{len(DATA) + 10} bytes, but only {len(DATA)}"):
        read(repository, longer)


def test_a_blob_longer_than_promised_is_handed_over_for_the_receiver_to_refuse(fake, repository):
    blob = fake.put(DATA)
    shorter = Descriptor(media_type=OCI_LAYER, digest=blob.digest, size=len(DATA) - 10)
    assert len(DATA) - 10 < len(read(repository, shorter)) <= len(DATA)


def test_resuming_asks_the_registry_and_not_a_stale_address(fake, other, repository):
    blob = fake.put(DATA)
    addresses = itertools.count()
    fake.rule("GET /v2/app/blobs/", lambda seen: Answer(307, b"", {"Location": f"{other.url}/b/{next(addresses)}"}))
    other.rule("GET /b/0", Answer(200, DATA, cut=3_000_000))
    other.rule("GET /b/1", lambda seen: ranged(seen, DATA))
    assert read(repository, blob) == DATA
    assert [seen.path for seen in other.seen] == ["/b/0", "/b/1"]


def test_content_inside_the_descriptor_is_used_only_if_it_is_true(fake, repository):
    blob = fake.put(b"{}")
    good = Descriptor(media_type=OCI_LAYER, digest=blob.digest, size=2, data="e30=")
    assert read(repository, good) == b"{}"
    assert read(repository, good, 1) == b"}"
    assert not fake.seen
    for lie in ("e30h", "e3w=", "not base64"):
        bad = Descriptor(media_type=OCI_LAYER, digest=blob.digest, size=2, data=lie)
        assert read(repository, bad) == b"{}"
    assert fake.count("GET") == 3


def test_a_missing_blob_is_said_to_be_missing_from_the_image(repository):
    blob = Descriptor(media_type=OCI_LAYER, digest=Digest.of(b"x"), size=1)
    with pytest.raises(RemoteNotFound, match=f"no blob {blob.digest.short}"):
        read(repository, blob)


def test_many_threads_read_at_once(fake, repository):
    blobs = [fake.put(bytes([n]) * 3_000_000) for n in range(12)]
    with ThreadPoolExecutor(6) as pool:
        for blob, data in zip(blobs, pool.map(lambda blob: read(repository, blob), blobs), strict=True):
            assert Digest.of(data) == blob.digest


def test_a_reader_that_stops_early_leaves_a_usable_place(fake, repository):
    blob = fake.put(DATA)
    for _ in range(3):
        chunks = repository.read(blob)
        next(chunks)
        chunks.close()
    assert read(repository, blob) == DATA


@given(st.binary(min_size=1, max_size=400), st.data())
def test_any_cuts_give_the_right_bytes(data, draw):
    """Whatever is cut, ignored, shifted or refused, what arrives is a prefix of the truth, and whole in the end."""
    offset = draw.draw(st.integers(0, len(data)))
    kinds = draw.draw(st.lists(st.sampled_from(["cut", "end", "ignore", "lie", "refuse"]), max_size=6))
    places = draw.draw(st.lists(st.integers(0, 400), min_size=len(kinds), max_size=len(kinds)))
    script = iter(zip(kinds, places, strict=True))

    def ask(headers):
        kind, place = next(script, ("good", 0))
        start = int(headers.get("range", "bytes=0-")[6:-1])
        request = httpx.Request("GET", "http://localhost/")
        if kind == "refuse" or start >= len(data):
            return httpx.Response(416, request=request)
        if kind == "lie" and start:
            return httpx.Response(206, headers={"content-range": f"bytes {start - 1}-9/9"}, request=request)
        first = 0 if kind == "ignore" else start
        status = 206 if first else 200
        shown = {"content-range": f"bytes {first}-{len(data) - 1}/{len(data)}"} if first else {}
        part = data[first : max(first, place)] if kind in {"cut", "end"} else data[first:]
        return httpx.Response(status, headers=shown, stream=_Pieces(part, broken=kind == "cut"), request=request)

    descriptor = Descriptor(media_type=OCI_LAYER, digest=Digest.of(data), size=len(data))
    waits: list[float] = []
    download = Download(descriptor, offset, ask, waits.append, attempts=20)
    arrived = bytearray()
    try:
        for chunk in download.chunks():
            arrived += chunk
    except SizeMismatch:
        assert data[offset:].startswith(arrived)
        assert "end" in kinds or "refuse" in kinds
    else:
        assert bytes(arrived) == data[offset:]


@given(st.text(max_size=60), st.integers(0, 2**40))
def test_no_range_header_is_a_surprise(shown, wanted):
    response = httpx.Response(206, headers={"content-range": shown.encode("utf-8")})
    assert starts_at(response, wanted) in {None, wanted}
    exact = httpx.Response(206, headers={"content-range": f"bytes {wanted}-{wanted + 9}/*"})
    assert starts_at(exact, wanted) == wanted


class _Pieces(httpx.SyncByteStream):
    def __init__(self, data, *, broken):
        self.data, self.broken = data, broken

    def __iter__(self):
        for at in range(0, len(self.data), 7):
            yield self.data[at : at + 7]
        if self.broken:
            raise httpx.ReadError("broken")


def _cut(answer, at):
    answer.cut = at
    return answer


def _lie(seen, shown):
    answer = ranged(seen, DATA)
    if answer.status == 206:
        answer.headers["Content-Range"] = shown
    return answer
