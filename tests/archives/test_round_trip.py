"""From one store to another through an archive of ours: all is the same there, however the bytes travel."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import stat
import subprocess
import sys
import tarfile

import pytest

from jupyimg.engines import open_engine
from jupyimg.errors import ContentError, ImageNotFound, PlatformNotFound
from jupyimg.model.content import Phase
from jupyimg.model.settings import Settings
from jupyimg.store.archives import outer
from tests.archives import build
from tests.services.synthetic import Blob, make_artifact, make_image, make_index, make_layer
from tests.store.checker import verify_store

ONE = make_image([make_layer({"one": b"1" * 3000}), make_layer({"two": b"2"}, compression="zstd")])
TWO = make_image([ONE.layers[0], make_layer({"plain": b"3" * 70}, compression="none")], media="docker")
AMD, ARM, PPC = (
    make_image([make_layer({"f": name.encode()})], platform=name)
    for name in ("linux/amd64", "linux/arm64", "linux/ppc64le")
)
MULTI = make_index([AMD, ARM], attestations=True)
CHART = make_artifact("application/vnd.cncf.helm.chart.v1", Blob.of("application/x-chart", b"a chart"))
SIGNED = make_index([PPC, make_artifact("application/x-sbom", Blob.of("text/spdx", b"parts"), subject=PPC)])
NAMED = {
    "docker.io/library/one:1": ONE,
    "docker.io/library/one:latest": ONE,
    "quay.io/org/two:v2": TWO,
    "docker.io/library/multi:1": MULTI,
    "localhost:5000/charts/web:0.1": CHART,
    "docker.io/library/signed:1": SIGNED,
}
EVERYTHING = [name.removeprefix("docker.io/library/") for name in NAMED]


@pytest.fixture
def stocked(engine, tmp_path):
    engine.load(build.write(tmp_path / "stock.tar", build.layout(NAMED)))
    return engine


def entries(engine):
    return sorted(
        (str(entry.name), entry.descriptor.digest, entry.index and entry.index.digest)
        for entry in engine.store.entries()
    )


def names(engine):
    return {str(image.reference) for image in engine.images()}


def same(one, two) -> bool:
    return entries(one) == entries(two) and one.store.blobs() == two.store.blobs()


def test_everything_comes_out_as_it_went_in(stocked, other, tmp_path):
    """Names, several platforms, attestations, artefacts, zstd and uncompressed layers, Docker's media types."""
    saved = stocked.save(EVERYTHING, tmp_path / "all.tar")
    loaded = other.load(tmp_path / "all.tar")
    assert same(stocked, other)
    assert [(r.reference, r.digest) for r in loaded] == [(r.reference, r.digest) for r in saved]
    assert {r.status for r in saved} == {"saved"}
    assert {r.status for r in loaded} == {"loaded"}
    assert verify_store(other.settings.store)
    for name in EVERYTHING:
        assert other.inspect(name).document == stocked.inspect(name).document
    again = other.load(tmp_path / "all.tar")
    assert sum(record.transferred for record in again) == 0
    assert same(stocked, other)


@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "tgz", "tar.zst"])
def test_the_same_images_give_the_same_file_which_is_its_owners(stocked, other, tmp_path, suffix):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        stocked.save(EVERYTHING, tmp_path / name / f"all.{suffix}")
    first, second = ((tmp_path / name / f"all.{suffix}").read_bytes() for name in ("a", "b"))
    assert first == second
    assert {"tar": b"blobs", "tar.gz": b"\x1f\x8b", "tgz": b"\x1f\x8b", "tar.zst": b"\x28\xb5"}[suffix] == first[
        : 5 if suffix == "tar" else 2
    ]
    assert stat.S_IMODE((tmp_path / "a" / f"all.{suffix}").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "a").iterdir()] == [f"all.{suffix}"]
    other.load(tmp_path / "a" / f"all.{suffix}")
    assert same(stocked, other)


@pytest.mark.parametrize(
    "wrap",
    [
        gzip.compress,
        lambda data: gzip.compress(data[:5000]) + gzip.compress(b"") + gzip.compress(data[5000:]),
        lambda data: gzip.compress(data) + bytes(4096),
        bz2.compress,
        lambda data: bz2.compress(data[:5000]) + bz2.compress(data[5000:]),
        lzma.compress,
        lambda data: lzma.compress(data, preset=9),
        lambda data: lzma.compress(data[:5000]) + bytes(8) + lzma.compress(data[5000:]) + bytes(4),
        outer.zstd.compress,
        lambda data: outer.zstd.compress(data[:5000]) + outer.zstd.compress(data[5000:]),
    ],
    ids=[
        "gzip",
        "gzip members",
        "gzip padded",
        "bzip2",
        "bzip2 members",
        "xz",
        "xz -9",
        "xz streams",
        "zstd",
        "zstd frames",
    ],
)
def test_a_compressed_archive_is_loaded_from_a_file_and_from_a_stream(stocked, other, tmp_path, wrap):
    stocked.save(EVERYTHING, tmp_path / "all.tar")
    packed = wrap((tmp_path / "all.tar").read_bytes())
    (tmp_path / "packed").write_bytes(packed)
    other.load(tmp_path / "packed")
    assert same(stocked, other)
    assert other.load(io.BytesIO(packed))


def test_a_stream_is_read_from_where_it_stands(stocked, other):
    stream = io.BytesIO()
    stream.write(b"before")
    stocked.save(["one:1"], stream)
    stream.seek(len(b"before"))
    assert other.load(stream)[0].reference == "one:1"
    assert not stream.closed


def test_an_index_that_is_held_in_part_stays_so(stocked, other, tmp_path):
    stocked.save(["multi:1"], tmp_path / "arm.tar", platform="linux/arm64")
    [record] = other.load(tmp_path / "arm.tar")
    assert (record.digest, record.image_id) == (MULTI.digest, ARM.blobs[-1].digest)
    [row] = other.images()
    assert (row.platform, row.digest, row.manifest_digest) == ("linux/arm64", MULTI.digest, ARM.digest)
    other.save(["multi"], tmp_path / "again.tar")
    third = open_engine(Settings(home=tmp_path / "third"))
    third.load(tmp_path / "again.tar")
    assert same(other, third)
    third.load(tmp_path / "arm.tar")
    stocked.save(["multi:1"], tmp_path / "amd.tar", platform="linux/amd64")
    third.load(tmp_path / "amd.tar")  # the other platform joins it
    assert {image.platform for image in third.images()} == {"linux/amd64", "linux/arm64"}
    assert {image.digest for image in third.images()} == {MULTI.digest}


def test_one_platform_is_loaded_of_several(stocked, other, tmp_path):
    stocked.save(["multi:1"], tmp_path / "multi.tar")
    [record] = other.load(tmp_path / "multi.tar", platform="linux/arm64")
    assert record.image_id == ARM.blobs[-1].digest
    with pytest.raises(PlatformNotFound, match="linux/s390x") as caught:
        other.load(tmp_path / "multi.tar", platform="linux/s390x")
    assert caught.value.hint
    with pytest.raises(ImageNotFound, match="linux/s390x"):
        stocked.save(["multi:1"], tmp_path / "none.tar", platform="linux/s390x")
    assert not (tmp_path / "none.tar").exists()


def test_ids_and_digests_are_saved_without_taking_a_tag(stocked, other, tmp_path):
    image_id, by_digest = ONE.blobs[-1].digest, f"quay.io/org/two@{TWO.digest}"
    stocked.save([image_id, image_id[7:19], MULTI.digest[7:19]], tmp_path / "ids.tar")
    records = other.load(tmp_path / "ids.tar")
    assert {record.reference for record in records} >= {image_id}
    assert {image.repository for image in other.images(everything=True)} == {None}
    assert {image.image_id for image in other.images(everything=True)} == {
        made.blobs[-1].digest for made in (ONE, AMD, ARM)
    }
    other.load(build.write(tmp_path / "digest.tar", build.layout({by_digest: TWO})))
    assert by_digest in {image.reference for image in other.images()}
    other.save([by_digest], tmp_path / "digest.tar")
    third = open_engine(Settings(home=tmp_path / "third"))
    [record] = third.load(tmp_path / "digest.tar")
    assert record.reference == by_digest
    assert third.inspect(by_digest).image_id == TWO.blobs[-1].digest


def test_what_is_saved_by_digest_takes_no_tag_along(stocked, other, tmp_path):
    one, multi, arm = f"one@{ONE.digest}", f"multi@{MULTI.digest}", f"multi@{ARM.digest}"
    stocked.save([one, multi, arm], tmp_path / "digest.tar")
    assert [(r.reference, r.digest) for r in other.load(tmp_path / "digest.tar")] == [
        (one, ONE.digest),
        (multi, MULTI.digest),
        (arm, ARM.digest),
    ]
    assert names(other) == {one, multi, arm}
    assert {image.tag for image in other.images()} == {None}


def test_sha512_digests_travel(engine, other, tmp_path):
    layer = make_layer({"f": b"strong"})
    image = make_image([layer])
    strong = "sha512:" + hashlib.sha512(layer.content).hexdigest()
    document = image.document
    document["layers"][0]["digest"] = strong
    root = Blob.document(image.root.media_type, document)
    files = build.layout({"docker.io/library/strong:1": image})
    files[f"blobs/{strong.replace(':', '/')}"] = layer.content
    files[f"blobs/{root.digest.replace(':', '/')}"] = root.read()
    files["index.json"] = build.index_of(
        {**root.descriptor(), "annotations": {build.FULL_NAME: "docker.io/library/strong:1"}}
    )
    engine.load(build.write(tmp_path / "in.tar", files))
    engine.save(["strong:1"], tmp_path / "out.tar")
    other.load(tmp_path / "out.tar")
    assert same(engine, other)
    assert strong in other.store.blobs()


def test_a_name_that_moves_says_so_once_and_one_that_stays_says_nothing(stocked, tmp_path):
    def notes(files):
        steps = stocked.loading(build.write(tmp_path / "in.tar", build.layout(files)))
        return [step.text for step in steps if step.phase is Phase.NOTE]

    for name, made in NAMED.items():
        assert notes({name: made}) == []
    [said] = notes({"docker.io/library/one:1": TWO})
    assert (
        said
        == f"The image one:1 already exists, renaming the old one with ID {ONE.blobs[-1].digest[7:19]} to empty string"
    )
    assert len(notes({"docker.io/library/multi:1": TWO})) == 2
    assert stocked.inspect("one:latest").image_id == ONE.blobs[-1].digest


def test_what_is_no_image_is_passed_over_in_words(engine, tmp_path):
    strange = {"mediaType": "application/x-strange", "digest": ONE.digest, "size": 3}
    files = build.layout({"docker.io/library/one:1": ONE})
    files["index.json"] = build.index_of(strange, build.line(ONE, "docker.io/library/one:1"))
    steps = engine.loading(build.write(tmp_path / "in.tar", files))
    assert [step.text for step in steps if step.phase is Phase.NOTE] == [
        f"{ONE.digest[7:19]}: not loaded, it is application/x-strange"
    ]
    assert [image.reference for image in engine.images()] == ["one:1"]


def test_unknown_kinds_in_an_index_do_not_keep_its_images_away(engine, tmp_path):
    index = make_index([AMD])
    document = {
        **index.document,
        "manifests": [
            {"mediaType": "application/x-new", "digest": ONE.digest, "size": 9},
            *index.document["manifests"],
        ],
    }
    root = Blob.document(index.root.media_type, document)
    files = {**build.blobs_of(AMD), f"blobs/{root.digest.replace(':', '/')}": root.read(), "oci-layout": build.MARK}
    files["index.json"] = build.index_of(
        {**root.descriptor(), "annotations": {build.FULL_NAME: "docker.io/library/new:1"}}
    )
    [record] = engine.load(build.write(tmp_path / "in.tar", files))
    assert (record.digest, record.image_id) == (root.digest, AMD.blobs[-1].digest)


def test_unknown_kinds_in_an_index_are_kept_travel_with_it_and_go_with_it(engine, other, tmp_path):
    strange = Blob.of("application/x-new", b"what nobody knows")
    document = make_index([AMD, ARM]).document
    root = Blob.document(
        document["mediaType"], {**document, "manifests": [strange.descriptor(), *document["manifests"]]}
    )
    files = {**build.blobs_of(AMD), **build.blobs_of(ARM), "oci-layout": build.MARK}
    files |= {f"blobs/{blob.digest.replace(':', '/')}": blob.read() for blob in (root, strange)}
    files["index.json"] = build.index_of(
        {**root.descriptor(), "annotations": {build.FULL_NAME: "docker.io/library/new:1"}}
    )
    engine.load(build.write(tmp_path / "in.tar", files))
    assert [entry.descriptor.digest for entry in engine.store.entries()] == [root.digest], "it is held whole"
    assert {record.platform for record in engine.images()} == {"linux/amd64", "linux/arm64"}
    engine.store.collect()
    engine.save(["new:1"], tmp_path / "out.tar")
    other.load(tmp_path / "out.tar")
    assert same(engine, other)
    assert strange.digest in other.store.blobs()
    other.remove(["new:1"])
    assert other.store.blobs() == {}


def test_what_was_loaded_before_a_bad_image_is_named(engine, tmp_path):
    bad = make_image([make_layer({"x": b"x"})])
    files = build.layout({"docker.io/library/one:1": ONE, "docker.io/library/bad:1": bad})
    files[f"blobs/{bad.layers[0].digest.replace(':', '/')}"] = bytes(bad.layers[0].size)
    with pytest.raises(ContentError) as caught:
        engine.load(build.write(tmp_path / "in.tar", files))
    assert "loaded before it: one:1" in caught.value.hint
    assert [image.reference for image in engine.images()] == ["one:1"]
    assert set(engine.store.blobs()) == {blob.digest for blob in (*ONE.blobs, ONE.root)}


# ---- the terminal


def terminal(home, *words, **options):
    env = {**os.environ, "JUPYIMG_HOME": str(home)}
    return subprocess.Popen([sys.executable, "-m", "jupyimg", *words], env=env, stderr=subprocess.PIPE, **options)


def test_save_is_piped_into_load(stocked, other):
    here, there = stocked.settings.home, other.settings.home
    save = terminal(here, "save", *EVERYTHING, stdout=subprocess.PIPE)
    load = terminal(there, "load", stdin=save.stdout, stdout=subprocess.PIPE, text=True)
    save.stdout.close()
    said, _ = load.communicate(timeout=60)
    assert (save.wait(), load.wait()) == (0, 0)
    assert said.splitlines() == [f"Loaded image: {name}" for name in EVERYTHING]
    assert same(stocked, other)


@pytest.mark.parametrize("words", [("load", "-i", "/dev/stdin"), ("load", "-q", "-i", "/dev/stdin"), ("load", "-q")])
def test_load_reads_what_is_piped_in_under_any_name(stocked, other, tmp_path, words):
    stocked.save(["one:1"], tmp_path / "one.tar")
    for source in ("file", "pipe"):
        with (tmp_path / "one.tar").open("rb") as file:
            fed = {"input": file.read()} if source == "pipe" else {"stdin": file}
            load = [sys.executable, "-m", "jupyimg", *words]
            env = {**os.environ, "JUPYIMG_HOME": str(other.settings.home)}
            done = subprocess.run(load, env=env, capture_output=True, timeout=60, check=False, **fed)
        assert done.stdout == b"Loaded image: one:1\n", done.stderr


def test_a_reader_that_goes_away_ends_a_save_quietly(stocked):
    save = terminal(stocked.settings.home, "save", *EVERYTHING, stdout=subprocess.PIPE)
    save.stdout.read(10)
    save.stdout.close()
    assert save.wait(60) == 1
    assert not {b"Traceback", b"Exception"} & set(save.stderr.read().split())


def test_an_archive_is_what_image_spec_and_dockers_old_form_say(stocked, tmp_path):
    """Every blob once, in place; both lists; nothing else; no times, owners or modes of this machine."""
    stocked.save(EVERYTHING, tmp_path / "all.tar")
    with tarfile.open(tmp_path / "all.tar") as tar:
        infos = {info.name: info for info in tar.getmembers()}
        assert len(infos) == len(tar.getmembers())
        files = {name: tar.extractfile(info).read() for name, info in infos.items() if info.isfile()}
    assert all((info.mtime, info.uid, info.gid, info.uname) == (0, 0, 0, "") for info in infos.values())
    for name, content in files.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    assert {name for name in files if not name.startswith("blobs/")} == {"oci-layout", "index.json", "manifest.json"}
    for row in json.loads(files["manifest.json"]):
        assert {row["Config"], *row["Layers"]} <= files.keys()
    rows = {tuple(row["RepoTags"]) for row in json.loads(files["manifest.json"])}
    assert ("docker.io/library/one:1", "docker.io/library/one:latest") in rows
