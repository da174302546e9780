"""What may be deleted, as a pure plan, and that nothing else ever is."""

from __future__ import annotations

import json
import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyimg.errors import StoreError
from jupyimg.model.codec import encode
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_INDEX, OCI_MANIFEST, Descriptor
from jupyimg.store import Entry, Freed, Store, untag
from jupyimg.store.garbage import Roots, mentioned_in, plan
from jupyimg.store.layout import Layout
from tests.store.bring import bring, content, name, put

POOL = [Digest.of(bytes([number])) for number in range(12)]
some = st.sets(st.sampled_from(POOL), max_size=5)
graphs = st.dictionaries(st.sampled_from(POOL), some.map(sorted), max_size=12)
subjects = st.dictionaries(st.sampled_from(POOL), st.sampled_from(POOL), max_size=4)


def leads_to(start, children, subjects):
    """The plain definition, by repeated application of the rules."""
    reached = set(start)
    while True:
        more = {child for digest in reached for child in children.get(digest, ())}
        more |= {referrer for referrer, subject in subjects.items() if subject in reached}
        if more <= reached:
            return reached
        reached |= more


@given(some, some, graphs, some, some, subjects)
@settings(deadline=None)
def test_nothing_that_is_needed_is_deleted_and_everything_else_is(whole, bare, children, blobs, leased, subjects):
    needed = leads_to(whole | leased, children, subjects) | bare
    about_bare = {referrer for referrer, subject in subjects.items() if subject in bare}
    needed |= leads_to(about_bare, children, subjects)
    assert plan(Roots(frozenset(whole), frozenset(bare)), children, blobs, leased, subjects) == blobs - needed


def test_every_digest_that_a_foreign_document_mentions_is_found():
    document = {"blobs": [{"digest": POOL[0]}], "x": {"digest": POOL[1], "y": [[{"digest": POOL[2]}]]}, "digest": "no"}
    assert set(mentioned_in(encode(document))) == set(POOL[:3])
    assert list(mentioned_in(b"no json")) == []


# ---- with a disk


def on_disk(store):
    return set(store.blobs())


def test_removing_the_last_name_deletes_config_manifest_and_layers_in_that_order(store, place, root):
    image = place.image(layers=(b"one", b"two"))
    bring(store, place, "nginx", image)
    manifest = store.manifest(image.digest)
    order = [manifest.config, image, *manifest.layers]
    assert store.remove(lambda entries: untag(entries, name("nginx"))) == [Freed(d.digest, d.size) for d in order]
    assert on_disk(store) == set()
    assert json.loads((root / "index.json").read_text())["manifests"] == []


def test_removing_one_of_two_names_deletes_nothing(store, place, verify):
    image = place.image()
    bring(store, place, "nginx", image)
    bring(store, place, "other", image)
    assert store.remove(lambda entries: untag(entries, name("nginx"))) == []
    assert len(verify()) == 1


def test_removing_an_image_keeps_the_layers_that_others_share(store, place, verify):
    one, two = place.image(layers=(b"base", b"one")), place.image(platform="linux/arm64", layers=(b"base", b"two"))
    bring(store, place, "one", one)
    bring(store, place, "two", two)
    gone = {freed.digest for freed in store.remove(lambda entries: untag(entries, name("one")))}
    assert Digest.of(b"one") in gone
    assert Digest.of(b"base") not in gone
    verify()


def test_removing_an_image_leaves_garbage_that_lay_about_before_to_collect(store, place):
    bring(store, place, "nginx", place.image())
    with store.writer() as sink:
        put(sink, place, [place.put(b"orphan", OCI_MANIFEST)])
    orphan = Digest.of(b"orphan")
    assert orphan not in {freed.digest for freed in store.remove(lambda entries: untag(entries, name("nginx")))}
    assert store.usage().unneeded(store.entries()) == {orphan: 6}
    assert store.collect() == [Freed(orphan, 6)]
    assert on_disk(store) == set()


def test_removing_a_whole_index_deletes_all_of_it_the_index_last(store, place):
    root = place.index("", [place.image(), place.image(platform="linux/arm64")])
    bring(store, place, "nginx", root)
    freed = store.remove(lambda entries: untag(entries, name("nginx")))
    assert freed[-1].digest == root.digest
    assert on_disk(store) == set()


def test_the_bytes_of_an_index_held_in_part_stay_and_go_with_its_last_platform(store, place, verify):
    amd, arm = place.image(layers=(b"amd",)), place.image(platform="linux/arm64", layers=(b"arm",))
    root = place.index("", [amd, arm, place.image(platform="linux/s390x", layers=(b"z",))])
    bring(store, place, "nginx", root, amd, arm)
    assert store.collect() == []

    def drop(digest):
        return store.remove(lambda entries: tuple(entry for entry in entries if entry.descriptor.digest != digest))

    gone = {freed.digest for freed in drop(arm.digest)}
    assert {arm.digest, Digest.of(b"arm")} <= gone
    assert root.digest in on_disk(store)
    verify()
    drop(amd.digest)
    assert on_disk(store) == set()


def test_a_dangling_image_stays_until_it_is_removed(store, place, verify):
    old, new = place.image(layers=(b"old",)), place.image(layers=(b"new",))
    bring(store, place, "nginx", old)
    bring(store, place, "nginx", new)
    assert store.collect() == []
    verify()
    freed = store.remove(lambda entries: tuple(entry for entry in entries if not entry.dangling))
    assert {item.digest for item in freed} == {old.digest, Digest.of(b"old")}
    verify()


def referrer(place, subject):
    config = place.put(b"{}", "application/vnd.oci.empty.v1+json")
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "a/signature",
        "config": config,
        "layers": [place.put(b"signature of " + subject.digest.encode(), "a/b")],
        "subject": Descriptor(subject.media_type, subject.digest, subject.size),
    }
    return place.put(encode(body), OCI_MANIFEST)


def test_a_manifest_about_a_kept_one_is_kept_and_goes_with_it(store, place):
    image = place.image()
    bring(store, place, "nginx", image)
    signature = referrer(place, image)
    second = referrer(place, signature)
    with store.writer() as sink:
        put(sink, place, content(place, signature) + content(place, second))
    before = on_disk(store)
    assert store.collect() == []
    assert on_disk(store) == before
    store.remove(lambda entries: untag(entries, name("nginx")))
    assert on_disk(store) == set()


def test_a_root_of_a_type_that_we_do_not_know_keeps_what_it_mentions(store, place):
    blob = place.put(b"data", "a/b")
    body = {"mediaType": "application/vnd.oci.artifact.manifest.v1+json", "blobs": [blob]}
    odd = place.put(encode(body), "application/vnd.oci.artifact.manifest.v1+json")
    with store.writer() as sink:
        put(sink, place, [blob, odd])
    store.change(lambda entries: (*entries, Entry(None, None, odd)))
    assert store.collect() == []
    assert on_disk(store) == {blob.digest, odd.digest}


def test_a_line_that_we_do_not_understand_keeps_what_it_mentions(store, place, root):
    blob = place.put(b"data", "a/b")
    with store.writer() as sink:
        put(sink, place, [blob])
    (root / "index.json").write_text(json.dumps({"manifests": [{"digest": blob.digest, "size": "four"}]}))
    assert store.collect() == []
    assert on_disk(store) == {blob.digest}


def test_a_sparse_layout_whose_children_are_elsewhere_is_no_error(store, place):
    image = place.image()
    root = place.index("", [image])
    with store.writer() as sink:
        put(sink, place, [root])
    store.change(lambda entries: (*entries, Entry(None, None, root)))
    assert store.collect() == []
    assert on_disk(store) == {root.digest}


def test_files_that_are_no_blobs_are_left_alone(store, place, root):
    bring(store, place, "nginx", place.image())
    strangers = [root / "blobs" / "sha256" / "oci-put-blob123", root / "blobs" / "README", root / "mine.txt"]
    for path in strangers:
        path.write_text("not yours")
    store.remove(lambda _: ())
    store.collect()
    assert all(path.exists() for path in strangers)


def test_pins_keep_content_until_they_are_taken_back_and_damaged_ones_stop_all_deletion(store, place, root):
    image = place.image()
    with store.writer() as sink:
        put(sink, place, content(place, image))
        store.pin("lab/app", lambda kept: {**kept, image.digest: 0})
    before = on_disk(store)
    assert Store(root).collect() == []
    assert Store(root).pins() == {"lab/app": {image.digest: 0}}
    (path,) = (root / ".jupyimg" / "pins").iterdir()
    good = path.read_bytes()
    path.write_bytes(b"{")
    with pytest.raises(StoreError, match="damaged"):
        store.collect()
    path.write_bytes(good)
    assert on_disk(store) == before
    store.pin("lab/app", lambda _: {})
    assert store.pins() == {}
    assert len(store.collect()) == len(before)
    assert on_disk(store) == set()


def test_a_pin_with_an_end_keeps_until_then(store, place):
    with store.writer() as sink:
        put(sink, place, [place.put(b"data", "a/b"), place.put(b"late", "a/b")])
        now = time.time()
        store.pin("lab/app", lambda _: {Digest.of(b"data"): now + 60, Digest.of(b"late"): now - 1})
    assert store.pins_of("lab/app") == {Digest.of(b"data"): now + 60}
    assert [freed.digest for freed in store.collect()] == [Digest.of(b"late")]


def test_what_moves_between_names_and_pins_is_always_in_one_of_them(store, place, monkeypatch):
    image = place.image()
    bring(store, place, "nginx", image)
    seen = []

    def look():
        entries, pins = store.entries(), store.pins_of("me")
        seen.append((bool(entries), bool(pins)))

    real = Layout.replace
    monkeypatch.setattr(Layout, "replace", lambda *args: (look(), real(*args), look())[1])
    store.revise("me", lambda entries, pins: ((), {image.digest: 0}))
    store.revise("me", lambda entries, pins: ((Entry(name("nginx"), None, image),), {}))
    assert (False, False) not in seen
    assert store.pins_of("me") == {}
    assert len(store.entries()) == 1


def test_a_revision_that_fails_changes_nothing(store, place):
    bring(store, place, "nginx", place.image())
    with pytest.raises(ZeroDivisionError):
        store.revise("me", lambda entries, pins: ((), {1 / 0: 0}))
    assert len(store.entries()) == 1
    assert store.pins() == {}


def test_stale_uploads_go_and_young_ones_live_ones_and_downloads_stay(store, root):
    store.drop_stale_uploads(60)
    assert not root.exists()
    with store.writer() as sink, sink.ingest() as busy:
        with sink.ingest() as old, sink.ingest() as young:
            old.write(b"x")
            young.write(b"y")
        folder = root / ".jupyimg" / "ingest"
        (folder / f"sha256-{'0' * 64}").write_bytes(b"half")
        for path in folder.iterdir():
            if path.name != young.id:
                os.utime(path, (0, 0))
        store.drop_stale_uploads(60)
        assert {path.name for path in folder.iterdir()} == {busy.id, young.id, f"sha256-{'0' * 64}"}


def test_an_index_with_nothing_in_it_can_be_held_and_removed(store, place):
    empty = place.put(encode({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}), OCI_INDEX)
    bring(store, place, "empty:1", empty)
    assert store.collect() == []
    assert store.remove(lambda entries: untag(entries, name("empty:1"))) == [Freed(empty.digest, empty.size)]
