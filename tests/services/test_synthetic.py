"""What is made in Python is what others take it for: skopeo, the registry and Docker judge it."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile

import pytest

from tests.services import synthetic


def test_docker_takes_a_synthetic_image(registry, docker):
    base = synthetic.make_layer({"marker": b"made here", "link": "marker"})
    made = synthetic.make_image([base], labels={"a": "b"}, media="docker")
    synthetic.push(registry, "made/app", "1", made)
    docker.run("pull", registry.reference("made/app:1"))
    said = json.loads(docker.run("image", "inspect", registry.reference("made/app:1")).stdout)[0]
    assert said["Id"] == made.document["config"]["digest"]
    assert said["Size"] == base.unpacked
    assert said["RootFS"]["Layers"] == [base.diff_id]
    assert len(docker.lines("history", "-q", registry.reference("made/app:1"))) == 2


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_skopeo_takes_every_compression(compression, skopeo, tmp_path):
    made = synthetic.make_image([synthetic.make_layer({"a": b"1"}, compression=compression)])
    layout = synthetic.write_layout(tmp_path / "layout", {"x:1": made})
    skopeo("copy", f"oci:{layout}:x:1", f"dir:{tmp_path}/dir")
    assert skopeo.inspect(f"oci:{layout}:x:1")["Digest"] == made.digest


def test_an_index_with_all_that_indexes_hold_goes_through_a_registry(registry, skopeo, tmp_path):
    arm, amd = synthetic.make_image(platform="linux/arm/v7"), synthetic.make_image(media="docker")
    inner = synthetic.make_index([synthetic.make_image(platform="linux/s390x")])
    note = synthetic.make_artifact("application/x-note", subject=amd)
    made = synthetic.make_index([amd, arm, inner, note], attestations=True)
    assert synthetic.push(registry, "a/b", "1", made) == made.digest
    entries = registry.manifest("a/b", "1").json()["manifests"]
    assert [entry.get("platform", {}).get("architecture") for entry in entries] == [
        "amd64", "arm", None, None, "unknown", "unknown",
    ]  # fmt: skip
    assert entries[4]["annotations"]["vnd.docker.reference.digest"] == amd.digest
    two = synthetic.make_index([amd, arm], media="docker", attestations=False)
    synthetic.push(registry, "a/b", "two", two)
    skopeo("copy", "--all", f"docker://{registry.reference('a/b:two')}", f"dir:{tmp_path}/dir")
    assert hashlib.sha256((tmp_path / "dir" / "manifest.json").read_bytes()).hexdigest() == two.digest[7:]


def test_many_layers_are_different(registry):
    layers = synthetic.make_layers(200)
    assert len({layer.digest for layer in layers}) == 200
    synthetic.push(registry, "many/layers", "1", synthetic.make_image(layers))
    assert len(registry.manifest("many/layers", "1").json()["layers"]) == 200


def test_a_large_layer_is_a_true_archive_and_is_kept(registry):
    size = 3_000_001
    layer = synthetic.large_layer(size)
    packed = layer.content.read_bytes()
    assert "sha256:" + hashlib.sha256(packed).hexdigest() == layer.digest
    assert len(packed) == layer.size >= size
    assert "sha256:" + hashlib.sha256(gzip.decompress(packed)).hexdigest() == layer.diff_id
    with tarfile.open(layer.content) as tar:
        assert [(member.name, member.size) for member in tar] == [("data", size)]
    made = layer.content.stat().st_mtime_ns
    assert synthetic.large_layer(size).content.stat().st_mtime_ns == made
    synthetic.push(registry, "large/layer", "1", synthetic.make_image([layer]))


def test_schema1_is_a_document_that_the_registry_refuses(registry):
    made = synthetic.make_schema1()
    headers = {"Content-Type": made.root.media_type}
    answer = registry.request("PUT", "/v2/old/app/manifests/latest", made.root.read(), headers)
    assert answer.status == 400
