"""What a registry's HEAD says of a name is a hint; the bytes of a GET decide, at the first try."""

from __future__ import annotations

import pytest

from jupyimg.errors import ContentError, RemoteNotFound
from jupyimg.model.content import drain
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_MANIFEST
from jupyimg.model.settings import Settings
from jupyimg.registry import Registries
from jupyimg.transfer import copying
from tests.places.memory import MemoryPlace
from tests.registry.fake import Answer, serve_fake

WRONG = str(Digest.of(b"something else"))


@pytest.fixture
def fake():
    with serve_fake() as server:
        yield server


@pytest.fixture
def registries(tmp_path):
    opened = Registries(Settings(home=tmp_path, attempts=1))
    yield opened
    opened.close()


@pytest.mark.parametrize("lie", ["a digest that is not there", "a wrong size"])
def test_a_wrong_answer_to_head_does_not_fail_the_first_pull(fake, registries, lie):
    image = fake.image()
    raw = fake.manifests["app", "1"][1]
    said = {"a wrong size": str(image.digest)}.get(lie, WRONG)
    length = len(raw) + (7 if lie == "a wrong size" else 0)
    headers = {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": said}
    fake.rule("HEAD /v2/app/manifests/1", Answer(200, b"", headers, length=length))
    sink = MemoryPlace()
    done = drain(copying(registries.repository(fake.reference("app")), sink, fake.reference("app:1")))
    assert done.tree.root == image
    assert fake.count("HEAD /v2/app/manifests/1") == 1, "and it is not asked that way again"


@pytest.mark.parametrize("damage", [b"", b" "])
def test_a_digest_that_leads_to_other_bytes_is_damage(fake, registries, damage):
    fake.image()
    raw = fake.manifests["app", "1"][1]
    headers = {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": WRONG}
    fake.rule("HEAD /v2/app/manifests/1", Answer(200, b"", headers, length=len(raw)))
    fake.rule(f"GET /v2/app/manifests/{WRONG}", Answer(200, raw + damage, headers))
    with pytest.raises(ContentError):
        drain(copying(registries.repository(fake.reference("app")), MemoryPlace(), fake.reference("app:1")))


def test_what_is_truly_gone_is_still_told(fake, registries):
    image = fake.image()
    fake.rule(f"GET /v2/app/manifests/{image.digest}", Answer(404))
    fake.rule("GET /v2/app/manifests/1", Answer(404))
    with pytest.raises(RemoteNotFound):
        drain(copying(registries.repository(fake.reference("app")), MemoryPlace(), fake.reference("app:1")))
