"""copying() between places made of dictionaries."""

from __future__ import annotations

import json
import threading
import time

import pytest

from jupyimg.errors import BadManifest, DigestMismatch, Interrupted, NotTrusted, PlatformNotFound, SizeMismatch
from jupyimg.model.codec import encode
from jupyimg.model.content import Phase, drain
from jupyimg.model.documents import OCI_INDEX, Descriptor
from jupyimg.model.platform import Platform
from jupyimg.model.reference import Reference
from jupyimg.transfer import Selection, copying
from tests.places.memory import MemoryPlace
from tests.services.waiting import best, pressed

NGINX = Reference.parse("nginx")
AMD = Selection(platform=Platform.parse("linux/amd64"))


def test_a_single_image_arrives_whole_and_the_name_points_at_its_manifest():
    source, sink = MemoryPlace(), MemoryPlace()
    root = source.image("nginx")
    copied = drain(copying(source, sink, NGINX))
    assert sink.names == {str(NGINX): root}
    assert sink.blobs == source.blobs
    assert copied.transferred == sum(map(len, source.blobs.values()))


def test_a_platform_is_chosen_and_the_index_is_kept():
    source, sink = MemoryPlace(), MemoryPlace()
    amd, arm = source.image(layers=(b"amd",)), source.image(platform="linux/arm64", layers=(b"arm",))
    root = source.index("nginx", [arm, amd])
    drain(copying(source, sink, NGINX, selection=AMD))
    assert sink.names[str(NGINX)].digest == root.digest
    assert [item.digest for item in sink.held[str(NGINX)]] == [amd.digest]
    assert arm.digest not in sink.blobs


def test_alone_publishes_the_platforms_manifest_itself():
    source, sink = MemoryPlace(), MemoryPlace()
    amd = source.image()
    root = source.index("nginx", [amd])
    drain(copying(source, sink, NGINX, selection=Selection(platform=Platform.parse("amd64"), alone=True)))
    assert sink.names[str(NGINX)].digest == amd.digest
    assert root.digest not in sink.blobs


def test_everything_of_an_index_is_copied_attestations_and_nested_indexes_too():
    source, sink = MemoryPlace(), MemoryPlace()
    amd = source.image()
    attestation = source.image(platform="unknown/unknown", layers=(b"attest",))
    inner = source.index("", [source.image(platform="linux/s390x", layers=(b"z",))])
    source.index("nginx", [amd, attestation, Descriptor(media_type=OCI_INDEX, digest=inner.digest, size=inner.size)])
    drain(copying(source, sink, NGINX))
    assert sink.blobs == source.blobs
    assert attestation.digest not in {item.digest for item in sink.held[str(NGINX)]}


@pytest.mark.parametrize("platform", [None, {}], ids=["without a platform", "of a platform"])
@pytest.mark.parametrize("selection", [AMD, Selection()], ids=["one platform", "all"])
def test_what_an_index_lists_besides_manifests_hinders_nothing_and_moves_as_a_blob(selection, platform):
    source, sink = MemoryPlace(), MemoryPlace()
    amd = source.image()
    known = amd.platform if platform is not None else None
    strange = source.put(b'{"not": "a manifest"}', "application/vnd.example+json", known)
    inner = source.index("", [strange])
    nested = Descriptor(media_type=OCI_INDEX, digest=inner.digest, size=inner.size)
    root = source.index("nginx", [strange, nested, amd])
    drain(copying(source, sink, NGINX, selection=selection))
    assert [item.digest for item in sink.held[str(NGINX)]] == [amd.digest]
    assert root.digest in sink.blobs
    assert (sink.blobs == source.blobs) == (selection is not AMD)


def test_an_attestation_is_never_offered_as_a_platform():
    source, sink = MemoryPlace(), MemoryPlace()
    source.index(
        "nginx", [source.image(platform="unknown/unknown"), source.image(platform="linux/arm64", layers=(b"x",))]
    )
    with pytest.raises(PlatformNotFound) as caught:
        drain(copying(source, sink, NGINX, selection=AMD))
    assert "linux/arm64" in caught.value.message
    assert "unknown" not in caught.value.message
    assert sink.names == {}


def test_a_platform_missing_in_the_index_is_read_from_the_config():
    source, sink = MemoryPlace(), MemoryPlace()
    amd = source.image()
    bare = Descriptor(media_type=amd.media_type, digest=amd.digest, size=amd.size)
    source.index("nginx", [bare])
    drain(copying(source, sink, NGINX, selection=AMD))
    assert amd.digest in sink.blobs


def test_a_single_manifest_of_another_platform_is_taken_unless_one_was_asked_for():
    source, sink = MemoryPlace(), MemoryPlace()
    source.image("nginx", platform="linux/arm64")
    drain(copying(source, sink, NGINX, selection=AMD))
    with pytest.raises(PlatformNotFound, match="linux/amd64"):
        drain(copying(source, MemoryPlace(), NGINX, selection=Selection(platform=AMD.platform, strict=True)))


def test_what_is_there_already_is_not_read_again():
    source, sink = MemoryPlace(), MemoryPlace()
    source.image("nginx", layers=(b"base" * 10, b"top"))
    drain(copying(source, sink, NGINX))
    source.image("nginx", layers=(b"base" * 10, b"new top"))
    source.reads.clear()
    steps = list(copying(source, sink, NGINX))
    assert {step.item for step in steps if step.phase is Phase.EXISTS} >= {
        step.item for step in steps if step.total == 40
    }
    assert len(source.reads) == len(set(source.reads)) + 1  # the manifest: once to walk, once to move


def test_a_layer_that_stands_twice_is_moved_once():
    source, sink = MemoryPlace(), MemoryPlace()
    source.image("nginx", layers=(b"same", b"same", b"other"))
    drain(copying(source, sink, NGINX))
    assert len(source.reads) - len(set(source.reads)) == 1  # only the manifest again


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (lambda data: data[:-1], SizeMismatch),
        (lambda data: data[:-1] + b"?", DigestMismatch),
        (lambda data: data + b"more", SizeMismatch),
    ],
)
def test_damaged_content_stops_the_copy_before_the_name(damage, error):
    source, sink = MemoryPlace(), MemoryPlace()
    source.image("nginx", layers=(b"a layer that will be damaged",))
    (victim,) = [digest for digest, data in source.blobs.items() if data.startswith(b"a layer")]
    source.blobs[victim] = damage(source.blobs[victim])
    steps = copying(source, sink, NGINX)
    seen = []
    with pytest.raises(error):
        for step in steps:
            seen.append(step)
    assert (seen[-1].phase, seen[-1].item) == (Phase.FAILED, victim)
    assert sink.names == {}
    assert victim not in sink.blobs


def test_a_damaged_manifest_is_noticed_on_the_walk():
    source, sink = MemoryPlace(), MemoryPlace()
    root = source.image("nginx")
    source.blobs[root.digest] = source.blobs[root.digest].replace(b"2", b"3")
    with pytest.raises(DigestMismatch):
        drain(copying(source, sink, NGINX))
    assert sink.blobs == {}


def test_an_index_nested_without_end_is_refused():
    source = MemoryPlace()
    inner = source.image()
    for _ in range(7):
        inner = source.index("nginx", [Descriptor(media_type=inner.media_type, digest=inner.digest, size=inner.size)])
    for selection in (AMD, Selection()):
        with pytest.raises(BadManifest, match="without end"):
            drain(copying(source, MemoryPlace(), NGINX, selection=selection))


def test_a_refusal_by_admit_leaves_no_name_and_no_byte():
    source, sink = MemoryPlace(), MemoryPlace()
    source.image("nginx")

    def refuse(reference, tree):
        raise NotTrusted(f"{reference.familiar} is not trusted")

    with pytest.raises(NotTrusted):
        drain(copying(source, sink, NGINX, admit=refuse))
    assert (sink.names, sink.blobs) == ({}, {})


def test_admit_is_asked_once_about_the_name_in_the_source_and_exactly_what_will_be_published():
    source, sink = MemoryPlace(), MemoryPlace()
    source.index("nginx", [source.image(), source.image(platform="linux/arm64", layers=(b"arm",))])
    asked = []

    def admit(reference, tree):
        assert (sink.names, sink.blobs) == ({}, {})
        asked.append((reference, tree))
        return ["let in"]

    steps = list(copying(source, sink, NGINX, target=Reference.parse("mine/nginx"), selection=AMD, admit=admit))
    ((reference, tree),) = asked
    assert reference == NGINX
    assert sink.names == {"docker.io/mine/nginx:latest": tree.root}
    assert sink.held == {"docker.io/mine/nginx:latest": tree.held}
    assert [step.text for step in steps if step.phase is Phase.NOTE] == ["let in"]


def test_foreign_layers_are_left_where_they_are_and_that_is_said():

    source, sink = MemoryPlace(), MemoryPlace()
    plain = source.image()
    foreign = source.put(
        b"not in the registry",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        urls=("https://vendor.test/x",),
    )

    body = json.loads(source.blobs[plain.digest])
    body["layers"].append(json.loads(encode(foreign)))
    source.names[str(NGINX)] = source.put(encode(body), plain.media_type)
    steps = list(copying(source, sink, NGINX))
    assert foreign.digest not in sink.blobs
    assert any(step.phase is Phase.NOTE and foreign.digest.short in step.text for step in steps)


class Stalling:
    """A source whose layers never come until it is interrupted."""

    def __init__(self, place):
        self.place = place
        self.reached, self.release = threading.Event(), threading.Event()
        self.resolve = place.resolve

    def read(self, descriptor, offset=0):
        if not descriptor.is_manifest:
            self.reached.set()
            self.release.wait(60)
        yield from self.place.read(descriptor, offset)

    def interrupt(self):
        self.release.set()


def test_stop_ends_a_stalled_copy_at_once_and_leaves_no_thread():
    place, sink = MemoryPlace(), MemoryPlace()
    place.image("nginx")

    def stopped():
        source = Stalling(place)
        with pytest.raises(Interrupted, match="interrupted"), pressed(source.reached.is_set) as moments:
            drain(copying(source, sink, NGINX))
        return time.monotonic() - moments[0]

    assert best(stopped, 0.5) < 0.5
    assert sink.names == {}


def test_an_abandoned_copy_interrupts_both_places():
    place, sink = MemoryPlace(), MemoryPlace()
    place.image("nginx")
    source = Stalling(place)
    steps = copying(source, sink, NGINX)
    assert next(steps).phase is Phase.WAITING
    for step in steps:
        if step.phase is Phase.MOVING:
            break
    steps.close()
    assert source.release.is_set()
    assert sink.interrupted == 1
