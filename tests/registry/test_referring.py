"""A manifest that is about another one is found by that, also in a registry that keeps no list of such manifests."""

from __future__ import annotations

import json
import threading

import pytest

from jupyimg.engines import open_engine
from jupyimg.errors import Denied, Interrupted, RegistryError
from jupyimg.model.codec import encode
from jupyimg.model.content import Phase, drain
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_INDEX, OCI_MANIFEST, Descriptor
from jupyimg.model.reference import Reference
from jupyimg.model.settings import Settings
from tests.registry.fake import Answer, error
from tests.registry.test_interrupt import Worker
from tests.services.waiting import AT_ONCE, until

KIND = "application/vnd.example.sbom"
CONFIG = "application/vnd.oci.image.config.v1+json"


def document(registry, subject=None, *, kind=KIND, about="", annotations=None, repository="app"):
    """The bytes of a manifest whose config is in the registry."""
    config = registry.push_blob(repository, b"{}")
    found = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": CONFIG, "digest": config, "size": 2},
        "layers": [],
        "annotations": {"about": about, **(annotations or {})},
    }
    if kind:
        found["artifactType"] = kind
    if subject:
        found["subject"] = {"mediaType": OCI_MANIFEST, "digest": subject, "size": 100}
    return json.dumps(found).encode()


@pytest.fixture
def place(registry, connect):
    """The repository ``app`` of a real registry of version 2.8, which has no list of referrers."""
    assert registry.request("GET", "/v2/app/referrers/sha256:" + "0" * 64).status == 404
    return connect().repository(Reference.parse(registry.reference("app")))


@pytest.fixture
def subject(registry):
    return registry.push_manifest("app", "1", document(registry, kind=""), OCI_MANIFEST)


def push(place, raw, tag=""):
    """Write a manifest and perhaps tag it; its descriptor."""
    descriptor = Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(raw), size=len(raw))
    place.write(descriptor, lambda offset: iter([raw[offset:]]))
    if tag:
        place.publish(place.named(Reference("x", "x")).with_tag(tag), descriptor, (descriptor,))
    return descriptor


def kept(registry, subject, repository="app"):
    """The list as the registry has it, read by no code of ours."""
    return registry.manifest(repository, subject.replace(":", "-"))


def test_what_refers_is_listed_under_the_subjects_tag(registry, place, subject, skopeo):
    one = push(place, document(registry, subject, about="one"), "sbom")
    two = push(place, document(registry, subject, about="two", kind=""))
    answer = kept(registry, subject)
    assert answer.headers["content-type"] == OCI_INDEX
    first, second = answer.json()["manifests"]
    assert first == {
        "mediaType": OCI_MANIFEST,
        "digest": one.digest,
        "size": one.size,
        "artifactType": KIND,
        "annotations": {"about": "one"},
    }
    assert (second["digest"], second["artifactType"]) == (two.digest, CONFIG), "the config's type where it has none"
    assert [found.digest for found in place.referrers(Digest(subject))] == [one.digest, two.digest]
    tag = registry.reference(f"app:{subject.replace(':', '-')}")
    shown = json.loads(skopeo("inspect", "--raw", f"docker://{tag}").stdout)
    assert [entry["digest"] for entry in shown["manifests"]] == [one.digest, two.digest]


def test_nothing_stands_there_twice_and_what_is_no_news_costs_no_write(registry, place, connect, subject):
    raw = document(registry, subject)
    push(place, raw, "sbom")
    before = kept(registry, subject)
    again = connect().repository(Reference.parse(registry.reference("app")))
    push(again, raw, "other")
    assert kept(registry, subject).body == before.body
    written = [one for one in registry.accesses(f"/manifests/{subject.replace(':', '-')}") if one.method == "PUT"]
    assert len(written) == 1


def test_what_others_listed_stays_byte_for_byte(registry, place, subject):
    other = registry.push_manifest("app", "other", document(registry, subject, about="other"), OCI_MANIFEST)
    size = len(registry.manifest("app", "other").body)
    entry = {
        "mediaType": OCI_MANIFEST,
        "digest": other,
        "size": size,
        "urls": ["https://x.example"],
        "x-own": [1, {"a": None}],
    }
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry], "annotations": {"kept": "yes"}}
    registry.push_manifest("app", subject.replace(":", "-"), json.dumps(index).encode(), OCI_INDEX)
    mine = push(place, document(registry, subject, about="mine"))
    found = kept(registry, subject).json()
    assert found["manifests"][0] == entry
    assert found["annotations"] == {"kept": "yes"}
    assert [one["digest"] for one in found["manifests"]] == [other, mine.digest]


def test_many_at_once_lose_none(registry, place, subject):
    bodies = [document(registry, subject, about=str(number)) for number in range(6)]
    workers = [Worker(lambda raw=raw: push(place, raw)) for raw in bodies]
    assert all(worker.ends_within(30) for worker in workers)
    assert not [worker.error for worker in workers if worker.error]
    assert {entry["digest"] for entry in kept(registry, subject).json()["manifests"]} == {
        str(Digest.of(raw)) for raw in bodies
    }


def test_a_copy_of_an_artefact_takes_its_subject_along_as_a_link(registry, second_registry, tmp_path):
    """The whole way: from one registry to another, by name."""
    theirs = second_registry.push_manifest("app", "1", document(second_registry, kind=""), OCI_MANIFEST)
    second_registry.push_manifest("app", "sbom", document(second_registry, theirs), OCI_MANIFEST)
    engine = open_engine(Settings(home=tmp_path))
    drain(engine.remote.copying(second_registry.reference("app:sbom"), registry.reference("mine:sbom")))
    engine.close()
    (entry,) = kept(registry, theirs, "mine").json()["manifests"]
    assert entry["digest"] == second_registry.digest("app", "sbom")


def test_what_is_about_nothing_makes_no_list(registry, place, subject):
    push(place, document(registry, about="alone"), "alone")
    assert registry.tags("app") == ["1", "alone"]


def test_a_tag_that_is_no_list_is_left_as_it_is_and_that_is_said(registry, place, subject):
    tag = subject.replace(":", "-")
    registry.push_manifest("app", tag, document(registry, kind="", about="an image"), OCI_MANIFEST)
    before = kept(registry, subject).body
    mine = push(place, document(registry, subject), "sbom")
    assert kept(registry, subject).body == before
    assert registry.digest("app", "sbom") == mine.digest, "what was to be pushed is there"
    assert place.notes() == [f"{registry.host}/app:{tag} is no list of referrers, and was left as it is"]


# ---- what no server here can do


SUBJECT = Digest.of(b"an image")
TAG = f"/v2/app/manifests/sha256-{SUBJECT.encoded}"


@pytest.fixture
def mine(fake):
    raw = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": CONFIG, "digest": fake.put(b"{}").digest, "size": 2},
            "layers": [],
            "subject": {"mediaType": OCI_MANIFEST, "digest": SUBJECT, "size": 100},
        }
    ).encode()
    return raw, Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(raw), size=len(raw))


def write(connect, fake, mine, **more):
    repository = connect(**more).repository(fake.reference("app"))
    repository.write(mine[1], lambda offset: iter([mine[0][offset:]]))
    return repository


def test_a_registry_that_lists_it_is_left_to_do_so(connect, fake, mine):
    fake.rule("PUT /v2/app/manifests/", Answer(201, b"", {"OCI-Subject": str(SUBJECT)}))
    write(connect, fake, mine)
    assert fake.count(TAG) == 0


def listing(*names):
    return encode(
        {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [{"mediaType": OCI_MANIFEST, "digest": str(Digest.of(name)), "size": 1} for name in names],
        }
    )


def test_a_list_that_changed_meanwhile_is_not_overwritten_where_the_registry_minds(connect, fake, mine):
    """Another one adds to it just before we write."""
    state = {"body": listing(b"a"), "version": 1}
    lock = threading.Lock()

    def get(_seen):
        return Answer(200, state["body"], {"Content-Type": OCI_INDEX, "ETag": f'"{state["version"]}"'})

    def put(seen):
        with lock:
            if state["version"] == 1:
                state.update(body=listing(b"a", b"b"), version=2)
            if seen.headers.get("if-match") != f'"{state["version"]}"':
                return Answer(412)
            state.update(body=seen.body, version=state["version"] + 1)
            return Answer(201)

    fake.rule(f"GET {TAG}", get)
    fake.rule(f"PUT {TAG}", put)
    write(connect, fake, mine)
    assert [entry["digest"] for entry in json.loads(state["body"])["manifests"]] == [
        Digest.of(b"a"),
        Digest.of(b"b"),
        mine[1].digest,
    ]
    assert state["version"] == 3


def test_an_entry_that_another_overwrote_is_added_again_where_the_registry_minds_nothing(connect, fake, mine):
    state = {"body": listing(b"a"), "lost": False}

    def put(seen):
        state["body"] = seen.body if state["lost"] else listing(b"a", b"b")
        state["lost"] = True
        return Answer(201)

    fake.rule(f"GET {TAG}", lambda _: Answer(200, state["body"], {"Content-Type": OCI_INDEX}))
    fake.rule(f"PUT {TAG}", put)
    write(connect, fake, mine)
    assert len(json.loads(state["body"])["manifests"]) == 3
    assert all("if-match" not in seen.headers for seen in fake.matching(f"PUT {TAG}"))


def test_a_list_that_never_keeps_what_is_added_is_an_error(connect, fake, mine):
    fake.rule(f"GET {TAG}", Answer(200, listing(b"a"), {"Content-Type": OCI_INDEX}))
    fake.rule(f"PUT {TAG}", Answer(201))
    with pytest.raises(RegistryError, match="does not keep what is added to it") as failed:
        write(connect, fake, mine)
    assert failed.value.hint
    assert fake.count(f"PUT {TAG}") < 6


def test_a_list_that_may_not_be_written_is_an_error_that_names_it(connect, fake, mine):
    fake.rule(f"PUT {TAG}", error(403, "DENIED", "tags are immutable"))
    with pytest.raises(Denied, match=rf"sha256-{SUBJECT.encoded} \(tags are immutable\)"):
        write(connect, fake, mine)


@pytest.mark.parametrize("what", ["GET", "PUT"])
def test_it_can_be_stopped(connect, fake, mine, what):
    fake.rule(f"{what} {TAG}", Answer(stall=-1))
    repository = connect(read_timeout=30.0).repository(fake.reference("app"))
    workers = [Worker(lambda: repository.write(mine[1], lambda offset: iter([mine[0][offset:]]))) for _ in range(2)]
    until(lambda: fake.count(f"{what} {TAG}") == 1 and fake.count(f"PUT .*{mine[1].digest}") == 2)
    repository.interrupt()
    for worker in workers:
        assert worker.ends_within(AT_ONCE)
        assert isinstance(worker.error, Interrupted)


def test_a_copy_says_what_was_left_as_it_was(registry, second_registry, tmp_path):
    theirs = second_registry.push_manifest("app", "1", document(second_registry, kind=""), OCI_MANIFEST)
    second_registry.push_manifest("app", "sbom", document(second_registry, theirs), OCI_MANIFEST)
    registry.push_manifest(
        "mine", theirs.replace(":", "-"), document(registry, kind="", repository="mine"), OCI_MANIFEST
    )
    engine = open_engine(Settings(home=tmp_path))
    steps = engine.remote.copying(second_registry.reference("app:sbom"), registry.reference("mine:sbom"))
    said = [step.text for step in steps if step.phase is Phase.NOTE]
    engine.close()
    assert any("is no list of referrers" in line for line in said)
