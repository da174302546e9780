"""--filter, and the times in it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jupyimg.commands.filters import image_filter, moment
from jupyimg.errors import Misuse

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(("text", "expected"), [
    ("24h", "2026-11-23T12:00:00"),
    ("1h30m", "2026-11-24T10:30:00"),
    ("90s", "2026-11-24T11:58:30"),
    ("1.5h", "2026-11-24T10:30:00"),
    ("2026-01-31", "2026-01-31T00:00:00"),
    ("2026-01-31T12:30", "2026-01-31T12:30:00"),
    ("2026-01-31T12:30:15Z", "2026-01-31T12:30:15"),
    ("2026-01-31T12:30:15+02:00", "2026-01-31T10:30:15"),
    ("1767225600", "2026-01-01T00:00:00"),
])  # fmt: skip
def test_times(text, expected):
    assert moment(text, NOW).isoformat() == expected + "+00:00"


@pytest.mark.parametrize("text", ["1d", "yesterday", "h", "", "2026-99-01", "-1h"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(Misuse, match="not a time"):
        moment(text, NOW)


def test_keys_are_gathered_and_the_repository_is_a_reference_filter():
    found = image_filter(["label=a", "label=b=c", "dangling=true", "before=x", "reference=ng*"], "nginx:1")
    assert found.labels == ("a", "b=c")
    assert found.dangling is True
    assert found.before == ("x",)
    assert found.references == ("ng*", "nginx:1")


@pytest.mark.parametrize("text", ["size=3", "dangling", "dangling=maybe", "label=", "=x", "until=soon"])
def test_a_filter_that_is_none_is_refused_with_the_keys(text):
    with pytest.raises(Misuse) as caught:
        image_filter([text])
    assert caught.value.hint
