"""Which part of a policy covers a name, and which signed names are the one that was asked for."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jupyimg.model.digest import Digest
from jupyimg.model.reference import Reference
from jupyimg.trust.identity import KINDS, Identity, intended, is_prefix, matches, parsed, scopes

HEX = "sha256:" + "ab" * 32
HOSTS = st.sampled_from(
    ["docker.io", "quay.io", "a.b.example.com", "a.b.example.com:5000", "localhost:5000", "[::1]:5000"]
)
PATHS = st.lists(st.sampled_from(["a", "b", "library", "a-b", "a.b"]), min_size=1, max_size=4).map("/".join)
NAMES = st.builds(
    lambda host, path, tag, digest: Reference(
        host, path if host != "docker.io" or "/" in path else f"library/{path}", tag, digest
    ),
    HOSTS,
    PATHS,
    st.sampled_from(["", "1", "latest"]),
    st.sampled_from([None, Digest(HEX)]),
)


def test_scopes_are_those_of_the_manual():
    assert scopes(Reference.parse("example.com:8443/ns/app:1")) == [
        "example.com:8443/ns/app:1", "example.com:8443/ns/app", "example.com:8443/ns", "example.com:8443", "*.com",
    ]  # fmt: skip
    assert scopes(Reference.parse("busybox")) == [
        "docker.io/library/busybox:latest", "docker.io/library/busybox", "docker.io/library", "docker.io", "*.io",
    ]  # fmt: skip
    assert scopes(Reference.parse(f"a.example.com/app:1@{HEX}"))[0] == f"a.example.com/app@{HEX}"
    assert scopes(Reference.parse("a.example.com/app"))[-2:] == ["*.example.com", "*.com"]


@given(NAMES)
def test_scopes_go_from_the_name_to_the_host_and_each_covers_the_one_before(name):
    found = scopes(name)
    plain = [scope for scope in found if not scope.startswith("*.")]
    assert len(set(found)) == len(found)
    assert plain[0] == str(intended(name))
    assert plain[-1] == name.host
    assert all(
        longer.startswith(shorter) and longer[len(shorter)] in ":/@" for longer, shorter in itertools.pairwise(plain)
    )
    assert all(name.host.partition(":")[0].endswith(scope[1:]) for scope in found[len(plain) :])


def spec(kind, rule, wanted, signed):
    """containers-policy.json(5), said once more and plainly."""
    w, s = intended(wanted), signed
    bare = not s.tag and s.digest is None
    same_repository = w.name == s.name
    if kind == "matchExact":
        return not bare and str(w) == str(s)
    if kind == "matchRepoDigestOrExact":
        return not bare and (same_repository if w.digest else str(w) == str(s))
    if kind == "matchRepository":
        return same_repository
    if kind == "exactReference":
        return str(rule.name) == str(s)
    if kind == "exactRepository":
        return rule.name.name == s.name
    raise AssertionError(kind)


OTHER = Digest("sha256:" + "cd" * 32)


def relatives(name):
    """The same repository and one beside it, with every sort of tag and digest."""
    for path in (name.path, f"{name.path}x"):
        for tag in ("", name.tag or "1", "2"):
            for digest in (None, name.digest or Digest(HEX), OTHER):
                yield Reference(name.host, path, tag, digest)


@given(NAMES, NAMES)
@example(Reference.parse("other/app:1"), Reference.parse("a/b:1"))
@example(Reference.parse("other/app:1"), Reference.parse(f"a/b@{HEX}"))
@settings(max_examples=30)
def test_a_signed_name_matches_as_the_manual_says(named, wanted):
    for kind in sorted(KINDS - {"remapIdentity"}):
        for rule in (Identity(kind=kind, name=intended(named)), Identity(kind=kind, name=intended(wanted))):
            for signed in (*relatives(wanted), *relatives(named)):
                assert matches(rule, intended(wanted), str(signed)) == spec(kind, rule, wanted, signed), signed


@given(NAMES)
def test_the_very_name_matches_every_rule_but_those_about_others(name):
    wanted = intended(name)
    for kind in ("matchExact", "matchRepoDigestOrExact", "matchRepository"):
        assert matches(Identity(kind=kind), wanted, str(wanted))
    assert matches(Identity(kind="exactReference", name=wanted), Reference.parse("other"), str(wanted))


@given(NAMES, st.sampled_from(["vendor.example.com", "vendor.example.com/ns", "localhost:1/x"]))
def test_a_remapped_prefix_stands_for_another_and_for_nothing_that_only_begins_so(name, other):
    wanted = intended(name)
    for prefix in [wanted.name, *[scope for scope in scopes(name) if not scope.startswith("*.")][2:]]:
        rule = Identity(kind="remapIdentity", prefix=prefix, signed_prefix=other)
        mapped = other + str(wanted)[len(prefix) :]
        legal = parsed(mapped) is not None and str(parsed(mapped)) == mapped
        assert matches(rule, wanted, mapped) == legal
        assert matches(rule, wanted, str(wanted)) == (mapped == str(wanted))
    longer = Identity(kind="remapIdentity", prefix=wanted.name[:-1] or "x", signed_prefix=other)
    if not wanted.name[:-1].endswith("/"):
        assert matches(longer, wanted, str(wanted))  # nothing is remapped


@pytest.mark.parametrize("text", ["", "UPPER/case", "a:b:c", "x" * 300, "../x", "a b", "a\x00"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_no_name_matches_nothing_asked_for_by_tag(kind, text):
    rule = Identity(kind=kind, name=Reference.parse("a/b:1"), prefix="docker.io/a", signed_prefix="docker.io/a")
    assert not matches(rule, Reference.parse("a/b:1"), text)


def test_a_signature_without_a_name_is_for_those_who_asked_for_a_digest():
    by_digest, by_tag = intended(Reference.parse(f"a/b:1@{HEX}")), Reference.parse("a/b:1")
    named = {"name": by_digest, "prefix": "docker.io/a", "signed_prefix": "docker.io/a"}
    enough = {kind for kind in KINDS if matches(Identity(kind=kind, **named), by_digest, "")}
    assert enough == {"matchRepoDigestOrExact", "matchRepository"}
    assert not any(matches(Identity(kind=kind, **named), by_tag, "") for kind in KINDS)


@pytest.mark.parametrize(("text", "legal"), [
    ("docker.io", True), ("docker.io/library", True), ("localhost:5000", True), ("quay.io/a/b", True), ("busybox", False),
    ("a/b", False), ("", False), ("quay.io/a:1", False), (f"quay.io/a@{HEX}", False), ("quay.io/", False), ("/a", False),
    ("*.example.com", False), ("index.docker.io", False), ("quay.io/A", False),
])  # fmt: skip
def test_a_prefix_is_a_host_namespace_or_repository_in_full(text, legal):
    assert is_prefix(text) == legal
