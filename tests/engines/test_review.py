"""Corners that a first reading of the whole found: each was wrong once."""

from __future__ import annotations

import json

import pytest

from jupyimg.engines import ImageFilter
from jupyimg.errors import BadManifest, Conflict, ImageError, ImageNotFound, Misuse, PlatformNotFound
from jupyimg.model.documents import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, read_manifest
from jupyimg.model.records import Status

SHA = "sha256:" + "ab" * 32


def only(engine, **wanted):
    (found,) = [
        image for image in engine.images(everything=True) if all(getattr(image, k) == v for k, v in wanted.items())
    ]
    return found


def test_a_digest_never_takes_a_tag_away(engine, samples):
    image = only(engine, reference="sample/web:1.0", platform="linux/amd64")
    for digest in (image.digest, image.manifest_digest):
        for force in (False, True):
            with pytest.raises(Conflict, match=r"sample/web:1\.0"):
                engine.remove([f"sample/web@{digest}"], force=force)
    with pytest.raises(ImageNotFound):
        engine.remove([f"sample/web@{image.image_id}"])  # an image ID names nothing in a repository
    assert only(engine, reference="sample/web:1.0", platform="linux/amd64") == image


def test_with_a_repositorys_last_tag_goes_the_digest_it_was_pulled_by(engine, stocked):
    name = stocked.reference("sample/web")
    digest = stocked.digest("sample/web", "1.0")
    engine.pull(f"{name}:1.0")
    engine.pull(f"{name}@{digest}")
    rows = engine.remove([f"{name}:1.0"])
    assert {row.reference for row in rows if row.action == "untagged"} == {f"{name}:1.0", f"{name}@{digest}"}
    assert engine.images(everything=True) == []


def test_a_tag_by_the_id_of_one_platform_names_that_platform(engine, samples):
    arm = only(engine, reference="sample/web:1.0", platform="linux/arm64")
    record = engine.tag(str(arm.image_id), "mine/web:arm")
    assert record.image_id == arm.image_id
    assert only(engine, reference="mine/web:arm").platform == "linux/arm64"


def test_a_pull_by_tag_and_digest_says_whether_it_was_new(engine, stocked):
    name = stocked.reference(f"sample/web:1.0@{stocked.digest('sample/web', '1.0')}")
    assert engine.pull(name)[0].status is Status.DOWNLOADED
    assert engine.pull(name)[0].status is Status.UP_TO_DATE


def test_a_name_whose_manifest_is_damaged_can_be_removed(engine, samples):
    entry = next(e for e in engine.store.entries() if e.name and e.name.familiar == "sample/base:1.0")
    path = engine.store.blob_path(entry.descriptor.digest)
    path.write_bytes(b"?" * path.stat().st_size)
    engine.store._documents.__init__(engine.store._layout)  # as a new process would see it
    assert "sample/base:1.0" not in {image.reference for image in engine.images()}
    assert engine.remove(["sample/base:1.0"])[0].reference == "sample/base:1.0"
    assert not [e for e in engine.store.entries() if e.name and e.name.familiar == "sample/base:1.0"]


def test_remote_looks_refuse_another_platform_of_a_single_manifest(engine, stocked):
    name = stocked.reference("single/web:1")
    engine.pull(stocked.reference("sample/web:1.0"))
    engine.tag(stocked.reference("sample/web:1.0"), name)
    engine.push(name, platform="linux/amd64")
    for look in (engine.remote.inspect, engine.remote.history):
        with pytest.raises(PlatformNotFound, match="linux/arm64"):
            look(name, platform="linux/arm64")


@pytest.mark.parametrize("key", ["Layers", "LAYERS", "Config", "MediaType"])
def test_a_key_of_ours_in_another_case_is_refused_even_alone(key):
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": SHA, "size": 1},
        "layers": [],
        "annotations": {"Size": "free"},
    }
    read_manifest(json.dumps(body).encode())
    body[key] = [{"mediaType": OCI_LAYER, "digest": SHA, "size": 1}]
    with pytest.raises(BadManifest, match=r"another case|lower case|usable"):
        read_manifest(json.dumps(body).encode())


def test_text_from_outside_is_one_line_without_controls_in_an_error():
    error = ImageError("before\x1b]0;pwned\x07\nafter " + "x" * 5000, hint="a\x1b[31mb")
    assert error.message.isprintable()
    assert str(error) == error.message
    assert len(error.message) < 700
    assert error.hint.isprintable()


def test_several_names_are_removed_in_one_step(engine, samples, monkeypatch):
    steps = []
    remove = engine.store.drop
    monkeypatch.setattr(engine.store, "drop", lambda edit: steps.append(1) or remove(edit))
    engine.remove(["sample/web:1.0", "sample/web:1.1", "sample/web:latest"])
    assert steps == [1]
    assert {image.repository for image in engine.images()} == {"sample/base", "sample/hello", "sample/waste"}


def test_a_pattern_that_is_none_is_said(engine, samples):
    with pytest.raises(Misuse, match="no pattern"):
        engine.images(ImageFilter(references=("[z-a]",)))
