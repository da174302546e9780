"""What refers to an image, by way of mirrors: nobody's list is taken for the whole."""

from __future__ import annotations

import pytest

from jupyimg.errors import Unreachable
from jupyimg.model.codec import encode
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_INDEX
from jupyimg.model.reference import Reference
from tests.mirrors.conftest import passed_by
from tests.registry.fake import Answer, dead_port, error

SUBJECT = Digest.of(b"an image")


def listed(*digests):
    manifests = [{"mediaType": "application/x", "digest": str(digest), "size": 1} for digest in digests]
    body = encode({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})
    return Answer(200, body, {"Content-Type": OCI_INDEX})


ONE, TWO, THREE = (Digest.of(name) for name in (b"one", b"two", b"three"))


def asked(repository):
    return [found.digest for found in repository.referrers(SUBJECT)]


def test_the_lists_of_all_are_put_together_and_each_thing_stands_once(user, connect, fake, other):
    fake.rule("/referrers/", listed(ONE, TWO))
    other.rule("/referrers/", listed(TWO, THREE))
    user.mirrors(other.host, fake.host)
    assert asked(connect().repository(other.reference("app"))) == [ONE, TWO, THREE]


def test_who_found_what_was_looked_for_asks_nobody_else(user, connect, fake, other):
    fake.rule("/referrers/", listed(ONE))
    user.mirrors(other.host, fake.host)
    assert next(connect().repository(other.reference("app")).referrers(SUBJECT)).digest == ONE
    assert other.seen == []


def test_a_mirror_that_lists_nothing_hides_nothing(user, connect, fake, other):
    other.rule("/referrers/", listed(ONE))
    user.mirrors(other.host, fake.host)
    repository = connect().repository(other.reference("app"))
    assert asked(repository) == [ONE]
    assert repository.notes() == []


@pytest.mark.parametrize(
    "answer", [error(403, "DENIED"), Answer(200, b"{", {"Content-Type": OCI_INDEX})], ids=["refuses", "nonsense"]
)
def test_a_mirror_that_will_not_list_still_serves_its_images(user, connect, fake, other, answer):
    fake.rule("/referrers/", answer)
    other.rule("/referrers/", listed(ONE))
    image = fake.image()
    user.mirrors(other.host, fake.host)
    repository = connect().repository(other.reference("app"))
    assert asked(repository) == [ONE]
    assert len(passed_by(repository.notes())) == 1
    assert repository.resolve(other.reference("app:1")) == image


def test_an_upstream_that_is_gone_ends_the_list_with_its_error(user, connect, fake):
    gone = f"127.0.0.1:{dead_port()}"
    fake.rule("/referrers/", listed(ONE))
    user.mirrors(gone, fake.host)
    found = connect().repository(Reference.parse(f"{gone}/app")).referrers(SUBJECT)
    assert next(found).digest == ONE
    with pytest.raises(Unreachable, match=f"{gone} refuses the connection"):
        next(found)
