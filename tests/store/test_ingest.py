"""Uploads: bytes whose digest is known last (`FileIngest`), as a served store takes them."""

from __future__ import annotations

import pytest

from jupyimg.errors import Conflict, DigestMismatch, NotFound, SizeMismatch
from jupyimg.model.digest import Digest
from jupyimg.store import Store, ingest, lock

DATA = b"some bytes of a layer" * 1000


def files(root):
    return sorted((root / ".jupyimg" / "ingest").iterdir())


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_an_upload_becomes_content_under_the_digest_it_learns_last(store, root, algorithm):
    with store.writer() as sink, sink.ingest() as upload:
        upload.write(DATA[:100])
        upload.write(DATA[100:])
        assert upload.offset == len(DATA)
        upload.commit(Digest.of(DATA, algorithm), len(DATA))
        assert Store(root).collect() == []
    assert store.blob_path(Digest.of(DATA, algorithm)).read_bytes() == DATA
    assert files(root) == []


def test_an_upload_is_gone_on_with_by_its_id_in_another_process(store, root):
    with store.writer() as sink, sink.ingest() as upload:
        upload.write(DATA[:100])
    with Store(root).writer() as sink, sink.ingest(upload.id) as again:
        assert again.offset == 100
        again.write(DATA[100:])
        again.commit(Digest.of(DATA))
    assert store.blob_path(Digest.of(DATA)).read_bytes() == DATA


def test_an_upload_is_gone_on_with_by_whom_it_is_for_only(store, root):
    with store.writer() as sink, sink.ingest(owner="app") as upload:
        upload.write(DATA)
    with Store(root).writer() as sink:
        for other in ("", "other"):
            with pytest.raises(NotFound):
                sink.ingest(upload.id, owner=other)
        with sink.ingest(upload.id, owner="app") as again:
            assert again.offset == len(DATA)


def test_an_upload_is_one_writer_s_at_a_time(store):
    with store.writer() as sink, sink.ingest() as upload:
        with pytest.raises(Conflict):
            sink.ingest(upload.id)
        upload.write(b"still mine")


def test_what_has_arrived_is_read_while_nobody_waits_for_the_store(store, root, monkeypatch):
    with store.writer() as sink, sink.ingest() as upload:
        upload.write(DATA)
    seen = []

    def absorb(fd, hasher, real=ingest._absorb):
        free = lock.claim(root / ".jupyimg" / "lock", create=False)
        assert free is not None, "another process would wait for the store lock"
        lock.release(free)
        seen.append(real(fd, hasher))
        return seen[-1]

    monkeypatch.setattr(ingest, "_absorb", absorb)
    with store.writer() as sink, sink.ingest(upload.id) as again:
        assert again.offset == len(DATA)
    assert seen == [len(DATA)]


@pytest.mark.parametrize("ident", ["0" * 32, "../../index.json", "", "A" * 32, f"sha256-{'0' * 64}", "0" * 31 + "\n"])
def test_an_id_that_is_none_opens_nothing(store, root, ident):
    with store.writer() as sink, pytest.raises(NotFound):
        sink.ingest(ident)
    assert files(root) == []


@pytest.mark.parametrize(
    ("digest", "size", "error"),
    [(Digest.of(b"else"), None, DigestMismatch), (Digest.of(DATA), 5, SizeMismatch), (Digest.of(b""), 5, SizeMismatch)],
)
def test_an_upload_that_proves_wrong_is_thrown_away(store, root, digest, size, error):
    with store.writer() as sink:
        upload = sink.ingest()
        upload.write(DATA)
        with pytest.raises(error):
            upload.commit(digest, size)
    assert files(root) == []
    assert store.blobs() == {}


def test_an_aborted_upload_leaves_nothing(store, root):
    with store.writer() as sink:
        upload = sink.ingest()
        upload.write(DATA)
        upload.abort()
    assert files(root) == []


def test_an_upload_of_what_is_here_already_is_fine(store):
    for _ in range(2):
        with store.writer() as sink, sink.ingest() as upload:
            upload.write(DATA)
            upload.commit(Digest.of(DATA))
    assert store.blobs() == {Digest.of(DATA): len(DATA)}
