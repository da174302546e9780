"""Words are spelled exactly as Docker spells them, and nothing that a terminal obeys gets through."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from jupyimg.views import words
from tests.views.samples import HOSTILE, NOW

HOUR, DAY = 3600, 86400


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0B"),
        (1, "1B"),
        (999, "999B"),
        (1000, "1kB"),
        (1024, "1.024kB"),
        (1_000_000, "1MB"),
        (1_048_576, "1.049MB"),
        (2_000_000, "2MB"),
        (3_420_000_000, "3.42GB"),
        (5_372_000_000_000, "5.372TB"),
        (2_220_000_000_000_000, "2.22PB"),
        (10**28, "1e+04YB"),
        (-5_000_000, "-5MB"),
    ],
)
def test_sizes_have_four_digits_as_in_pull_and_df(count: int, text: str) -> None:
    assert words.size(count) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0B"), (123, "123B"), (1234, "1.23kB"), (197_654_321, "198MB"), (72_900_123, "72.9MB"), (999_999, "1e+03kB")],
)
def test_sizes_have_three_digits_as_in_images(count: int, text: str) -> None:
    assert words.size(count, 3) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "Less than a second"),
        (0.45, "Less than a second"),
        (1, "1 second"),
        (47, "47 seconds"),
        (59.9, "59 seconds"),
        (60, "About a minute"),
        (119, "About a minute"),
        (180, "3 minutes"),
        (35 * 60 + 40, "35 minutes"),
        (59 * 60 + 59, "59 minutes"),
        (HOUR, "About an hour"),
        (HOUR + 29 * 60, "About an hour"),
        (HOUR + 31 * 60, "2 hours"),
        (3 * HOUR + 59 * 60, "4 hours"),
        (24 * HOUR, "24 hours"),
        (36 * HOUR, "36 hours"),
        (2 * DAY, "2 days"),
        (13 * DAY + 5 * HOUR, "13 days"),
        (14 * DAY, "2 weeks"),
        (30 * DAY, "4 weeks"),
        (44 * DAY, "6 weeks"),
        (60 * DAY, "2 months"),
        (5 * 30 * DAY + 14 * DAY, "5 months"),
        (23 * 30 * DAY, "23 months"),
        (24 * 30 * DAY, "24 months"),
        (24 * 30 * DAY + 14 * DAY, "2 years"),
        (3 * 365 * DAY + 60 * DAY, "3 years"),
    ],
)
def test_time_spans_are_those_of_docker(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


def test_an_age_is_counted_from_now() -> None:
    assert words.age(NOW - timedelta(days=6, hours=3), NOW) == "6 days ago"


def test_exact_times_are_utc_wherever_they_came_from() -> None:
    there = datetime.fromisoformat("2025-11-18T17:12:03.5+08:00")
    assert words.iso(there) == "2025-11-18T09:12:03.500000Z"
    assert words.iso(datetime(2025, 1, 2, tzinfo=UTC)) == "2025-01-02T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (HOSTILE, "<script>alert(1)</script>evil2J &\"'"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\tb\r\nc", "a b c"),
        ("\u2066left\u2069\ufeff\u200b", "left"),
        ("half \ud800 character", "half \ufffd character"),
        ("tag\U000e0041ged", "tagged"),
        ("用于教学的镜像 😀", "用于教学的镜像 😀"),
    ],
)
def test_what_a_terminal_obeys_is_taken_out_and_the_rest_stays(text: str, cleaned: str) -> None:
    assert words.clean(text) == cleaned


def test_json_keeps_every_character_and_shows_none_that_is_obeyed() -> None:
    value = {"k": HOSTILE + "\ud800\U000e0041\u2028中"}
    text = words.json_safe(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(text) == value
    assert "中" in text
    assert all(char.isprintable() or char == "\n" for char in text)


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("short", 5, "short"),
        ("longer text", 6, "longe…"),
        ("教学镜像", 8, "教学镜像"),
        ("教学镜像库", 8, "教学镜…"),
        ("e\u0301" * 9, 9, "e\u0301" * 9),
    ],
)
def test_text_is_cut_to_terminal_columns(text: str, limit: int, cut: str) -> None:
    assert words.ellipsis(text, limit) == cut
    assert words.width(cut) <= limit


def test_a_megabyte_of_text_is_cut_without_being_measured() -> None:
    assert words.ellipsis("教" * 1_000_000, 10) == "教教教教…"


def test_short_ids_have_twelve_digits_with_and_without_algorithm() -> None:
    assert words.short("sha256:" + "ab" * 32) == "ab" * 6
    assert words.short("ab" * 32) == "ab" * 6


@pytest.mark.parametrize(
    ("count", "said"), [(0.5, "0.50 s"), (42, "42.0 s"), (119, "119 s"), (120, "2 min"), (729, "12 min"), (9000, "2 h")]
)
def test_a_long_span_is_said_roughly(count, said):
    assert words.span(count) == said
