"""Manifests are kept to the letter, named, found by tag and digest, and deleted without breaking anything else."""

from __future__ import annotations

import json

import pytest

from jupyimg.model.reference import Reference
from tests.server.client import CONFIG, EMPTY, INDEX, LAYER, MANIFEST, descriptor, digest_of, image, index

LIMIT = 4 << 20


def assert_served(client, path, digest, raw, media_type=MANIFEST):
    got, head = client("GET", path), client("HEAD", path)
    assert (got.status, got.body, head.status, head.body) == (200, raw, 200, b"")
    for reply in (got, head):
        assert reply.headers["Content-Type"] == media_type
        assert reply.headers["Content-Length"] == str(len(raw))
        assert reply.headers["Docker-Content-Digest"] == digest


def push_index(client, name, word="", **fields):
    children = [
        (*client.push_image(name, architecture=architecture), architecture) for architecture in ("amd64", "arm64")
    ]
    document = index(
        *(
            descriptor(MANIFEST, raw, platform={"os": "linux", "architecture": architecture})
            for _, raw, architecture in children
        ),
        **fields,
    )
    raw = json.dumps(document).encode()
    reply = client.put(name, word or digest_of(raw), raw)
    assert reply.status == 201, reply.body
    return digest_of(raw), raw, [digest for digest, _, _ in children]


@pytest.mark.parametrize("word", ["1", "latest", "A_b.c-9", "x" * 128])
def test_a_manifest_is_pushed_by_tag(client, store, word):
    config, layers, document = image()
    for data in (config, *layers):
        client.push_blob("lab/app", data)
    raw = json.dumps(document, indent=3).encode() + b"\n"  # bytes that nobody would write by himself
    reply = client.put("lab/app", word, raw)
    assert (reply.status, reply.location) == (201, f"/v2/lab/app/manifests/{digest_of(raw)}")
    assert reply.headers["Docker-Content-Digest"] == digest_of(raw)
    assert_served(client, f"/v2/lab/app/manifests/{word}", digest_of(raw), raw)
    assert_served(client, reply.location, digest_of(raw), raw)
    assert store.resolve(Reference.parse(f"docker.io/lab/app:{word}")).digest == digest_of(raw)


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_manifest_is_pushed_by_digest(client, store, algorithm):
    config, layers, document = image(algorithm=algorithm)
    for data in (config, *layers):
        client.push_blob("lab/app", data, algorithm)
    raw = json.dumps(document).encode()
    digest = digest_of(raw, algorithm)
    assert client.put("lab/app", digest, raw).status == 201
    assert_served(client, f"/v2/lab/app/manifests/{digest}", digest, raw)
    assert store.entries() == (), "it has no name"
    assert store.collect() == [], "and stays nevertheless"
    assert client("DELETE", f"/v2/lab/app/manifests/{digest}").status == 202
    assert client("GET", f"/v2/lab/app/manifests/{digest}").status == 404
    store.collect()
    assert store.blobs() == {}


def test_a_manifest_is_pushed_by_digest_with_many_tags(client):
    config, layers, document = image(algorithm="sha512")
    for data in (config, *layers):
        client.push_blob("lab/app", data, "sha512")
    raw = json.dumps(document).encode()
    digest, tags = digest_of(raw, "sha512"), [f"1.{number}" for number in range(12)]
    reply = client.put("lab/app", digest + "?" + "&".join(f"tag={tag}" for tag in [*tags, "1.0"]), raw)
    assert (reply.status, reply.headers.get_all("OCI-Tag")) == (201, tags)
    for tag in tags:
        assert_served(client, f"/v2/lab/app/manifests/{tag}", digest, raw)
    too_many = client.put("lab/app", digest + "?" + "&".join(f"tag={number}" for number in range(101)), raw)
    assert too_many.status == 414


def test_an_index_and_its_images(client, store):
    digest, raw, children = push_index(client, "lab/app", "1")
    assert_served(client, "/v2/lab/app/manifests/1", digest, raw, INDEX)
    for child in children:
        assert client("GET", f"/v2/lab/app/manifests/{child}").status == 200
    assert [entry.descriptor.digest for entry in store.entries()] == [digest]
    assert store.pins() == {}, "the name holds it all"


def test_what_an_index_lists_besides_manifests_is_a_blob_that_goes_with_it(client, store):
    _, raw, children = push_index(client, "lab/app")
    strange = b'{"not": "a manifest"}'
    document = json.loads(raw)
    document["manifests"].append(descriptor("application/vnd.example+json", strange))
    assert client.put("lab/app", "odd", document).codes == ["MANIFEST_BLOB_UNKNOWN"]
    client.push_blob("lab/app", strange)
    assert client.put("lab/app", "odd", document).status == 201
    store.collect()
    assert client("GET", f"/v2/lab/app/blobs/{digest_of(strange)}").body == strange
    assert client("GET", f"/v2/lab/app/manifests/{digest_of(strange)}").codes == ["MANIFEST_UNKNOWN"]
    assert client("DELETE", f"/v2/lab/app/blobs/{digest_of(strange)}").codes == ["DENIED"]
    digest = client("HEAD", "/v2/lab/app/manifests/odd").headers["Docker-Content-Digest"]
    assert client("DELETE", f"/v2/lab/app/manifests/{digest}").status == 202
    store.collect()
    assert client("GET", f"/v2/lab/app/blobs/{digest_of(strange)}").status == 404
    for child in children:
        assert client("GET", f"/v2/lab/app/manifests/{child}").status == 200


def test_an_index_of_indexes_and_an_empty_one(client):
    inner = [push_index(client, "lab/app", annotations={"n": str(number)}) for number in range(2)]
    raw = json.dumps(index(*(descriptor(INDEX, raw) for _, raw, _ in inner))).encode()
    assert client.put("lab/app", "nested", raw).status == 201
    assert_served(client, "/v2/lab/app/manifests/nested", digest_of(raw), raw, INDEX)
    for digest, body, _ in inner:
        assert_served(client, f"/v2/lab/app/manifests/{digest}", digest, body, INDEX)
    empty = json.dumps(index()).encode()
    assert client.put("lab/app", "empty", empty).status == 201
    assert_served(client, "/v2/lab/app/manifests/empty", digest_of(empty), empty, INDEX)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"layers": ()}, id="no layers"),
        pytest.param({"config": b"{}", "config_type": EMPTY, "artifactType": "application/x.y"}, id="artefact"),
        pytest.param(
            {"config": b"{}", "config_type": EMPTY, "layers": (b"{}",), "layer_type": EMPTY, "artifactType": "a/b"},
            id="artefact without content",
        ),
        pytest.param(
            {"config_type": "application/vnd.cncf.helm.config.v1+json", "layer_type": "x/y"}, id="other types"
        ),
        pytest.param({"org.example.custom": {"kept": [1, 2.50, None]}, "Path": 1, "PATH": 2}, id="custom fields"),
        pytest.param({"annotations": {"a": "ü\n<b>", "": ""}}, id="annotations"),
        pytest.param({"layers": (b"", b"")}, id="one empty layer twice"),
    ],
)
def test_what_is_in_a_manifest_is_its_own_affair(client, more):
    digest, raw = client.push_image("lab/app", "1", **more)
    assert_served(client, "/v2/lab/app/manifests/1", digest, raw)


def test_docker_s_own_types_are_taken(client):
    docker = "application/vnd.docker.distribution.manifest.v2+json"
    more = {"mediaType": docker, "config_type": "application/vnd.docker.container.image.v1+json"}
    digest, raw = client.push_image("lab/app", "1", **more)
    assert_served(client, "/v2/lab/app/manifests/1", digest, raw, docker)


def test_an_item_may_carry_its_data(client):
    config, layers, document = image(layers=(b"small",))
    document["layers"][0]["data"] = "c21hbGw="
    for data in (config, *layers):
        client.push_blob("lab/app", data)
    raw = json.dumps(document).encode()
    assert client.put("lab/app", "1", raw).status == 201
    assert_served(client, "/v2/lab/app/manifests/1", digest_of(raw), raw)


def test_a_layer_that_only_its_vendor_gives_out_need_not_be_here(client):
    config, _, document = image(layers=())
    client.push_blob("lab/app", config)
    foreign = descriptor(
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", b"x", urls=["https://a.test/x"]
    )
    document["layers"] = [foreign]
    assert client.put("lab/app", "1", document).status == 201


def test_a_manifest_may_be_as_large_as_the_specification_says_and_no_larger(client):
    config, layers, document = image()
    for data in (config, *layers):
        client.push_blob("lab/app", data)
    size = len(json.dumps(document | {"annotations": {"a": ""}}))
    raw = json.dumps(document | {"annotations": {"a": "A" * (LIMIT - size)}}).encode()
    assert len(raw) == LIMIT
    assert client.put("lab/app", "1", raw).status == 201
    assert_served(client, "/v2/lab/app/manifests/1", digest_of(raw), raw)
    for body in (raw + b" ", iter([raw, b" "])):
        reply = client("PUT", "/v2/lab/app/manifests/2", body, content_type=MANIFEST)
        assert (reply.status, reply.codes) == (413, ["SIZE_INVALID"])
    assert client("HEAD", "/v2/lab/app/manifests/2").status == 404


@pytest.mark.parametrize("lacks", ["config", "layer", "size", "child"])
def test_a_manifest_whose_content_is_not_here_is_refused(client, store, lacks):
    config, layers, document = image()
    for data in [*([] if lacks == "config" else [config]), *(layers[:1] if lacks == "layer" else layers)]:
        client.push_blob("lab/app", data)
    absent = digest_of({"config": config, "layer": layers[1], "size": layers[0], "child": b"nowhere"}[lacks])
    if lacks == "size":
        document["layers"][0]["size"] += 1
    if lacks == "child":
        document = index(descriptor(MANIFEST, b"nowhere"))
    for word in ("1", digest_of(json.dumps(document).encode())):
        reply = client.put("lab/app", word, document)
        assert (reply.status, reply.codes) == (400, ["MANIFEST_BLOB_UNKNOWN"])
        assert reply.json()["errors"][0]["detail"] == [absent]
    assert client("HEAD", "/v2/lab/app/manifests/1").status == 404
    assert store.entries() == ()


@pytest.mark.parametrize(
    ("raw", "media_type"),
    [
        (b"", MANIFEST),
        (b"{", MANIFEST),
        (b"[]", MANIFEST),
        (b"\xff\xfe", MANIFEST),
        (b"[" * 100_000, MANIFEST),
        (b'{"schemaVersion":2}', MANIFEST),
        (b'{"schemaVersion":2,"manifests":[],"layers":[]}', MANIFEST),
        (b'{"schemaVersion":1,"fsLayers":[],"history":[]}', "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        (json.dumps(index()).encode(), MANIFEST),
        (json.dumps(index()).encode(), "text/html"),
        (b'{"schemaVersion":2,"manifests":[]}', "application/vnd.docker.distribution.manifest.list.v2+json"),
        (b'{"schemaVersion":2,"manifests":[],"manifests":[]}', INDEX),
        (b'{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"md5:0","size":1}]}', INDEX),
        (json.dumps(index(*[descriptor(LAYER, b"")] * 2 + [descriptor(LAYER, str(n).encode()) for n in range(10_001)])).encode(), INDEX),
    ],
    ids=[
        "empty", "no json", "a list", "no text", "endless", "neither", "both", "schema1", "type contradicted",
        "no type of ours", "docker without saying so", "a key twice", "a digest that is none", "too many items",
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_refused(client, raw, media_type):
    reply = client.put("lab/app", "1", raw, media_type)
    assert (reply.status, reply.codes) == (400, ["MANIFEST_INVALID"])
    assert client("HEAD", "/v2/lab/app/manifests/1").status == 404


def test_a_wrong_digest_is_refused(client):
    config, layers, document = image()
    for data in (config, *layers):
        client.push_blob("lab/app", data)
    raw = json.dumps(document).encode()
    reply = client.put("lab/app", digest_of(raw), raw + b"  ")
    assert (reply.status, reply.codes) == (400, ["DIGEST_INVALID"])
    assert client.put("lab/app", "sha256:baddigeststring", raw).codes == ["DIGEST_INVALID"]
    assert client("GET", "/v2/lab/app/manifests/sha256:baddigeststring").status == 400
    for tag in ("-a", ".b", "x" * 129, "a b", "ü"):
        assert client.put("lab/app", tag.replace(" ", "%20").replace("ü", "%C3%BC"), raw).status == 400


def test_a_content_type_may_have_parameters_or_say_nothing(client):
    raw = json.dumps(index()).encode()
    for tag, media_type in enumerate([f"{INDEX}; charset=utf-8", INDEX.upper(), "application/json"]):
        assert client.put("lab/app", str(tag), raw, media_type).status == 201
        assert client("GET", f"/v2/lab/app/manifests/{tag}").headers["Content-Type"] == INDEX


def test_what_is_nowhere_is_unknown(client):
    for word in ("nothing", digest_of(b"nothing")):
        reply = client("GET", f"/v2/lab/app/manifests/{word}")
        assert (reply.status, reply.codes) == (404, ["MANIFEST_UNKNOWN"])
        assert client("HEAD", f"/v2/lab/app/manifests/{word}").status == 404
        assert client("DELETE", f"/v2/lab/app/manifests/{word}").status == 404


def test_a_manifest_is_served_from_its_own_repository_only(client):
    digest, _ = client.push_image("lab/app", "1")
    assert client("GET", f"/v2/lab/other/manifests/{digest}").status == 404
    assert client("GET", "/v2/lab/other/manifests/1").status == 404


def test_a_tag_that_moves_leaves_what_it_pointed_at(client, store):
    old, raw = client.push_image("lab/app", "1")
    new, _ = client.push_image("lab/app", "1", layers=(b"other",))
    assert client("HEAD", "/v2/lab/app/manifests/1").headers["Docker-Content-Digest"] == new
    assert_served(client, f"/v2/lab/app/manifests/{old}", old, raw)
    assert [entry.dangling for entry in store.entries()] == [True, False], "as docker's own store shows it"


def test_deleting_a_tag_leaves_the_manifest_and_the_other_tags(client, store):
    digest, raw = client.push_image("lab/app", "1")
    client.put("lab/app", "2", raw)
    for tag in ("1", "2"):
        assert client("DELETE", f"/v2/lab/app/manifests/{tag}").status == 202
        assert client("GET", f"/v2/lab/app/manifests/{tag}").status == 404
        store.collect()
        assert_served(client, f"/v2/lab/app/manifests/{digest}", digest, raw)
    assert client("GET", "/v2/lab/app/tags/list").json()["tags"] == []
    for data in image()[1]:
        assert client("GET", f"/v2/lab/app/blobs/{digest_of(data)}").body == data


def test_deleting_a_manifest_takes_its_tags_along_but_not_another_repository(client, store):
    digest, raw = client.push_image("lab/app", "1")
    client.put("lab/app", "2", raw)
    client.push_image("lab/other", "1")
    assert client("DELETE", f"/v2/lab/app/manifests/{digest}").status == 202
    for word in ("1", "2", digest):
        assert client("GET", f"/v2/lab/app/manifests/{word}").status == 404
    assert client("GET", f"/v2/lab/app/blobs/{digest_of(image()[0])}").status == 404
    store.collect()
    assert_served(client, "/v2/lab/other/manifests/1", digest, raw)
    for data in (image()[0], *image()[1]):
        assert client("GET", f"/v2/lab/other/blobs/{digest_of(data)}").body == data


def test_an_index_keeps_its_images_until_it_is_deleted_and_they_outlive_it(client, store):
    digest, _, children = push_index(client, "lab/app", "1")
    reply = client("DELETE", f"/v2/lab/app/manifests/{children[0]}")
    assert (reply.status, reply.codes) == (405, ["DENIED"])
    assert client("DELETE", f"/v2/lab/app/manifests/{digest}").status == 202
    store.collect()
    assert client("GET", f"/v2/lab/app/manifests/{digest}").status == 404
    for child in children:
        assert client("GET", f"/v2/lab/app/manifests/{child}").status == 200
        assert client("DELETE", f"/v2/lab/app/manifests/{child}").status == 202
    store.collect()
    assert store.blobs() == {}
    assert client("GET", "/v2/lab/app/tags/list").codes == ["NAME_UNKNOWN"]


def test_a_config_may_be_anything(client, store):
    digest, raw = client.push_image("lab/app", "1", config=b"not json at all", config_type=CONFIG)
    assert_served(client, "/v2/lab/app/manifests/1", digest, raw)
    assert store.entries()[0].descriptor.platform is None
