"""Tree: images as repository, tag and platform, to see at a glance what there is; as text and as HTML that folds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyimg.views import tongue, words
from jupyimg.views.markup import FAINT, MONO, element, say, style
from jupyimg.views.totals import footer, total

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Row = dict[str, Any]
    Branches = dict[str, dict[str, list[Row]]]

KINDS = frozenset({"images", "df -v", "tags"})
NEEDED = ("repository", "tag", "platform", "size", "digest")
MOST = 2000
"""Rows that are shown; the frame has all of them."""
_OPEN = 12
"""As many repositories are shown unfolded."""


class Tree:
    """Rows of images under their repositories and tags."""

    def __init__(self, kind: str, rows: Sequence[Row], lang: str = tongue.ENGLISH) -> None:
        self._kind, self._rows, self._lang = kind, rows, lang

    def __repr__(self) -> str:
        return "\n".join([*self._lines(), self._foot()])

    def _repr_html_(self) -> str:
        branches = _branches(self._rows[:MOST])
        opened = {"open": ""} if len(branches) <= _OPEN else {}
        made = [
            element("details", self._summary(name, tags), *_html(tags), **opened) for name, tags in branches.items()
        ]
        return element("div", *made, element("div", say(self._foot()), style=FAINT), class_="jupyimg")

    def _summary(self, name: str, tags: dict[str, list[Row]]) -> str:
        rows = [row for held in tags.values() for row in held]
        said = tongue.count(self._lang, len(tags), "tag")
        if self._kind != "tags":  # whose sizes cannot be added up
            said = f"{said}, {words.size(total(self._kind, rows), 3)}"
        inner = element("b", say(name)) + element("span", say(f"  {said}"), style=FAINT)
        return element("summary", inner, style="cursor:pointer")

    def _lines(self) -> Iterator[str]:
        for name, tags in _branches(self._rows[:MOST]).items():
            yield name
            for last, (tag, rows) in _marked(list(tags.items())):
                yield f"{_FORK[last]}{_leaf(tag, rows[0])}" if len(rows) == 1 else f"{_FORK[last]}{tag}"
                for end, row in _marked(rows if len(rows) > 1 else []):
                    yield f"{_STEM[last]}{_FORK[end]}{_leaf('', row)}"

    def _foot(self) -> str:
        foot = footer(self._kind, self._rows, self._lang)
        left = len(self._rows) - MOST
        return f"{foot} · {tongue.say(self._lang, '{rest} more', rest=left)}" if left > 0 else foot


_FORK = {False: "├── ", True: "└── "}
_STEM = {False: "│   ", True: "    "}


def _marked(items: Sequence[Any]) -> Iterator[tuple[bool, Any]]:
    """Each item, and whether it is the last."""
    return ((at == len(items) - 1, item) for at, item in enumerate(items))


def _branches(rows: Sequence[Row]) -> Branches:
    """Repositories by name, their tags as they come."""
    found: Branches = {}
    for row in rows:
        tag = _text(row["tag"]) if row["tag"] is not None else f"{words.NONE} {words.short(_text(row['digest']))}"
        found.setdefault(_text(row["repository"] or words.NONE), {}).setdefault(tag, []).append(row)
    return dict(sorted(found.items()))


def _leaf(tag: str, row: Row) -> str:
    """One platform in words."""
    size = None if row["size"] is None else words.size(row["size"], 3)
    return "  ".join(filter(None, [tag, _text(row["platform"] or ""), size, words.short(_text(row["digest"] or ""))]))


def _html(tags: dict[str, list[Row]]) -> Iterator[str]:
    for tag, rows in tags.items():
        for at, row in enumerate(rows):
            name = element("span", say(tag if at == 0 else ""), style="display:inline-block;min-width:10em")
            told = element("span", say(_leaf("", row)), style=style(MONO, FAINT), title=_exact(row))
            yield element("div", f"{name} {told}", style="margin-left:1.5em")


def _exact(row: Row) -> str:
    size = "" if row["size"] is None else f"{row['size']:,} bytes"
    return " · ".join(filter(None, [size, _text(row["digest"] or "")]))


def _text(value: object) -> str:
    return words.ellipsis(words.clean(str(value)), 200)
