"""Unpacked sizes: Docker's to the byte, from any tar that Docker unpacks, in little memory, remembered for ever."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import os
import struct
import subprocess
import sys
import tarfile
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyimg.errors import ContentError, DigestMismatch, StoreError
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor
from jupyimg.store import Store, unpacked, walk_layer
from jupyimg.store.tarstream import Member, members
from tests.store.bring import put

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ANY = Digest.of(b"")


def tar(*entries, style=tarfile.PAX_FORMAT):
    """A tar of (name, bytes or str, attributes): bytes are a file, a str is where a symbolic link points."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=style) as archive:
        for name, what, *more in entries:
            info = tarfile.TarInfo(name)
            data = b"" if isinstance(what, str) else what
            if isinstance(what, str):
                info.type, info.linkname = tarfile.SYMTYPE, what
            info.size = len(data)
            for key, value in (more[0] if more else {}).items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def walk(tmp_path, data, **more):
    path = tmp_path / "layer"
    path.write_bytes(data)
    return walk_layer(path, ANY, **more).unpacked


TREE = tar(
    ("d", b"", {"type": tarfile.DIRTYPE}),
    ("d/file", b"x" * 700),
    ("d/empty", b""),
    ("d/hard", b"", {"type": tarfile.LNKTYPE, "linkname": "d/file"}),
    ("d/sym", "../目标"),
    ("d/.wh.gone", b""),
    ("d/fifo", b"", {"type": tarfile.FIFOTYPE}),
    ("d/dev", b"", {"type": tarfile.CHRTYPE, "devmajor": 1}),
    ("d/contiguous", b"y" * 513, {"type": tarfile.CONTTYPE}),
)
ENTRIES = TREE[: -(-len(TREE.rstrip(b"\0")) // 512) * 512]
TREE_SIZE = 700 + len("../目标".encode()) + 513

COMPRESSED = {
    "plain": TREE,
    "gzip": gzip.compress(TREE),
    "gzip of several members": gzip.compress(TREE[:700]) + gzip.compress(b"") + gzip.compress(TREE[700:]),
    "gzip with zeros behind": gzip.compress(TREE) + bytes(700),
    "zstd": zstd.compress(TREE),
    "zstd of several frames": zstd.compress(TREE[:700]) + zstd.compress(TREE[700:]),
    "zstd that begins with a frame to skip": struct.pack("<II", 0x184D2A50, 5) + b"hello" + zstd.compress(TREE),
    "zstd with a frame to skip at its end": zstd.compress(TREE) + struct.pack("<II", 0x184D2A5E, 3) + b"TOC",
}


@pytest.mark.parametrize("data", COMPRESSED.values(), ids=COMPRESSED.keys())
def test_files_and_symbolic_links_count_whatever_the_compression(tmp_path, data):
    assert walk(tmp_path, data) == TREE_SIZE


@pytest.mark.parametrize("style", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_targets_are_read_in_every_format(tmp_path, style):
    long = "n" * 90 + "/" + "m" * 90
    target = "t" * (99 if style == tarfile.USTAR_FORMAT else 300)
    assert walk(tmp_path, tar((long, b"123"), ("link", target), (long + "2", b"4"), style=style)) == 3 + len(target) + 1


def test_a_path_that_stands_twice_counts_as_it_was_written_last(tmp_path):
    twice = tar(("a", b"12345"), ("./a", b"12"), ("b", b"123"), ("b", "link"), ("c", b"123"), ("c/", b""))
    assert walk(tmp_path, twice) == 2 + 4
    assert (
        walk(tmp_path, tar(("d", b"", {"type": tarfile.DIRTYPE}), ("d/x", b"1"), ("d", b"", {"type": tarfile.DIRTYPE})))
        == 1
    )


def test_a_whiteout_counts_nothing_even_if_it_has_content(tmp_path):
    assert walk(tmp_path, tar(("d/.wh.x", b"12345"), ("k", b"kk"))) == 2


@pytest.mark.parametrize(
    "flags", [["--format=gnu"], *(["--format=pax", f"--sparse-version={v}"] for v in ("0.0", "0.1", "1.0"))]
)
def test_sparse_files_count_with_their_holes(tmp_path, flags):
    tree = tmp_path / "tree"
    tree.mkdir()
    with (tree / "holes").open("wb") as file:
        for at in range(0, 40 << 20, 1 << 20):  # more pieces than one header names
            file.seek(at)
            file.write(b"x" * 5000)
        file.truncate(50 << 20)
    (tree / "after").write_bytes(b"123")
    subprocess.run(["tar", "--sparse", *flags, "-C", tree, "-cf", tmp_path / "t", "holes", "after"], check=True)
    assert (tmp_path / "t").stat().st_size < 1 << 20
    assert walk_layer(tmp_path / "t", ANY).unpacked == (50 << 20) + 3


def test_a_size_beyond_eight_gigabytes_is_read_in_binary():
    header = bytearray(tarfile.TarInfo("big").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\x80" + (9 << 30).to_bytes(11, "big")
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:]))

    class Endless:
        def __init__(self):
            self.head = bytes(header)

        def read(self, size):
            head, self.head = self.head, b""
            return head or bytes(size)

    assert next(members(Endless())) == Member(b"big", "0", 9 << 30, b"", offset=512, stored=9 << 30)


DAMAGED = {
    "empty name of nothing": b"\x01" * 512,
    "a wrong checksum": b"X" + TREE[1:],
    "cut off in a header": TREE[:700],
    "cut off in a file": tar(("a", b"x" * 2000))[:1500],
    "half an end mark": ENTRIES + bytes(512) + TREE,
    "gzip cut off": gzip.compress(TREE)[:-20],
    "gzip with a wrong checksum": gzip.compress(TREE)[:-8] + b"\0" * 8,
    "gzip of garbage": b"\x1f\x8b\x08\0\0\0\0\0\0\0" + b"\xff" * 100,
    "gzip with garbage behind": gzip.compress(TREE) + b"garbage",
    "zstd cut off": zstd.compress(TREE)[:-20],
    "zstd of garbage": b"\x28\xb5\x2f\xfd" + b"\xff" * 50,
    "a compression that is none of a layer's": bz2.compress(TREE),
    "a PAX header that is malformed": tar(("a", b"", {"pax_headers": {"k": "v"}})).replace(b"6 k=v", b"9 k=v"),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_layer_is_an_error_and_never_a_number(tmp_path, data):
    with pytest.raises(ContentError):
        walk(tmp_path, data)


@given(st.binary(max_size=2000), st.integers(0, len(TREE)))
@settings(max_examples=200, deadline=None)
def test_whatever_the_bytes_the_outcome_is_a_number_or_a_content_error(tmp_path_factory, noise, at):
    path = tmp_path_factory.mktemp("noise") / "layer"
    for data in (noise, TREE[:at] + noise, TREE[:at] + noise + TREE[at + len(noise) :]):
        path.write_bytes(data)
        with suppress(ContentError):
            assert walk_layer(path, ANY).unpacked >= 0


def test_a_header_of_absurd_size_is_not_read_into_memory(tmp_path):
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30
    with pytest.raises(ContentError, match="which nobody needs"):
        walk(tmp_path, gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(1 << 20)))


def test_a_bomb_is_given_up_and_takes_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("jupyimg.store.unpacked._ROOM", 20 << 20)
    bomb = gzip.compress(tar(("zeros", bytes(64 << 20))))
    tracemalloc.start()
    with pytest.raises(ContentError, match="far more than it should"):
        walk(tmp_path, bomb)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_the_diff_id_is_proven_on_the_way(tmp_path):
    tail = TREE + b"behind the end mark"
    assert walk(tmp_path, gzip.compress(tail), prove=Digest.of(tail)) == TREE_SIZE
    assert walk(tmp_path, gzip.compress(tail), prove=Digest.of(tail, "sha512")) == TREE_SIZE
    with pytest.raises(DigestMismatch, match="diff ID"):
        walk(tmp_path, gzip.compress(tail), prove=Digest.of(TREE))


# ---- in a store


@pytest.fixture
def layers(store, place):
    """A gzip layer, a plain one, a foreign one, one that is no tar, and one that is not here."""
    here = [
        place.put(gzip.compress(TREE), OCI_LAYER + "+gzip"),
        place.put(TREE, "application/vnd.docker.image.rootfs.diff.tar"),
        place.put(TREE + b"2", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
        place.put(b"no tar" * 200, OCI_LAYER),
    ]
    with store.writer() as sink:
        put(sink, place, here)
    return [*here, Descriptor(OCI_LAYER, Digest.of(b"far away"), 8)]


def test_sizes_are_known_once_measured_in_every_process(store, root, layers):
    assert [store.unpacked(layer) for layer in layers] == [None] * 5
    other = Store(root)
    assert [other.unpacked(layer) for layer in layers] == [None] * 5
    assert store.measure(layers) == [TREE_SIZE, TREE_SIZE, None, None, None]
    assert [store.unpacked(layer) for layer in layers] == [TREE_SIZE, TREE_SIZE, None, None, None]
    assert [Store(root).unpacked(layer) for layer in layers] == [TREE_SIZE, TREE_SIZE, None, None, None]
    store.remove(lambda _: ())
    store.collect()
    assert Store(root).measure(layers[:1]) == [TREE_SIZE]


def test_the_notes_survive_torn_lines_and_their_own_deletion(store, root, layers):
    notes = root / ".jupyimg" / "unpacked.jsonl"
    notes.write_bytes(b'{"layer":"sha256:12')
    store.measure(layers[:1])
    with notes.open("ab") as file:
        file.write(b'\xff\n{"unpacked": -\n[]\n{"layer":')
    store.measure(layers[1:2])
    assert [Store(root).unpacked(layer) for layer in layers[:2]] == [TREE_SIZE] * 2
    notes.unlink()
    assert Store(root).measure(layers[:2]) == [TREE_SIZE] * 2


def test_diff_ids_are_proven_once_and_a_wrong_one_is_an_error(store, root, layers):
    good = [Digest.of(TREE)] * 3
    assert store.measure(layers[:3], good) == [TREE_SIZE, TREE_SIZE, None]
    os.truncate(store.blob_path(layers[0].digest), 5)
    assert Store(root).measure(layers[:1], good[:1]) == [TREE_SIZE]
    with pytest.raises(DigestMismatch):
        store.measure(layers[1:2], [Digest.of(b"else")])
    with pytest.raises(ContentError):
        store.measure(layers[3:4], good[:1])


@pytest.mark.parametrize("before", ["missing", "damaged", "unreadable"])
def test_a_layer_that_could_not_be_measured_is_once_it_can(store, place, layers, monkeypatch, before):
    blob = store.blob_path(layers[0].digest)
    if before == "damaged":
        os.truncate(blob, 5)
    elif before == "missing":
        blob.unlink()
    with monkeypatch.context() as patched:
        if before == "unreadable":
            patched.setattr(type(blob), "open", too_many)
        assert store.measure(layers[:1]) == [None]
    with store.writer() as sink:
        put(sink, place, layers[:1])
    assert store.measure(layers[:1]) == [TREE_SIZE]


def too_many(*_, **__):
    raise OSError(errno.EMFILE, "Too many open files")


def test_a_damaged_layer_is_walked_once(store, layers, monkeypatch):
    assert store.measure(layers[3:4]) == [None]
    monkeypatch.setattr(unpacked, "walk_layer", lambda *_: 1 / 0)
    assert store.measure(layers[3:4]) == [None]


def test_a_layer_that_cannot_be_read_for_its_proof_is_kept_for_the_next_attempt(
    store, root, place, layers, monkeypatch
):
    layer = place.put(gzip.compress(TREE + b"3" * 9000), OCI_LAYER + "+gzip")
    diff_ids = {layer.digest: Digest.of(gzip.decompress(place.blobs[layer.digest]))}
    with store.writer(diff_ids) as sink:
        with monkeypatch.context() as patched, pytest.raises(StoreError, match="Too many open files"):
            patched.setattr(type(root), "open", too_many)
            put(sink, place, [layer])
        place.reads.clear()
        put(sink, place, [layer])
        assert place.reads == [], "all of it had arrived"
        assert sink.has(layer)


def test_a_real_image_has_the_sizes_that_docker_says(busybox_image, store, place):
    """To the byte, as ``docker image inspect`` and ``docker history`` of the engine that built it."""
    blobs = f"/v2/{busybox_image.repository}/blobs/"
    layers = [
        place.put(busybox_image.registry.request("GET", blobs + layer["digest"]).body, layer["mediaType"])
        for layer in busybox_image.manifest["layers"]
    ]
    with store.writer() as sink:
        put(sink, place, layers)
    docker = busybox_image.docker[busybox_image.tag]
    found = store.measure(layers)
    assert sum(found) == docker["inspect"]["Size"]
    assert found[::-1] == [int(step["Size"]) for step in docker["history"] if step["Size"] != "0"]
