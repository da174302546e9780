"""Pruning frees exactly what it says, takes nothing that is in use, and a plan is what happens; on random stores."""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyimg.engines import PruneFilter, open_engine
from jupyimg.errors import ContentError, Unsupported
from jupyimg.model.digest import Digest
from jupyimg.model.settings import Settings
from jupyimg.store import is_users
from tests.places.memory import MemoryPlace
from tests.store.bring import bring
from tests.store.stores import du, fillings, sizes

YEAR = datetime(2021, 1, 1, tzinfo=UTC)
FILTERS = [
    None,
    PruneFilter(until=YEAR),
    PruneFilter(labels=("keep",)),
    PruneFilter(without_labels=("keep", "stage=a")),
    PruneFilter(until=YEAR, labels=("stage=b",)),
]
asked = st.fixed_dictionaries(
    {"filters": st.sampled_from(FILTERS), "everything": st.booleans(), "all_partial": st.booleans()}
)
many = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
some = settings(many, max_examples=70)


@contextmanager
def filled(data):
    """An engine on a random store, and the store's folder."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        store = data.draw(fillings(home / "store")).write()
        engine = open_engine(Settings(home=home))
        yield engine, store.root
        engine.close()


def documents(store):
    """What each document in the store lists, and what it is about; what is damaged or none says nothing."""
    found = {}
    for digest in store.blobs():
        try:
            document = store.manifest(digest)
        except (ContentError, Unsupported):
            continue
        found[digest] = {child.digest for child in document.children}, document.subject and document.subject.digest
    return found


def needed(found, entries, pins):
    """All that entries and pins lead to, by repeated application of the rules."""
    bare = {entry.index.digest for entry in entries if entry.index}
    reached = {entry.descriptor.digest for entry in entries} | {digest for kept in pins.values() for digest in kept}
    while True:
        more = {child for digest in reached & found.keys() for child in found[digest][0]}
        more |= {digest for digest, (_, about) in found.items() if about in reached | bare}
        if more <= reached:
            return reached | bare
        reached |= more


def pinned(store, entry):
    """Whether a pin holds it, by name or by what it is."""
    kept = store.pins()
    members = {entry.descriptor.digest, *store.members(entry.descriptor)}
    if entry.descriptor.is_index:
        members |= {child.digest for child in store.manifest(entry.descriptor.digest).children}
    names = {owner.partition(": ")[2] for owner in kept if is_users(owner)}
    return str(entry.name) in names or any(members & digests.keys() for digests in kept.values())


@given(st.data(), asked)
@many
def test_freed_bytes_are_those_of_the_disk_and_a_plan_is_what_happens(data, asked):
    with filled(data) as (engine, root):
        before, here = sizes(root), engine.store.entries()
        said = documents(engine.store)
        held = {entry for entry in here if pinned(engine.store, entry)}
        plan = engine.prune_plan(**asked)
        assert sizes(root) == before
        assert engine.store.entries() == here
        done = engine.prune(**asked)
        assert done == plan
        assert sum(row.freed for row in done) == sum(before.values()) - du(root)
        assert engine.prune(**asked) == []
        left = engine.store.entries()
        assert set(left) <= set(here)
        for entry in set(here) - set(left):
            assert asked["everything"] or entry.dangling
            assert entry not in held
        lost = set(before) - set(sizes(root)) - {name for name in before if "-" in name or len(name) == 32}
        assert not lost & {digest.encoded for digest in needed(said, left, engine.store.pins())}
        if asked["everything"] and not asked["filters"]:
            assert set(left) == held


@given(st.data())
@some
def test_the_rows_of_df_add_up_and_reclaimable_is_what_prune_a_frees(data):
    with filled(data) as (engine, root):
        rows = {row.type: row for row in engine.disk()}
        assert list(rows) == ["Images", "Containers", "Local Volumes", "Build Cache", "Partial Downloads"]
        assert rows["Images"].size + rows["Partial Downloads"].size == du(root)
        images = engine.disk_images()
        assert rows["Images"].total == len(images) == len({image.manifest_digest for image in images})
        assert rows["Images"].active <= rows["Images"].total
        content = {}
        for image in images:
            manifest = engine.store.manifest(image.manifest_digest)
            files = {image.manifest_digest, *(child.digest for child in manifest.children)}
            content[image.manifest_digest] = files
            assert image.shared + image.unique >= sum(engine.store.blobs().get(digest, 0) for digest in files)
        before = du(root)
        assert sum(image.unique for image in images) <= rows["Images"].size
        engine.prune(everything=True)
        assert before - du(root) == rows["Images"].reclaimable + rows["Partial Downloads"].reclaimable
        kept = {image.manifest_digest for image in engine.images(everything=True)}
        assert len(kept) == rows["Images"].active


@given(st.data())
@some
def test_what_a_set_of_images_gives_back_is_what_removing_it_gives_back(data):
    with filled(data) as (engine, root):
        engine.prune()  # what lies about already is another question
        usage = engine.store.usage()
        gone = data.draw(st.sets(st.sampled_from(usage.entries))) if usage.entries else set()
        before = du(root)
        freed = engine.store.remove(lambda entries: tuple(entry for entry in entries if entry not in gone))
        assert usage.freed(tuple(entry for entry in usage.entries if entry in gone)) == before - du(root)
        assert sum(size for _, size in freed) == before - du(root)


def test_what_only_one_image_needs_is_what_removing_its_names_frees(engine, samples):
    for image in engine.disk_images():
        if image.tag is None or image.platform != "linux/amd64":
            continue
        names = [found.reference for found in engine.images() if found.manifest_digest == image.manifest_digest]
        if len([found for found in engine.images() if found.reference in names]) > len(names):
            continue  # a name of several platforms
        expected = next(row.unique for row in engine.disk_images() if row.manifest_digest == image.manifest_digest)
        assert sum(row.freed for row in engine.remove(names)) == expected


def test_two_images_that_share_all_their_layers_are_reclaimable_together(engine, samples):
    """Docker adds up the unique bytes of each, which are next to nothing here."""
    engine.prune(everything=True)
    place = MemoryPlace()
    for name, platform in (("one", "linux/amd64"), ("two", "linux/arm64")):
        bring(engine.store, place, name, place.image(platform=platform, layers=(b"x" * 100_000,)))
    assert all(image.unique < 2000 and image.shared == 100_000 for image in engine.disk_images())
    assert engine.disk()[0].reclaimable == engine.disk()[0].size > 100_000


@pytest.mark.parametrize("everything", [False, True])
def test_a_store_that_is_not_there_has_nothing_to_prune_and_is_not_made(tmp_path, everything):
    engine = open_engine(Settings(home=tmp_path / "none"))
    assert engine.prune_plan(everything=everything) == engine.prune(everything=everything) == []
    assert [(row.total, row.active, row.size, row.reclaimable) for row in engine.disk()] == [(0, 0, 0, 0)] * 5
    assert engine.disk_images() == []
    assert not (tmp_path / "none").exists()


def test_an_image_that_does_not_say_whether_a_filter_is_met_stays(engine):
    place = MemoryPlace()
    bring(engine.store, place, "app", place.image())
    path = engine.store.blob_path(engine.images()[0].image_id)
    path.write_bytes(b"?" * path.stat().st_size)
    fresh = open_engine(engine.settings)
    for filters in FILTERS[1:]:
        assert fresh.prune(filters, everything=True) == []
    assert fresh.prune(everything=True)


def test_what_is_kept_for_something_that_is_no_image_counts_as_shared(engine):
    place = MemoryPlace()
    bring(engine.store, place, "app", place.image(layers=(b"x" * 5000,)))
    (before,) = engine.disk_images()
    engine.store.pin("docker.io/lab/app", lambda _: {Digest.of(b"x" * 5000): time.time() + 60})
    (after,) = engine.disk_images()
    assert (before.shared, after.shared) == (0, 5000)
    assert before.unique - after.unique == 5000
