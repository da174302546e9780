"""Claims are read strictly from what was signed."""

from __future__ import annotations

import json

import pytest

from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_MANIFEST, Descriptor
from jupyimg.model.reference import Reference
from jupyimg.trust.evidence import GPG_TYPE, Claim, Subject, Unacceptable, accept, simple, statement
from jupyimg.trust.identity import Identity
from tests.places.memory import MemoryPlace

HEX = "ab" * 32
GOOD = {
    "critical": {
        "type": GPG_TYPE,
        "image": {"docker-manifest-digest": f"sha256:{HEX}"},
        "identity": {"docker-reference": "quay.io/a/b:1"},
    },
    "optional": {"creator": "x", "timestamp": 1},
}
STATED = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"digest": {"sha256": HEX}}],
    "predicateType": "https://sigstore.dev/cosign/sign/v1",
    "predicate": {},
}


def changed(document, path, value):
    """A copy in which one place holds another value; None takes it away."""
    copy = json.loads(json.dumps(document))
    node = copy
    for key in path[:-1]:
        node = node[key]
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return json.dumps(copy).encode()


def test_a_payload_says_which_image_and_under_which_name():
    (claim,) = simple(json.dumps(GOOD).encode(), GPG_TYPE)
    assert (claim.digests, claim.name) == ((f"sha256:{HEX}",), "quay.io/a/b:1")
    assert simple(changed(GOOD, ["optional"], {}), GPG_TYPE)
    assert simple(json.dumps({**GOOD, "optional": None}).encode(), GPG_TYPE)


@pytest.mark.parametrize(("path", "value"), [
    (["optional"], None), (["optional"], []), (["more"], 1), (["critical"], None), (["critical", "more"], 1), (["critical", "type"], None),
    (["critical", "type"], "cosign container image signature"), (["critical", "image"], []), (["critical", "image", "more"], 1),
    (["critical", "image", "docker-manifest-digest"], None), (["critical", "image", "docker-manifest-digest"], "sha256:" + "AB" * 32),
    (["critical", "image", "docker-manifest-digest"], "sha256:ab"), (["critical", "image", "docker-manifest-digest"], 1),
    (["critical", "identity"], {}), (["critical", "identity", "docker-reference"], ""), (["critical", "identity", "docker-reference"], ["x"]),
])  # fmt: skip
def test_a_payload_that_is_not_exactly_one_is_none(path, value):
    with pytest.raises(Unacceptable, match="no claim about an image"):
        simple(changed(GOOD, path, value), GPG_TYPE)


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"{", b"\xff", b"[" * 100_000, b'{"critical": {}, "critical": {}, "optional": {}}']
)
def test_what_is_no_document_is_no_claim(raw):
    for read in (lambda: simple(raw, GPG_TYPE), lambda: statement(raw)):
        with pytest.raises(Unacceptable):
            read()


def test_a_statement_has_one_claim_for_each_subject():
    named = {"name": "quay.io/a/b:1", "digest": {"sha256": HEX, "gitCommit": "x"}}
    first, second = statement(changed(STATED, ["subject"], [STATED["subject"][0], named]))
    assert (first.digests, first.name) == ((f"sha256:{HEX}",), "")
    assert (second.digests, second.name) == ((f"sha256:{HEX}",), "quay.io/a/b:1")


@pytest.mark.parametrize(("path", "value"), [
    (["_type"], "https://in-toto.io/Link/v1"), (["_type"], None), (["predicateType"], "https://slsa.dev/provenance/v1"), (["predicateType"], None),
    (["subject"], []), (["subject"], None), (["subject"], [1]), (["subject", 0, "digest"], None), (["subject", 0, "name"], 1),
    (["subject", 0, "digest", "sha256"], "ab"), (["subject", 0, "digest", "sha256"], 1),
])  # fmt: skip
def test_a_statement_that_is_no_signature_is_none(path, value):
    with pytest.raises(Unacceptable):
        statement(changed(STATED, path, value))


RAW = b"a manifest"
WANTED = Reference.parse("quay.io/a/b:1")


@pytest.fixture
def subject():
    place = MemoryPlace()
    place.blobs[Digest.of(RAW)] = RAW
    descriptor = Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(RAW), size=len(RAW))
    return Subject(place=place, wanted=WANTED, descriptor=descriptor)


def claim(*digests, name=str(WANTED)):
    return Claim(digests, name)


def test_a_claim_may_use_any_digest_of_the_manifest_and_all_that_it_uses_must_be_right(subject):
    right, also, wrong = Digest.of(RAW), Digest.of(RAW, "sha512"), Digest.of(b"other", "sha512")
    accept([claim(right)], subject, Identity())
    accept([claim(also)], subject, Identity())
    accept([claim(wrong), claim(right, also)], subject, Identity())
    for claims in (
        [claim(wrong)],
        [claim(right, wrong)],
        [claim()],
        [claim(wrong), claim(right, name="quay.io/a/b:2")],
    ):
        with pytest.raises(Unacceptable):
            accept(claims, subject, Identity())
