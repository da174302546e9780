"""Names and manifests: a tag is asked with HEAD, believed as far as its bytes go, and missing things are told apart."""

from __future__ import annotations

import pytest

from jupyimg.errors import BadManifest, DigestMismatch, RemoteNotFound, Unsupported
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_INDEX, OCI_MANIFEST, Descriptor
from tests.registry.fake import Answer, error


@pytest.fixture
def repository(fake, connect):
    return connect().repository(fake.reference("app"))


def test_a_tag_is_resolved_by_head_alone(fake, repository):
    image = fake.image()
    assert repository.resolve(fake.reference("app:1")) == image
    assert [seen.method for seen in fake.seen] == ["HEAD"]
    accepted = fake.seen[0].headers["accept"]
    assert all(kind in accepted for kind in ("oci.image.index", "oci.image.manifest", "list.v2", "manifest.v2"))


@pytest.mark.parametrize("status", [405, 403, 501, 400])
def test_where_head_is_refused_get_answers(fake, repository, status):
    image = fake.image()
    fake.rule("HEAD", Answer(status))
    assert repository.resolve(fake.reference("app:1")) == image
    assert b"".join(repository.read(image)) == fake.manifests["app", "1"][1]
    assert fake.count("GET") == 1, "what resolve fetched was fetched again"


@pytest.mark.parametrize("lacking", ["Docker-Content-Digest", "Content-Type"])
def test_a_head_that_says_too_little_is_followed_by_get_once_and_for_all(fake, repository, lacking):
    image = fake.image()
    fake.rule("HEAD", lambda seen: _without(fake, lacking))
    assert repository.resolve(fake.reference("app:1")) == image
    assert repository.resolve(fake.reference("app:1")) == image
    assert fake.count("HEAD") == 1


def test_one_strange_manifest_does_not_cost_a_host_its_heads(fake, repository):
    image = fake.image()
    fake.put_manifest("app", "strange", b'{"schemaVersion":2,"manifests":[]}', "application/json")
    assert repository.resolve(fake.reference("app:strange"))
    assert repository.resolve(fake.reference("app:1")) == image
    assert [seen.method for seen in fake.seen] == ["HEAD", "GET", "HEAD"]


@pytest.mark.parametrize("length", [0, -1, 10**9])
def test_a_head_with_an_odd_length_is_not_believed(fake, repository, length):
    image = fake.image()
    answer = _without(fake, "")
    answer.length = length
    fake.rule("HEAD", answer)
    assert repository.resolve(fake.reference("app:1")).size == image.size


def test_a_digest_in_a_header_is_a_hint_only(fake, repository):
    image = fake.image()
    fake.rule("HEAD", Answer(405))
    fake.rule("GET", _lying_digest(fake))
    assert repository.resolve(fake.reference("app:1")).digest == image.digest


def test_a_host_whose_heads_lie_is_asked_with_get_from_then_on(fake, connect):
    registries = connect()
    image = fake.image()
    fake.rule("HEAD", _lying_digest(fake))
    repository = registries.repository(fake.reference("app"))
    lied = repository.resolve(fake.reference("app:1"))
    with pytest.raises(RemoteNotFound):
        b"".join(repository.read(lied))
    again = registries.repository(fake.reference("app"))
    assert again.resolve(fake.reference("app:1")) == image


def test_wrong_bytes_for_a_digest_are_handed_over_and_not_kept(fake, repository):
    image = fake.image()
    fake.rule("HEAD", Answer(405))
    fake.rule("GET", Answer(200, b"wrong"), times=1)
    assert b"".join(repository.read(image)) == b"wrong"
    assert b"".join(repository.read(image)) == fake.manifests["app", "1"][1]


def test_what_is_kept_is_bounded(fake, repository):
    big = [b'{"schemaVersion":2,"manifests":[],"n":"%d%s"}' % (n, b"x" * 1_500_000) for n in range(4)]
    found = [fake.put_manifest("app", str(n), raw, OCI_INDEX) for n, raw in enumerate(big)]
    for descriptor in (*found, found[-1], found[0]):
        assert Digest.of(b"".join(repository.read(descriptor))) == descriptor.digest
    assert fake.count("GET") == 5


def test_by_digest_the_bytes_must_match(fake, repository):
    image = fake.image()
    reference = fake.reference(f"app@{image.digest}")
    assert repository.resolve(reference) == image
    fake.rule("(HEAD|GET)", Answer(200, b'{"schemaVersion":2}', {"Content-Type": OCI_MANIFEST}))
    with pytest.raises(DigestMismatch, match=image.digest):
        repository.resolve(reference)


def test_a_digest_of_another_algorithm_is_kept(fake, repository):
    fake.image()
    raw = fake.manifests["app", "1"][1]
    strong = Digest.of(raw, "sha512")
    fake.manifests["app", strong] = (OCI_MANIFEST, raw)
    fake.rule("HEAD", Answer(405))
    assert repository.resolve(fake.reference(f"app@{strong}")).digest == strong


def test_a_manifest_is_read_by_its_digest_and_from_an_offset(fake, repository):
    image = fake.image()
    raw = fake.manifests["app", "1"][1]
    assert b"".join(repository.read(image)) == raw
    assert b"".join(repository.read(image, 10)) == raw[10:]
    assert b"".join(repository.read(image, len(raw))) == b""
    assert fake.seen[0].route == f"/v2/app/manifests/{image.digest}"
    assert fake.count("GET") == 1


def test_a_manifest_that_arrives_broken_is_fetched_again(fake, repository):
    image = fake.image()
    raw = fake.manifests["app", "1"][1]
    fake.rule("GET", Answer(200, raw, {"Content-Type": OCI_MANIFEST}, cut=20), times=1)
    assert b"".join(repository.read(image)) == raw


def test_a_manifest_has_a_limit(fake, repository):
    huge = b'{"schemaVersion":2,"x":"' + b"y" * (5 << 20) + b'"}'
    fake.put_manifest("app", "huge", huge)
    with pytest.raises(BadManifest, match="more than"):
        repository.resolve(fake.reference("app:huge"))


def test_schema1_is_refused_by_name(fake, repository):
    old = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    fake.put_manifest("app", "old", b'{"schemaVersion":1,"fsLayers":[]}', old)
    with pytest.raises(Unsupported, match="schema1"):
        repository.resolve(fake.reference("app:old"))


def test_the_media_type_is_found_where_the_server_says_nonsense(fake, repository):
    raw = b'{"schemaVersion":2,"manifests":[]}'
    fake.put_manifest("app", "index", raw, "text/plain; charset=utf-8")
    found = repository.resolve(fake.reference("app:index"))
    assert found == Descriptor(media_type=OCI_INDEX, digest=Digest.of(raw), size=len(raw))


def test_a_missing_tag_and_a_missing_repository_are_told_apart(fake, repository, connect):
    fake.image()
    with pytest.raises(RemoteNotFound, match=r"app has no tag 2") as missing:
        repository.resolve(fake.reference("app:2"))
    assert "for one" in missing.value.hint
    nowhere = connect().repository(fake.reference("nowhere"))
    with pytest.raises(RemoteNotFound, match=r"has no repository .*nowhere"):
        nowhere.resolve(fake.reference("nowhere:1"))


def test_a_missing_digest_is_not_looked_for_among_tags(fake, repository):
    missing = Digest.of(b"?")
    with pytest.raises(RemoteNotFound, match=missing):
        repository.resolve(fake.reference(f"app@{missing}"))
    assert not fake.count("tags")


def test_where_the_registry_does_not_tell_neither_do_we(fake, repository):
    fake.rule("tags/list", error(403, "DENIED"))
    with pytest.raises(RemoteNotFound, match=r"has no image .*app:2"):
        repository.resolve(fake.reference("app:2"))


def _without(fake, lacking):
    media_type, raw = fake.manifests["app", "1"]
    headers = {"Content-Type": media_type, "Docker-Content-Digest": Digest.of(raw)}
    headers.pop(lacking, None)
    return Answer(200, raw, headers)


def _lying_digest(fake):
    media_type, raw = fake.manifests["app", "1"]
    return Answer(200, raw, {"Content-Type": media_type, "Docker-Content-Digest": Digest.of(b"lie")})
