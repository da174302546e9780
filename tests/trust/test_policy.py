"""policy.json is read strictly: what is unknown, doubled or of the wrong type is an error that names the place."""

from __future__ import annotations

import base64
import json
import tracemalloc

import pytest

from jupyimg.errors import BadPolicy
from jupyimg.model.reference import Reference
from jupyimg.trust.policy import Anything, Beyond, Policy, Reject, SignedBy, parse_policy, read_policy
from jupyimg.trust.strict import Malformed

ANY, NO = [{"type": "insecureAcceptAnything"}], [{"type": "reject"}]
GPG = {"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/key"}
SIGSTORE = {"type": "sigstoreSigned", "keyPath": "/key"}


def default(requirement):
    return json.dumps({"default": [requirement]}).encode()


def with_identity(identity):
    return default({**GPG, "signedIdentity": identity})


def test_debians_policy_is_read():
    policy = parse_policy(
        b'{\n    "default": [\n        {\n            "type": "insecureAcceptAnything"\n        }\n    ]\n}\n'
    )
    assert policy == Policy((Anything(),), {})


def test_what_is_not_named_is_matched_by_digest_or_exactly():
    (found,) = parse_policy(default(GPG)).default
    assert isinstance(found, SignedBy)
    assert found.identity.kind == "matchRepoDigestOrExact"


@pytest.mark.parametrize(("raw", "where"), [
    (b"", "not JSON"), (b"\xff", "not JSON"), (b"[]", "an object"), (b"{}", "'default' is missing"), (b"[" * 100_000, "without end"),
    (b'{"default": []}', "default: the list must not be empty"), (b'{"default": {}}', "default: a list"),
    (b'{"default": [1]}', "default[0]: an object"), (b'{"default": [{}]}', "default[0]: the key 'type' is missing"),
    (b'{"default": [{"type": "trust"}]}', "default[0]: unknown type 'trust'"), (b'{"default": [{"type": 1}]}', "default[0].type"),
    (b'{"default": [{"type": "reject"}], "default": [{"type": "reject"}]}', "'default' stands twice"),
    (b'{"default": [{"type": "reject", "type": "insecureAcceptAnything"}]}', "'type' stands twice"),
    (b'{"Default": [{"type": "reject"}]}', "unknown key 'Default'"), (b'{"default": [{"type": "reject", "why": 1}]}', "default[0]: unknown key 'why'"),
    (json.dumps({"default": NO, "transport": {}}).encode(), "unknown key 'transport'"),
    (json.dumps({"default": NO, "transports": []}).encode(), "transports: an object"),
    (json.dumps({"default": NO, "transports": {"docker": []}}).encode(), "transports.docker: an object"),
    (json.dumps({"default": NO, "transports": {"docker": {"quay.io/x": []}}}).encode(), "transports.docker['quay.io/x']: the list"),
    (default({"type": "signedBy", "keyPath": "/k"}), "'keyType' is missing"), (default({**GPG, "keyType": "PGP"}), "keyType: unknown value"),
    (default({"type": "signedBy", "keyType": "GPGKeys"}), "exactly one of"), (default({**GPG, "keyData": "QQ=="}), "exactly one of"),
    (default({**GPG, "keyPath": ""}), "keyPath: a text"), (default({**GPG, "keyPath": "key.gpg"}), "keyPath: the path must be absolute"),
    (default({"type": "signedBy", "keyType": "GPGKeys", "keyPaths": []}), "keyPaths: the list must not be empty"),
    (default({"type": "signedBy", "keyType": "GPGKeys", "keyPaths": ["/a", 1]}), "keyPaths[1]: a text"),
    (default({"type": "signedBy", "keyType": "GPGKeys", "keyData": "?"}), "keyData: base64"), (default({**GPG, "keyDatas": ["QQ=="]}), "unknown key 'keyDatas'"),
    (default({"type": "sigstoreSigned"}), "exactly one of"), (default({**SIGSTORE, "keyData": "QQ=="}), "exactly one of"),
    (default({**SIGSTORE, "rekorPublicKeyPath": "/r", "rekorPublicKeyData": "QQ=="}), "at most one"),
    (default({**SIGSTORE, "fulcio": {}}), "fulcio: the key"), (default({"type": "sigstoreSigned", "pki": {"ca": 1}}), "pki: unknown key 'ca'"),
    (default({**SIGSTORE, "keyType": "GPGKeys"}), "unknown key 'keyType'"),
    (with_identity("matchExact"), "signedIdentity: an object"), (with_identity({}), "signedIdentity: the key 'type'"),
    (with_identity({"type": "match"}), "signedIdentity: unknown type"), (with_identity({"type": "matchExact", "x": 1}), "unknown key 'x'"),
    (with_identity({"type": "exactReference", "dockerReference": "a/b"}), "a tag or a digest is expected"),
    (with_identity({"type": "exactReference"}), "'dockerReference' is missing"),
    (with_identity({"type": "exactRepository", "dockerRepository": "A/B"}), "an image name is expected"),
    (with_identity({"type": "remapIdentity", "prefix": "busybox", "signedPrefix": "quay.io"}), "prefix: a host, namespace"),
    (with_identity({"type": "remapIdentity", "prefix": "quay.io"}), "'signedPrefix' is missing"),
])  # fmt: skip
def test_what_the_format_does_not_allow_is_named_with_its_place(raw, where, tmp_path):
    with pytest.raises(Malformed) as caught:
        parse_policy(raw)
    assert where in str(caught.value)
    path = tmp_path / "policy.json"
    path.write_bytes(raw)
    with pytest.raises(BadPolicy) as told:
        read_policy(path)
    assert str(path) in told.value.message
    assert told.value.hint


@pytest.mark.parametrize("requirement", [
    ANY[0], NO[0], GPG, SIGSTORE, {**GPG, "signedIdentity": {"type": "exactReference", "dockerReference": "busybox:1"}},
    {**SIGSTORE, "signedIdentity": {"type": "remapIdentity", "prefix": "localhost:5000", "signedPrefix": "quay.io/a"}},
    {"type": "sigstoreSigned", "keyDatas": ["QQ==", "QQ=="]}, {"type": "signedBy", "keyType": "GPGKeys", "keyPaths": ["/a", "/b"]},
])  # fmt: skip
def test_what_the_manual_shows_is_read_and_each_field_counts(requirement):
    (found,) = parse_policy(default(requirement)).default
    assert not isinstance(found, Beyond)
    for key in requirement:
        with pytest.raises(Malformed):
            parse_policy(default({**requirement, key: None}))


def test_keys_in_the_policy_are_their_bytes():
    data = base64.b64encode(b"a key").decode()
    (found,) = parse_policy(default({"type": "signedBy", "keyType": "GPGKeys", "keyData": data})).default
    assert (found.keys.data, found.keys.paths) == ((b"a key",), ())


def test_the_most_specific_scope_decides_and_then_the_transport_and_then_the_default():
    scopes = {"quay.io/a": NO, "*.example.com": ANY, "": NO}
    policy = parse_policy(
        json.dumps({"default": ANY, "transports": {"docker": scopes, "docker-archive": {"": ANY}}}).encode()
    )
    assert policy.deciding(Reference.parse("quay.io/a/b:1")) == ('docker["quay.io/a"]', (Reject(),))
    assert policy.deciding(Reference.parse("x.example.com/b"))[0] == 'docker["*.example.com"]'
    assert policy.deciding(Reference.parse("example.com/b"))[0] == 'docker[""]'
    assert parse_policy(json.dumps({"default": ANY}).encode()).deciding(Reference.parse("a")) == (
        "default",
        (Anything(),),
    )


def test_a_policy_without_end_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "policy.json"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    tracemalloc.start()
    with pytest.raises(BadPolicy, match="more than"):
        read_policy(path)
    assert tracemalloc.get_traced_memory()[1] < 32 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("document", "anything"),
    [
        ({"default": ANY}, True),
        ({"default": ANY, "transports": {"docker": {"quay.io": ANY}, "oci": {"": NO}}}, True),
        ({"default": ANY, "transports": {"docker": {"quay.io": NO}}}, False),
        ({"default": NO, "transports": {"docker": {"": ANY}}}, False),
    ],
)
def test_a_policy_that_takes_anything_of_every_registry_is_told_from_others(document, anything):
    assert parse_policy(json.dumps(document).encode()).takes_anything is anything
