"""Pulling and pushing with the embedded engine, against a real registry."""

from __future__ import annotations

import pytest

from jupyimg.errors import ImageNotFound, Misuse, PlatformNotFound, RemoteNotFound
from jupyimg.model.content import Phase
from jupyimg.model.records import Status
from tests.store.checker import verify_store


def notes(steps):
    said = []
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            return said, stop.value
        if step.phase is Phase.NOTE:
            said.append(step.text)


def rows(engine, **more):
    return {(image.reference, image.platform) for image in engine.images(**more)}


def test_a_pull_says_what_docker_says(engine, stocked):
    name = stocked.reference("sample/web")
    said, (record,) = notes(engine.pulling(name))
    assert said == [
        "Using default tag: latest",
        "latest: Pulling from sample/web",
        f"Digest: {stocked.digest('sample/web', 'latest')}",
        f"Status: Downloaded newer image for {name}:latest",
    ]
    assert record.status is Status.DOWNLOADED
    said, (record,) = notes(engine.pulling(name))
    assert said[-1] == f"Status: Image is up to date for {name}:latest"
    assert (record.status, record.transferred) == (Status.UP_TO_DATE, 0)


def test_a_second_platform_is_added_and_a_complete_index_becomes_one_entry(engine, stocked, skopeo):
    name = stocked.reference("sample/web:1.0")
    engine.pull(name, platform="linux/amd64")
    engine.pull(name, platform="linux/arm64")
    assert rows(engine) == {(name, "linux/amd64"), (name, "linux/arm64")}
    (entry,) = engine.store.entries()
    assert entry.descriptor.is_index
    assert engine.push(name)[0].digest == stocked.digest("sample/web", "1.0")
    verify_store(engine.store.root, skopeo.inspect)


def test_another_platform_is_read_in_place_by_skopeo(engine, stocked, skopeo):
    name = stocked.reference("sample/hello:latest")
    engine.pull(name, platform="linux/arm/v7")
    found = skopeo.inspect(f"oci:{engine.store.root}:{name}", "--override-arch=arm")
    assert found["Architecture"] == "arm"


def test_an_index_held_in_part_is_pushed_as_the_one_manifest_and_that_is_said(engine, stocked):
    name = stocked.reference("sample/web:1.0")
    engine.pull(name, platform="linux/arm64")
    target = stocked.reference("mine/web:arm")
    engine.tag(name, target)
    said, (record,) = notes(engine.pushing(target))
    assert any("Only linux/arm64" in line for line in said)
    manifest = stocked.manifest("mine/web", "arm").json()
    assert "manifests" not in manifest
    assert stocked.digest("mine/web", "arm") == record.digest


def test_a_name_with_a_digest_is_held_under_it_without_a_tag(engine, stocked):
    digest = stocked.digest("sample/web", "1.0")
    name = stocked.reference(f"sample/web@{digest}")
    engine.pull(name)
    (image,) = engine.images()
    assert (image.tag, image.reference, image.digest, image.dangling) == (None, name, digest, False)
    engine.pull(stocked.reference(f"sample/web:nonsense@{digest}"))  # the digest decides, the tag is decoration
    assert len(engine.images()) == 1
    assert engine.remove([name])[0].reference == name
    assert engine.images() == []


def test_a_tag_that_moved_leaves_its_old_image_dangling(engine, stocked):
    name = stocked.reference("sample/web:latest")
    engine.pull(name)
    (old,) = engine.images()
    stocked.retag("sample/web", "1.0", "latest")
    engine.pull(name)
    (new,) = engine.images()
    assert new.image_id != old.image_id
    (dangling,) = [image for image in engine.images(everything=True) if image.dangling]
    assert (dangling.image_id, dangling.tag) == (old.image_id, None)
    assert engine.remove([str(old.image_id)])
    assert len(engine.images(everything=True)) == 1


def test_all_tags_are_pulled_and_pushed(engine, stocked):
    records = engine.pull(stocked.reference("sample/web"), all_tags=True)
    assert sorted(record.reference.rpartition(":")[2] for record in records) == ["1.0", "1.1", "latest"]
    for record in records:
        engine.tag(record.reference, record.reference.replace("sample/web", "all/web"))
    engine.push(stocked.reference("all/web"), all_tags=True)
    assert stocked.tags("all/web") == ["1.0", "1.1", "latest"]


def test_layers_that_the_registry_has_elsewhere_are_mounted(engine, stocked):
    name, target = stocked.reference("sample/base:1.0"), stocked.reference("mine/base:1")
    engine.pull(name, platform="all")
    engine.tag(name, target)
    (record,) = engine.push(target)
    assert record.transferred < 5000
    uploads = [a for a in stocked.accesses("/v2/mine/base/blobs/uploads/") if a.method == "POST"]
    assert all("mount=" in access.path and access.status == 201 for access in uploads)


@pytest.mark.parametrize(("name", "options", "error"), [
    ("sample/web:1.0", {"platform": "linux/s390x"}, PlatformNotFound),
    ("sample/web:9.9", {}, RemoteNotFound),
    ("sample/none", {}, RemoteNotFound),
    ("sample/web:1.0", {"all_tags": True}, Misuse),
])  # fmt: skip
def test_a_pull_that_cannot_be_leaves_the_store_as_it_was(engine, stocked, name, options, error):
    with pytest.raises(error) as caught:
        engine.pull(stocked.reference(name), **options)
    assert caught.value.hint
    assert engine.images(everything=True) == []


def test_what_is_not_here_cannot_be_pushed(engine, stocked):
    with pytest.raises(ImageNotFound):
        engine.push(stocked.reference("sample/web:1.0"))
    with pytest.raises(ImageNotFound, match="no tag of"):
        engine.push(stocked.reference("sample/web"), all_tags=True)
    engine.pull(stocked.reference("sample/web:1.0"))
    with pytest.raises(ImageNotFound, match=r"held for linux/amd64|not held for"):
        engine.push(stocked.reference("sample/web:1.0"), platform="linux/s390x")


def test_remote_looks_without_pulling(engine, stocked):
    detail = engine.remote.inspect(stocked.reference("sample/hello"))
    assert detail.platforms == ("linux/amd64", "linux/arm64", "linux/arm/v7")
    assert engine.remote.inspect(stocked.reference("sample/hello"), platform="arm64").platform.architecture == "arm64"
    history = engine.remote.history(stocked.reference("sample/web:1.0"))
    assert [row.size for row in history if not row.empty] == [None] * 4  # unpacked sizes are not known there
    assert [row.size for row in history if row.empty] == [0] * 3
    assert not engine.store.root.exists()


def test_copy_takes_all_platforms_or_one_or_all_tags(engine, stocked, second_registry):
    def copy(source, target, **options):
        return notes(engine.remote.copying(stocked.reference(source), second_registry.reference(target), **options))[1]

    assert copy("sample/hello", "x/hello:1")[0].digest == stocked.digest("sample/hello", "latest")
    assert second_registry.digest("x/hello", "1") == stocked.digest("sample/hello", "latest")
    (one,) = copy("sample/hello", "x/hello:arm", platform="arm64")
    assert "manifests" not in second_registry.manifest("x/hello", "arm").json()
    assert one.digest == second_registry.digest("x/hello", "arm")
    assert len(copy("sample/web", "x/web", all_tags=True)) == 3
    assert second_registry.tags("x/web") == ["1.0", "1.1", "latest"]
    with pytest.raises(Misuse):
        copy("sample/web:1.0", "x/web", all_tags=True)
