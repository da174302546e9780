"""Repositories are spelled so that each has one address, and each address one repository."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.errors import BadReference
from jupyimg.model.reference import Reference
from jupyimg.server.problems import Refused
from jupyimg.server.spelling import repository, spelled

PAIRS = [
    ("nginx", "docker.io/library/nginx"),
    ("lab/app", "docker.io/lab/app"),
    ("a/b/c", "docker.io/a/b/c"),
    ("library/a/b", "docker.io/library/a/b"),
    ("ghcr.io/a/b", "ghcr.io/a/b"),
    ("localhost/a", "localhost/a"),
    ("localhost_5000/me/app", "localhost:5000/me/app"),
    ("registry_5000/app", "registry:5000/app"),
    ("127.0.0.1_5000/app", "127.0.0.1:5000/app"),
    ("foo_5000", "docker.io/library/foo_5000"),
    ("docker.io/foo_5000/bar", "docker.io/foo_5000/bar"),
    ("docker.io/a.b/c", "docker.io/a.b/c"),
    ("docker.io/localhost/c", "docker.io/localhost/c"),
    ("a_b/c", "docker.io/a_b/c"),
    ("foo_123456/bar", "docker.io/foo_123456/bar"),
]


@pytest.mark.parametrize(("name", "canonical"), PAIRS)
def test_a_name_and_its_spelling(name, canonical):
    assert repository(name).name == canonical
    assert spelled(Reference.parse(canonical, default_tag="")) == name


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("library/nginx", "docker.io/library/nginx"),
        ("docker.io/nginx", "docker.io/library/nginx"),
        ("docker.io/library/nginx", "docker.io/library/nginx"),
        ("index.docker.io/lab/app", "docker.io/lab/app"),
    ],
)
def test_other_spellings_mean_the_same(name, canonical):
    assert repository(name).name == canonical


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "a/",
        "/a",
        "a//b",
        "..",
        "a/../b",
        "a:b",
        "a@b",
        "a b",
        "-a",
        "a.",
        "a___b",
        "ü",
        "a\n",
        "a" * 256,
        "x.y/",
    ],
)
def test_what_is_no_name_is_refused(name):
    with pytest.raises(Refused) as error:
        repository(name)
    assert (error.value.status, error.value.code) == (400, "NAME_INVALID")


@pytest.mark.parametrize("name", ["[::1]:5000/a", "HOST/a", "Host.example/a"])
def test_what_cannot_be_spelled_is_left_out(name):
    assert spelled(Reference.parse(name, default_tag="")) is None


WORDS = st.sampled_from(
    ["a", "b1", "foo_5000", "localhost", "docker.io", "x.y", "library", "registry_1", "a_b", "c--d", "e__f"]
)
HOSTS = st.sampled_from(
    ["docker.io", "ghcr.io", "localhost", "localhost:5000", "r:1", "10.0.0.1:65535", "a-b.c", "UPPER"]
)


@given(HOSTS, st.lists(WORDS, min_size=1, max_size=4))
def test_no_two_repositories_share_an_address(host, words):
    try:
        reference = Reference.parse(f"{host}/{'/'.join(words)}", default_tag="")
    except BadReference:
        return
    name = spelled(reference)
    assert (name is None) == (host == "UPPER")
    if name is not None:
        assert repository(name) == reference
