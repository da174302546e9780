"""Tongue: what stands around the data (heads, ages, progress, forms) in English or in Chinese. Columns stay English.

English is the key of every entry, so what has no entry is shown in English. Only words of ours are looked up; text
from outside is never a template. Notes come from below as whole lines; those of ours are known by their shape.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from jupyimg.views import words
from jupyimg.views.chinese import COUNTED, SENTENCES, SPANS, WORDS
from jupyimg.views.chinese_columns import HEADINGS, MEANINGS
from jupyimg.views.chinese_live import LIVE
from jupyimg.views.chinese_notes import NOTES
from jupyimg.views.chinese_scripts import SCRIPTED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

ENGLISH, CHINESE = "en", "zh"
_SENTENCES = SENTENCES | LIVE
_PLACE = re.compile(r"\\\{(\w+)\\\}")
_WIDE = frozenset({"lines", "names", "why"})
"""Places of a note that hold more than one word."""


def say(lang: str, template: str, **values: object) -> str:
    """A sentence of ours, its ``{names}`` filled in."""
    return (_SENTENCES.get(template, template) if lang == CHINESE else template).format(**values)


def word(lang: str, text: str) -> str:
    """A single word such as a status; what is not known stays as it is."""
    return WORDS.get(text, text) if lang == CHINESE else text


def heading(lang: str, column: str) -> str:
    """What stands over a column."""
    return HEADINGS.get(column, column) if lang == CHINESE else column


def meaning(lang: str, says: str) -> str:
    """What `columns` says of a column."""
    return MEANINGS.get(says, says) if lang == CHINESE else says


def count(lang: str, number: int, noun: str) -> str:
    """A number of things: "3 images", "3 个镜像"."""
    return f"{number} {COUNTED[noun]}" if lang == CHINESE and noun in COUNTED else words.count(number, noun)


def age(lang: str, moment: datetime, now: datetime) -> str:
    """How long ago that was: "6 days ago", "6 天前"; the spans are Docker's in every language."""
    english = words.age(moment, now)
    if lang != CHINESE:
        return english
    span = english.removesuffix(" ago")
    number, _, unit = span.partition(" ")
    return SPANS[span] if span in SPANS else f"{number} {SPANS[unit.removesuffix('s')]}前"


def listed(lang: str, parts: Sequence[str], between: str = ", ") -> str:
    """Parts of a sentence, one after another; in Chinese with the mark that is as wide as a character."""
    return between.join(parts) if lang != CHINESE else {",": "，", ";": "；"}[between.strip()].join(parts)


def note(lang: str, line: str) -> str:
    """A line from below, cleaned already; several that stand in one are told one by one, one of others' stays."""
    if lang != CHINESE:
        return line
    whole = _note(line)
    if whole is not None:
        return whole
    parts = [_note(part) for part in line.split("; ")]
    return line if None in parts else "；".join(filter(None, parts))


def phrases(lang: str, page: str) -> dict[str, str]:
    """What the script of a page is told to say: its phrases by their English ones, none in English."""
    return SCRIPTED[page] if lang == CHINESE else {}


def _note(line: str) -> str | None:
    for shape, chinese in _shapes():
        if found := shape.fullmatch(line):
            return chinese.format(**found.groupdict())
    return None


@cache
def _shapes() -> list[tuple[re.Pattern[str], str]]:
    """The notes that are known, as patterns; ``(s)`` is there or not."""
    return [(re.compile(_pattern(english), re.DOTALL), chinese) for english, chinese in NOTES.items()]


def _pattern(english: str) -> str:
    return _PLACE.sub(_place, re.escape(english)).replace(re.escape("(s)"), "s?")


def _place(found: re.Match[str]) -> str:
    holds = ".+" if found[1] in _WIDE else r"[^\s;]+"
    return f"(?P<{found[1]}>{holds})"
