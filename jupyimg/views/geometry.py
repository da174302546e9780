"""Geometry: numbers of bytes as rectangles. Pure functions, so that a picture in Python and one in a browser agree.

Every function keeps the order of what it is given and gives a box for each value, of no size for a value of nothing.
The treemap is the squarified one of Bruls, Huizing and van Wijk (2000): the biggest first, laid in rows along the
shorter side of what is left, a row growing as long as that makes its boxes squarer.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Box(NamedTuple):
    """A rectangle; x grows to the right, y downwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Its area."""
        return self.width * self.height


def rows(count: int, box: Box, *, gap: float = 0.0) -> list[Box]:
    """The box in that many rows of the same height, with gaps between them; none for no rows."""
    if count < 1:
        return []
    height = max(0.0, (box.height - gap * (count - 1)) / count)
    return [Box(box.x, box.y + at * (height + gap), box.width, height) for at in range(count)]


def strip(values: Sequence[float], box: Box, *, whole: float | None = None) -> list[Box]:
    """Boxes side by side, each as wide as its value's share; negative values count as nothing.

    Args:
        values: what is shown.
        box: where.
        whole: what the full width stands for; the sum of the values if None. Where it is less, the box is overrun.
    """
    sizes = [max(0.0, float(value)) for value in values]
    full = sum(sizes) if whole is None else float(whole)
    scale = box.width / full if full > 0 else 0.0
    starts = accumulate((size * scale for size in sizes), initial=box.x)
    return [Box(x, box.y, size * scale, box.height) for x, size in zip(starts, sizes, strict=False)]


def treemap(values: Sequence[float], box: Box) -> list[Box]:
    """Boxes that fill the box, each as large as its value's share and as square as can be."""
    order = sorted((at for at, value in enumerate(values) if value > 0), key=lambda at: -values[at])
    made = [Box(box.x, box.y, 0.0, 0.0)] * len(values)
    whole = sum(values[at] for at in order)
    if not order or box.area <= 0:
        return made
    areas = [values[at] * (box.area / whole) for at in order]
    start = 0
    while start < len(areas):
        end = _row_end(areas, start, min(box.width, box.height))
        laid, box = _lay(areas[start:end], box)
        for at, place in zip(order[start:end], laid, strict=True):
            made[at] = place
        start = end
    return made


def _row_end(areas: Sequence[float], start: int, side: float) -> int:
    """Where the row that starts there is best ended; areas stand biggest first."""
    total, best, end = 0.0, float("inf"), start
    while end < len(areas):
        total += areas[end]
        worst = _worst(areas[start], areas[end], total, side)
        if worst > best:
            break
        best, end = worst, end + 1
    return max(end, start + 1)


def _worst(biggest: float, smallest: float, total: float, side: float) -> float:
    """How far from square the oddest box of a row is (1 is a square), by the paper's formula, safe from overflow."""
    if side <= 0 or smallest <= 0:
        return float("inf")
    length = total / side
    return max(biggest / length / length, length / smallest * length) if length > 0 else float("inf")


def _lay(areas: Sequence[float], box: Box) -> tuple[list[Box], Box]:
    """A row along the shorter side of the box, and what is left of the box."""
    total = sum(areas)
    if box.width >= box.height:
        thick = min(box.width, total / box.height) if box.height > 0 else 0.0
        row = [Box(box.x, part.x, thick, part.width) for part in strip(areas, Box(box.y, 0.0, box.height, thick))]
        return row, Box(box.x + thick, box.y, box.width - thick, box.height)
    thick = min(box.height, total / box.width) if box.width > 0 else 0.0
    return strip(areas, Box(box.x, box.y, box.width, thick)), Box(box.x, box.y + thick, box.width, box.height - thick)
