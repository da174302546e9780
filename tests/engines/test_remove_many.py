"""Many names go at once as they would one after the other, and each manifest is opened once for all of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyimg.engines import held, open_engine, pinning, removal
from jupyimg.engines.asked import as_reference
from jupyimg.engines.shelf import Shelf
from jupyimg.errors import BadReference, ImageError, ImageNotFound
from jupyimg.model.records import RemovalRecord
from jupyimg.model.reference import Reference
from jupyimg.model.settings import Settings
from jupyimg.store import find, without
from tests.store.stores import fillings


class Slowly:
    """The same with everything opened anew for each word."""

    def __init__(self, engine, entries, owners):
        self.engine, self.left, self.owners = engine, entries, owners

    def entries(self):
        return self.left

    def take(self, word, *, force):
        here = self.engine._open(self.left, self.owners)
        pairs = [(row.entry, row.descriptor) for row in here]
        try:
            plan = removal.plan(here, word, force=force)
        except ImageNotFound:
            try:
                name = as_reference(word)
            except BadReference:
                name = None
            gone = find(self.left, name) if name else ()
            if not gone:
                raise
            self.owners = pinning.without_name(self.owners, name, force=force)
            self.left = tuple(entry for entry in self.left if entry not in gone)
            return removal.Removal((), (RemovalRecord("untagged", name.familiar, gone[0].digest),))
        left = without(self.left, [(row.entry, row.descriptor) for row in plan.held], kept=pairs)
        members = lambda entry: self.engine.store.members(entry.descriptor)  # noqa: E731
        self.owners = pinning.after_removal(self.owners, plan.held, left, members, word=word, force=force)
        self.left = left
        return plan


def words_of(engine) -> list[str]:
    """Whatever may be said of what is here: names, digests of repositories, IDs in full and their beginnings."""
    found = {"nothing:1", "ffff", "No Name"}
    for row in engine._held():
        repository = held.repository_of(row)
        found |= {row.name.familiar} if row.name else set()
        found |= {str(row.image_id), row.descriptor.digest[7:19], row.digest[7:11], str(row.digest)}
        found |= {f"{repository}@{digest}" for digest in (row.digest, row.descriptor.digest) if repository}
    return sorted(found)


def outcome(shelf, words, *, force):
    told = []
    for word in words:
        try:
            plan = shelf.take(word, force=force)
        except ImageError as error:
            told.append((type(error), error.message, error.hint))
        else:
            told.append((sorted((str(row.name), row.descriptor.digest) for row in plan.held), list(plan.untagged)))
    return told, shelf.entries(), {owner: dict(kept) for owner, kept in shelf.owners.items() if kept}


@given(data=st.data(), force=st.booleans())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_many_words_take_what_they_would_take_one_after_the_other(data, force, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    filling = data.draw(fillings(home / "store"))
    filling.write()
    engine = open_engine(Settings(home=home))
    extra = data.draw(st.lists(st.sampled_from(sorted(filling.blobs) or ["none"]), max_size=3))
    pins = {**engine.store.pins(), "docker.io/lab/pushed": {digest: 0.0 for digest in extra if digest != "none"}}
    words = data.draw(st.lists(st.sampled_from(words_of(engine)), min_size=1, max_size=12))
    entries = engine.store.entries()
    fast, slow = Shelf(engine.store, entries, pins), Slowly(engine, entries, pins)
    assert outcome(fast, words, force=force) == outcome(slow, words, force=force)


def test_what_a_pin_alone_keeps_once_its_name_has_gone_is_found_by_the_next_word(engine, samples):
    row = engine._held()[0]
    entries = tuple(entry for entry in engine.store.entries() if entry.descriptor.digest == row.entry.descriptor.digest)
    words = [*(entry.name.familiar for entry in entries), str(row.image_id)]
    pins = {"docker.io/lab/pushed": {row.entry.descriptor.digest: 0.0}}
    fast, slow = (
        outcome(kind(entries, pins), words, force=True)
        for kind in (partial(Shelf, engine.store), partial(Slowly, engine))
    )
    assert fast == slow
    assert fast[1:] == ((), {})


@pytest.mark.parametrize("name", ["app{}:1", "app:{}"], ids=["repositories", "tags"])
def test_each_manifest_is_opened_once_however_many_names_go(engine, samples, name, monkeypatch):
    many = 60
    names = [Reference.parse(name.format(number)) for number in range(many)]
    first = engine.store.entries()[0]
    engine.store.change(lambda entries: entries + tuple(replace(first, name=name) for name in names))
    opened, manifest = [], engine.store.manifest
    monkeypatch.setattr(engine.store, "manifest", lambda digest: opened.append(digest) or manifest(digest))
    before = len(engine.store.entries())
    done = engine.remove([name.familiar for name in names])
    assert {record.reference for record in done} >= {name.familiar for name in names}
    assert len(engine.store.entries()) == before - many
    assert len(opened) <= 4 * before, "once for the listing is enough"
