"""What the disk may say: full, read-only, something in the way. One clear error each, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress

import pytest

from jupyimg.errors import DiskFull, StoreDenied, StoreError
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor
from jupyimg.store import Store, untag
from tests.store.bring import bring, listed, name
from tests.store.checker import verify_store

BIG = os.urandom(3 << 20)
LAYER = Descriptor(OCI_LAYER, Digest.of(BIG), len(BIG))


def read(offset):
    for at in range(offset, len(BIG), 100_000):
        yield BIG[at : at + 100_000]


def test_a_full_disk_keeps_the_bytes_that_arrived_and_the_next_attempt_goes_on(small_disk, place):
    root = small_disk / "store"
    store = Store(root)
    bring(store, place, "nginx", place.image())
    with store.writer() as sink, pytest.raises(DiskFull, match="No space left") as caught:
        sink.write(LAYER, read)
    assert "what arrived is kept" in caught.value.hint
    (kept,) = (root / ".jupyimg" / "ingest").iterdir()
    arrived = kept.stat().st_size
    assert arrived > 500_000
    assert kept.read_bytes() == BIG[:arrived]
    verify_store(root)
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    offsets = []
    with store.writer() as sink:
        sink.write(LAYER, lambda offset: offsets.append(offset) or read(offset))
        assert sink.has(LAYER)
    assert offsets == [arrived]


def test_a_disk_that_is_full_to_the_last_byte_loses_no_name_and_can_be_emptied(small_disk, place):
    root = small_disk / "store"
    store = Store(root)
    images = [place.image(layers=(str(number).encode() * 4000,)) for number in range(200)]
    with pytest.raises(DiskFull):
        for number, image in enumerate(images):
            bring(store, place, f"app:{number}", image)
    before = listed(Store(root))
    assert before
    verify_store(root)
    with suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 512)
    with pytest.raises(DiskFull):
        bring(store, place, "app:more", images[0])
    assert listed(Store(root)) == before
    verify_store(root)
    (small_disk / "filler").unlink()
    assert store.remove(lambda entries: entries[:1])
    bring(store, place, "app:more", images[0])
    verify_store(root)


@pytest.fixture
def read_only(small_disk, place):
    """A store with an image, on a disk that was mounted read-only afterwards."""
    root = small_disk / "store"
    bring(Store(root), place, "nginx", place.image())
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    return root


def test_a_read_only_store_is_read_without_writing_and_without_lock(read_only, place):
    store = Store(read_only)
    root = store.resolve(name("nginx"))
    assert [entry.name.familiar for entry in store.entries()] == ["nginx:latest"]
    manifest = store.manifest(root.digest)
    assert store.config(manifest.config.digest).platform.os == "linux"
    assert store.usage().unneeded(store.entries()) == {}
    assert list(store.missing(root)) == []
    with store.lease(root.digest):
        assert b"".join(store.read(manifest.layers[0])) == b"one"
    assert store.measure(manifest.layers) == [None, None]


@pytest.mark.parametrize(
    "act",
    [
        lambda store: store.remove(lambda entries: untag(entries, name("nginx"))),
        lambda store: store.change(lambda _: ()),
        lambda store: store.collect(),
        lambda store: store.prune(lambda _: (), lambda _: True),
        lambda store: store.repin(lambda *_: {"me": {LAYER.digest: 0}}),
        lambda store: store.writer().__enter__().has(LAYER),
        lambda store: store.writer().__enter__().ingest(),
        lambda store: store.pin("me", lambda _: {LAYER.digest: 0}),
    ],
    ids=["remove", "change", "collect", "prune", "repin", "has", "ingest", "pin"],
)
def test_writing_to_a_read_only_store_is_denied_with_a_hint(read_only, act):
    with pytest.raises(StoreDenied, match="Read-only file system") as caught:
        act(Store(read_only))
    assert "JUPYIMG_HOME" in caught.value.hint
    verify_store(read_only)


@pytest.mark.parametrize("where", ["store", "store/below"])
def test_a_file_where_the_store_should_be_is_said_and_left_alone(tmp_path, where):
    (tmp_path / "store").write_text("a letter")
    store = Store(tmp_path / where)
    for use in (
        store.entries,
        store.usage,
        lambda: store.prune(lambda usage: (), lambda _: True),
        lambda: store.change(lambda _: ()),
        lambda: store.writer().__enter__().has(LAYER),
    ):
        with pytest.raises(StoreError) as caught:
            use()
        assert "something else lies where the store should be" in caught.value.hint
    assert (tmp_path / "store").read_text() == "a letter"


def test_a_store_that_is_deleted_while_it_is_open_is_made_anew(store, place, root):
    bring(store, place, "nginx", place.image())
    subprocess.run(["rm", "-rf", root], check=True)
    assert store.entries() == ()
    bring(store, place, "nginx", place.image())
    verify_store(root)


def test_on_a_full_disk_what_a_broken_off_transfer_left_makes_room_for_removing_and_pruning(small_disk, place):
    root = small_disk / "store"
    store = Store(root)
    for number in range(60):
        bring(store, place, f"app:{number}", place.image(layers=(b"%d" % number,)))
    for empty in (
        lambda: store.remove(lambda entries: entries[1:]),
        lambda: store.prune(lambda usage: usage.entries[1:], lambda _: False),
    ):
        half = root / ".jupyimg" / "ingest" / f"sha256-{'0' * 64}"
        with suppress(OSError), half.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        with pytest.raises(DiskFull):
            bring(store, place, "more", place.image(layers=(b"y" * 9000,)))
        size, before = half.stat().st_size, len(store.entries())
        freed = dict(empty())
        assert freed[Digest(f"sha256:{'0' * 64}")] == size
        assert len(store.entries()) == before - 1
        verify_store(root)
