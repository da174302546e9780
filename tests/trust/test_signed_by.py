"""signedBy against what skopeo signed (``--sign-by``), in a real registry with a lookaside folder beside it."""

from __future__ import annotations

import shutil
import time

import pytest

from jupyimg.errors import BadPolicy, Interrupted, Misuse, NotTrusted, ProtocolError, RegistryError, Unsupported
from tests.engines.test_pull import notes
from tests.registry.fake import Answer, serve_fake
from tests.services.process import environment, run
from tests.services.waiting import AT_ONCE, pressed


@pytest.fixture
def web():
    """A web server that a test puts documents into."""
    with serve_fake() as server:
        yield server


@pytest.fixture
def app(stocked, signing_skopeo, signer):
    """``app:1``, a single manifest that skopeo signed; its name."""
    return signed(signing_skopeo, stocked, signer, "app:1")


def signed(skopeo, registry, key, target, *, source="sample/web:1.0", all_platforms=False):
    name = registry.reference(target)
    options = ["--all"] if all_platforms else ["--override-arch=amd64"]
    skopeo("copy", *options, f"--sign-by={key}", f"docker://{registry.reference(source)}", f"docker://{name}")
    return name


def folder_of(signatures, registry, repository, tag):
    return signatures / f"{repository}@{registry.digest(repository, tag).replace(':', '=')}"


def test_an_image_that_skopeo_signed_is_let_in_and_the_key_is_told(trusting, signed_by, signer, app, stocked):
    engine = trusting(signed_by(signer))
    said, (record,) = notes(engine.pulling(app))
    assert f"Content trust: {record.digest} is signed by the GPG key {signer}" in said
    assert record.digest == stocked.digest("app", "1")
    assert engine.pull(f"{stocked.reference('app')}@{record.digest}")[0].digest == record.digest


def test_an_unsigned_image_is_refused_and_none_of_its_layers_fetched(trusting, signed_by, signer, refused, stocked):
    engine = trusting(signed_by(signer))
    name = stocked.reference("sample/hello:latest")
    before = stocked.sent("/sample/hello/blobs/")
    error = refused(engine, name, NotTrusted, "a signature is required, and there is none")
    assert name in error.message
    assert str(engine.settings.policy) in error.hint
    assert stocked.sent("/sample/hello/blobs/") == before


def test_a_refused_update_leaves_the_image_that_was_let_in(trusting, signed_by, signer, refused, app, stocked):
    engine = trusting(signed_by(signer))
    engine.pull(app)
    copy_into(stocked, "sample/hello", "app", manifest_of(stocked, "sample/hello"), "1")
    refused(engine, app, NotTrusted, "there is none")
    assert len(engine.images()) == 1


def manifest_of(registry, repository):
    """The digest of the first platform's manifest."""
    return registry.manifest(repository, "latest").json()["manifests"][0]["digest"]


def copy_into(registry, source, target, digest, tag):
    """Put a manifest and its blobs into another repository by hand."""
    held = registry.manifest(source, digest)
    for child in [held.json()["config"], *held.json()["layers"]]:
        registry.push_blob(target, registry.request("GET", f"/v2/{source}/blobs/{child['digest']}").body)
    registry.push_manifest(target, tag, held.body, held.headers["content-type"])


def test_a_signature_by_another_key_is_refused(trusting, signed_by, signer, stranger, refused, app):
    refused(trusting(signed_by(stranger)), app, NotTrusted, "by a key that the policy does not name")


def test_requirements_are_all_wanted(trusting, signed_by, signer, stranger, refused, app, stocked, signing_skopeo):
    engine = trusting(signed_by(signer), signed_by(stranger))
    refused(engine, app, NotTrusted)
    signed(signing_skopeo, stocked, stranger, "app:1", source="app:1")  # a second signature beside the first
    assert len(engine.pull(app)) == 1
    refused(trusting(signed_by(signer), {"type": "reject"}), app, NotTrusted, "rejected by the trust policy")
    assert trusting({"type": "insecureAcceptAnything"}, signed_by(signer)).pull(app)


def test_a_signature_moved_to_another_image_is_refused(trusting, signed_by, signer, refused, app, stocked, signatures):
    copy_into(stocked, "sample/hello", "app", manifest_of(stocked, "sample/hello"), "2")
    shutil.copytree(folder_of(signatures, stocked, "app", "1"), folder_of(signatures, stocked, "app", "2"))
    refused(trusting(signed_by(signer)), stocked.reference("app:2"), NotTrusted, "not this image")


def test_a_signature_replayed_for_another_tag_or_repository_is_refused(
    trusting, signed_by, signer, refused, app, stocked, signatures
):
    engine = trusting(signed_by(signer))
    digest = stocked.retag("app", "1", "2")  # same digest, so the same signature is found
    refused(engine, stocked.reference("app:2"), NotTrusted, "it is for '.*app:1'")
    copy_into(stocked, "app", "evil", digest, "1")
    shutil.copytree(folder_of(signatures, stocked, "app", "1"), folder_of(signatures, stocked, "evil", "1"))
    refused(engine, stocked.reference("evil:1"), NotTrusted, "it is for '.*app:1'")
    refused(engine, f"{stocked.reference('evil')}@{digest}", NotTrusted, "it is for '.*app:1'")
    same_repository = trusting(signed_by(signer, type="matchRepository"))
    assert same_repository.pull(stocked.reference("app:2"))
    refused(same_repository, stocked.reference("evil:1"), NotTrusted)


def test_a_damaged_signature_is_refused(trusting, signed_by, signer, refused, app, stocked, signatures):
    path = folder_of(signatures, stocked, "app", "1") / "signature-1"
    raw = path.read_bytes()
    middle = len(raw) // 2
    flipped = raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1 :]
    engine = trusting(signed_by(signer))
    for damaged in (flipped, raw[:middle], b"", b"trust me"):
        path.write_bytes(damaged)
        refused(engine, app, NotTrusted)
    path.write_bytes(raw + bytes(2 << 20))
    refused(engine, app, NotTrusted, "has more than 1048576 bytes")
    path.unlink()
    path.mkdir()
    refused(engine, app, NotTrusted, "is no file")


def test_a_good_signature_counts_behind_bad_ones_but_not_behind_too_many(
    trusting, signed_by, signer, refused, app, stocked, signatures
):
    folder = folder_of(signatures, stocked, "app", "1")
    good = (folder / "signature-1").read_bytes()
    for number in range(1, 4):
        (folder / f"signature-{number}").write_bytes(b"noise")
    (folder / "signature-4").write_bytes(good)
    engine = trusting(signed_by(signer))
    assert engine.pull(app)
    for number in range(4, 129):
        (folder / f"signature-{number}").write_bytes(b"noise")
    (folder / "signature-129").write_bytes(good)
    refused(engine, app, NotTrusted, "more than 128 signatures|none of its 129")


def test_of_an_index_the_signed_manifest_counts_as_containers_image_has_it(
    trusting, signed_by, signer, refused, stocked, signing_skopeo, signatures
):
    name = signed(signing_skopeo, stocked, signer, "multi:1", all_platforms=True)
    index = folder_of(signatures, stocked, "multi", "1")
    assert index.is_dir()
    assert trusting(signed_by(signer)).pull(name, platform="all")
    shutil.rmtree(index)
    engine = trusting(signed_by(signer))
    assert engine.pull(name, platform="linux/arm64")  # its manifest is signed
    arm = next(
        item["digest"]
        for item in stocked.manifest("multi", "1").json()["manifests"]
        if item["platform"]["architecture"] == "arm64"
    )
    shutil.rmtree(signatures / f"multi@{arm.replace(':', '=')}")
    error = refused(engine, name, NotTrusted, "its index: .*; its manifest: ", platform="linux/arm64")
    assert "there is none" in error.message
    refused(engine, name, NotTrusted, platform="all")
    assert engine.pull(name, platform="linux/amd64")


def test_a_signed_index_covers_the_platforms_that_it_names(
    trusting, signed_by, signer, stocked, signing_skopeo, signatures
):
    name = signed(signing_skopeo, stocked, signer, "multi:1", all_platforms=True)
    index = folder_of(signatures, stocked, "multi", "1")
    for folder in signatures.iterdir():
        if folder != index:
            shutil.rmtree(folder)
    assert trusting(signed_by(signer)).pull(name, platform="linux/arm64")


def test_skopeo_decides_the_same(
    signing_skopeo, signed_by, signer, stranger, trusting, app, stocked, tmp_path, refused
):
    stocked.retag("app", "1", "2")
    cases = [(signed_by(signer), "app:1"), (signed_by(stranger), "app:1"), (signed_by(signer), "app:2")]
    cases += [(signed_by(signer, type="matchRepository"), "app:2"), ({"type": "reject"}, "app:1")]
    cases += [(signed_by(signer, type="remapIdentity", prefix=stocked.host, signedPrefix="quay.io"), "app:1")]
    cases += [(signed_by(signer, type="exactReference", dockerReference=stocked.reference("app:1")), "app:2")]
    verdicts = []
    for number, (requirement, target) in enumerate(cases):
        engine = trusting(requirement)
        name = stocked.reference(target)
        command = [
            "skopeo",
            f"--policy={engine.settings.policy}",
            f"--registries.d={signing_skopeo.registries_d}",
            "copy",
        ]
        done = run(
            [*command, "--src-tls-verify=false", f"docker://{name}", f"dir:{tmp_path}/dir-{number}"],
            env=environment(signing_skopeo.home),
            check=False,
        )
        verdicts.append(done.returncode == 0)
        if verdicts[-1]:
            assert engine.pull(name)
        else:
            refused(engine, name, NotTrusted)
    assert verdicts == [True, False, False, True, False, False, True]


def test_signatures_come_from_a_web_server_too(trusting, signed_by, signer, refused, app, signatures, web):
    def serve(seen):
        path = signatures / seen.route.removeprefix("/")
        return Answer(200, path.read_bytes()) if path.is_file() else Answer(404)

    web.rule("GET", serve)
    assert trusting(signed_by(signer), lookaside_url=web.url).pull(app)
    assert [seen.route.rpartition("/")[2] for seen in web.seen] == ["signature-1"]
    assert "authorization" not in web.seen[0].headers
    shutil.rmtree(next(signatures.iterdir()))
    refused(trusting(signed_by(signer), lookaside_url=web.url), app, NotTrusted, "there is none")


def test_a_web_server_that_fails_lets_nothing_in(trusting, signed_by, signer, refused, app, web):
    engine = trusting(signed_by(signer), lookaside_url=web.url, attempts=1)
    web.rule("signature-1", Answer(500), times=1)
    assert "signature-1" in refused(engine, app, RegistryError).message
    web.rule("signature-1", Answer(200, bytes(2 << 20)), times=1)
    refused(engine, app, ProtocolError, "more than 1048576 bytes")
    web.rule("signature-1", Answer(302, headers={"Location": "http://169.254.169.254/"}), times=1)
    refused(engine, app, ProtocolError, "not safe|sends us")
    plain = trusting(signed_by(signer), lookaside_url="http://signatures.test")
    refused(plain, app, Misuse, "plain http")


def test_the_registry_that_is_copied_from_is_asked_about_and_nothing_is_pushed_where_it_is_refused(
    trusting, signed_by, signer, app, stocked, second_registry
):
    engine = trusting(scopes={stocked.reference("app"): [signed_by(signer)]})
    goal = second_registry.reference("app:1")
    said, _ = notes(engine.remote.copying(app, goal))
    assert any(signer in line for line in said)
    with pytest.raises(NotTrusted):
        notes(engine.remote.copying(stocked.reference("sample/web:1.0"), second_registry.reference("web:1")))
    assert [access for access in second_registry.accesses("/v2/web/") if access.method in {"POST", "PUT"}] == []


def test_the_most_specific_scope_decides(trusting, signed_by, signer, refused, stocked):
    host = stocked.host
    anything, reject = [{"type": "insecureAcceptAnything"}], [{"type": "reject"}]
    scopes = {
        host: reject,
        f"{host}/sample": anything,
        f"{host}/sample/web": reject,
        f"{host}/sample/web:1.1": anything,
    }
    engine = trusting(scopes=scopes)
    assert engine.pull(stocked.reference("sample/hello"))
    assert engine.pull(stocked.reference("sample/web:1.1"))
    error = refused(engine, stocked.reference("sample/web:1.0"), NotTrusted, "rejected by the trust policy")
    assert f'docker["{host}/sample/web"]' in error.hint


@pytest.mark.parametrize("damage", ["no file", "no policy", "no key in it", "not JSON"])
def test_a_policy_that_cannot_be_used_lets_nothing_in(trusting, signed_by, signer, refused, app, damage, tmp_path):
    requirement = signed_by(signer)
    engine = trusting(requirement)
    path = tmp_path / f"{signer}.gpg"
    if damage == "no file":
        path.unlink()
    elif damage == "no key in it":
        path.write_bytes(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    elif damage == "no policy":
        engine.settings.policy.unlink()
    else:
        engine.settings.policy.write_text("{")
    refused(engine, app, BadPolicy)


BEYOND = [
    {
        "type": "sigstoreSigned",
        "fulcio": {"caPath": "/ca", "oidcIssuer": "https://x", "subjectEmail": "a@b"},
        "rekorPublicKeyPath": "/r",
    },
    {"type": "sigstoreSigned", "pki": {"caRootsPath": "/ca", "subjectEmail": "a@b"}},
    {"type": "sigstoreSigned", "keyPath": "/key", "rekorPublicKeyPath": "/rekor"},
    {"type": "signedBy", "keyType": "X509Certificates", "keyPath": "/key"},
    {"type": "signedBaseLayer", "baseLayerIdentity": {"type": "matchExact"}},
]


def test_what_is_not_checked_here_is_said_and_lets_nothing_in(trusting, refused, stocked):
    for requirement in BEYOND:
        engine = trusting({"type": "insecureAcceptAnything"}, requirement)
        refused(engine, stocked.reference("sample/web:1.0"), Unsupported, "not checked here")


def test_without_gpg_the_error_says_what_to_install(trusting, signed_by, signer, refused, app, monkeypatch):
    requirement = signed_by(signer)
    monkeypatch.setenv("PATH", "/nowhere")
    error = refused(trusting(requirement), app, Unsupported, "no gpg here")
    assert "install GnuPG" in error.hint


def test_content_trust_wants_a_policy_that_wants_a_signature(trusting, signed_by, signer, refused, app, stocked):
    refused(trusting(content_trust=True), app, NotTrusted, "there is no trust policy")
    lax = trusting({"type": "insecureAcceptAnything"}, content_trust=True)
    refused(lax, app, NotTrusted, "wants no signature")
    assert trusting(signed_by(signer), content_trust=True).pull(app)
    assert lax.pull(app, trust=False)
    refused(trusting({"type": "insecureAcceptAnything"}), stocked.reference("sample/web:1.0"), NotTrusted, trust=True)


def test_trust_switched_off_for_one_pull_asks_nobody(trusting, app):
    engine = trusting({"type": "reject"})
    engine.settings.policy.write_text("damaged")
    assert engine.pull(app, trust=False)


def test_a_stopped_pull_does_not_wait_for_signatures(trusting, signed_by, signer, app, web):
    engine = trusting(signed_by(signer), lookaside_url=web.url)
    web.rule("signature-1", Answer(stall=-1))
    with pytest.raises(Interrupted), pressed(lambda: web.count("signature-1")) as moments:
        engine.pull(app)
    assert web.count("signature-1") == 1
    assert time.monotonic() - moments[0] < AT_ONCE
    assert engine.images(everything=True) == []
