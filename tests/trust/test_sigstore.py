"""sigstoreSigned with keys: bundles made by Sigstore's libraries, and cosign's older tags, in a real registry."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import x25519

from jupyimg.errors import BadPolicy, NotTrusted, Unsupported
from jupyimg.trust import evidence, sigstore
from tests.engines.test_pull import notes
from tests.trust.sigstore import attach, bundled, make_key, payload, statement, tagged
from tests.trust.test_signed_by import copy_into, manifest_of

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


@pytest.fixture
def key(tmp_path):
    """The key that policies name."""
    return make_key(tmp_path, "signer")


@pytest.fixture
def stranger(tmp_path):
    return make_key(tmp_path, "stranger")


@pytest.fixture
def app(stocked):
    """``app:1``, a single manifest; its digest."""
    copy_into(stocked, "sample/hello", "app", manifest_of(stocked, "sample/hello"), "1")
    return stocked.digest("app", "1")


def by(key, **identity):
    found = {"type": "sigstoreSigned", "keyPath": str(key.public)}
    return {**found, "signedIdentity": identity} if identity else found


@pytest.mark.parametrize("kind", ["ecdsa", "rsa", "ed25519"])
def test_a_bundle_by_the_policys_key_lets_an_image_in(trusting, stocked, app, tmp_path, kind):
    key = make_key(tmp_path, kind, kind)
    name = stocked.reference("app:1")
    bundled(stocked, "app", app, key, statement(app, name))
    said, _ = notes(trusting(by(key)).pulling(name))
    assert f"Content trust: {app} is signed with sigstore by {kind}.pub" in said


def test_a_bundle_that_signs_the_manifests_bytes_lets_it_in_by_digest(trusting, refused, stocked, app, key):
    bundled(stocked, "app", app, key, stocked.manifest("app", "1").body, form="message")
    engine = trusting(by(key))
    assert engine.pull(f"{stocked.reference('app')}@{app}")
    error = refused(engine, stocked.reference("app:1"), NotTrusted, "names no repository and no tag")
    assert f"app@{app}" in error.hint


@pytest.mark.parametrize("identity", [{}, {"type": "matchRepository"}])
def test_a_bundle_as_cosign_3_writes_it_vouches_for_a_digest_alone(trusting, refused, stocked, app, key, identity):
    bundled(stocked, "app", app, key, statement(app))
    engine = trusting(by(key, **identity))
    assert engine.pull(f"{stocked.reference('app')}@{app}")
    error = refused(engine, stocked.reference("app:1"), NotTrusted, "names no repository and no tag")
    assert f"app@{app}" in error.hint


@pytest.mark.parametrize("identity", ["matchExact", "exactRepository", "exactReference", "remapIdentity"])
def test_an_identity_that_a_bundle_does_not_claim_is_not_guessed(trusting, refused, stocked, app, key, identity):
    bundled(stocked, "app", app, key, statement(app))
    name = stocked.reference("app")
    more = {
        "matchExact": {},
        "exactRepository": {"dockerRepository": name},
        "exactReference": {"dockerReference": f"{name}:1"},
        "remapIdentity": {"prefix": stocked.host, "signedPrefix": stocked.host},
    }[identity]
    refused(trusting(by(key, type=identity, **more)), f"{name}@{app}", NotTrusted)


def test_an_unsigned_image_is_refused(trusting, refused, stocked, app, key):
    refused(trusting(by(key)), stocked.reference("app:1"), NotTrusted, "a signature is required, and there is none")


def test_another_key_a_moved_and_a_replayed_bundle_are_refused(trusting, refused, stocked, app, key, stranger):
    name, other = stocked.reference("app:1"), manifest_of(stocked, "sample/web")
    engine = trusting(by(key))
    bundled(stocked, "app", app, stranger, statement(app, name))
    refused(engine, name, NotTrusted, "by a key that the policy does not name")
    copy_into(stocked, "sample/web", "app", other, "2")
    bundled(stocked, "app", other, key, statement(app, stocked.reference("app:2")))  # a statement about app:1's digest
    refused(engine, stocked.reference("app:2"), NotTrusted, f"it signs {app}, not this image")
    bundled(stocked, "app", other, key, stocked.manifest("app", "1").body, form="message")
    refused(engine, f"{stocked.reference('app')}@{other}", NotTrusted, "of something else")
    copy_into(stocked, "app", "evil", app, "1")
    bundled(stocked, "evil", app, key, statement(app, name))
    refused(engine, stocked.reference("evil:1"), NotTrusted, "it is for '.*app:1'")


def test_an_attestation_by_the_same_key_is_no_signature(trusting, refused, stocked, app, key):
    found = statement(app, stocked.reference("app:1"), predicate="https://cosign.sigstore.dev/attestation/vuln/v1")
    bundled(stocked, "app", app, key, found)
    refused(trusting(by(key)), stocked.reference("app:1"), NotTrusted, "which is no signature")


def test_what_a_key_signed_as_something_else_is_no_statement(trusting, refused, stocked, app, key):
    name = stocked.reference("app:1")
    bundled(stocked, "app", app, key, statement(app, name), kind="text/plain")
    refused(trusting(by(key)), name, NotTrusted, "no in-toto statement")


def test_a_signature_that_is_listed_and_missing_hides_no_good_one(trusting, refused, stocked, app, key):
    name = stocked.reference("app:1")
    lost = bundled(stocked, "app", app, key, statement(app, name))
    stocked.request("DELETE", f"/v2/app/blobs/{stocked.manifest('app', lost['digest']).json()['layers'][0]['digest']}")
    refused(trusting(by(key)), name, NotTrusted, "its signature does not count")
    bundled(stocked, "app", app, key, statement(app, name))
    assert trusting(by(key)).pull(name)


def test_one_good_bundle_among_others_is_enough(trusting, stocked, app, key, stranger):
    name = stocked.reference("app:1")
    bundled(stocked, "app", app, stranger, statement(app, name))
    bundled(stocked, "app", app, key, statement(app, name))
    assert trusting(by(key)).pull(name)
    either = {"type": "sigstoreSigned", "keyPaths": [str(key.public), str(stranger.public)]}
    assert trusting(either).pull(name)


def test_a_bundle_of_an_index_covers_its_platforms_and_one_of_a_manifest_itself(trusting, refused, stocked, key):
    name, index = stocked.reference("sample/web:1.0"), stocked.digest("sample/web", "1.0")
    arm = stocked.manifest("sample/web", "1.0").json()["manifests"][1]["digest"]
    engine = trusting(by(key))
    bundled(stocked, "sample/web", arm, key, statement(arm, name))
    assert engine.pull(name, platform="linux/arm64")
    refused(engine, name, NotTrusted, platform="linux/amd64")
    bundled(stocked, "sample/web", index, key, statement(index, name))
    assert engine.pull(name, platform="linux/amd64")
    assert engine.pull(name, platform="all")


# ---- cosign's older form


def cosigned(stocked, app, key, **more):
    signed = payload(more.get("digest", app), more.get("name", stocked.reference("app")))
    tagged(stocked, more.get("repository", "app"), app, (signed, key.sign(signed)))


def test_a_cosign_tag_lets_an_image_in_where_the_repository_is_enough(trusting, refused, stocked, app, key):
    cosigned(stocked, app, key)
    name = stocked.reference("app:1")
    assert trusting(by(key, type="matchRepository")).pull(name)
    assert trusting(by(key, type="exactRepository", dockerRepository=stocked.reference("app"))).pull(name)
    refused(trusting(by(key)), name, NotTrusted, "it is for '.*app'")  # as containers/image: it names no tag
    cosigned(stocked, app, key, name=name)
    assert trusting(by(key)).pull(name)


def test_other_keys_digests_repositories_and_payloads_of_cosign_tags_are_refused(
    trusting, refused, stocked, app, key, stranger
):
    name, engine = stocked.reference("app:1"), trusting(by(key, type="matchRepository"))
    cosigned(stocked, app, stranger)
    refused(engine, name, NotTrusted, "by a key that the policy does not name")
    cosigned(stocked, app, key, digest="sha256:" + "0" * 64)
    refused(engine, name, NotTrusted, "not this image")
    cosigned(stocked, app, key, name=stocked.reference("other"))
    refused(engine, name, NotTrusted, "it is for '.*other'")
    good = payload(app, stocked.reference("app"))
    tagged(stocked, "app", app, (good.replace(b"null", b"{} "), key.sign(good)))
    refused(engine, name, NotTrusted, "not valid")
    doubled = good.replace(b'"optional"', b'"critical": {}, "optional"')
    tagged(stocked, "app", app, (doubled, key.sign(doubled)))
    refused(engine, name, NotTrusted, "stands twice")


# ---- hostile and damaged


DAMAGED = [
    b"", b"{", b"[]", b"{}", b'{"dsseEnvelope": 1}', b'{"dsseEnvelope": {}}', b'{"messageSignature": {}}',
    b'{"dsseEnvelope": {"payloadType": "text/plain", "payload": "e30=", "signatures": [{"sig": "e30="}]}}',
    b'{"dsseEnvelope": {"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": []}}',
    b'{"dsseEnvelope": {"payloadType": "application/vnd.in-toto+json", "payload": "?", "signatures": [{"sig": "e30="}]}}',
    b'{"messageSignature": {"signature": "e30="}}', b"[" * 100_000, bytes(evidence.SIGNATURE_LIMIT + 1),
]  # fmt: skip


def test_a_damaged_bundle_is_refused_in_a_sentence(trusting, refused, stocked, app, key):
    engine = trusting(by(key))
    for document in DAMAGED:
        attach(stocked, "app", app, [document], BUNDLE)
        error = refused(engine, stocked.reference("app:1"), NotTrusted, "its signature does not count")
        assert len(error.message) < 700
    assert len(DAMAGED[-1]) > evidence.SIGNATURE_LIMIT
    assert stocked.sent("/v2/app/blobs/") < evidence.SIGNATURE_LIMIT, "what is too large is not fetched"


def test_referrers_of_other_kinds_are_not_taken_for_signatures(trusting, refused, stocked, app, key):
    attach(stocked, "app", app, [b"{}"], "application/spdx+json")
    refused(trusting(by(key)), stocked.reference("app:1"), NotTrusted, "a signature is required, and there is none")


def test_thousands_of_signatures_are_not_all_looked_at(trusting, refused, stocked, app, key, monkeypatch):
    attach(stocked, "app", app, [b'{"n": %d}' % number for number in range(12)], BUNDLE)
    monkeypatch.setattr("jupyimg.trust.decision.SIGNATURES", 5)
    refused(trusting(by(key)), stocked.reference("app:1"), NotTrusted, "more than 5 signatures")
    asked = [access for access in stocked.accesses("/v2/app/blobs/") if access.method == "GET"]
    assert len(asked) == 5
    assert evidence.SIGNATURES == 128
    assert sigstore.REFERRERS == 1000


def test_what_lies_under_the_tags_and_is_something_else_is_no_signature(trusting, refused, stocked, app, key):
    stocked.retag("app", "1", app.replace(":", "-"))
    stocked.retag("app", "1", f"{app.replace(':', '-')}.sig")
    refused(trusting(by(key)), stocked.reference("app:1"), NotTrusted, "there is none")


def test_keys_that_are_none_are_told(trusting, refused, stocked, app, key):
    name = stocked.reference("app:1")
    key.public.write_text("not a key")
    refused(trusting(by(key)), name, BadPolicy, "no public key in PEM form")
    key.public.unlink()
    refused(trusting(by(key)), name, BadPolicy, "cannot be read")
    private = {"type": "sigstoreSigned", "keyPath": str(key.private)}
    refused(trusting(private), name, BadPolicy, "no public key")


def test_a_key_of_another_kind_is_told(trusting, refused, stocked, app, tmp_path):
    path = tmp_path / "odd.pub"
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    path.write_bytes(x25519.X25519PrivateKey.generate().public_key().public_bytes(serialization.Encoding.PEM, form))
    requirement = {"type": "sigstoreSigned", "keyPath": str(path)}
    refused(trusting(requirement), stocked.reference("app:1"), Unsupported, "neither ECDSA")


def test_keys_in_the_policy_itself_count(trusting, stocked, app, key):
    data = base64.b64encode(key.public.read_bytes()).decode()
    name = stocked.reference("app:1")
    bundled(stocked, "app", app, key, statement(app, name))
    said, _ = notes(trusting({"type": "sigstoreSigned", "keyDatas": [data]}).pulling(name))
    assert any("by a key in the policy" in line for line in said)


def test_the_libraries_wrote_what_the_specification_of_bundles_says(stocked, app, key):
    descriptor = bundled(stocked, "app", app, key, statement(app))
    manifest = json.loads(stocked.manifest("app", descriptor["digest"]).body)
    assert manifest["artifactType"] == BUNDLE
    assert manifest["subject"]["digest"] == app
    fallback = stocked.manifest("app", app.replace(":", "-")).json()
    assert [item["artifactType"] for item in fallback["manifests"]] == [BUNDLE]
