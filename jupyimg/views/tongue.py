"""Tongue: what stands around the data (heads, feet, ages, kinds) in English or in Chinese. Columns stay English.

English is the key of every entry, so what has no entry is shown in English. Only words of ours are looked up; text
from outside is never a template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyimg.views import words
from jupyimg.views.chinese import COUNTED, SENTENCES, SPANS, WORDS
from jupyimg.views.chinese_columns import HEADINGS, MEANINGS

if TYPE_CHECKING:
    from datetime import datetime

ENGLISH, CHINESE = "en", "zh"


def say(lang: str, template: str, **values: object) -> str:
    """A sentence of ours, its ``{names}`` filled in."""
    return (SENTENCES.get(template, template) if lang == CHINESE else template).format(**values)


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
