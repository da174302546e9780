"""Pruning of chosen images takes exactly those, frees exactly what its plan said, and leaves what has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.engines import open_engine
from jupyimg.model.settings import Settings
from tests.engines.test_prune import asked, filled, some
from tests.places.memory import MemoryPlace
from tests.store.bring import bring
from tests.store.stores import du, sizes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyimg.engines import Engine


def names(images):
    return {(one.repository, one.tag, one.digest) for one in images}


@given(st.data(), asked)
@some
def test_exactly_the_chosen_ones_go_and_their_bytes_are_those_of_the_plan(data, asked):
    with filled(data) as (engine, root):
        how = {key: asked[key] for key in ("filters", "everything")}
        could = engine.prunable(**how)
        chosen = [one for one in could if data.draw(st.booleans())]
        before, held = sizes(root), names(engine.images(everything=True))
        plan = engine.prune_plan(**asked, only=chosen)
        assert sizes(root) == before
        assert engine.prune(**asked, only=chosen) == plan
        assert sum(row.freed for row in plan) == sum(before.values()) - du(root)
        assert names(engine.images(everything=True)) == held - names(chosen)
        assert names(engine.prunable(**how)) == names(could) - names(chosen)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[Engine, MemoryPlace]]:
    """Two images that share a layer of 5,000 bytes and one that shares nothing."""
    engine, place = open_engine(Settings(home=tmp_path / "jupyimg")), MemoryPlace(1 << 20)
    for name, layers in (("a:1", (b"s" * 5000, b"a")), ("b:1", (b"s" * 5000, b"b")), ("c:1", (b"c" * 300,))):
        bring(engine.store, place, name, place.image(layers=layers))
    yield engine, place
    engine.close()


def freed(engine: Engine, *chosen: str) -> int:
    could = engine.prunable(everything=True)
    only = [one for one in could if one.reference in chosen]
    return sum(row.freed or 0 for row in engine.prune_plan(everything=True, only=only))


def test_what_two_share_is_freed_only_with_both(shop: tuple[Engine, MemoryPlace]) -> None:
    engine, _ = shop
    assert freed(engine, "a:1") < 5000
    assert freed(engine, "b:1") < 5000
    assert freed(engine, "a:1", "b:1") > 5000 + freed(engine, "a:1") + freed(engine, "b:1") - 1
    assert freed(engine) == 0


def test_a_name_that_moved_on_since_it_was_chosen_stays(shop: tuple[Engine, MemoryPlace]) -> None:
    engine, place = shop
    chosen = engine.prunable(everything=True)
    bring(engine.store, place, "c:1", place.image(layers=(b"new",)))
    engine.pin(["b:1"])
    gone = engine.prune(everything=True, only=chosen)
    assert [row.reference for row in gone if row.reference and "@" not in row.reference] == ["a:1"]
    assert {one.reference for one in engine.images()} == {"b:1", "c:1"}


def test_no_choice_at_all_leaves_every_image(shop: tuple[Engine, MemoryPlace]) -> None:
    engine, _ = shop
    assert engine.prune(everything=True, only=[]) == []
    assert len(engine.images()) == 3
