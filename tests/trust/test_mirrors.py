"""Signatures by way of mirrors: those of a mirror count like any other, and none that it hides is missed."""

from __future__ import annotations

import pytest

from jupyimg.errors import NotTrusted, Unreachable
from tests.engines.test_pull import notes
from tests.registry.fake import dead_port
from tests.trust.sigstore import attach, bundled, make_key, payload, statement, tagged
from tests.trust.test_signed_by import copy_into, manifest_of

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


@pytest.fixture
def key(tmp_path):
    return make_key(tmp_path, "signer")


@pytest.fixture
def app(stocked):
    """``app:1``, a single manifest; its digest."""
    copy_into(stocked, "sample/hello", "app", manifest_of(stocked, "sample/hello"), "1")
    return stocked.digest("app", "1")


@pytest.fixture
def by_mirror(trusting, key, tmp_path):
    """An engine that wants the key's signature and reads a registry by way of a mirror."""

    def make(registry, mirror):
        folder = tmp_path / "config" / "containers"
        folder.mkdir(parents=True, exist_ok=True)
        text = f'[[registry]]\nlocation = "{registry}"\n[[registry.mirror]]\nlocation = "{mirror}"\n'
        (folder / "registries.conf").write_text(text)
        wanted = {"type": "sigstoreSigned", "keyPath": str(key.public)}
        return trusting(wanted, user_config=folder.parent, attempts=2, connect_timeout=1.0)

    return make


def sign(form, registry, digest, key, name):
    if form == "bundle":
        bundled(registry, "app", digest, key, statement(digest, name))
    else:
        signed = payload(digest, name)
        tagged(registry, "app", digest, (signed, key.sign(signed)))


@pytest.mark.parametrize("form", ["bundle", "tag"])
def test_a_mirror_that_has_the_signature_is_enough_without_the_upstream(by_mirror, stocked, app, key, form):
    gone = f"127.0.0.1:{dead_port()}"
    sign(form, stocked, app, key, f"{gone}/app:1")
    said, _ = notes(by_mirror(gone, stocked.host).pulling(f"{gone}/app:1"))
    assert f"Content trust: {app} is signed with sigstore by signer.pub" in said


@pytest.mark.parametrize("form", ["bundle", "tag"])
def test_a_signature_that_a_mirror_lacks_is_had_from_the_upstream(by_mirror, stocked, second_registry, app, key, form):
    second_registry.stock(stocked.data)
    name = stocked.reference("app:1")
    sign(form, stocked, app, key, name)
    before = second_registry.accesses("/blobs/")
    said, _ = notes(by_mirror(stocked.host, second_registry.host).pulling(name))
    assert f"Content trust: {app} is signed with sigstore by signer.pub" in said
    layers = [layer["digest"] for layer in stocked.manifest("app", "1").json()["layers"]]
    served = [access.path for access in second_registry.accesses("/blobs/")[len(before) :] if access.status == 200]
    assert all(any(layer in path for path in served) for layer in layers), "the image still comes from the mirror"


def test_what_a_mirror_hides_is_refused_where_nobody_else_can_be_asked(by_mirror, refused, stocked, app):
    gone = f"127.0.0.1:{dead_port()}"
    refused(by_mirror(gone, stocked.host), f"{gone}/app:1", Unreachable, "refuses the connection")


def test_a_wrong_signature_of_a_mirror_lets_nothing_in_and_hides_no_good_one(
    by_mirror, refused, stocked, second_registry, app, key, tmp_path
):
    second_registry.stock(stocked.data)
    name, stranger = stocked.reference("app:1"), make_key(tmp_path, "stranger")
    bundled(second_registry, "app", app, stranger, statement(app, name))
    engine = by_mirror(stocked.host, second_registry.host)
    refused(engine, name, NotTrusted, "by a key that the policy does not name")
    bundled(stocked, "app", app, key, statement(app, name))
    assert engine.pull(name)


def test_a_signature_of_another_image_is_refused_from_a_mirror_too(
    by_mirror, refused, stocked, second_registry, app, key
):
    name = stocked.reference("app:1")
    copy_into(stocked, "sample/web", "app", manifest_of(stocked, "sample/web"), "2")
    second_registry.stock(stocked.data)
    bundled(second_registry, "app", app, key, statement(stocked.digest("app", "2"), stocked.reference("app:2")))
    refused(by_mirror(stocked.host, second_registry.host), name, NotTrusted, "not this image")


def test_nonsense_of_a_mirror_hides_nothing(by_mirror, stocked, second_registry, app, key):
    second_registry.stock(stocked.data)
    name = stocked.reference("app:1")
    attach(second_registry, "app", app, [b"no bundle"], BUNDLE)
    bundled(stocked, "app", app, key, statement(app, name))
    said, _ = notes(by_mirror(stocked.host, second_registry.host).pulling(name))
    assert f"Content trust: {app} is signed with sigstore by signer.pub" in said
