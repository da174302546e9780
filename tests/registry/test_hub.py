"""Docker Hub's list of tags: a hundred to a request, nothing promised, nothing believed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyimg.errors import ProtocolError, RemoteNotFound
from jupyimg.model.reference import Reference
from jupyimg.registry import hub_tags
from jupyimg.registry.hub import tag_rows
from jupyimg.registry.searching import _hub_record, _quay_record
from tests.registry.fake import Answer
from tests.registry.hub import DIGEST, Hub, document, hit, image, tag

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
KEYS = st.sampled_from(
    ["name", "images", "digest", "size", "os", "architecture", "repo_name", "star_count", "tag_last_pushed"]
)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner), max_leaves=15)
NGINX = Reference.parse("nginx", default_tag="")


@pytest.fixture
def hub(fake):
    return Hub(fake)


@pytest.fixture
def read(fake, connect):
    def read_tags(repository=NGINX, part=""):
        desk = connect(hub_api=fake.url, attempts=2).desk("docker.io", "hub")
        return list(hub_tags(desk, desk.calls.begin(), repository, part))

    return read_tags


def test_a_tag_has_a_record_for_each_platform_and_none_for_attestations(hub, read):
    hub.tags["library/nginx"] = [tag("1.27")]
    (rows,) = read()
    assert [(row.repository, row.tag, row.platform) for row in rows] == [
        ("nginx", "1.27", "linux/amd64"),
        ("nginx", "1.27", "linux/arm64"),
    ]
    assert {(row.digest, row.size, row.created) for row in rows} == {(DIGEST, 30_000_000, None)}
    assert rows[0].updated == datetime(2026, 1, 2, 3, 4, 5, 600_000, UTC)


def test_a_hundred_tags_cost_one_request(hub, read, fake):
    hub.tags["library/nginx"] = [tag(f"1.{n}") for n in range(250)]
    assert [rows[0].tag for rows in read()] == [f"1.{n}" for n in range(250)]
    assert len(fake.seen) == 3


def test_a_repository_of_somebody_is_asked_by_its_namespace(hub, read):
    hub.tags["bitnami/nginx"] = [tag("1")]
    assert read(Reference.parse("bitnami/nginx", default_tag=""))[0][0].repository == "bitnami/nginx"


def test_hub_looks_for_a_part_of_the_name_itself(hub, read, fake):
    hub.tags["library/nginx"] = [tag("1.27"), tag("alpine")]
    assert [rows[0].tag for rows in read(part="alp")] == ["alpine"]
    assert fake.seen[-1].query["name"] == ["alp"]


def test_a_repository_that_is_not_there_or_private_is_not_found(hub, read):
    with pytest.raises(RemoteNotFound):
        read()


def test_no_tags_are_no_error(hub, read):
    hub.tags["library/nginx"] = []
    assert read() == []


def test_a_tag_on_two_pages_is_one(hub, read):
    hub.tags["library/nginx"] = [*(tag(f"{n}") for n in range(100)), tag("0"), tag("new")]
    assert [rows[0].tag for rows in read()][-2:] == ["99", "new"]


@pytest.mark.parametrize("name", [None, "", 7, "a b", "../x", "<img>", "x" * 200, "a\x1b[2J"])
def test_what_is_no_tag_is_left_out(hub, read, name):
    hub.tags["library/nginx"] = [tag("ok"), {**tag("x"), "name": name}, "junk", None]
    assert [rows[0].tag for rows in read()] == ["ok"]


def test_missing_images_leave_a_tag_without_a_platform(hub, read):
    hub.tags["library/nginx"] = [tag("a", images=None), tag("b", images=[]), {"name": "c"}]
    found = [rows[0] for rows in read()]
    assert [(row.tag, row.platform, row.size) for row in found] == [
        ("a", None, 31_000_000),
        ("b", None, 31_000_000),
        ("c", None, None),
    ]
    assert (found[2].digest, found[2].updated) == (None, None)


def test_an_old_tag_without_a_digest_has_that_of_its_one_image(hub, read):
    other = "sha256:" + "cd" * 32
    hub.tags["library/nginx"] = [tag("a", image("linux/amd64", digest=other), digest=None)]
    assert read()[0][0].digest == other


@pytest.mark.parametrize(
    "odd", [{"digest": "md5:1"}, {"digest": 7}, {"tag_last_pushed": "soon", "last_updated": 7}, {"full_size": -1}]
)
def test_odd_values_are_not_known(hub, read, odd):
    hub.tags["library/nginx"] = [tag("a", **odd)]
    assert read()[0][0].tag == "a"


@pytest.mark.parametrize("odd", ["<script>", "a\x1b[2J", "a b", "x" * 100, 7, None, ["amd64"]])
def test_a_platform_is_made_of_words(hub, read, odd):
    hub.tags["library/nginx"] = [tag("a", image("linux/amd64", architecture=odd), image("linux/arm64", os=odd))]
    shown = {row.platform for row in read()[0]}
    assert all("<" not in text and text.isprintable() and len(text) < 20 for text in shown if text)


@settings(deadline=None)  # a busy machine is no fault of a record
@given(JSON)
def test_nothing_that_hub_may_send_is_more_than_an_odd_record(item):
    whole = item if isinstance(item, dict) else {"images": item, "repo_name": item}
    for sent in (whole, {**tag("a"), **whole}, {**tag("a"), "images": [whole, item]}):
        for row in tag_rows(NGINX, sent):
            assert row.tag
    for sent in (whole, {**hit("a"), **whole}):
        found = _hub_record(sent)
        assert found is None or (found.stars or 0) >= 0
        _quay_record("quay.io", {**sent, "namespace": item})


def test_odd_images_are_not_known(hub, read):
    hub.tags["library/nginx"] = [tag("a", image("linux/amd64", size=None), image("linux/arm/v7", size="big"), {})]
    assert [(row.platform, row.size) for row in read()[0]] == [
        ("linux/amd64", None),
        ("linux/arm/v7", None),
        (None, None),
    ]


@pytest.mark.parametrize("answer", [document([]), document({}), Answer(200, b"<html>"), Answer(200, b"")])
def test_what_is_no_list_is_an_error(fake, read, answer):
    fake.rule("namespaces", answer)
    with pytest.raises(ProtocolError):
        read()


def test_a_list_that_goes_in_circles_is_an_error(fake, read):
    fake.rule("namespaces", document({"next": "https://hub.docker.com/again", "results": [tag("a")]}))
    with pytest.raises(ProtocolError, match="circles"):
        read()


def test_next_is_never_followed_elsewhere(fake, other, read):
    page = {"next": f"{other.url}/evil", "results": [tag("a")]}
    fake.rule("page=1", document(page))
    fake.rule("page=2", document({"next": None, "results": [tag("b")]}))
    assert [rows[0].tag for rows in read()] == ["a", "b"]
    assert other.seen == []
