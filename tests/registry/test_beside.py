"""What is kept beside images: referrers, and small documents on other servers."""

from __future__ import annotations

import pytest

from jupyimg.errors import Denied, ProtocolError, Unreachable
from jupyimg.model.codec import encode
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_INDEX, OCI_MANIFEST, Descriptor
from jupyimg.registry import Credentials
from tests.registry.fake import Answer, error

SUBJECT = Digest.of(b"subject")
KIND = "application/vnd.example.thing"


def index(*names: str) -> bytes:
    found = [
        Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(name.encode()), size=9, artifact_type=KIND)
        for name in names
    ]
    return encode({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found})


def listed(*names: str, **headers: str) -> Answer:
    return Answer(200, index(*names), {"Content-Type": f"{OCI_INDEX}; charset=utf-8", **headers})


def found(registries, fake) -> list[str]:
    repository = registries.repository(fake.reference("app"))
    return [item.digest for item in repository.referrers(SUBJECT)]


def digests(*names: str) -> list[str]:
    return [Digest.of(name.encode()) for name in names]


def test_referrers_are_listed_over_all_pages(fake, connect):
    fake.rule("referrers/.*n=2", listed("c"))
    fake.rule("referrers", listed("a", "b", Link=f'</v2/app/referrers/{SUBJECT}?n=2>; rel="next"'))
    assert found(connect(), fake) == digests("a", "b", "c")
    assert fake.count("manifests") == 0


@pytest.mark.parametrize("answer", [
    Answer(404, b"404 page not found"), error(404, "NAME_UNKNOWN"), Answer(405), Answer(400), Answer(501), Answer(406),
    Answer(200, b"<html>a portal</html>", {"Content-Type": "text/html"}),
])  # fmt: skip
def test_a_registry_without_the_list_keeps_them_under_a_tag(fake, connect, answer):
    fake.rule("referrers", answer)
    assert found(connect(), fake) == []
    fake.put_manifest("app", f"sha256-{SUBJECT.encoded}", index("a"), OCI_INDEX)
    assert found(connect(), fake) == digests("a")


def test_the_tag_of_a_longer_digest_is_cut_as_the_specification_says(fake, connect):
    subject = Digest.of(b"subject", "sha512")
    fake.put_manifest("app", f"sha512-{subject.encoded[:64]}", index("a"), OCI_INDEX)
    repository = connect().repository(fake.reference("app"))
    assert [item.digest for item in repository.referrers(subject)] == digests("a")


@pytest.mark.parametrize(("answer", "kind"), [
    (Answer(200, b"{", {"Content-Type": OCI_INDEX}), ProtocolError), (Answer(200, b"[]", {"Content-Type": OCI_INDEX}), ProtocolError),
    (error(403, "DENIED"), Denied), (Answer(200, index("a"), {"Content-Type": OCI_INDEX, "Link": '<?a>; rel="next"'}), ProtocolError),
])  # fmt: skip
def test_a_list_that_cannot_be_read_to_its_end_is_an_error_and_never_a_short_list(fake, connect, answer, kind):
    fake.rule("referrers", answer)
    with pytest.raises(kind):
        found(connect(attempts=1), fake)


def test_a_document_beside_comes_without_our_credentials_and_with_a_limit(fake, other, connect):
    fake.rule("GET /v2/app/", error(401, "UNAUTHORIZED", www_authenticate='Basic realm="x"'), times=1)
    registries = connect(lambda _: Credentials("ada", "secret"))
    fake.image("app", "1")
    repository = registries.repository(fake.reference("app"))
    repository.resolve(fake.reference("app:1"))
    other.rule("GET /there", Answer(200, b"12345"))
    assert repository.beside(f"{other.url}/there", 5) == b"12345"
    assert repository.beside(f"{other.url}/missing", 5) is None
    assert all("authorization" not in seen.headers for seen in other.seen)
    with pytest.raises(ProtocolError, match="more than 4 bytes"):
        repository.beside(f"{other.url}/there", 4)


def test_a_server_beside_that_fails_is_named(fake, other, connect):
    repository = connect(attempts=1).repository(fake.reference("app"))
    other.rule("GET", Answer(reset=True))
    with pytest.raises(Unreachable, match="does not give /x"):
        repository.beside(f"{other.url}/x", 5)
