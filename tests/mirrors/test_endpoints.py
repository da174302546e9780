"""Which places an image is read from: the rules of containers-registries.conf(5) as a table, and Docker's beside them."""

from __future__ import annotations

import pytest

from jupyimg.errors import Denied, Misuse
from jupyimg.model.reference import Reference
from jupyimg.registry.conf import parse_conf, parse_daemon
from jupyimg.registry.endpoints import Rules, covering, endpoints, is_listed, match, place

DIGEST = "sha256:" + "a" * 64
MANUAL = """
unqualified-search-registries = ["example.com"]
[[registry]]
prefix = "example.com/foo"
insecure = false
blocked = false
location = "internal-registry-for-example.com/bar"
[[registry.mirror]]
location = "example-mirror-0.local/mirror-for-foo"
[[registry.mirror]]
location = "example-mirror-1.local/mirrors/foo"
insecure = true
[[registry]]
location = "registry.com"
[[registry.mirror]]
location = "mirror.registry.com"
[aliases]
"image" = "elsewhere.com/image"
"""
"""The example of the manual page."""


def rules(text, **more):
    return Rules(namespaces=tuple(parse_conf(text, "registries.conf")), **more)


def where(name, given):
    found = endpoints(Reference.parse(name), given)
    return [f"{one.reference}{' insecure' if one.insecure else ''}" for one in found]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "example.com/foo/image:latest",
            [
                "example-mirror-0.local/mirror-for-foo/image:latest",
                "example-mirror-1.local/mirrors/foo/image:latest insecure",
                "internal-registry-for-example.com/bar/image:latest",
            ],
        ),
        ("registry.com/image:latest", ["mirror.registry.com/image:latest", "registry.com/image:latest"]),
        ("example.com/foobar:1", ["example.com/foobar:1"]),
        (
            "example.com/foo:1",
            [
                "example-mirror-0.local/mirror-for-foo:1",
                "example-mirror-1.local/mirrors/foo:1 insecure",
                "internal-registry-for-example.com/bar:1",
            ],
        ),
        ("image", ["docker.io/library/image:latest"]),
    ],
)
def test_the_example_of_the_manual(name, expected):
    assert where(name, rules(MANUAL)) == expected


@pytest.mark.parametrize(
    ("name", "prefix", "covered"),
    [
        ("example.com/foo/bar:1", "example.com", "example.com"),
        ("example.com/foo/bar:1", "example.com/foo", "example.com/foo"),
        ("example.com/foo/bar:1", "example.com/foo/bar", "example.com/foo/bar"),
        ("example.com/foo/bar:1", "example.com/foo/bar:1", "example.com/foo/bar:1"),
        (f"example.com/foo@{DIGEST}", "example.com/foo", "example.com/foo"),
        ("example.com/foo/bar:1", "example.com/fo", ""),
        ("example.com/foo/bar:1", "example.co", ""),
        ("example.com:5000/foo:1", "example.com:5000", "example.com:5000"),
        ("example.com:5000/foo:1", "example.com", "example.com"),
        ("example.com/foo:1", "example.com:5000", ""),
        ("bar.example.com/foo:1", "*.example.com", "bar.example.com"),
        ("foo.bar.example.com/foo:1", "*.example.com", "foo.bar.example.com"),
        ("bar.example.com:5000/foo:1", "*.example.com", "bar.example.com"),
        ("example.com/foo:1", "*.example.com", ""),
        ("badexample.com/foo:1", "*.example.com", ""),
        ("other.com/bar.example.com/foo:1", "*.example.com", ""),
    ],
)
def test_what_a_prefix_covers(name, prefix, covered):
    assert name[: match(name, prefix)] == covered


def test_the_longest_prefix_counts_alone():
    given = rules("""
        [[registry]]
        location = "example.com"
        [[registry.mirror]]
        location = "one.local"
        [[registry]]
        prefix = "example.com/team"
        location = "example.com/team"
        [[registry]]
        prefix = "*.example.com"
        [[registry.mirror]]
        location = "wild.local/all"
    """)
    assert where("example.com/x:1", given) == ["one.local/x:1", "example.com/x:1"]
    assert where("example.com/team/x:1", given) == ["example.com/team/x:1"]
    assert where("a.b.example.com/x:1", given) == ["wild.local/all/x:1", "a.b.example.com/x:1"]
    assert covering("other.com/x", given) is None


@pytest.mark.parametrize(
    ("registry", "mirror", "tag", "digest"),
    [
        ("", "", True, True),
        ("mirror-by-digest-only = true", "", False, True),
        ("", 'pull-from-mirror = "all"', True, True),
        ("", 'pull-from-mirror = ""', True, True),
        ("", 'pull-from-mirror = "digest-only"', False, True),
        ("", 'pull-from-mirror = "tag-only"', True, False),
    ],
)
def test_which_images_a_mirror_serves(registry, mirror, tag, digest):
    given = rules(f'[[registry]]\nlocation = "a.com"\n{registry}\n[[registry.mirror]]\nlocation = "m.com"\n{mirror}')
    assert (len(where("a.com/x:1", given)) == 2) is tag
    assert (len(where(f"a.com/x@{DIGEST}", given)) == 2) is digest
    assert (len(where(f"a.com/x:1@{DIGEST}", given)) == 2) is digest


def test_tag_and_digest_stay_what_they_are():
    given = rules('[[registry]]\nprefix = "a.com/x"\nlocation = "b.com/y/z"')
    assert where(f"a.com/x:1@{DIGEST}", given) == [f"b.com/y/z:1@{DIGEST}"]


def test_the_library_of_docker_hub_is_meant_in_full():
    given = rules('[[registry]]\nlocation = "docker.io/library"\n[[registry.mirror]]\nlocation = "m.com/hub"')
    assert where("nginx:1", given) == ["m.com/hub/nginx:1", "docker.io/library/nginx:1"]
    assert where("me/nginx:1", given) == ["docker.io/me/nginx:1"]


def test_a_blocked_name_is_refused_and_only_that():
    given = rules('[[registry]]\nlocation = "a.com/evil"\nblocked = true\n[[registry.mirror]]\nlocation = "m.com"')
    with pytest.raises(Denied, match=r"a\.com/evil/x is blocked: registries\.conf says so"):
        where("a.com/evil/x:1", given)
    assert where("a.com/good:1", given) == ["a.com/good:1"]


def test_dockers_mirrors_come_behind_and_serve_docker_hub_alone():
    text = (
        '{"registry-mirrors": ["https://d.com/", "http://e.com:5000"], "insecure-registries": ["b.com", "10.0.0.0/8"]}'
    )
    hub, insecure = parse_daemon(text, "daemon.json")
    given = rules(
        '[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "m.com"',
        hub=tuple(hub),
        insecure=frozenset(insecure),
    )
    expected = ["m.com", "d.com", "e.com:5000", "docker.io"]
    found = where("nginx:1", given)
    assert [one.partition("/")[0] for one in found] == expected
    assert [one.endswith(" insecure") for one in found] == [False, False, True, False]
    assert where("quay.io/x:1", given) == ["quay.io/x:1"]
    assert where("b.com/x:1", given) == ["b.com/x:1 insecure"]
    moved = rules('[[registry]]\nprefix = "docker.io"\nlocation = "own.com/hub"', hub=tuple(hub))
    assert where("nginx:1", moved) == ["own.com/hub/library/nginx:1"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.1.2.3:5000", True),
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("a.com:5000", True),
        ("a.com", True),
        ("b.com:1", True),
        ("b.com:2", False),
        ("b.com", False),
        ("[fd00::1]:5000", True),
    ],
)
def test_what_docker_calls_insecure(host, expected):
    assert is_listed(host, frozenset({"10.0.0.0/8", "a.com", "b.com:1", "fd00::/8", "no/network"})) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "http://a.com",
        "https://a.com/x",
        "a b",
        "a.com/x y",
        "-a.com",
        "a.com:port/x",
        "*.a.com",
        "a.*.com",
        "a.com\n",
        "user@a.com",
    ],
)
def test_what_is_no_place(text):
    with pytest.raises(Misuse):
        place(text)


@pytest.mark.parametrize(
    "text", ["me:hidden@a.com", "https://me:hidden@a.com", "hidden@a.com:5000/x", "me:hid@den@a.com"]
)
def test_a_login_is_refused_and_not_repeated(text):
    with pytest.raises(Misuse, match=r"'a\.com(:5000/x)?' was written with a login") as failed:
        place(text)
    assert "hid" not in failed.value.message + failed.value.hint
    with pytest.raises(Misuse) as failed:
        parse_daemon(f'{{"registry-mirrors": ["{text}"]}}', "daemon.json")
    assert "hid" not in failed.value.message + failed.value.hint


def test_a_location_that_makes_no_name_is_told_with_its_file():
    given = rules('[[registry]]\nprefix = "a.com"\nlocation = "b.com/UPPER"')
    with pytest.raises(Misuse, match=r"registries\.conf sends a\.com/x:1 to b\.com/UPPER/x:1, which is no name"):
        where("a.com/x:1", given)
