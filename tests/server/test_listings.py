"""Tags, repositories and referrers are listed in order, page by page."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.server.client import EMPTY, INDEX, MANIFEST, descriptor, digest_of, image, index

SBOM, SIGNATURE = "application/vnd.example.sbom.v1", "application/vnd.example.signature.v1"


@pytest.fixture
def tagged(client):
    _, raw = client.push_image("lab/app", "b")
    for tag in ("a", "B", "10", "9", "_x"):
        client.put("lab/app", tag, raw)
    return client


ALL = ["10", "9", "B", "_x", "a", "b"]


def followed(client, path: str, key: str) -> list[list]:
    """Every page, by following the links."""
    pages = []
    while path:
        reply = client("GET", path)
        assert reply.status == 200, reply.body
        pages.append(reply.json()[key])
        link = reply.headers["Link"]
        assert link is None or link.endswith('>; rel="next"')
        path = link and link[1:].partition(">")[0]
    return pages


def test_tags_are_listed_in_order(tagged):
    assert tagged("GET", "/v2/lab/app/tags/list").json() == {"name": "lab/app", "tags": ALL}
    assert tagged("HEAD", "/v2/lab/app/tags/list").status == 200


@pytest.mark.parametrize(
    ("query", "tags", "more"),
    [
        ("n=2", ALL[:2], True),
        ("n=6", ALL, False),
        ("n=7", ALL, False),
        ("n=0", [], False),
        ("last=9", ALL[2:], False),
        ("last=A", ALL[2:], False),
        ("last=b", [], False),
        ("n=2&last=9", ALL[2:4], True),
        ("n=2&last=_x", ALL[4:], False),
    ],
)
def test_tags_come_in_pages(tagged, query, tags, more):
    reply = tagged("GET", f"/v2/lab/app/tags/list?{query}")
    assert (reply.json()["tags"], "Link" in reply.headers) == (tags, more)


def test_the_links_lead_through_all_of_it(tagged):
    assert followed(tagged, "/v2/lab/app/tags/list?n=4", "tags") == [ALL[:4], ALL[4:]]
    for name in ("b", "a", "c.d/e"):
        tagged.push_image(name, "1")
    assert followed(tagged, "/v2/_catalog?n=2", "repositories") == [["a", "b"], ["c.d/e", "lab/app"]]
    assert followed(tagged, "/v2/_catalog", "repositories") == [["a", "b", "c.d/e", "lab/app"]]


@pytest.mark.parametrize("count", ["-1", "x", "1.5", "%E0%A5%A7", "9999999999"])
def test_a_count_that_is_none_is_refused(tagged, count):
    assert tagged("GET", f"/v2/lab/app/tags/list?n={count}").status == 400


def test_a_repository_that_is_not_there_is_unknown(client):
    reply = client("GET", "/v2/lab/app/tags/list")
    assert (reply.status, reply.codes) == (404, ["NAME_UNKNOWN"])
    assert client("GET", "/v2/_catalog").json() == {"repositories": []}


def test_a_repository_without_tags_is_there(client):
    client.push_image("lab/app")
    assert client("GET", "/v2/lab/app/tags/list").json()["tags"] == []
    assert client("GET", "/v2/_catalog").json() == {"repositories": ["lab/app"]}


# ---- referrers


def about(raw: bytes, kind: str = "", **fields) -> dict:
    """The keywords of an artefact about a manifest."""
    return {
        "config": b"{}",
        "config_type": EMPTY,
        "subject": descriptor(MANIFEST, raw),
        **({"artifactType": kind} if kind else {}),
        **fields,
    }


def listed(client, subject: str, query: str = "") -> list[dict]:
    reply = client("GET", f"/v2/lab/app/referrers/{subject}{query}")
    assert (reply.status, reply.headers["Content-Type"]) == (200, INDEX)
    document = reply.json()
    assert (document["schemaVersion"], document["mediaType"]) == (2, INDEX)
    return document["manifests"]


def push_about(client, word="", **fields):
    config, layers, document = image(**fields)
    for data in (config, *layers):
        client.push_blob("lab/app", data)
    raw = json.dumps(document).encode()
    reply = client.put("lab/app", word or digest_of(raw), raw)
    assert (reply.status, reply.headers["OCI-Subject"]) == (201, document["subject"]["digest"])
    return descriptor(MANIFEST, raw)


@pytest.mark.parametrize("exists", [True, False])
def test_referrers_are_listed_with_type_and_annotations(client, exists):
    subject, raw = client.push_image("lab/app", "1") if exists else (digest_of(b"missing"), b"missing")
    notes = {"org.example.note": "hello"}
    sbom = push_about(client, **about(raw, SBOM, annotations=notes))
    signature = push_about(client, "sig", **about(raw, SIGNATURE))
    plain = push_about(client, **about(raw))
    expected = [
        sbom | {"artifactType": SBOM, "annotations": notes},
        signature | {"artifactType": SIGNATURE},
        plain | {"artifactType": EMPTY},  # the type of its config, where it has none of its own
    ]
    assert listed(client, subject) == sorted(expected, key=lambda item: item["digest"])
    for kind in (SBOM, SIGNATURE, EMPTY):
        query = f"?artifactType={quote(kind, safe='')}"
        assert [item["artifactType"] for item in listed(client, subject, query)] == [kind]
        assert client("GET", f"/v2/lab/app/referrers/{subject}{query}").headers["OCI-Filters-Applied"] == "artifactType"
    assert listed(client, subject, "?artifactType=no/such") == []
    assert client("GET", f"/v2/lab/app/referrers/{subject}").headers["OCI-Filters-Applied"] is None


def test_an_index_can_be_a_referrer_and_needs_no_type(client):
    subject, raw = client.push_image("lab/app", "1")
    bare = json.dumps(index(subject=descriptor(MANIFEST, raw))).encode()
    typed = json.dumps(index(subject=descriptor(MANIFEST, raw), artifactType=SBOM)).encode()
    for body in (bare, typed):
        assert client.put("lab/app", digest_of(body), body).headers["OCI-Subject"] == subject
    expected = [descriptor(INDEX, bare), descriptor(INDEX, typed, artifactType=SBOM)]
    assert listed(client, subject) == sorted(expected, key=lambda item: item["digest"])


def test_referrers_are_those_of_the_repository(client):
    subject, raw = client.push_image("lab/app", "1")
    push_about(client, **about(raw, SBOM))
    assert client("GET", f"/v2/lab/other/referrers/{subject}").json()["manifests"] == []
    assert listed(client, digest_of(b"nothing")) == []


def test_a_referrer_that_is_deleted_is_not_listed_any_more(client, store):
    subject, raw = client.push_image("lab/app", "1")
    sbom = push_about(client, **about(raw, SBOM))
    store.collect()
    assert listed(client, subject)
    assert client("DELETE", f"/v2/lab/app/manifests/{sbom['digest']}").status == 202
    assert listed(client, subject) == []


def test_a_referrer_outlives_its_subject(client, store):
    subject, raw = client.push_image("lab/app", "1")
    push_about(client, **about(raw, SBOM))
    assert client("DELETE", f"/v2/lab/app/manifests/{subject}").status == 202
    store.collect()
    assert len(listed(client, subject)) == 1


@pytest.mark.parametrize("word", ["sha256:123", "latest", "md5:0"])
def test_a_subject_is_a_digest(client, word):
    reply = client("GET", f"/v2/lab/app/referrers/{word}")
    assert (reply.status, reply.codes) == (400, ["DIGEST_INVALID"])


def test_referrers_come_in_pages_that_are_no_larger_than_a_manifest(client):
    subject, raw = client.push_image("lab/app", "1")
    large = [
        push_about(client, **about(raw, kind, annotations={"a": "A" * 1_500_000, "n": str(number)}))
        for number, kind in enumerate([SBOM, SIGNATURE] * 3)
    ]
    pages = followed(client, f"/v2/lab/app/referrers/{subject}", "manifests")
    assert [len(page) for page in pages] == [2, 2, 2]
    assert [item["digest"] for page in pages for item in page] == sorted(item["digest"] for item in large)
    filtered = followed(client, f"/v2/lab/app/referrers/{subject}?artifactType={SBOM}", "manifests")
    assert [len(page) for page in filtered] == [2, 1]
    assert {item["artifactType"] for page in filtered for item in page} == {SBOM}
