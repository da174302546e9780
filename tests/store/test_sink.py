"""The store as the end of a copy: what becomes visible, what is kept, what is thrown away, what a name needs."""

from __future__ import annotations

import json
import sys
import threading
import time

import pytest

from jupyimg.errors import ContentError, DigestMismatch, ImageNotFound, SizeMismatch, StoreError, Unreachable
from jupyimg.model.codec import encode
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, OCI_MANIFEST, Descriptor
from jupyimg.model.platform import Platform
from jupyimg.store import Store
from jupyimg.store.ingest import open_download
from jupyimg.store.layout import Layout
from tests.services.waiting import PATIENCE, until
from tests.store.bring import bring, content, listed, name, put

DATA = bytes(range(256)) * 40
LAYER = Descriptor(OCI_LAYER, Digest.of(DATA), len(DATA))


class Wire:
    """Bytes as they come over a network: in chunks, from an offset, perhaps broken."""

    def __init__(self, data=DATA, chunk=1000, fails_at=None):
        self.data, self.chunk, self.fails_at, self.offsets = data, chunk, fails_at, []

    def __call__(self, offset):
        self.offsets.append(offset)
        for at in range(offset, len(self.data), self.chunk):
            if self.fails_at is not None and at >= self.fails_at:
                raise Unreachable("the cable was pulled")
            yield self.data[at : at + self.chunk]


def within(thread, function):
    """Whether a thread is inside a function."""
    frame = sys._current_frames().get(thread.ident)
    while frame is not None and frame.f_code is not function.__code__:
        frame = frame.f_back
    return frame is not None


def ingests(root):
    return {path.name: path.read_bytes() for path in (root / ".jupyimg" / "ingest").iterdir()}


def test_content_is_invisible_until_it_is_proven(store, root):
    seen = []

    def read(offset):
        for chunk in Wire()(offset):
            seen.append(store.blob_path(LAYER.digest).exists())
            yield chunk

    with store.writer() as sink:
        assert not sink.has(LAYER)
        sink.write(LAYER, read)
        assert sink.has(LAYER)
    assert seen == [False] * 11
    assert store.blob_path(LAYER.digest).read_bytes() == DATA
    assert ingests(root) == {}


@pytest.mark.parametrize("algorithm", ["sha512", "sha384"])
def test_other_algorithms_have_folders_of_their_own(store, verify, algorithm):
    layer = Descriptor(OCI_LAYER, Digest.of(DATA, algorithm), len(DATA))
    with store.writer() as sink:
        sink.write(layer, Wire())
    assert store.blob_path(layer.digest).parent.name == algorithm
    assert b"".join(store.read(layer)) == DATA
    verify()


def test_a_broken_connection_keeps_the_bytes_and_the_next_attempt_goes_on_from_them(store, root):
    with store.writer() as sink, pytest.raises(Unreachable):
        sink.write(LAYER, Wire(fails_at=5000))
    assert ingests(root) == {f"sha256-{LAYER.digest.encoded}": DATA[:5000]}
    again = Wire()
    with Store(root).writer() as sink:
        sink.write(LAYER, again)
    assert again.offsets == [5000]
    assert store.blob_path(LAYER.digest).read_bytes() == DATA


def test_bytes_that_were_all_there_already_are_not_asked_for_again(store, root):
    with store.writer() as sink:
        sink.has(LAYER)
        (root / ".jupyimg" / "ingest" / f"sha256-{LAYER.digest.encoded}").write_bytes(DATA)
        again = Wire()
        sink.write(LAYER, again)
    assert again.offsets == []
    assert store.has(LAYER)


@pytest.mark.parametrize("left_behind", [b"x" * 3000, DATA + b"more", b"x" * len(DATA)])
def test_a_resumed_attempt_that_proves_wrong_is_made_again_from_the_start_once(store, root, left_behind):
    with store.writer() as sink:
        sink.has(LAYER)
        (root / ".jupyimg" / "ingest" / f"sha256-{LAYER.digest.encoded}").write_bytes(left_behind)
        wire = Wire()
        sink.write(LAYER, wire)
    assert wire.offsets[-1] == 0
    assert len(wire.offsets) <= 2
    assert store.blob_path(LAYER.digest).read_bytes() == DATA


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (DATA[:-1], SizeMismatch),
        (b"", SizeMismatch),
        (DATA + b"!", SizeMismatch),
        (DATA * 100, SizeMismatch),
        (DATA[:-1] + b"!", DigestMismatch),
    ],
)
def test_wrong_bytes_are_an_error_and_nothing_is_kept(store, root, data, error):
    wire = Wire(data)
    with store.writer() as sink, pytest.raises(error):
        sink.write(LAYER, wire)
    assert not store.blob_path(LAYER.digest).exists()
    assert ingests(root) == {}
    assert wire.offsets == [0]


def test_more_than_was_promised_is_never_written(store, root):
    sizes = []

    def read(offset):
        for chunk in Wire(DATA * 3)(offset):
            sizes.extend(len(data) for data in ingests(root).values())
            yield chunk

    with store.writer() as sink, pytest.raises(SizeMismatch):
        sink.write(LAYER, read)
    assert max(sizes) <= LAYER.size


def test_the_empty_blob_is_content_like_any_other(store):
    empty = Descriptor(OCI_LAYER, Digest.of(b""), 0)
    with store.writer() as sink:
        assert not sink.has(empty)
        sink.write(empty, Wire(b""))
        assert sink.has(empty)
    assert b"".join(store.read(empty)) == b""


def test_a_document_that_is_damaged_on_the_disk_is_not_here_and_a_pull_heals_it(store, place, verify):
    root = place.image()
    bring(store, place, "nginx", root)
    store.blob_path(root.digest).write_bytes(b"x" * root.size)
    with store.writer() as sink:
        assert not sink.has(root)
    fresh = Store(store.root)
    with pytest.raises(DigestMismatch, match="damaged on this disk") as caught:
        fresh.manifest(root.digest)
    assert "pull the image again" in caught.value.hint
    bring(store, place, "nginx", root)
    verify()


def test_a_layer_that_was_cut_off_is_not_here_and_a_pull_heals_it(store, place, verify):
    root = place.image(layers=(DATA,))
    bring(store, place, "nginx", root)
    store.blob_path(LAYER.digest).write_bytes(DATA[:100])
    with pytest.raises(SizeMismatch, match="too short") as caught:
        b"".join(store.read(LAYER))
    assert "pull it again" in caught.value.hint
    bring(store, place, "nginx", root)
    verify()


def test_two_threads_that_bring_the_same_content_ask_for_it_once(store):
    wires = [Wire(chunk=100), Wire(chunk=100)]

    def slowly(wire):
        def read(offset):
            for chunk in wire(offset):
                time.sleep(0.001)
                yield chunk

        return read

    with store.writer() as sink:
        threads = [threading.Thread(target=sink.write, args=(LAYER, slowly(wire))) for wire in wires]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(len(wire.offsets) for wire in wires) == [0, 1]
    assert store.has(LAYER)


def test_one_that_waits_takes_over_where_the_first_one_failed(store):
    started, first, second = threading.Event(), Wire(fails_at=5000), Wire()

    def failing(offset):
        for chunk in first(offset):
            yield chunk
            started.set()
            time.sleep(0.02)

    def run():
        with store.writer() as sink, pytest.raises(Unreachable):
            sink.write(LAYER, failing)

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    with store.writer() as sink:
        sink.write(LAYER, second)
    thread.join()
    assert second.offsets == [5000]


def test_content_that_arrives_just_before_the_wait_is_over_is_not_fetched_again(root):
    layout = Layout(root)
    with layout.locked():
        pass
    answers = iter([False, True, True])
    opened = open_download(layout, LAYER.digest, hold=print, arrived=lambda: next(answers), check=lambda: None)
    assert opened is None
    assert ingests(root) == {}


def test_interrupt_ends_a_write_and_a_wait_keeps_the_bytes_and_leaves_the_sink_usable(store, root):
    started, errors = threading.Event(), []

    def endless(offset):
        while True:
            started.set()
            yield DATA[:1]
            time.sleep(0.005)

    with store.writer() as sink:

        def run():
            try:
                sink.write(LAYER, endless)
            except StoreError as error:
                errors.append(error)

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        started.wait()
        until(lambda: any(within(thread, open_download) for thread in threads))  # the other one waits
        sink.interrupt()
        for thread in threads:
            thread.join(PATIENCE)
        assert [str(error) for error in errors] == ["the work on the store was interrupted"] * 2
        assert set(*ingests(root).values()) == {0}
        sink.write(LAYER, Wire())
        assert sink.has(LAYER)


def test_interrupt_ends_a_read_and_leaves_the_store_usable(store):
    big = Descriptor(OCI_LAYER, Digest.of(b"x" * (3 << 20)), 3 << 20)
    with store.writer() as sink:
        sink.write(big, Wire(b"x" * (3 << 20), chunk=1 << 20))
    chunks = store.read(big)
    assert len(next(chunks)) == 1 << 20
    store.interrupt()
    with pytest.raises(StoreError, match="interrupted"):
        next(chunks)
    assert sum(map(len, store.read(big, offset=1 << 20))) == 2 << 20
    assert list(store.read(big, offset=3 << 20)) == []
    assert list(store.read(Descriptor(OCI_LAYER, big.digest, 1 << 20), offset=2 << 20)) == []


def test_reading_what_is_not_here_says_to_pull_again(store):
    with pytest.raises(ContentError, match="missing from the store") as caught:
        next(store.read(LAYER))
    assert "pull it again" in caught.value.hint


# ---- names


def test_a_name_resolves_to_its_manifest_and_no_name_to_an_error(store, place):
    root = place.image()
    bring(store, place, "nginx", root)
    assert store.resolve(name("nginx")).digest == root.digest
    assert store.resolve(name(f"nginx@{root.digest}")).digest == root.digest
    with pytest.raises(ImageNotFound, match=r"no such image: nginx:1\.27"):
        store.resolve(name("nginx:1.27"))


def test_the_platform_of_a_single_manifest_is_found_in_its_config(store, place):
    root = place.image(platform="linux/arm/v7")
    bring(store, place, "nginx", Descriptor(root.media_type, root.digest, root.size))
    assert store.entries()[0].descriptor.platform == Platform("arm", "linux", variant="v7")


def test_an_artefact_has_no_platform(store, place):
    config = place.put(b"{}", "application/vnd.oci.empty.v1+json")
    body = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "a/b", "config": config, "layers": []}
    bring(store, place, "chart:1", place.put(encode(body), OCI_MANIFEST))
    assert store.entries()[0].descriptor.platform is None


def test_an_index_is_listed_by_platform_while_it_is_held_in_part_and_as_itself_once_whole(store, place, verify):
    amd, arm = place.image(layers=(b"amd",)), place.image(platform="linux/arm64", layers=(b"arm",))
    root = place.index("", [amd, arm])
    bring(store, place, "nginx", root, arm)
    verify()
    (part,) = store.entries()
    assert (part.descriptor.digest, part.index.digest, part.digest) == (arm.digest, root.digest, root.digest)
    assert str(part.descriptor.platform) == "linux/arm64"
    assert [missing.digest for missing in store.missing(root)] == [amd.digest]
    bring(store, place, "nginx", root, amd)
    (whole,) = verify()
    assert whole["digest"] == root.digest
    assert store.entries()[0].index is None
    bring(store, place, "nginx", root, arm)
    assert listed(store) == [("nginx:latest", root.digest.short)]


def test_attestations_and_nested_indexes_count_for_wholeness(store, place, verify):
    amd = place.image(layers=(b"amd",))
    attestation = place.image(layers=(b"proof",))
    noted = Descriptor(
        OCI_MANIFEST,
        attestation.digest,
        attestation.size,
        Platform("unknown", "unknown"),
        {"vnd.docker.reference.type": "attestation-manifest"},
    )
    deep = place.image(platform="linux/arm64", layers=(b"deep",))
    nested = place.index("", [deep])
    root = place.index("", [amd, noted, nested])
    bring(store, place, "nginx", root, amd)
    assert listed(store) == [("nginx:latest", amd.digest.short)]
    bring(store, place, "nginx", root, amd, deep)
    assert len(store.entries()) == 2
    bring(store, place, "nginx", root)
    assert listed(store) == [("nginx:latest", root.digest.short)]
    assert set(store.members(root)) == {amd.digest, deep.digest}
    verify()


def test_a_layer_that_only_its_vendor_gives_out_is_not_needed(store, place):
    config = place.put(encode({"os": "windows", "architecture": "amd64"}), "application/vnd.oci.image.config.v1+json")
    foreign = Descriptor(
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        Digest.of(b"far"),
        3,
        urls=("https://example.org/x",),
    )
    body = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [foreign]}
    root = place.put(encode(body), OCI_MANIFEST)
    bring(store, place, "windows:1", root)
    assert listed(store) == [("windows:1", root.digest.short)]


def test_a_name_is_refused_to_what_is_not_wholly_here(store, place, root):
    image = place.image(layers=(b"one", b"two"))
    index = place.index("", [image, place.image(platform="linux/arm64")])
    with store.writer() as sink:
        put(sink, place, [item for item in content(place, image) if item.digest != Digest.of(b"two")])
        for target, held in ((image, (image,)), (index, (image,))):
            with pytest.raises(ContentError, match="missing from the store"):
                sink.publish(name("nginx"), target, held)
        put(sink, place, [index])
        with pytest.raises(ContentError, match="missing from the store"):
            sink.publish(name("nginx"), index, (image,))
        with pytest.raises(ContentError, match="nothing of its index was brought"):
            sink.publish(name("nginx"), index, ())
    assert not (root / "index.json").exists()


def test_a_name_that_moves_leaves_the_old_image_dangling_and_whole(store, place, verify):
    old, new = place.image(layers=(b"old",)), place.image(layers=(b"new",))
    bring(store, place, "nginx", old)
    bring(store, place, "nginx", new)
    assert listed(store) == [("<docker.io/library/nginx>", old.digest.short), ("nginx:latest", new.digest.short)]
    verify()
    bring(store, place, "nginx", old)
    assert listed(store) == [("<docker.io/library/nginx>", new.digest.short), ("nginx:latest", old.digest.short)]


def test_what_a_source_says_beside_the_content_is_not_listed(store, place):
    image = place.image()
    noisy = Descriptor(
        image.media_type,
        image.digest,
        image.size,
        annotations={"org.opencontainers.image.ref.name": "other:name", "x": "y"},
        data="bm9pc2U=",
    )
    bring(store, place, "nginx", noisy)
    text = (store.root / "index.json").read_text()
    assert "other:name" not in text
    assert "data" not in json.loads(text)["manifests"][0]
