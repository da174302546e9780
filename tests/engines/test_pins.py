"""What the user pins is in use: pruning leaves it, removing it by its last name is a conflict."""

from __future__ import annotations

import pytest

from jupyimg.engines import ImageFilter, open_engine
from jupyimg.errors import Conflict, ImageNotFound
from jupyimg.model.records import Status
from jupyimg.server import ImageServer, ServerSettings
from jupyimg.server.record import Record
from jupyimg.store import Store
from tests.places.memory import MemoryPlace
from tests.server.client import Client
from tests.store.bring import bring


def names(engine, **filters):
    return sorted({image.reference for image in engine.images(ImageFilter(**filters))})


def only(engine, reference, platform="linux/amd64"):
    return next(i for i in engine.images(everything=True) if (i.reference, i.platform) == (reference, platform))


@pytest.fixture
def place(engine):
    """Two images, ``one`` and ``two``, which share a layer."""
    made = MemoryPlace()
    for name in ("one", "two"):
        bring(engine.store, made, name, made.image(layers=(b"shared", name.encode())))
    return made


def test_a_pinned_image_survives_prune_a_and_is_active(engine, samples):
    (row,) = engine.pin(["sample/web:1.1"])
    assert (row.reference, row.status, row.image_id) == ("sample/web:1.1", Status.PINNED, None)  # two platforms
    assert names(engine, pinned=True) == ["sample/web:1.1", "sample/web:latest"]  # two names of one image
    assert engine.disk()[0].active == 2
    engine.prune(everything=True)
    assert names(engine) == ["sample/web:1.1", "sample/web:latest"]
    (row,) = engine.unpin(["sample/web:latest"])
    assert row.status is Status.UNPINNED
    assert names(engine, pinned=True) == []
    engine.prune(everything=True)
    assert engine.store.blobs() == {}
    assert engine.store.pins() == {}


def test_pinning_again_and_unpinning_what_is_not_pinned_are_no_errors(engine, place):
    for change in (engine.unpin, engine.pin, engine.pin, engine.unpin, engine.unpin):
        assert change(["one"])[0].reference == "one:latest"
    assert engine.store.pins() == {}


def test_all_names_are_pinned_or_none(engine, place, tmp_path):
    for change in (engine.pin, engine.unpin):
        with pytest.raises(ImageNotFound, match="missing"):
            change(["one", "missing"])
    assert engine.store.pins() == {}
    empty = open_engine(engine.settings.__class__(home=tmp_path / "empty"))
    with pytest.raises(ImageNotFound):
        empty.pin(["one"])
    assert not (tmp_path / "empty").exists()


def test_a_pinned_name_keeps_what_it_meant_and_what_it_comes_to_mean(engine, place):
    before = only(engine, "one:latest")
    engine.pin(["one"])
    bring(engine.store, place, "one", place.image(layers=(b"newer",)))
    engine.prune(everything=True)
    assert {image.pinned for image in engine.images(everything=True)} == {True}
    assert [image.reference for image in engine.images(ImageFilter(pinned=True))] != ["one:latest"]
    assert only(engine, str(before.image_id)).dangling
    engine.pin(["one"])  # which lets go of what it meant before
    engine.prune()
    assert [image.reference for image in engine.images(everything=True)] == ["one:latest"]
    engine.unpin(["one"])
    assert engine.store.pins() == {}


def test_an_image_is_pinned_and_unpinned_by_its_id_or_digest(engine, samples):
    arm = only(engine, "sample/hello:latest", "linux/arm64")
    for word in (
        str(arm.image_id),
        arm.image_id.short,
        str(arm.manifest_digest),
        f"sample/hello@{arm.manifest_digest}",
    ):
        engine.pin([word])
        assert {image.platform for image in engine.images(ImageFilter(pinned=True))} == {"linux/arm64"}
        engine.prune(everything=True)
        assert "sample/hello:latest" in names(engine)
        engine.unpin([word])
        assert names(engine, pinned=True) == []


def test_removing_a_pinned_image_needs_force_and_unpins_it(engine, place):
    engine.pin(["one"])
    with pytest.raises(Conflict, match="pinned") as caught:
        engine.remove(["one"])
    assert "%image unpin one" in caught.value.hint
    engine.tag("one", "other")
    assert next(row.reference for row in engine.remove(["other"])) == "other:latest"  # as Docker: it is not the last
    engine.tag("one", "other")
    with pytest.raises(Conflict):
        engine.remove(["one"])  # it is not the last, but it is what was pinned
    engine.remove(["other"])
    engine.remove(["one"], force=True)
    assert names(engine) == ["two:latest"]
    assert engine.store.pins() == {}
    assert len(engine.store.blobs()) == 4


def test_what_is_pinned_by_id_keeps_its_last_name(engine, place):
    engine.pin([str(only(engine, "one:latest").image_id)])
    with pytest.raises(Conflict):
        engine.remove(["one"])
    with pytest.raises(Conflict):
        engine.remove([str(only(engine, "one:latest").image_id)])
    engine.remove(["one", "two"], force=True)
    assert engine.store.blobs() == {}


def test_a_pinned_name_whose_manifest_is_damaged_needs_force_too(engine, place):
    engine.pin(["one"])
    path = engine.store.blob_path(only(engine, "one:latest").manifest_digest)
    path.write_bytes(b"?" * path.stat().st_size)
    fresh = open_engine(engine.settings)
    with pytest.raises(Conflict):
        fresh.remove(["one"])
    fresh.prune(everything=True)
    assert [entry.name.familiar for entry in fresh.store.entries()] == ["one:latest"]
    fresh.remove(["one"], force=True)
    assert fresh.store.pins() == {}


def test_pins_are_no_repositories_of_the_served_store(engine, place):
    engine.pin(["one", str(only(engine, "two:latest").image_id)])
    assert Record(engine.store).names() == ["one", "two"]


def test_what_another_tool_took_the_name_of_is_still_there_by_its_id(engine, place):
    image = only(engine, "one:latest")
    engine.pin(["one"])
    engine.store.change(lambda entries: tuple(e for e in entries if e.name.familiar != "one:latest"))
    engine.prune(everything=True)
    (left,) = engine.images(everything=True)
    assert (left.image_id, left.repository, left.pinned) == (image.image_id, None, True)
    engine.remove([str(image.image_id)], force=True)
    assert engine.images(everything=True) == []


def test_what_was_pushed_to_the_served_store_without_a_tag_is_no_garbage(engine):
    with ImageServer(engine.store, ServerSettings(port=0)) as server:
        client = Client(server.address)
        digest, _ = client.push_image("lab/app")
        loose = client.push_blob("lab/app", b"waits for its manifest")
        for everything in (False, True):
            assert engine.prune(everything=everything, all_partial=True) == []
        assert client("GET", f"/v2/lab/app/manifests/{digest}").status == 200
        assert client("HEAD", f"/v2/lab/app/blobs/{loose}").status == 200
    assert engine.disk()[0].active == engine.disk()[0].total == 1


# ---- rmi of several names, of which one fails


def test_what_was_removed_before_a_failure_is_told_with_it(engine, place):
    with pytest.raises(ImageNotFound, match=r"no such image: missing; removed all the same: one:latest") as caught:
        engine.remove(["one", "missing"])
    rows = caught.value.done
    assert [row.action for row in rows[:2]] == ["untagged", "untagged"]
    assert sum(row.freed for row in rows) > 0
    assert names(engine) == ["two:latest"]


def test_a_failure_alone_has_nothing_to_tell(engine, place):
    with pytest.raises(ImageNotFound) as caught:
        engine.remove(["missing", "gone"])
    assert caught.value.message == "no such image: missing (and 1 more)"
    assert caught.value.done == ()


def test_the_names_in_an_error_are_not_without_end(engine, place):
    for number in range(30):
        engine.tag("one", f"many:{number}")
    with pytest.raises(ImageNotFound, match=r"many:7 and \d+ more$") as caught:
        engine.remove([*(f"many:{number}" for number in range(30)), "missing"])
    assert len([row for row in caught.value.done if row.action == "untagged"]) >= 30


def test_two_engines_see_one_set_of_pins(engine, place):
    other = open_engine(engine.settings)
    engine.pin(["one"])
    assert names(other, pinned=True) == ["one:latest"]
    other.unpin(["one"])
    assert names(engine, pinned=True) == []
    assert Store(engine.settings.store).pins() == {}
