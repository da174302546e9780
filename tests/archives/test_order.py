"""The order of an archive: settled before its bytes come, so that several threads may bring them in any."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyimg.errors import ContentError, DigestMismatch, SizeMismatch
from jupyimg.model.digest import Digest
from jupyimg.model.platform import Platform
from jupyimg.model.reference import Reference
from jupyimg.store.archives import ArchiveWriter
from jupyimg.store.hashing import Hashing
from jupyimg.transfer import fetch_manifest
from tests.places.memory import MemoryPlace

HERE = Platform("amd64", "linux")
NAME = Reference.parse("sizes:1")


@pytest.fixture
def place() -> MemoryPlace:
    """An image with layers of no byte, less than a block, a block, and more than two chunks."""
    made = MemoryPlace(chunk=700_000)
    made.names[str(NAME)] = made.image(layers=(b"", b"a" * 511, b"b" * 512, b"c" * 513, b"d" * 2_500_001))
    return made


def blobs(place):
    root = place.resolve(NAME)
    return root, list(fetch_manifest(place, root).children)


def bring(writer, place, descriptor):
    writer.write(descriptor, lambda offset: place.read(descriptor, offset))


def archives_in(folder):
    """What there is of archives, whole or begun."""
    return [path for path in folder.iterdir() if "out" in path.name]


def one_after_the_other(place, target):
    root, parts = blobs(place)
    with ArchiveWriter(target, HERE) as writer:
        for part in [*parts, root]:
            bring(writer, place, part)
        writer.publish(NAME, root, (root,))


def test_what_comes_in_another_order_makes_the_same_file(place, tmp_path):
    one_after_the_other(place, tmp_path / "first.tar")
    root, parts = blobs(place)
    with ArchiveWriter(tmp_path / "second.tar", HERE) as writer:
        writer.expect(parts)
        for part in [*reversed(parts), root]:
            bring(writer, place, part)
        writer.publish(NAME, root, (root,))
    assert (tmp_path / "second.tar").read_bytes() == (tmp_path / "first.tar").read_bytes()


def test_a_file_takes_several_blobs_at_once(place, tmp_path):
    one_after_the_other(place, tmp_path / "first.tar")
    root, parts = blobs(place)
    meet = threading.Barrier(2, timeout=10)

    def met(part):
        def read(offset):
            meet.wait()  # passes only while another blob is under way
            yield from place.read(part, offset)

        return read

    with ArchiveWriter(tmp_path / "second.tar", HERE) as writer, ThreadPoolExecutor(2) as threads:
        writer.expect(parts)
        list(threads.map(lambda part: writer.write(part, met(part)), parts[-2:]))
        for part in [*parts, root]:
            bring(writer, place, part)
        writer.publish(NAME, root, (root,))
    assert (tmp_path / "second.tar").read_bytes() == (tmp_path / "first.tar").read_bytes()


@pytest.mark.parametrize("name", ["out.tar.gz", "out.tar.zst"])
def test_what_grows_at_one_place_takes_one_blob_at_a_time(place, tmp_path, name):
    one_after_the_other(place, tmp_path / name)
    root, parts = blobs(place)
    inside = threading.Semaphore(1)

    def alone(part):
        def read(offset):
            assert inside.acquire(blocking=False), "two blobs at once"
            yield from place.read(part, offset)
            inside.release()

        return read

    other = tmp_path / f"other-{name}"
    with ArchiveWriter(other, HERE) as writer, ThreadPoolExecutor(4) as threads:
        assert writer.lanes == 1
        list(threads.map(lambda part: writer.write(part, alone(part)), parts))
        bring(writer, place, root)
        writer.publish(NAME, root, (root,))
    assert other.exists()


def test_an_archive_of_which_a_part_never_came_is_not_written(place, tmp_path):
    root, parts = blobs(place)
    with pytest.raises(ContentError, match="not all"), ArchiveWriter(tmp_path / "out.tar", HERE) as writer:
        writer.expect(parts)
        for part in [*parts[1:], root]:
            bring(writer, place, part)
        writer.publish(NAME, root, (root,))
    assert archives_in(tmp_path) == []


def test_a_rotten_part_that_nobody_heeded_makes_no_archive(place, tmp_path):
    root, parts = blobs(place)
    rotten = parts[-1]
    with pytest.raises(ContentError, match="not all"), ArchiveWriter(tmp_path / "out.tar", HERE) as writer:
        with pytest.raises(DigestMismatch):
            writer.write(rotten, lambda _: iter([b"?" * rotten.size]))
        for part in [*parts[:-1], root]:
            bring(writer, place, part)
        writer.publish(NAME, root, (root,))
    assert archives_in(tmp_path) == []


def test_a_part_that_is_too_long_does_not_touch_its_neighbours_and_may_come_again(place, tmp_path):
    one_after_the_other(place, tmp_path / "first.tar")
    root, parts = blobs(place)
    with ArchiveWriter(tmp_path / "second.tar", HERE) as writer:
        writer.expect(parts)
        for part in [*parts[2:], *parts[:2], root]:
            with pytest.raises(SizeMismatch):
                writer.write(part, lambda _, part=part: iter([b"?" * part.size, b"?" * 3000]))
            bring(writer, place, part)
        writer.publish(NAME, root, (root,))
    assert (tmp_path / "second.tar").read_bytes() == (tmp_path / "first.tar").read_bytes()


@pytest.mark.parametrize("pieces", [[0], [1], [1 << 20], [1 << 19] * 5, [3, 1 << 20, 5, 3 << 20, 7], [512] * 5000])
def test_what_is_hashed_beside_has_the_digest_of_its_bytes(pieces):
    data = [bytes([number % 251]) * size for number, size in enumerate(pieces)]
    whole = b"".join(data)
    with Hashing(Digest.of(whole)) as hashing:
        for piece in data:
            hashing.update(piece)
        assert hashing.hexdigest() == hashlib.sha256(whole).hexdigest()
