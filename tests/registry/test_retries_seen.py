"""What is tried again is seen: one line for each reason, however many threads and tries there were."""

from __future__ import annotations

from jupyimg.model.content import Phase
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor
from jupyimg.transfer import copying
from tests.places.memory import MemoryPlace
from tests.registry.fake import Answer


def test_a_copy_says_why_it_takes_longer(fake, connect):
    repository = connect().repository(fake.reference("app"))
    fake.image()
    fake.rule("/blobs/", Answer(503), times=2)
    fake.rule("/manifests/", Answer(502), times=2)
    steps = copying(repository, MemoryPlace(), fake.reference("app:1"))
    notes = [step.text for step in steps if step.phase is Phase.NOTE]
    host = fake.reference("app").host
    assert sorted(notes) == [f"{host} answers 502: trying again", f"{host} answers 503: trying again"]


def test_a_download_that_breaks_off_is_told_once(fake, connect):
    repository = connect().repository(fake.reference("app"))
    data = bytes(3_000_000)
    fake.put(data)
    blob = Descriptor(media_type=OCI_LAYER, digest=Digest.of(data), size=len(data))
    fake.rule("GET", Answer(200, data, {"Content-Length": str(len(data))}, cut=1_500_000), times=1)
    assert b"".join(repository.read(blob)) == data
    assert repository.notes() == [f"{repository.host} broke off in the middle of a layer: trying again"]
    assert repository.notes() == []
