"""Other tools read the store as it is, and the store reads what they write."""

from __future__ import annotations

import pytest

from jupyimg.model.documents import Descriptor
from jupyimg.store import retarget, untag
from tests.store.bring import bring, listed, name
from tests.store.checker import REF_NAME


@pytest.fixture
def index(place):
    """An image for two platforms that are not this machine's, and one that is."""
    manifests = [
        place.image(platform=f"linux/{arch}", layers=(arch.encode(),)) for arch in ("arm64", "riscv64", "amd64")
    ]
    return place.index("", manifests), manifests


def test_a_name_in_full_is_what_skopeo_finds_an_image_by(store, place, root, skopeo):
    image = place.image()
    bring(store, place, "nginx", image)
    assert skopeo.inspect(f"oci:{root}:docker.io/library/nginx:latest")["Digest"] == image.digest
    bring(store, place, f"nginx@{image.digest}", image)
    assert skopeo.inspect(f"oci:{root}:docker.io/library/nginx@{image.digest}")["Digest"] == image.digest


def test_a_foreign_platform_held_in_part_is_read_without_asking_for_it(store, place, root, skopeo, index):
    whole, (arm, riscv, _) = index
    bring(store, place, "multi:1", whole, riscv)
    bring(store, place, "multi:1", whole, arm)
    found = skopeo.inspect(f"oci:{root}:docker.io/library/multi:1")
    assert (found["Architecture"], found["Digest"]) == ("riscv64", riscv.digest)


def test_a_whole_index_is_read_for_each_of_its_platforms(store, place, root, skopeo, index, verify):
    whole, _ = index
    bring(store, place, "multi:1", whole)
    for arch in ("arm64", "riscv64", "amd64"):
        found = skopeo.inspect(f"oci:{root}:docker.io/library/multi:1", f"--override-arch={arch}")
        assert found["Architecture"] == arch
    verify()


def test_skopeo_copies_an_image_out_of_the_store_to_the_byte(store, place, root, skopeo, tmp_path):
    image = place.image()
    bring(store, place, "nginx", image)
    skopeo("copy", f"oci:{root}:docker.io/library/nginx:latest", f"dir:{tmp_path / 'out'}")
    assert (tmp_path / "out" / "manifest.json").read_bytes() == place.blobs[image.digest]


def test_what_skopeo_copies_into_the_store_is_listed_named_kept_and_removed(store, place, root, skopeo, verify):
    bring(store, place, "ours:1", place.image())
    skopeo("copy", f"oci:{root}:docker.io/library/ours:1", f"oci:{root}:theirs:2")
    skopeo("copy", f"oci:{root}:docker.io/library/ours:1", f"oci:{root}:latest")
    digest = store.resolve(name("ours:1")).digest.short
    assert listed(store) == [("ours:1", digest), ("theirs:2", digest), (None, digest)]
    store.change(lambda entries: retarget(entries, name("new:3"), entries[1:2]))
    lines = verify()
    assert [line["annotations"][REF_NAME] for line in lines] == [
        "docker.io/library/ours:1",
        "theirs:2",
        "latest",
        "docker.io/library/new:3",
    ]
    for word in ("ours:1", "theirs:2", "new:3"):
        assert store.remove(lambda entries, word=word: untag(entries, name(word))) == []
    assert len(store.remove(lambda _: ())) == 4


def test_docker_s_own_manifests_keep_their_true_type(store, place):
    image = place.image()
    docker = Descriptor("application/vnd.docker.distribution.manifest.v2+json", image.digest, image.size)
    store.change(lambda entries: retarget(entries, name("old:1"), []))
    place.names.clear()
    raw = place.blobs[image.digest].replace(b"vnd.oci.image.manifest.v1", b"vnd.docker.distribution.manifest.v2")
    docker = place.put(raw, docker.media_type)
    bring(store, place, "old:1", docker)
    assert store.resolve(name("old:1")).media_type == docker.media_type
