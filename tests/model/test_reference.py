"""References are normalised as distribution/reference does."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.errors import BadReference
from jupyimg.model.reference import Reference

SHA = "sha256:" + "ab" * 32
SHA512 = "sha512:" + "cd" * 64

CASES = [
    # what is typed, canonical, familiar
    ("nginx", "docker.io/library/nginx:latest", "nginx:latest"),
    ("nginx:1.22", "docker.io/library/nginx:1.22", "nginx:1.22"),
    ("me/app", "docker.io/me/app:latest", "me/app:latest"),
    ("docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest"),
    ("docker.io/library/nginx", "docker.io/library/nginx:latest", "nginx:latest"),
    ("index.docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest"),
    ("docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"),
    ("localhost/app", "localhost/app:latest", "localhost/app:latest"),
    ("localhost:5000/me/app:v1", "localhost:5000/me/app:v1", "localhost:5000/me/app:v1"),
    ("localhost:5000/app", "localhost:5000/app:latest", "localhost:5000/app:latest"),
    ("127.0.0.1:5000/app:v1", "127.0.0.1:5000/app:v1", "127.0.0.1:5000/app:v1"),
    ("[::1]:5000/app:v1", "[::1]:5000/app:v1", "[::1]:5000/app:v1"),
    ("[2001:db8::1]/app", "[2001:db8::1]/app:latest", "[2001:db8::1]/app:latest"),
    ("quay.io/org/app", "quay.io/org/app:latest", "quay.io/org/app:latest"),
    ("Host/app", "Host/app:latest", "Host/app:latest"),
    ("host:443/app", "host:443/app:latest", "host:443/app:latest"),
    ("a.b/c__d--e.f/g", "a.b/c__d--e.f/g:latest", "a.b/c__d--e.f/g:latest"),
    (f"nginx@{SHA}", f"docker.io/library/nginx@{SHA}", f"nginx@{SHA}"),
    (f"nginx:1.22@{SHA}", f"docker.io/library/nginx:1.22@{SHA}", f"nginx:1.22@{SHA}"),
    (f"quay.io/x@{SHA512}", f"quay.io/x@{SHA512}", f"quay.io/x@{SHA512}"),
    ("deadbeef", "docker.io/library/deadbeef:latest", "deadbeef:latest"),
    ("a" * 64 + ":tag", "docker.io/library/" + "a" * 64 + ":tag", "a" * 64 + ":tag"),
]

REFUSED = [
    "",
    ":tag",
    "/nginx",
    "nginx/",
    "Nginx",
    "me/App",
    "nginx:",
    "nginx:ta g",
    "nginx:.tag",
    "nginx:" + "t" * 129,
    "a..b",
    "a___b",
    "-a",
    "a-",
    "localhost:port/app",
    "http://localhost:5000/app",
    "a" * 64,
    "x" * 256,
    "nginx@sha256:abc",
    f"nginx@{SHA.upper()}",
    "nginx@md5:" + "a" * 32,
    "nginx@",
    "ünïcode",
    "a\n",
    "quay.io/../etc",
]


@pytest.mark.parametrize(("typed", "canonical", "familiar"), CASES)
def test_normalisation(typed, canonical, familiar):
    reference = Reference.parse(typed)
    assert (str(reference), reference.familiar) == (canonical, familiar)


@pytest.mark.parametrize("typed", REFUSED)
def test_what_the_grammar_refuses_is_refused_with_a_hint(typed):
    with pytest.raises(BadReference) as caught:
        Reference.parse(typed)
    assert caught.value.hint


def test_an_uppercase_name_is_told_its_lowercase():
    with pytest.raises(BadReference, match="'nginx'"):
        Reference.parse("Nginx")


def test_a_default_tag_can_be_left_out():
    assert str(Reference.parse("nginx", default_tag="")) == "docker.io/library/nginx"


def test_the_digest_decides_what_a_registry_is_asked_for():
    assert Reference.parse(f"nginx:1.22@{SHA}").target == SHA
    assert Reference.parse("nginx:1.22").target == "1.22"


def test_with_tag_refuses_what_is_no_tag():
    with pytest.raises(BadReference, match="not a tag"):
        Reference.parse("nginx").with_tag("a b")


component = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
path = st.lists(component, min_size=1, max_size=4).map("/".join)
tag = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
host = st.one_of(
    st.just(""),
    st.builds("{}.{}".format, component, component),
    st.builds("localhost:{}".format, st.integers(1, 65535)),
)


@given(host, path, tag, st.booleans())
def test_canonical_and_familiar_forms_parse_back_to_the_same(host, path, tag, with_digest):
    text = f"{host}/{path}:{tag}" if host else f"{path}:{tag}"
    reference = Reference.parse(text + (f"@{SHA}" if with_digest else ""))
    assert Reference.parse(str(reference)) == reference
    assert Reference.parse(reference.familiar) == reference


@given(st.text(max_size=40))
def test_any_text_is_a_reference_or_a_bad_reference(text):
    try:
        reference = Reference.parse(text)
    except BadReference:
        return
    assert Reference.parse(str(reference)) == reference
