"""Checks for labs and graders: what must be true of images when a task is done.

Each looks at an engine (by default the one that `jupyimg.connect` opens), changes nothing, asks nobody for anything
and raises `NotYet`, an AssertionError, with one sentence that says what is wrong and what to try. ``speak("zh")`` makes
the sentences Chinese. ``python -m jupyimg.testing`` empties the solutions of a lab, and grades what came back.
"""

from __future__ import annotations

from jupyimg.testing.images import (
    assert_image,
    assert_pinned,
    assert_platforms,
    assert_pushed,
    assert_removed,
    assert_saved,
    assert_tagged,
)
from jupyimg.testing.labs import Outcome, grade, unsolved
from jupyimg.testing.sentences import NotYet, speak
from jupyimg.testing.values import assert_answer, assert_frame

__all__ = [
    "NotYet",
    "Outcome",
    "assert_answer",
    "assert_frame",
    "assert_image",
    "assert_pinned",
    "assert_platforms",
    "assert_pushed",
    "assert_removed",
    "assert_saved",
    "assert_tagged",
    "grade",
    "speak",
    "unsolved",
]
