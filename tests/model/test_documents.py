"""Manifests, indexes and configs: what is read, what is refused, and that bytes stay what they were."""

from __future__ import annotations

import contextlib
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.errors import BadDigest, BadManifest, Unsupported
from jupyimg.model.config import read_config, read_time
from jupyimg.model.digest import Digest
from jupyimg.model.documents import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    DOCKER_SCHEMA1_SIGNED,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Index,
    Manifest,
    read_manifest,
)

SHA = "sha256:" + "ab" * 32


def descriptor(media_type=OCI_LAYER, size=3, **more):
    return {"mediaType": media_type, "digest": SHA, "size": size, **more}


def image(**changes):
    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(OCI_CONFIG),
        "layers": [descriptor()],
        **changes,
    }


def raw(body):
    return json.dumps(body, indent=3).encode()


def test_a_manifest_keeps_its_bytes_and_its_digest_is_of_them():
    data = raw(image()) + b"\n\n"
    manifest = read_manifest(data)
    assert isinstance(manifest, Manifest)
    assert manifest.raw is data
    assert manifest.digest == "sha256:" + hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(("body", "announced", "kind", "media_type"), [
    (image(), "", Manifest, OCI_MANIFEST),
    (image(mediaType=DOCKER_MANIFEST), DOCKER_MANIFEST + "; charset=utf-8", Manifest, DOCKER_MANIFEST),
    ({k: v for k, v in image().items() if k != "mediaType"}, OCI_MANIFEST, Manifest, OCI_MANIFEST),
    ({k: v for k, v in image().items() if k != "mediaType"}, "application/json", Manifest, OCI_MANIFEST),
    ({"schemaVersion": 2, "manifests": []}, "", Index, OCI_INDEX),
    ({"schemaVersion": 2, "mediaType": DOCKER_INDEX, "manifests": [descriptor(DOCKER_MANIFEST)]}, "", Index, DOCKER_INDEX),
])  # fmt: skip
def test_the_kind_is_told_by_type_and_by_shape(body, announced, kind, media_type):
    document = read_manifest(raw(body), announced)
    assert isinstance(document, kind)
    assert document.media_type == media_type


@pytest.mark.parametrize("body", [
    {"schemaVersion": 1, "fsLayers": [], "history": []},
    {"schemaVersion": 1, "name": "x"},
])  # fmt: skip
def test_schema1_is_recognised_and_named(body):
    with pytest.raises(Unsupported, match="schema1"):
        read_manifest(raw(body))
    with pytest.raises(Unsupported, match="schema1"):
        read_manifest(b"{}", DOCKER_SCHEMA1_SIGNED)


@pytest.mark.parametrize(("body", "why"), [
    (image(manifests=[]), "at once"),
    ({"schemaVersion": 2}, "neither"),
    (image(mediaType=OCI_INDEX), "does not fit"),
    (image(layers=[descriptor(size=-1)]), "size"),
    (image(layers=[descriptor(size=1 << 64)]), "usable"),
    (image(layers=[{"mediaType": OCI_LAYER, "size": 1, "digest": "sha256:../../etc"}]), "digest"),
    (image(layers="no"), "usable"),
    (image(layers=[{"mediaType": OCI_LAYER, "size": 1, "digest": 5}]), "digest"),
    ([], "usable"),
])  # fmt: skip
def test_a_document_that_is_no_manifest_is_refused_in_one_sentence(body, why):
    with pytest.raises(BadManifest, match=why) as caught:
        read_manifest(raw(body))
    assert "\n" not in caught.value.message


def test_a_type_that_contradicts_the_announcement_is_refused():
    with pytest.raises(BadManifest, match="announced"):
        read_manifest(raw(image()), DOCKER_MANIFEST)


@pytest.mark.parametrize("data", [
    b'{"schemaVersion": 2, "layers": [], "layers": [], "config": {}}',
    b'{"config": {"mediaType": "x", "digest": "%s", "size": 1, "Digest": "%s"}, "layers": []}' % (SHA.encode(), SHA.encode()),
    b'{"config": {"mediaType": "x", "digest": "%s", "size": 1, "\\u0064igest": "%s"}, "layers": []}' % (SHA.encode(), SHA.encode()),
    '{"config": {"mediaType": "x", "digest": "%s", "size": 1, "\u017fize": 2}, "layers": []}'.replace("%s", SHA).encode(),
    b'{"config": {"mediaType": "x", "digest": "%s", "size": 1}, "Config": {}, "layers": []}' % SHA.encode(),
    b"[" * 200_000,
    b'{"a": ' * 100_000 + b"1" + b"}" * 100_000,
    b"\xff\xfe{}",
    b'{"annotations": {"x": "\xff"}, "config": 1}',
    b"",
    b"not json",
])  # fmt: skip
def test_bytes_that_two_parsers_could_read_differently_are_refused(data):
    with pytest.raises(BadManifest):
        read_manifest(data)


def test_labels_may_differ_in_case_only():
    config = read_config(
        raw({"config": {"Labels": {"Path": "a", "PATH": "b"}}, "architecture": "amd64", "os": "linux"})
    )
    assert config.labels == {"Path": "a", "PATH": "b"}


@given(st.binary(max_size=200))
def test_any_bytes_are_a_manifest_or_one_of_our_errors(data):
    for read in (read_manifest, read_config):
        with contextlib.suppress(BadManifest, Unsupported):
            read(data)


def test_an_artefact_is_named_by_its_type():
    helm = "application/vnd.cncf.helm.config.v1+json"
    manifest = read_manifest(raw(image(config=descriptor(helm))))
    assert (manifest.is_image, manifest.kind) == (False, helm)
    signature = read_manifest(raw(image(artifactType="application/vnd.example.sig", subject=descriptor(OCI_MANIFEST))))
    assert signature.kind == "application/vnd.example.sig"
    assert signature.subject.digest == SHA


def test_an_attestation_is_no_platform():
    attested = descriptor(OCI_MANIFEST, platform={"os": "unknown", "architecture": "unknown"})
    index = read_manifest(raw({"schemaVersion": 2, "manifests": [attested]}))
    assert index.platforms == ()
    assert len(index.children) == 1


def test_a_layer_that_stands_twice_counts_once_for_storage():
    manifest = read_manifest(raw(image(layers=[descriptor(size=5), descriptor(size=5)])))
    assert len(manifest.layers) == 2
    assert len(manifest.children) == 1  # config and layers share the digest in this document


@pytest.mark.parametrize(("text", "expected"), [
    ("2026-11-24T08:00:00Z", "2026-11-24T08:00:00+00:00"),
    ("2026-11-24T08:00:00.123456789Z", "2026-11-24T08:00:00.123456+00:00"),
    ("2026-11-24T08:00:00.5+02:00", "2026-11-24T06:00:00.500000+00:00"),
    ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00+00:00"),
])  # fmt: skip
def test_times_are_utc(text, expected):
    assert read_time(text).isoformat() == expected


@pytest.mark.parametrize(
    "text", [None, "", "0001-01-01T00:00:00Z", "yesterday", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59-23:59"]
)
def test_a_time_that_is_none_is_none(text):
    assert read_time(text) is None


def test_a_config_with_nothing_in_it_is_read():
    config = read_config(b"{}")
    assert (config.created, config.labels, config.diff_ids, config.history) == (None, {}, (), ())


def test_null_fields_of_a_config_are_as_if_absent():
    config = read_config(raw({"config": {"Labels": None}, "rootfs": None, "history": [None], "created": None}))
    assert config.labels == {}
    assert len(config.history) == 1


@pytest.mark.parametrize(
    "text", ["sha256:" + "AB" * 32, "sha256:ab", "md5:" + "a" * 32, "", "sha256:" + "g" * 64, "sha512:" + "a" * 64]
)
def test_a_digest_is_checked_before_it_exists(text):
    with pytest.raises(BadDigest):
        Digest(text)


def test_sha512_is_a_digest():
    digest = Digest.of(b"x", "sha512")
    assert digest.algorithm == "sha512"
    assert digest.encoded == hashlib.sha512(b"x").hexdigest()
