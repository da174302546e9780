"""Boxes stand for numbers: the share of the area is the share of the bytes, nothing overlaps, nothing leaves."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.views.geometry import Box, rows, strip, treemap

SIZES = st.lists(st.integers(0, 10**12), max_size=40)
SIDES = st.floats(1, 2000)
NEAR = 1e-6


def inside(inner: Box, outer: Box) -> bool:
    slack = NEAR * (outer.width + outer.height)
    return (
        inner.x >= outer.x - slack
        and inner.y >= outer.y - slack
        and inner.x + inner.width <= outer.x + outer.width + slack
        and inner.y + inner.height <= outer.y + outer.height + slack
    )


def overlap(one: Box, other: Box) -> float:
    wide = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    high = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0.0, wide) * max(0.0, high)


@given(SIZES, SIDES, SIDES)
def test_a_treemap_fills_its_box_by_shares_and_without_overlap(sizes: list[int], width: float, height: float) -> None:
    box = Box(3.0, 4.0, width, height)
    made = treemap(sizes, box)
    assert len(made) == len(sizes)
    for size, place in zip(sizes, made, strict=True):
        assert place.area == pytest.approx(box.area * size / max(sum(sizes), 1), rel=1e-3, abs=box.area * NEAR)
        assert inside(place, box)
    assert all(overlap(one, other) <= box.area * NEAR for one, other in combinations(made, 2))


@given(SIZES, SIDES, SIDES)
def test_a_strip_stands_side_by_side_by_shares(sizes: list[int], width: float, height: float) -> None:
    box = Box(3.0, 4.0, width, height)
    made = strip(sizes, box)
    assert sum(place.width for place in made) == pytest.approx(width if sum(sizes) else 0.0)
    assert all(inside(place, box) for place in made)
    assert all(overlap(one, other) <= box.area * NEAR for one, other in combinations(made, 2))


def test_equal_sizes_are_squares() -> None:
    assert {(round(box.width), round(box.height)) for box in treemap([1, 1, 1, 1], Box(0, 0, 100, 100))} == {(50, 50)}


def test_a_treemap_keeps_the_order_it_is_given() -> None:
    small, big = treemap([1, 99], Box(0, 0, 100, 100))
    assert (round(small.area), round(big.area)) == (100, 9900)


def test_a_strip_of_a_bigger_whole_leaves_the_rest_free() -> None:
    assert strip([25, -1], Box(0, 0, 100, 9), whole=100) == [Box(0, 0, 25, 9), Box(25, 0, 0, 9)]


@pytest.mark.parametrize("sizes", [[], [0], [0, 0]])
def test_nothing_takes_no_room(sizes: list[int]) -> None:
    box = Box(0, 0, 100, 100)
    assert [place.area for place in treemap(sizes, box)] == [0.0] * len(sizes)
    assert [place.area for place in strip(sizes, box)] == [0.0] * len(sizes)


@given(st.integers(0, 50), SIDES, st.floats(0, 20))
def test_rows_are_alike_and_apart(count: int, height: float, gap: float) -> None:
    box = Box(0, 0, 100, height + gap * 50)
    made = rows(count, box, gap=gap)
    assert len(made) == count
    assert all(inside(place, box) for place in made)
    assert all(below.y - (above.y + above.height) == pytest.approx(gap, abs=NEAR) for above, below in pairwise(made))
