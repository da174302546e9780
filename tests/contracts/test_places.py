"""What every place must do, whatever it is: two dictionaries, a folder, a real registry, an archive."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyimg.errors import DigestMismatch, ImageError, NotFound, SizeMismatch
from jupyimg.model.content import drain
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, OCI_MANIFEST, Descriptor
from jupyimg.model.platform import Platform
from jupyimg.model.reference import Reference
from jupyimg.model.settings import Settings
from jupyimg.registry import Registries
from jupyimg.store import Store
from jupyimg.transfer import Selection, copying
from tests.places.archive import ArchivePlace
from tests.places.memory import MemoryPlace
from tests.services.registry import serve_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyimg.model.content import Sink, Source

LAYER = b"the bytes of a layer " * 5000


@dataclass
class Place:
    """A place under test: both ports, and a name that belongs to it."""

    source: Source
    sink: Sink
    name: Reference


@contextmanager
def memory(folder: Path) -> Iterator[Place]:
    place = MemoryPlace(1000)
    yield Place(place, place, Reference.parse("contract/app:1"))


@contextmanager
def layout(folder: Path) -> Iterator[Place]:
    store = Store(folder / "store")
    with store.writer() as sink:
        yield Place(store, sink, Reference.parse("contract/app:1"))


@contextmanager
def registry(folder: Path) -> Iterator[Place]:
    with serve_registry(folder / "registry") as server:
        name = Reference.parse(f"{server.host}/contract/app:1")
        registries = Registries(Settings(home=folder))
        repository = registries.repository(name)
        yield Place(repository, repository, name)
        registries.close()


@contextmanager
def archive(folder: Path) -> Iterator[Place]:
    place = ArchivePlace(folder / "archive.tar")
    yield Place(place, place, Reference.parse("contract/app:1"))


@pytest.fixture(params=[memory, layout, registry, archive], ids=lambda make: make.__name__)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with request.param(tmp_path) as made:
        yield made


def describe(data: bytes, media_type: str = OCI_LAYER) -> Descriptor:
    return Descriptor(media_type=media_type, digest=Digest.of(data), size=len(data))


def reader(data: bytes, chunk: int = 7000) -> Any:
    def read(offset: int) -> Iterator[bytes]:
        for at in range(offset, len(data), chunk):
            yield data[at : at + chunk]

    return read


def bring(place: Place, data: bytes) -> Descriptor:
    descriptor = describe(data)
    place.sink.write(descriptor, reader(data))
    return descriptor


def test_what_was_written_is_here_and_reads_back_the_same(place):
    descriptor = describe(LAYER)
    assert not place.sink.has(descriptor)
    bring(place, LAYER)
    assert place.sink.has(descriptor)
    assert b"".join(place.source.read(descriptor)) == LAYER


def test_an_empty_blob_is_content_too(place):
    descriptor = bring(place, b"")
    assert place.sink.has(descriptor)
    assert b"".join(place.source.read(descriptor)) == b""


@pytest.mark.parametrize("offset", [0, 1, 6999, 7000, len(LAYER) - 1, len(LAYER)])
def test_reading_can_start_anywhere(place, offset):
    assert b"".join(place.source.read(bring(place, LAYER), offset)) == LAYER[offset:]


@pytest.mark.parametrize(
    ("damaged", "error"),
    [
        (LAYER[:-1], SizeMismatch),
        (LAYER + b"!", SizeMismatch),
        (LAYER[:-1] + b"!", DigestMismatch),
        (b"", SizeMismatch),
    ],
    ids=["short", "long", "wrong", "empty"],
)
def test_content_that_is_not_what_it_should_be_is_refused_and_not_kept(place, damaged, error):
    descriptor = describe(LAYER)
    with pytest.raises(error):
        place.sink.write(descriptor, reader(damaged))
    assert not place.sink.has(descriptor)
    place.sink.write(descriptor, reader(LAYER))
    assert place.sink.has(descriptor)


def test_a_source_that_fails_leaves_nothing_visible_and_a_second_try_succeeds(place):
    descriptor = describe(LAYER)

    def broken(offset: int) -> Iterator[bytes]:
        yield LAYER[offset : offset + 10]
        raise NotFound("it went away")

    with pytest.raises(NotFound, match="went away"):
        place.sink.write(descriptor, broken)
    assert not place.sink.has(descriptor)
    place.sink.write(descriptor, reader(LAYER))
    assert b"".join(place.source.read(descriptor)) == LAYER


def test_a_name_is_unknown_until_it_is_published(place):
    with pytest.raises(NotFound):
        place.source.resolve(place.name)
    origin = MemoryPlace()
    root = origin.image(str(place.name), layers=(LAYER, b"another"))
    drain(copying(origin, place.sink, place.name))
    found = place.source.resolve(place.name)
    assert (found.digest, found.size, found.media_type) == (root.digest, root.size, OCI_MANIFEST)
    assert b"".join(place.source.read(found)) == origin.blobs[root.digest]


def test_a_name_can_be_resolved_by_digest_and_moves_when_published_again(place):
    origin = MemoryPlace()
    first = origin.image(str(place.name), layers=(b"first",))
    drain(copying(origin, place.sink, place.name))
    second = origin.image(str(place.name), layers=(b"second",))
    drain(copying(origin, place.sink, place.name))
    assert place.source.resolve(place.name).digest == second.digest
    assert place.source.resolve(place.name.with_digest(second.digest)).digest == second.digest
    assert b"".join(place.source.read(first)) == origin.blobs[first.digest]


def test_an_image_comes_out_as_it_went_in(place):
    """In, and out again into memory: all bytes the same, whatever lies between."""
    origin, back = MemoryPlace(), MemoryPlace()
    images = [origin.image(platform=name, layers=(LAYER, name.encode())) for name in ("linux/amd64", "linux/arm/v7")]
    attestation = origin.image(platform="unknown/unknown", layers=(b"attested",))
    strange = origin.put(b"of a type that nobody knows", "application/vnd.example")
    root = origin.index(str(place.name), [*images, attestation, strange])
    drain(copying(origin, place.sink, place.name))
    drain(copying(place.source, back, place.name))
    assert back.blobs == origin.blobs
    assert back.names[str(place.name)].digest == root.digest


def test_one_platform_of_an_index_goes_in_and_out(place):
    origin, back = MemoryPlace(), MemoryPlace()
    images = [origin.image(platform=name, layers=(name.encode(),)) for name in ("linux/amd64", "linux/arm64")]
    origin.index(str(place.name), images)
    arm = Selection(platform=Platform.parse("linux/arm64"), alone=True)
    drain(copying(origin, place.sink, place.name, selection=arm))
    drain(copying(place.source, back, place.name))
    assert back.names[str(place.name)].digest == images[1].digest


def test_what_is_not_here_is_an_error_of_ours(place):
    for descriptor in (describe(b"nothing"), describe(b"nothing", OCI_MANIFEST)):
        with pytest.raises(ImageError):
            list(place.source.read(descriptor))
    with pytest.raises(NotFound):
        place.source.resolve(place.name.with_tag("none"))


@given(data=st.binary(max_size=4000), chunk=st.integers(1, 4001))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_in_any_chunks(place, data, chunk):
    descriptor = describe(data)
    place.sink.write(descriptor, reader(data, chunk))
    assert b"".join(place.source.read(descriptor)) == data
