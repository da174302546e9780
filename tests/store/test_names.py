"""How names come, move and go: pure functions over entries."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_INDEX, OCI_MANIFEST, Descriptor
from jupyimg.model.reference import Reference
from jupyimg.store import Entry, find, publish, retarget, untag, without

NGINX, OTHER = Reference.parse("nginx"), Reference.parse("other:1")


def manifest(word: str) -> Descriptor:
    return Descriptor(OCI_MANIFEST, Digest.of(word.encode()), 100)


def index(word: str) -> Descriptor:
    return Descriptor(OCI_INDEX, Digest.of(word.encode()), 200)


def entry(name: Reference | None, descriptor: Descriptor, of: Descriptor | None = None) -> Entry:
    return Entry(name, None, descriptor, of)


def dangling(repository: str, descriptor: Descriptor, of: Descriptor | None = None) -> Entry:
    return Entry(None, repository, descriptor, of)


A, B, INDEX, LATER = manifest("a"), manifest("b"), index("index"), index("later")
LIBRARY_NGINX = "docker.io/library/nginx"


def test_a_first_name_is_added_behind_the_others():
    before = (entry(OTHER, B),)
    assert publish(before, (entry(NGINX, A),)) == (entry(OTHER, B), entry(NGINX, A))


def test_publishing_what_is_so_already_returns_the_very_same_entries():
    before = (entry(NGINX, A, INDEX), entry(NGINX, B, INDEX), entry(OTHER, B))
    assert publish(before, (entry(NGINX, B, INDEX),)) is before


def test_another_platform_of_the_same_index_is_added_under_the_name():
    before = (entry(NGINX, A, INDEX),)
    assert publish(before, (entry(NGINX, B, INDEX),)) == (entry(NGINX, A, INDEX), entry(NGINX, B, INDEX))


def test_a_completed_index_takes_the_place_of_its_platforms_and_nothing_dangles():
    before = (entry(NGINX, A, INDEX), entry(NGINX, B, INDEX))
    members = {INDEX.digest: (A.digest, B.digest)}
    after = publish(before, (entry(NGINX, INDEX),), lambda d: members.get(d.digest, (d.digest,)))
    assert after == (entry(NGINX, INDEX),)


def test_a_name_that_moves_leaves_what_it_pointed_at_dangling_with_its_repository_and_index():
    before = (entry(NGINX, A, INDEX),)
    after = publish(before, (entry(NGINX, B, LATER),))
    assert after == (dangling(LIBRARY_NGINX, A, INDEX), entry(NGINX, B, LATER))
    assert [one.dangling for one in after] == [True, False]


def test_nothing_dangles_while_another_name_is_left():
    before = (entry(NGINX, A), entry(OTHER, A))
    assert publish(before, (entry(NGINX, B),)) == (entry(OTHER, A), entry(NGINX, B))


def test_nothing_dangles_while_a_named_index_holds_it():
    before = (entry(OTHER, INDEX), entry(NGINX, A, INDEX))
    members = {INDEX.digest: (A.digest, B.digest)}
    after = publish(before, (entry(NGINX, manifest("c")),), lambda d: members.get(d.digest, (d.digest,)))
    assert after == (entry(OTHER, INDEX), entry(NGINX, manifest("c")))


def test_an_image_that_dangles_is_found_again_by_being_named_again():
    before = (dangling(LIBRARY_NGINX, A), entry(NGINX, B))
    assert publish(before, (entry(OTHER, A),)) == (entry(NGINX, B), entry(OTHER, A))


def test_an_image_dangles_once_however_often_its_names_move():
    before = (dangling(LIBRARY_NGINX, A), entry(NGINX, B), entry(OTHER, A))
    after = publish(before, (entry(OTHER, B),))
    assert after == (dangling(LIBRARY_NGINX, A), entry(NGINX, B), entry(OTHER, B))


def test_an_entry_that_only_another_tool_can_name_is_left_alone():
    foreign = entry(None, replace_annotations(A, {"org.opencontainers.image.ref.name": "latest"}))
    assert publish((foreign,), (entry(NGINX, A),)) == (foreign, entry(NGINX, A))


def replace_annotations(descriptor: Descriptor, annotations: dict[str, str]) -> Descriptor:
    return Descriptor(descriptor.media_type, descriptor.digest, descriptor.size, annotations=annotations)


def test_a_tag_copies_every_platform_and_takes_the_name_from_whatever_had_it():
    before = (entry(NGINX, A, INDEX), entry(NGINX, B, INDEX), entry(OTHER, manifest("old")))
    after = retarget(before, OTHER, before[:2])
    assert after == (
        entry(NGINX, A, INDEX),
        entry(NGINX, B, INDEX),
        dangling("docker.io/library/other", manifest("old")),
        entry(OTHER, A, INDEX),
        entry(OTHER, B, INDEX),
    )


def test_a_tag_of_fewer_platforms_than_the_name_had_leaves_it_only_those():
    before = (entry(NGINX, A, INDEX), entry(OTHER, A, INDEX), entry(OTHER, B, INDEX))
    after = retarget(before, OTHER, before[:1])
    assert [(one.name, one.descriptor) for one in after if one.name == OTHER] == [(OTHER, A)]
    assert dangling("docker.io/library/other", B, INDEX) in after


def test_a_tag_of_a_dangling_image_ends_its_dangling():
    before = (dangling(LIBRARY_NGINX, A),)
    assert retarget(before, OTHER, before) == (entry(OTHER, A),)


def test_a_removed_name_leaves_nothing_dangling():
    assert untag((entry(NGINX, A), entry(OTHER, B)), NGINX) == (entry(OTHER, B),)


def test_an_index_that_loses_a_platform_becomes_those_that_it_keeps():
    whole = entry(NGINX, INDEX)
    after = without((whole, entry(OTHER, B)), [(whole, A)], kept=[(whole, A), (whole, B)])
    assert after == (entry(NGINX, B, INDEX), entry(OTHER, B))


def test_an_entry_whose_platforms_all_go_goes():
    whole, part = entry(NGINX, INDEX), entry(OTHER, A, INDEX)
    assert without((whole, part), [(whole, A), (whole, B), (part, A)], kept=[(whole, A), (whole, B)]) == ()


def test_a_digest_finds_what_the_repository_holds_by_manifest_and_by_index():
    here = (entry(NGINX, A, INDEX), entry(OTHER, B), dangling(LIBRARY_NGINX, B))
    assert find(here, Reference.parse(f"nginx@{INDEX.digest}")) == here[:1]
    assert find(here, Reference.parse(f"nginx@{A.digest}")) == here[:1]
    assert find(here, Reference.parse(f"nginx@{B.digest}")) == here[2:]
    assert find(here, Reference.parse(f"else@{A.digest}")) == ()


def test_a_name_with_tag_and_digest_is_kept_under_the_digest_alone():
    text = f"nginx:1.27@{A.digest}"
    stored = NGINX.with_digest(A.digest)
    here = retarget((), Reference.parse(text), [entry(None, A)])
    assert here == (entry(stored, A),)
    assert find(here, Reference.parse(text)) == here


IMAGES = [manifest(word) for word in "abcd"]
NAMES = [Reference.parse(word) for word in ("one", "two:1", "two:2", "host.example/three")]
steps = st.lists(
    st.tuples(st.sampled_from(["publish", "tag", "untag"]), st.sampled_from(NAMES), st.sampled_from(IMAGES)),
    max_size=30,
)


@given(steps)
@settings(deadline=None)
def test_whatever_happens_each_name_means_what_it_was_last_given_and_no_image_is_lost_or_doubled(story):
    entries: tuple[Entry, ...] = ()
    meant: dict[Reference, Descriptor] = {}
    alive: set[Digest] = set()
    for verb, name, image in story:
        if verb == "untag":
            gone = meant.pop(name, None)
            entries = untag(entries, name)
            if gone and gone not in meant.values() and not any(e.dangling and e.descriptor == gone for e in entries):
                alive.discard(gone.digest)
        else:
            one = entry(name, image)
            entries = (
                publish(entries, (one,)) if verb == "publish" else retarget(entries, name, [replace(one, name=None)])
            )
            meant[name] = image
            alive.add(image.digest)
        named = {e.name: e.descriptor for e in entries if e.name}
        nameless = [e.descriptor.digest for e in entries if not e.name]
        assert named == meant
        assert len(nameless) == len(set(nameless))
        assert not set(nameless) & {d.digest for d in meant.values()}
        assert {e.descriptor.digest for e in entries} == alive
