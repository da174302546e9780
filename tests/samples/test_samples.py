"""The teaching images are the same to the byte everywhere."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from jupyimg.errors import RemoteNotFound
from jupyimg.model.config import read_config
from jupyimg.model.content import drain, verified
from jupyimg.model.digest import Digest
from jupyimg.model.documents import Index, read_manifest
from jupyimg.model.reference import Reference
from jupyimg.samples import Samples
from jupyimg.transfer import copying, fetch_manifest, platforms
from tests.places.memory import MemoryPlace

DIGESTS = {
    "sample/base:1.0": "sha256:54e6850b4d2c54c16487dcc311f9140f496fbeac3a84896d097e27e28a86aa32",
    "sample/web:1.0": "sha256:8041dd94ccbe543fe44d55bb5485aa617f35495f185f88fb4d2284d6027a1418",
    "sample/web:1.1": "sha256:526fde801f4c5e1990f014065da2794da323f644dcf0411edb597d6f633aad1c",
    "sample/web:latest": "sha256:526fde801f4c5e1990f014065da2794da323f644dcf0411edb597d6f633aad1c",
    "sample/hello:latest": "sha256:a1581651d44ad88dd63ff1e6843879fd5aa79faca586bfb78df4a69f20e48fca",
    "sample/waste:latest": "sha256:42ffb0ceb3ec1ff67db4528c7a5568be0ff8ebcf3931602b56bee31bcd5987a4",
}


def images(name):
    samples = Samples()
    index = fetch_manifest(samples, samples.resolve(Reference.parse(name)))
    return {str(item.platform): fetch_manifest(samples, item) for item in platforms(samples, index)}


def test_digests_are_constants():
    samples = Samples()
    assert {ref.familiar: str(samples.resolve(ref).digest) for ref in samples.references()} == DIGESTS


@pytest.mark.parametrize("name", DIGESTS)
def test_every_sample_is_for_two_platforms_at_least(name):
    assert set(images(name)) >= {"linux/amd64", "linux/arm64"}


@pytest.mark.parametrize("name", DIGESTS)
def test_every_sample_is_whole_and_its_layers_are_what_the_config_says(name):
    samples, sink = Samples(), MemoryPlace()
    drain(copying(samples, sink, Reference.parse(name)))
    for manifest in images(name).values():
        config = read_config(b"".join(verified(manifest.config, samples.read(manifest.config))))
        tars = [gzip.decompress(sink.blobs[layer.digest]) for layer in manifest.layers]
        assert [Digest.of(tar) for tar in tars] == list(config.diff_ids)
        assert sum(not entry.empty_layer for entry in config.history) == len(tars)


def test_web_stands_on_base_and_its_releases_share_all_but_the_last_layer():
    base, old, new = (
        images(name)["linux/amd64"].layers for name in ("sample/base:1.0", "sample/web:1.0", "sample/web:1.1")
    )
    assert old[: len(base)] == base
    assert (old[:-1], old[-1] != new[-1]) == (new[:-1], True)


def test_waste_holds_a_deleted_file_twice():
    samples = Samples()
    layers = images("sample/waste:latest")["linux/amd64"].layers
    names = []
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(b"".join(samples.read(layer))))) as archive:
            names += archive.getnames()
    assert names.count("var/log/big.log") == 2
    assert "var/log/.wh.big.log" in names


def test_hello_has_an_attestation_that_is_no_platform():
    samples = Samples()
    root = samples.resolve(Reference.parse("sample/hello"))
    index = read_manifest(b"".join(samples.read(root)))
    assert isinstance(index, Index)
    assert (len(index.manifests), len(index.platforms)) == (4, 3)


def test_an_unknown_sample_is_refused_with_the_names_there_are():
    with pytest.raises(RemoteNotFound) as caught:
        Samples().resolve(Reference.parse("nginx"))
    assert "sample/web:1.0" in caught.value.hint
