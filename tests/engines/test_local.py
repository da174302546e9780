"""What the embedded engine says of images that are here."""

from __future__ import annotations

import pytest

from jupyimg.engines import ImageFilter
from jupyimg.engines.details import history
from jupyimg.engines.listing import glob
from jupyimg.errors import BadReference, Conflict, ImageNotFound
from jupyimg.model.codec import encode
from jupyimg.model.config import read_config
from jupyimg.model.content import drain
from jupyimg.model.documents import read_manifest
from jupyimg.model.reference import Reference
from jupyimg.server import ImageServer, ServerSettings
from jupyimg.transfer import copying
from tests.places.memory import MemoryPlace


@pytest.mark.parametrize(("pattern", "text", "matches"), [
    ("nginx", "nginx", True),
    ("nginx", "nginx:1", False),
    ("ng*", "nginx", True),
    ("*", "a/b", False),
    ("*/*", "a/b", True),
    ("a?c", "abc", True),
    ("a?c", "a/c", False),
    ("[an]ginx", "nginx", True),
    ("[^n]ginx", "nginx", False),
    ("[a-z]:[0-9]", "x:5", True),
    (r"a\*", "a*", True),
    (r"a\*", "ab", False),
    ("a.c", "abc", False),
    ("nginx:1.*", "nginx:1.22", True),
    ("[", "[", True),
])  # fmt: skip
def test_globs_are_gos_path_match(pattern, text, matches):
    assert bool(glob(pattern).fullmatch(text)) is matches


def references(engine, **filters):
    return sorted({image.reference for image in engine.images(ImageFilter(**filters))})


def test_filters_and_each_other(engine, samples):
    assert references(engine) == sorted(samples)
    assert references(engine, references=("sample/web",), labels=("version=1.0",)) == ["sample/web:1.0"]
    assert references(engine, labels=("no.such",)) == []
    assert references(engine, references=("sample/base", "sample/hello")) == ["sample/base:1.0", "sample/hello:latest"]
    assert references(engine, before=("sample/web:1.1", "sample/web:1.0")) == ["sample/base:1.0"]  # the oldest counts
    assert references(engine, since=("sample/base:1.0", "sample/hello")) == ["sample/waste:latest"]  # the newest counts
    with pytest.raises(ImageNotFound):
        engine.images(ImageFilter(before=("nope",)))


def test_dangling_images_show_when_asked_for(engine, samples):
    assert all(image.dangling for image in engine.images(ImageFilter(dangling=True)))
    assert len(engine.images(ImageFilter(dangling=True))) == 2
    assert len(engine.images(everything=True)) == len(engine.images()) + 2
    assert len(engine.images(ImageFilter(dangling=False), everything=True)) == len(engine.images())


def test_images_are_newest_first(engine, samples):
    created = [image.created for image in engine.images()]
    assert created == sorted(created, reverse=True)


def test_an_image_is_found_by_name_then_by_the_beginning_of_any_of_its_digests(engine, samples):
    (image,) = [i for i in engine.images() if i.reference == "sample/hello:latest" and i.platform == "linux/amd64"]
    for word in (
        image.image_id,
        image.image_id.encoded,
        image.image_id.short,
        image.image_id.encoded[:4],
        image.manifest_digest,
    ):
        assert engine.inspect(str(word), platform="linux/amd64").image_id == image.image_id
    assert engine.inspect(f"sample/hello@{image.digest}").digest == image.digest
    engine.tag("sample/base:1.0", image.image_id.encoded[:6])  # a name wins over an ID
    assert engine.inspect(image.image_id.encoded[:6]).image_id != image.image_id


@pytest.mark.parametrize("word", ["nope", "sha256:" + "0" * 64, "0" * 64, "abc", "Bad Name", "sample/web:none", ""])
def test_what_is_not_here_is_not_found(engine, samples, word):
    with pytest.raises(ImageNotFound):
        engine.inspect(word)


def test_an_ambiguous_beginning_is_a_conflict_that_names_both(engine, tmp_path):
    place, seen = MemoryPlace(), {}
    for number in range(400):
        layer = str(number).encode()
        manifest = place.image(f"many/app:{number}", layers=(layer,))
        config = encode({"os": "linux", "architecture": "amd64", "number": number})
        body = read_manifest(place.blobs[manifest.digest])
        data = encode(
            {
                "schemaVersion": 2,
                "mediaType": body.media_type,
                "config": place.put(config, body.config.media_type),
                "layers": list(body.layers),
            }
        )
        root = place.put(data, body.media_type)
        place.names[str(Reference.parse(f"many/app:{number}"))] = root
        image = read_manifest(data).config.digest
        if image.encoded[:4] in seen:
            break
        seen[image.encoded[:4]] = number
    else:
        pytest.fail("no two of 400 IDs begin alike; the birthday says one in four did")
    with engine.store.writer() as sink:
        for tag in (seen[image.encoded[:4]], number):
            drain(copying(place, sink, Reference.parse(f"many/app:{tag}")))
    with pytest.raises(Conflict, match=image.short):
        engine.inspect(image.encoded[:4])


def test_tag_refuses_a_digest_and_a_name_like_one(engine, samples):
    for target in ("x@sha256:" + "a" * 64, "sha256:5"):
        with pytest.raises(BadReference):
            engine.tag("sample/base:1.0", target)


def test_removing_one_platform_by_id_leaves_the_others_and_their_index_in_part(engine, samples):
    here = {image.platform: image for image in engine.images() if image.reference == "sample/hello:latest"}
    freed = engine.remove([str(here["linux/arm64"].image_id)])
    assert {row.action for row in freed} == {"deleted"}  # the name stays: it means the other platforms
    left = [image for image in engine.images() if image.reference == "sample/hello:latest"]
    assert sorted(image.platform for image in left) == ["linux/amd64", "linux/arm/v7"]
    assert {image.digest for image in left} == {here["linux/amd64"].digest}
    assert engine.inspect("sample/hello", platform="linux/arm/v7").held == ("linux/amd64", "linux/arm/v7")


def test_shared_layers_stay_until_the_last_image_that_needs_them(engine, samples):
    before = sum(engine.store.blobs().values())
    freed = sum(row.freed for row in engine.remove(["sample/web:1.0"]))
    assert freed == before - sum(engine.store.blobs().values())
    engine.remove([image.reference for image in engine.images() if image.platform == "linux/amd64"])
    engine.remove([str(image.image_id) for image in engine.images(everything=True)], force=True)
    assert engine.store.blobs() == {}


# ---- histories that no tool should write and some do


def steps(history_entries, layers, diff_ids=None):
    place = MemoryPlace()
    manifest = read_manifest(place.blobs[place.image(layers=layers).digest])
    config = read_config(
        encode(
            {"history": history_entries, "rootfs": {"diff_ids": [layer.digest for layer in manifest.layers][:diff_ids]}}
        )
    )
    return history(manifest, config, lambda layer: layer.size * 10)


def test_history_pairs_steps_with_layers_newest_first():
    rows = steps(
        [{"created_by": "base"}, {"created_by": "env", "empty_layer": True}, {"created_by": "top"}], (b"1", b"22")
    )
    assert [(row.created_by, row.compressed, row.size, row.empty) for row in rows] == [
        ("top", 2, 20, False),
        ("env", 0, 0, True),
        ("base", 1, 10, False),
    ]
    assert [row.image_id is None for row in rows] == [False, True, True]


def test_no_history_gives_a_row_for_each_layer():
    rows = steps([], (b"1", b"22"))
    assert [(row.created_by, row.compressed) for row in rows] == [("", 2), ("", 1)]


def test_a_history_that_is_too_short_or_too_long_loses_no_layer():
    assert [row.compressed for row in steps([{"created_by": "only"}], (b"1", b"22"))] == [2, 1]
    rows = steps([{"created_by": str(n)} for n in range(4)], (b"1",))
    assert [(row.created_by, row.empty) for row in rows] == [("3", True), ("2", True), ("1", True), ("0", False)]


def test_missing_diff_ids_are_missing_and_not_invented():
    assert [row.diff_id is None for row in steps([], (b"1", b"22"), diff_ids=1)] == [True, False]


# ---- manifests that were pushed to the served store without a tag


def test_what_was_pushed_without_a_tag_shows_with_all_and_can_be_tagged_and_removed(engine):
    place = MemoryPlace()
    root = place.image("lab/app:1", layers=(b"layer",))
    with ImageServer(engine.store, ServerSettings(port=0)) as server:
        goal = Reference.parse(f"{server.address}/lab/app@{root.digest}")
        repository = engine.remote.registries.repository(goal)
        for blob in (*read_manifest(place.blobs[root.digest]).children, root):
            repository.write(blob, lambda offset, blob=blob: place.read(blob, offset))
    assert engine.images() == []
    (image,) = engine.images(everything=True)
    assert (image.repository, image.tag, image.manifest_digest) == ("lab/app", None, root.digest)
    engine.tag(str(image.image_id), "lab/app:mine")
    assert [found.reference for found in engine.images()] == ["lab/app:mine"]
    engine.remove(["lab/app:mine"])
    rows = engine.remove([str(image.image_id)])
    assert {row.digest for row in rows} >= {image.image_id, root.digest}
    assert engine.images(everything=True) == []
    assert engine.store.blobs() == {}
