"""Tags through an engine: what is found, what it costs, what fails; of a registry and of Docker Hub."""

from __future__ import annotations

import threading
import time

import pytest

import jupyimg
from jupyimg.engines.describing import by_version
from jupyimg.engines.exploring import literal, matcher
from jupyimg.errors import Misuse, RateLimited, RemoteNotFound
from jupyimg.model.content import drain
from tests.registry.fake import Answer
from tests.registry.hub import tag
from tests.services import synthetic


def short(found):
    return [(record.tag, record.platform, record.created and record.created.year) for record in found.records]


# ---- tags


def test_a_repository_is_a_record_for_each_tag_and_platform_newest_first(shapes, engine):
    found = engine.remote.tagged(f"{shapes.host}/team/app")
    assert short(found) == [
        ("both", "linux/amd64", 2022),
        ("both", "linux/arm/v7", 2024),
        ("1.2", "linux/amd64", 2022),
        ("1.1", "linux/amd64", 2021),
        ("1.0", "linux/amd64", 2020),
    ]
    first = found.records[0]
    assert first.digest == shapes.digest("team/app", "both")
    assert first.repository == f"{shapes.host}/team/app"
    manifest = shapes.manifest("team/app", "1.2").json()
    assert first.size == manifest["config"]["size"] + sum(layer["size"] for layer in manifest["layers"])


def test_what_it_cost_is_said(shapes, fresh):
    before = len(shapes.accesses())
    found = fresh("new").remote.tagged(f"{shapes.host}/team/old")
    cost = len(shapes.accesses()) - before
    assert found.notes == (f"{cost} requests to {shapes.host}",)


def test_without_a_build_time_the_order_is_by_version(shapes, engine):
    for name in ("1.9", "1.10", "latest", "1.10-rc1"):
        shapes.retag("team/old", "docker", name)
    found = engine.remote.tagged(f"{shapes.host}/team/old", pattern="1.*")
    assert [record.tag for record in found.records] == ["1.10-rc1", "1.10", "1.9"]
    assert engine.remote.tagged(f"{shapes.host}/team/old").records[0].tag == "latest"


def test_an_artefact_is_a_row_without_a_platform(shapes, engine):
    (record,) = engine.remote.tagged(f"{shapes.host}/chart").records
    assert (record.tag, record.platform, record.created) == ("0.1", None, None)
    assert record.size


def test_a_tag_in_the_name_and_a_pattern_choose(shapes, engine):
    name = f"{shapes.host}/team/app"
    assert {record.tag for record in engine.remote.tagged(f"{name}:1.1").records} == {"1.1"}
    assert {record.tag for record in engine.remote.tagged(name, pattern="1.*").records} == {"1.0", "1.1", "1.2"}
    assert {record.tag for record in engine.remote.tagged(name, pattern="ot").records} == {"both"}
    assert engine.remote.tagged(name, pattern="x*").records == []
    with pytest.raises(Misuse, match="one too many"):
        engine.remote.tagged(f"{name}:1.1", pattern="1.*")
    with pytest.raises(Misuse, match="names one image"):
        engine.remote.tagged(f"{name}@sha256:{'0' * 64}")


def test_a_tag_that_is_not_there_is_an_error(shapes, engine, hub, fake, fresh):
    with pytest.raises(RemoteNotFound, match="nope") as caught:
        engine.remote.tagged(f"{shapes.host}/team/app:nope")
    assert caught.value.hint
    hub.tags["library/nginx"] = [tag("nope-not")]
    with pytest.raises(RemoteNotFound, match="nginx has no tag nope") as caught:
        fresh(hub_api=fake.url).remote.tagged("nginx:nope")
    assert "%image tags nginx" in caught.value.hint


def test_one_tag_costs_no_list_of_them(shapes, engine):
    before = len(shapes.accesses())
    engine.remote.tagged(f"{shapes.host}/team/app:1.1")
    assert [access.path.split("/")[-2] for access in shapes.accesses()[before:]] == ["manifests", "blobs"]


def test_the_tags_of_one_repository_are_read_several_at_once(fake, engine):
    for number in range(16):
        fake.image("app", str(number), layers=(str(number).encode(),))
    together, most, guard = set(), [0], threading.Lock()

    def slow(seen):
        with guard:
            together.add(seen.peer)
            most[0] = max(most[0], len(together))
        time.sleep(0.2)
        with guard:
            together.discard(seen.peer)

    fake.rule("GET .*manifests", slow)
    assert len(engine.remote.tagged(f"{fake.host}/app").records) == 16
    assert most[0] >= 4


def test_a_limit_takes_the_highest_versions_and_says_so(shapes, engine):
    found = engine.remote.tagged(f"{shapes.host}/team/app", pattern="1.*", limit=2)
    assert [record.tag for record in found.records] == ["1.2", "1.1"]
    assert found.notes[0].startswith("2 of 3 tags")


def test_each_digest_is_described_once_for_ever(shapes, fresh):
    name = f"{shapes.host}/team/app"
    first = fresh().remote.tagged(name)
    before = len(shapes.accesses())
    again = fresh().remote.tagged(name)
    asked = shapes.accesses()[before:]
    assert again.records == first.records
    assert sorted(access.method for access in asked) == ["GET", "HEAD", "HEAD", "HEAD", "HEAD"]


def test_a_tag_that_moved_is_seen(shapes, fresh):
    name = f"{shapes.host}/team/app"
    fresh().remote.tagged(name)
    shapes.retag("team/app", "1.0", "1.2")
    moved = {record.tag: record for record in fresh().remote.tagged(name).records}["1.2"]
    assert moved.digest == shapes.digest("team/app", "1.0")
    assert moved.created.year == 2020


def test_a_repository_that_is_not_there_is_an_error(shapes, engine):
    with pytest.raises(RemoteNotFound) as caught:
        engine.remote.tagged(f"{shapes.host}/nope")
    assert caught.value.hint


def test_a_repository_without_tags_is_an_empty_frame(fake, engine):
    fake.rule("tags/list", Answer(200, b'{"name": "app", "tags": null}'))
    found = engine.remote.tagged(f"{fake.host}/app")
    assert found.records == []
    assert list(jupyimg.frame(found.records, "tags").columns)[:2] == ["repository", "tag"]


def test_a_tag_that_cannot_be_read_is_a_row_and_a_note(fake, engine):
    fake.image("app", "good")
    fake.tags["app"] += ["gone", "good"]
    fake.put_manifest("app", "odd", b'{"schemaVersion": 2}')
    found = engine.remote.tagged(f"{fake.host}/app")
    rows = {record.tag: record.platform for record in found.records}
    assert rows == {"good": "linux/amd64", "gone": None, "odd": None}
    assert len(found.records) == 3
    assert any(note.startswith(f"{fake.host}/app:gone: ") for note in found.notes)
    assert any(note.startswith(f"{fake.host}/app:odd: ") for note in found.notes)


def test_bytes_that_are_not_what_their_digest_says_are_never_remembered(fake, fresh):
    fake.image("app", "1")
    config = next(digest for digest, data in fake.blobs.items() if data.startswith(b"{"))
    true, fake.blobs[config] = fake.blobs[config], fake.blobs[config].replace(b"amd64", b"s390x")
    found = fresh().remote.tagged(f"{fake.host}/app")
    assert (found.records[0].platform, found.records[0].size) == (None, None)
    assert "digest" in found.notes[0]
    fake.blobs[config] = true
    assert fresh().remote.tagged(f"{fake.host}/app").records[0].platform == "linux/amd64"


def test_an_index_whose_image_is_missing_keeps_its_platform_and_is_not_remembered(fake, fresh):
    image = fake.image("app", "1")
    child = {"mediaType": image.media_type, "digest": image.digest, "size": image.size}
    platforms = [{"os": "linux", "architecture": "amd64"}, {"os": "linux", "architecture": "arm64"}]
    lost = {**child, "digest": "sha256:" + "0" * 64, "platform": platforms[1]}
    body = {"schemaVersion": 2, "manifests": [{**child, "platform": platforms[0]}, lost]}
    made = synthetic.Blob.document(synthetic.TYPES["oci"]["index"], body)
    fake.put_manifest("app", "both", made.read(), made.media_type)
    for _ in range(2):
        found = fresh().remote.tagged(f"{fake.host}/app:both")
        assert [(record.platform, record.size is None) for record in found.records] == [
            ("linux/amd64", False),
            ("linux/arm64", True),
        ]


# ---- tags of Docker Hub


def test_hubs_tags_cost_no_pull_and_say_what_is_left(hub, fake, fresh):
    hub.tags["library/nginx"] = [
        tag("1.26", pushed="2025-01-01T00:00:00Z"),
        tag("1.27", pushed="2026-01-01T00:00:00Z"),
    ]
    remote = fresh(hub_api=fake.url).remote
    found = remote.tagged("nginx")
    assert [(record.tag, record.platform) for record in found.records] == [
        ("1.27", "linux/amd64"),
        ("1.27", "linux/arm64"),
        ("1.26", "linux/amd64"),
        ("1.26", "linux/arm64"),
    ]
    assert fake.count("manifests") == 0
    assert found.notes == ("1 request to 127.0.0.1, none of which counts as a pull",)
    left = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "88;w=21600"}
    fake.rule("HEAD /v2/ratelimitpreview/test/manifests/latest", Answer(200, b"", left))
    fake.rule("GET /v2/ratelimitpreview/test/manifests/latest", Answer(200, fake.manifests[_image(fake)][1], left))
    assert drain(remote.asking_quota()).remaining == 88
    assert "88 of 100 pulls in 6 hours are left" in remote.tagged("nginx").notes[0]


def _image(fake):
    fake.image("library/x", "1")
    return "library/x", "1"


def test_hubs_tags_are_limited_and_filtered(hub, fake, fresh):
    hub.tags["library/nginx"] = [tag(f"1.{n}") for n in range(250)] + [tag("alpine")]
    remote = fresh(hub_api=fake.url).remote
    assert len({record.tag for record in remote.tagged("nginx", limit=120).records}) == 120
    assert "newest 120 tags" in remote.tagged("nginx", limit=120).notes[0]
    before = len(fake.seen)
    assert {record.tag for record in remote.tagged("nginx", pattern="alp*").records} == {"alpine"}
    assert {record.tag for record in remote.tagged("nginx:alpine").records} == {"alpine"}
    assert len(fake.seen) == before + 2


@pytest.mark.parametrize("trouble", [Answer(404), Answer(200, b"<html>"), Answer(403)])
def test_where_hubs_api_fails_the_registry_is_asked_without_reading_a_manifest(hub, fake, fresh, trouble):
    fake.rules.insert(0, lambda seen: trouble if "namespaces" in seen.path else None)
    root = fake.image("library/nginx", "1.27")
    fake.tags["library/nginx"] = ["1.27", "1.26"]
    remote = fresh(hub_api=fake.url).remote
    found = remote.tagged("nginx")
    assert {(record.tag, record.platform) for record in found.records} == {("1.27", None), ("1.26", None)}
    assert {record.tag: record.digest for record in found.records} == {"1.27": root.digest, "1.26": None}
    assert fake.count("GET .*manifests/1.27") == 0
    assert "its registry was asked" in found.notes[0]
    assert any("--details" in note for note in found.notes)


def test_details_read_manifests_once_and_say_before_that_they_count(hub, fake, fresh):
    fake.image("library/nginx", "1.27")
    fake.rule("GET /v2/ratelimitpreview", Answer(404, b"", {"ratelimit-remaining": "5"}))
    root = fake.image("ratelimitpreview/test", "latest")
    about = {"Content-Type": root.media_type, "Docker-Content-Digest": root.digest, "Content-Length": str(root.size)}
    fake.rule("HEAD /v2/ratelimitpreview", Answer(200, b"", {**about, "ratelimit-remaining": "5"}, length=-1))
    remote = fresh(hub_api=fake.url).remote
    steps = remote.tagging("nginx", details=True)
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as stop:
            found = stop.value
            break
    assert any("each of which counts as a pull; 5 pulls are left" in step.text for step in told)
    assert [(record.tag, record.platform) for record in found.records] == [("1.27", "linux/amd64")]
    assert fake.count("namespaces") == 0
    assert "1 manifest of which count as pulls" in found.notes[-1]
    assert fake.count("GET .*ratelimitpreview") == 0
    before = fake.count("GET .*manifests")
    assert fresh(hub_api=fake.url).remote.tagged("nginx", details=True).records == found.records
    assert fake.count("GET .*manifests") == before


def test_hubs_quota_that_is_spent_is_not_gone_around(hub, fake, fresh):
    fake.rules.insert(0, lambda seen: Answer(429, b"", {"Retry-After": "900"}) if "namespaces" in seen.path else None)
    with pytest.raises(RateLimited, match="15 minutes"):
        fresh(hub_api=fake.url).remote.tagged("nginx")
    assert fake.count("tags/list") == 0


# ---- pure


@pytest.mark.parametrize(
    ("pattern", "fits", "not_fits"),
    [
        ("", ["anything"], []),
        ("app", ["team/app", "app2"], ["team/other"]),
        ("team/*", ["team/app", "team/a/b"], ["steam/app", "team"]),
        ("1.?", ["1.2"], ["1.23", "11.2"]),
        ("1.[01]", ["1.0"], ["1.2"]),
        ("a.b*", ["a.bc"], ["axbc"]),
    ],
)
def test_patterns(pattern, fits, not_fits):
    passes = matcher(pattern)
    assert all(passes(name) for name in fits)
    assert not any(passes(name) for name in not_fits)
    assert all(literal(pattern) in name for name in fits)


def test_versions_sort_as_people_count():
    names = ["1.10", "latest", "1.9", "1.9-alpine", "alpine", "10", "2", "20240102", "9" * 100]
    assert max(names, key=by_version) == "latest"
    ordered = sorted(["1.10", "1.9", "1.2", "10.0", "2.0"], key=by_version)
    assert ordered == ["1.2", "1.9", "1.10", "2.0", "10.0"]
