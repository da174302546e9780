"""Archives that lie: each is refused in one sentence with a hint, the store stays as it was, time and memory are bounded."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import random
import re
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from jupyimg.errors import ContentError, ImageError
from jupyimg.model.content import Phase
from jupyimg.store import unpacked
from jupyimg.store.archives import outer
from tests.archives import build
from tests.archives.build import Odd, as_json, blobs_of, docker_save, header, index_of, layout, line, pack, pax, sha256
from tests.services.synthetic import Blob, Layer, make_image, make_index, make_layer

APP = make_image([make_layer({"app": b"an app " * 500})])
LAYER, CONFIG = (f"blobs/{APP.blobs[number].digest.replace(':', '/')}" for number in (0, -1))
ROOT = f"blobs/{APP.root.digest.replace(':', '/')}"
GOOD = layout({"docker.io/library/app:1": APP})
SAVED = docker_save(APP)
SAVED_CONFIG, SAVED_LAYER = next(iter(SAVED)), "0/layer.tar"
PLAIN = make_image([make_layer({"app": b"plain"}, compression="none")])


def changed(files, **less):
    """The files with some replaced or (None) taken away."""
    names = {"LAYER": LAYER, "CONFIG": CONFIG, "ROOT": ROOT, "INDEX": "index.json", "MARK": "oci-layout"}
    names |= {"LIST": "manifest.json", "SAVED_LAYER": SAVED_LAYER, "SAVED_CONFIG": SAVED_CONFIG}
    new = {names[key]: value for key, value in less.items()}
    return {name: content for name, content in {**files, **new}.items() if content is not None}


def row(**fields):
    return changed(SAVED, LIST=as_json([{**json.loads(SAVED["manifest.json"])[0], **fields}]))


def listing(*lines):
    return changed(GOOD, INDEX=index_of(*lines))


def bad_diff_id():
    wrong = make_image([replace(APP.layers[0], diff_id="sha256:" + "0" * 64)])
    return layout({"docker.io/library/app:1": wrong})


def miscounted():
    made = make_image([*APP.layers, make_layer({"b": b"b"})])
    document = {**made.document, "layers": made.document["layers"][:1]}
    return layout({"app:1": replace(made, root=Blob.document(made.root.media_type, document))})


def lying_size(size):
    document = APP.document
    document["layers"][0]["size"] = size
    made = replace(APP, root=Blob.document(APP.root.media_type, document))
    return layout({"app:1": made})


def no_layer():
    made = make_image(
        [Layer(gzip.compress(b"not a tar" * 100, mtime=0), "", 0, "sha256:" + sha256(b"not a tar" * 100), 0)]
    )
    made_layer = made.layers[0]
    content = made_layer.content
    layer = replace(made_layer, digest="sha256:" + sha256(content), size=len(content))
    return layout({"app:1": make_image([layer])})


def nested(depth, width=1):
    """Indexes in indexes; each level lists all of the next one."""
    level, below = [APP], []
    for number in range(depth):
        above = [make_index(level, annotations={"n": f"{number}.{n}"}) for n in range(width)]
        below += level
        level = [replace(made, blobs=(), manifests=()) for made in above]
    return {**layout({"app:1": level[0]}), **blobs_of(*below, *level)}


def disguised(text):
    return changed(GOOD, INDEX=GOOD["index.json"].replace(b'"manifests"', text, 1))


PAX = "PaxHeaders/x"
CASES = {
    "a path that leads out as a config": (row(Config="../../../etc/passwd"), "leads out"),
    "an absolute path as a layer": (row(Layers=["/etc/passwd"]), "leads out"),
    "a path with a null byte": (row(Config="a\0b"), "leads out"),
    "a lone surrogate as a path": (changed(SAVED, LIST=b'[{"Config":"\\ud800","Layers":[]}]'), ""),
    "the root as a layer": (row(Layers=["."]), "leads out"),
    "a folder as a layer": ({**row(Layers=["folder"]), "folder/": Odd(tarfile.DIRTYPE)}, "missing"),
    "a symbolic link to the host": (changed(SAVED, SAVED_LAYER=Odd(tarfile.SYMTYPE, "/etc/passwd")), "leads out"),
    "a symbolic link upwards": (changed(SAVED, SAVED_LAYER=Odd(tarfile.SYMTYPE, "../../etc/passwd")), "leads out"),
    "a hard link upwards": (changed(SAVED, SAVED_LAYER=Odd(tarfile.LNKTYPE, "../etc/passwd")), "leads out"),
    "a symbolic link to itself": (changed(SAVED, SAVED_LAYER=Odd(tarfile.SYMTYPE, "layer.tar")), "circle"),
    "two links in a circle": (
        changed(SAVED, SAVED_LAYER=Odd(tarfile.SYMTYPE, "../x")) | {"x": Odd(tarfile.LNKTYPE, SAVED_LAYER)},
        "circle",
    ),
    "a link to nothing": (changed(SAVED, SAVED_LAYER=Odd(tarfile.SYMTYPE, "nothing")), "missing"),
    "a device in place of a layer": (changed(SAVED, SAVED_LAYER=Odd(tarfile.CHRTYPE)), "no plain file"),
    "a block device in place of a blob": (changed(GOOD, LAYER=Odd(tarfile.BLKTYPE)), "no plain file"),
    "a pipe in place of manifest.json": (changed(SAVED, LIST=Odd(tarfile.FIFOTYPE)), "no plain file"),
    "a pipe in place of index.json": (changed(GOOD, INDEX=Odd(tarfile.FIFOTYPE)), "no plain file"),
    "manifest.json twice": ([*SAVED.items(), ("manifest.json", b"[]")], "twice"),
    "a blob twice, spelled differently": ([*GOOD.items(), (f"./x/../{LAYER}", b"other")], "twice"),
    "a layer that is missing": (changed(GOOD, LAYER=None), "missing"),
    "a config that is missing": (changed(GOOD, CONFIG=None), "missing"),
    "a manifest that is missing": (changed(GOOD, ROOT=None), "missing"),
    "a layer of docker save that is missing": (changed(SAVED, SAVED_LAYER=None), "missing"),
    "a config of docker save that is missing": (changed(SAVED, SAVED_CONFIG=None), "missing"),
    "a layer of another digest": (changed(GOOD, LAYER=b"?" + GOOD[LAYER][1:]), "digest"),
    "a config of another digest": (changed(GOOD, CONFIG=GOOD[CONFIG].replace(b"amd64", b"arm64")), "digest"),
    "a manifest of another digest": (changed(GOOD, ROOT=GOOD[ROOT].replace(b"2", b"3", 1)), "digest"),
    "a config that is not what its name says": (
        changed(SAVED, SAVED_CONFIG=SAVED[SAVED_CONFIG].replace(b"amd64", b"arm64")),
        "digest",
    ),
    "a layer that unpacks to something else": (bad_diff_id(), "diff ID"),
    "a layer of docker save that is something else": (
        docker_save(replace(PLAIN, blobs=(Blob.of("", b"\0" * 10240), *PLAIN.blobs[1:]))),
        "digest",
    ),
    "a layer that is no tar": (no_layer(), "not a valid tar"),
    "a layer in a compression of its own": (changed(SAVED, SAVED_LAYER=bz2.compress(b"layer")), "compression"),
    "a layer cut off": (changed(GOOD, LAYER=GOOD[LAYER][:-9]), "bytes"),
    "a layer with more behind it": (changed(GOOD, LAYER=GOOD[LAYER] + b"more"), "bytes"),
    "fewer layers than diff IDs": (miscounted(), "layers"),
    "more layers than diff IDs": (row(Layers=[SAVED_LAYER, SAVED_LAYER]), "layers"),
    "a descriptor that promises too little": (lying_size(10), "bytes"),
    "a descriptor that promises too much": (lying_size(10**12), "bytes"),
    "a descriptor with a negative size": (lying_size(-1), ""),
    "a descriptor of more than 63 bits": (lying_size(1 << 64), ""),
    "a root that is said to be 1 TB": (listing({**line(APP, "app:1"), "size": 10**12}), "bytes"),
    "a root of another kind": (listing({**line(APP, "app:1"), "mediaType": "application/vnd.oci.image.index.v1+json"}), ""),
    "a root in schema 1": (
        listing({**line(APP, "app:1"), "mediaType": "application/vnd.docker.distribution.manifest.v1+json"}),
        "no image",
    ),
    "only unknown media types": (listing({**line(APP, "app:1"), "mediaType": "application/x-unknown"}), "no image"),
    "no images at all": (listing(), "no image"),
    "a digest that is a path": (listing({**line(APP, "app:1"), "digest": "sha256:../../../etc/passwd"}), ""),
    "a digest in capitals": (listing({**line(APP, "app:1"), "digest": APP.digest.upper()}), ""),
    "index.json that is no JSON": (changed(GOOD, INDEX=b"<html>"), "index.json"),
    "index.json that is a list": (changed(GOOD, INDEX=b"[]"), "index.json"),
    "index.json in UTF-16": (changed(GOOD, INDEX=GOOD["index.json"].decode().encode("utf-16")), "index.json"),
    "index.json nested without end": (changed(GOOD, INDEX=b'{"manifests":' + b"[" * 200_000), "index.json"),
    "index.json with manifests twice": (disguised(b'"manifests":[],"manifests"'), "index.json"),
    "index.json with manifests in capitals too": (disguised(b'"Manifests":[],"manifests"'), "index.json"),
    "another version of the layout": (changed(GOOD, MARK=b'{"imageLayoutVersion":"2.0.0"}'), "2.0.0"),
    "a version that is a list": (changed(GOOD, MARK=b'{"imageLayoutVersion":[]}'), "version"),
    "indexes without end": (nested(7), "without end"),
    "a name that is none": (row(RepoTags=["UPPER:::CASE"]), "name"),
    "a name that holds another digest": (row(RepoTags=["app@sha256:" + "0" * 64]), "lists"),
    "a name that is a number": (row(RepoTags=[1]), "manifest.json"),
    "manifest.json of nulls": (changed(SAVED, LIST=b"[null]"), "manifest.json"),
    "manifest.json without images": (changed(SAVED, LIST=b"[]"), "no image"),
    "manifest.json that is empty": (changed(SAVED, LIST=b""), "manifest"),
    "a config that is no JSON": (docker_save(replace(APP, blobs=(*APP.blobs[:-1], Blob.of("", b"\x7fELF")))), "config"),
    "what docker export wrote": ({"bin/sh": b"#!", "etc/passwd": b"root"}, "neither"),
    "what docker save wrote before 2016": ({"repositories": b"{}"}, "2016"),
    "no entries": ({}, "no images"),
}  # fmt: skip


WHOLE = pack(GOOD)
FILES = {
    "an empty file": (b"", "empty"),
    "one byte": (b"x", "no archive"),
    "no tar": (b"This is no archive at all. " * 400, "no archive"),
    "a web page": (b"<!DOCTYPE html><title>404</title>" * 30, "no archive"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(2000), "no archive"),
    "only zeros": (bytes(10240), "no images"),
    "half an end mark": (WHOLE[:-1024] + bytes(512) + b"\1" * 512, "end mark"),
    "a wrong checksum": (WHOLE.replace(b"index.json", b"index.jsom", 1), "checksum"),
    "manifest.json of 1 GB, by its header": (header(b"manifest.json", size=b"%011o" % (1 << 30)), "cut off"),
    "a negative size in binary": (header(size=b"\xff" * 12) + bytes(1024), "negative"),
    "a negative size in octal": (header(size=b"-0000001000") + bytes(4096), "size"),
    "a size with a sign": (header(size=b"+0000001000") + bytes(4096), "size"),
    "a size that is no number": (header(size=b"1_000") + bytes(4096), "size"),
    "a size of 2 to the 90": (header(size=b"\x80" + b"\x7f" * 11) + bytes(1024), "cut off"),
    "a PAX size that is no number": (pax(size=b"-5") + header() + bytes(1024), "size"),
    "a PAX size of 10 to the 18": (pax(size=b"9" * 18) + header() + bytes(1024), "cut off"),
    "a PAX header of 1 GB": (header(kind=b"x", size=b"%011o" % (1 << 30)) + bytes(1024), "1073741824 bytes"),
    "a long name of 1 GB": (header(kind=b"L", size=b"%011o" % (1 << 30)) + bytes(1024), "1073741824 bytes"),
    "a PAX record that lies of its length": (header(kind=b"x", size=b"00000000012") + b"99 path=x\n" + bytes(502), "PAX"),
    "a sparse file in place of index.json": (
        pack(changed(GOOD, INDEX=None), ended=False)
        + pax(GNU_sparse_major=b"1", GNU_sparse_minor=b"0", GNU_sparse_name=b"index.json", GNU_sparse_realsize=b"9" * 12)
        + header(size=b"00000000002") + b"{}" + bytes(510) + bytes(1024),
        "no plain file",
    ),
    "a damaged gzip": (gzip.compress(WHOLE)[:-200], "cannot be unpacked"),
    "a gzip with a wrong checksum": (gzip.compress(WHOLE)[:-8] + bytes(8), "cannot be unpacked"),
    "a damaged bzip2": (bz2.compress(WHOLE)[:-20], "cannot be unpacked"),
    "a damaged xz": (lzma.compress(WHOLE)[:-20], "cannot be unpacked"),
    "a damaged zstd": (outer.zstd.compress(WHOLE)[:-20], "cannot be unpacked"),
    "a gzip of nothing": (gzip.compress(b""), "no images"),
    "a gzip of a gzip": (gzip.compress(gzip.compress(WHOLE)), "no archive"),
}  # fmt: skip


@pytest.fixture
def held(engine, tmp_path):
    """The store's folder, with an image in it that is to stay."""
    there = build.write(tmp_path / "there.tar", layout({"docker.io/library/there:1": make_image()}))
    engine.load(there)
    return engine.settings.store


def fingerprint(store: Path) -> dict[str, str]:
    """All of a store; what is derived and the locks aside."""
    files = [path for path in store.rglob("*") if path.is_file() and path.name not in {"unpacked.jsonl", "lock"}]
    return {str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def refused(engine, source, held, words="", seconds=60.0) -> ImageError:
    """Load it, and fail unless it is refused as it should be."""
    before, began = fingerprint(held), time.monotonic()
    with pytest.raises(ImageError, match=re.compile(words, re.IGNORECASE)) as caught:
        engine.load(source)
    error = caught.value
    assert time.monotonic() - began < seconds
    assert fingerprint(held) == before
    assert error.hint, error.message
    assert "\n" not in error.message + error.hint
    assert len(error.message) < 700
    assert not re.search(r"registry|connection|pull", error.hint), error.hint
    assert not re.search(r"Errno|object at|Error\b", error.message), error.message
    return error


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_archive_is_refused(case, engine, held, tmp_path):
    files, words = CASES[case]
    refused(engine, build.write(tmp_path / "hostile.tar", files), held, words)


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_no_archive_is_refused(case, engine, held, tmp_path):
    content, words = FILES[case]
    path = tmp_path / "hostile.tar"
    path.write_bytes(content)
    refused(engine, path, held, words)


def in_folder(change):
    def make(folder):
        build.spread(folder, {**GOOD, **change.get("files", {})})
        for name, target in change.get("links", {}).items():
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(target)
        for name in change.get("pipes", ()):
            (folder / name).unlink()
            os.mkfifo(folder / name)
        return folder

    return make


FOLDERS = {
    "a blob that is a link to the host": ({"links": {LAYER: "/etc/passwd"}}, "leads out"),
    "a blob that is a link to a folder outside": ({"links": {LAYER: "../../../.."}}, "leads out"),
    "a list that is a link to the host": ({"links": {"index.json": "/etc/passwd"}}, "leads out"),
    "a link in a circle": ({"links": {LAYER: LAYER.rpartition("/")[2]}}, "no plain file|leads out"),
    "a pipe in place of a blob": ({"pipes": [LAYER]}, "no plain file"),
    "a pipe in place of index.json": ({"pipes": ["index.json"]}, "no plain file"),
    "a device in place of a blob": ({"links": {LAYER: "/dev/zero"}}, "leads out"),
    "a folder in place of a blob": ({"links": {LAYER: "../../blobs"}}, "no plain file"),
    "a layer of another digest": ({"files": {LAYER: b"?" + GOOD[LAYER][1:]}}, "digest"),
    "a layer cut off": ({"files": {LAYER: GOOD[LAYER][:-9]}}, "bytes"),
    "index.json that is no JSON": ({"files": {"index.json": b"?"}}, "index.json"),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_a_hostile_folder_is_refused(case, engine, held, tmp_path):
    change, words = FOLDERS[case]
    refused(engine, in_folder(change)(tmp_path / "layout"), held, words)


def test_a_folder_of_docker_save_may_hold_strange_names_too(engine, held, tmp_path):
    for number, name in enumerate(("../../etc/passwd", "/etc/passwd", "x" * 5000, "..", "a\0b", "\udce4")):
        folder = build.spread(tmp_path / str(number), row(Config=name))
        refused(engine, folder, held)


def test_an_empty_folder_and_a_place_that_is_none(engine, held, tmp_path):
    (tmp_path / "empty").mkdir()
    refused(engine, tmp_path / "empty", held, "no images")
    for name in ("none", "none/none", "x" * 300, "a\0b", "here/store/index.json/x"):
        refused(engine, tmp_path / name, held, "")
    refused(engine, tmp_path / "none", held, "there is no file")
    refused(engine, Path("/dev/zero"), held, "no file")


def test_a_file_that_shrinks_while_it_is_read(engine, held, tmp_path):
    """It is cut between the look at its headers and the reading of its layer."""
    big = make_image([make_layer({"big": random.Random(1).randbytes(3 << 20)}, compression="none")])
    files = layout({"app:1": big})
    path = build.write(tmp_path / "shrinks.tar", files)
    steps = engine.loading(path)
    before = fingerprint(held)
    with pytest.raises(ContentError, match="shorter") as caught:
        for step in steps:
            if step.phase is Phase.WAITING:
                os.truncate(path, 100_000)
    assert caught.value.hint
    assert fingerprint(held) == before


@pytest.mark.parametrize("make", [lambda: GOOD, lambda: SAVED], ids=["layout", "docker save"])
def test_what_is_cut_off_anywhere_is_refused(engine, held, tmp_path, make):
    """Short of the end of the last file's bytes; what is behind them says nothing."""
    whole = pack(make(), ended=False).rstrip(b"\0")
    path = tmp_path / "cut.tar"
    points = {*range(512, len(whole), 512), *range(100, len(whole), 997), len(whole) - 1}
    for point in sorted(points):
        path.write_bytes(whole[:point])
        refused(engine, path, held)
        with io.BytesIO(whole[:point]) as stream:
            refused(engine, stream, held)


def test_the_same_archives_whole_are_loaded(engine, tmp_path):
    for files in (GOOD, SAVED, docker_save(PLAIN), nested(3), nested(4)):
        [record] = engine.load(build.write(tmp_path / "good.tar", files))
        assert record.reference == "app:1"


@pytest.mark.parametrize(
    "make", [lambda file: gzip.compress(file, mtime=0), outer.zstd.compress, bz2.compress, lzma.compress]
)
def test_an_outer_bomb_ends(engine, held, tmp_path, monkeypatch, make):
    monkeypatch.setattr(outer, "_ROOM", 8 << 20)
    path = tmp_path / "bomb.tar"
    path.write_bytes(make(bytes(40 << 20)))
    refused(engine, path, held, "far more")


def test_a_layer_that_is_a_bomb_ends(engine, held, tmp_path, monkeypatch):
    monkeypatch.setattr(unpacked, "_ROOM", 8 << 20)
    layer = make_layer({"zeros": bytes(40 << 20)})
    refused(engine, build.write(tmp_path / "bomb.tar", layout({"app:1": make_image([layer])})), held, "far more")


def test_indexes_that_double_at_each_level_take_no_longer(engine, tmp_path):
    """Sixty at each of four levels are 13 million paths to one image."""
    began = time.monotonic()
    [record] = engine.load(build.write(tmp_path / "wide.tar", nested(4, width=60)))
    assert len(engine.images()) == 1
    assert engine.inspect(record.reference).image_id == APP.blobs[-1].digest
    assert time.monotonic() - began < 60
