"""Publishing: manifests by digest, names last, and nothing sent that a registry can find for itself."""

from __future__ import annotations

import pytest

from jupyimg.errors import BadManifest, DigestMismatch, Misuse, ProtocolError, RegistryError
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_MANIFEST, Descriptor
from tests.registry.content import DATA, Content, blob_of
from tests.registry.fake import Answer, error


@pytest.fixture
def repository(fake, connect):
    return connect().repository(fake.reference("app"))


# ---- mounts


def test_a_neighbours_blob_is_mounted_without_sending_it(fake, connect):
    blob, content = fake.put(DATA), Content(DATA)
    repository = connect().repository(fake.reference("app"), mounts=["team/base"])
    repository.write(blob, content)
    assert content.opened == []
    assert fake.seen[0].path == f"/v2/app/blobs/uploads/?mount={blob.digest}&from=team/base"


def test_of_several_neighbours_the_one_that_has_it_is_named(fake, connect):
    blob, content = fake.put(DATA), Content(DATA)
    fake.rule("HEAD /v2/first/", Answer(404))
    fake.rule("HEAD /v2/secret/", error(403, "DENIED"))
    repository = connect().repository(fake.reference("app"), mounts=["first", "secret", "third", "app"])
    repository.write(blob, content)
    assert content.opened == []
    assert fake.seen[-1].query["from"] == ["third"]


def test_a_mount_that_is_not_granted_goes_on_in_the_session_it_opened(fake, connect):
    fake.rule("POST", lambda seen: _opened(fake, 0), times=1)
    repository = connect().repository(fake.reference("app"), mounts=["base"])
    repository.write(blob_of(DATA), Content(DATA))
    assert fake.blobs[Digest.of(DATA)] == DATA
    assert fake.count("POST") == 1


@pytest.mark.parametrize("refusal", [400, 401, 403, 404, 405, 500])
def test_a_mount_that_is_refused_does_not_stop_the_upload(fake, connect, refusal):
    fake.rule("POST .*mount=", Answer(refusal))
    repository = connect(attempts=2).repository(fake.reference("app"), mounts=["base"])
    repository.write(blob_of(DATA), Content(DATA))
    assert fake.blobs[Digest.of(DATA)] == DATA


# ---- manifests and names


def manifest(fake):
    raw = b'{"schemaVersion": 2,  "kept": "as it is"}'
    return Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(raw), size=len(raw)), raw


def test_a_manifest_goes_by_its_digest_and_then_by_its_tag(fake, repository):
    root, raw = manifest(fake)
    repository.write(root, Content(raw))
    assert ("app", "1") not in fake.manifests
    repository.publish(fake.reference("app:1"), root, (root,))
    assert fake.manifests["app", "1"] == (OCI_MANIFEST, raw)
    puts = fake.matching("PUT")
    assert [seen.path.rpartition("/")[2] for seen in puts] == [root.digest, "1"]
    assert not fake.count("GET"), "the bytes were at hand"


def test_a_manifest_that_was_there_is_fetched_to_be_tagged(fake, repository):
    root, raw = manifest(fake)
    fake.put_manifest("app", "old", raw)
    assert repository.has(root)
    repository.publish(fake.reference("app:new"), root, (root,))
    assert fake.manifests["app", "new"] == (OCI_MANIFEST, raw)


def test_a_tag_that_points_there_already_is_left_alone(fake, repository):
    root = fake.image()
    repository.publish(fake.reference("app:1"), root, (root,))
    assert not fake.count("PUT")


def test_a_tag_moves(fake, repository):
    fake.image()
    root, raw = manifest(fake)
    repository.write(root, Content(raw))
    repository.publish(fake.reference("app:1"), root, (root,))
    assert fake.manifests["app", "1"][1] == raw


def test_publishing_by_digest_needs_no_tag(fake, repository):
    root = fake.image()
    repository.publish(fake.reference(f"app@{root.digest}"), root, (root,))
    assert not fake.seen
    with pytest.raises(Misuse):
        repository.publish(fake.reference(f"app@{Digest.of(b'other')}"), root, (root,))


def test_a_registry_that_is_not_yet_consistent_is_given_time(fake, repository):
    root, raw = manifest(fake)
    fake.rule("PUT", error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry"), times=2)
    repository.write(root, Content(raw))
    assert fake.count("PUT") == 3


def test_what_is_really_missing_stays_missing(fake, repository):
    root, raw = manifest(fake)
    fake.rule("PUT", error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry"))
    with pytest.raises(RegistryError, match="blob unknown"):
        repository.write(root, Content(raw))
    assert fake.count("PUT") == 3


def test_a_registry_that_rewrites_a_manifest_is_caught(fake, repository):
    root, raw = manifest(fake)
    fake.rule("PUT", Answer(201, b"", {"Docker-Content-Digest": Digest.of(b"other")}))
    with pytest.raises(ProtocolError, match="another digest"):
        repository.write(root, Content(raw))


def test_a_manifest_too_large_for_registries_is_not_sent(fake, repository):
    huge = Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(b"x"), size=5 << 20)
    with pytest.raises(BadManifest, match="too many"):
        repository.write(huge, Content(b"x"))
    assert not fake.seen


def test_a_wrong_manifest_is_not_sent(fake, repository):
    root, raw = manifest(fake)
    with pytest.raises(DigestMismatch):
        repository.write(root, Content(raw.swapcase()))
    assert not fake.seen


def _opened(fake, least):
    fake.uploads["s"] = bytearray()
    return Answer(202, b"", {"Location": "/upload/s", "OCI-Chunk-Min-Length": str(least)})
