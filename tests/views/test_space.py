"""Disk space as it is shown: what was reclaimed, what would be, what is pinned, what takes how much."""

from __future__ import annotations

import pytest

from jupyimg.model.records import DiskRecord, Status
from jupyimg.views import Answer, to_notebook, to_text
from jupyimg.views.html import to_html
from tests.views.samples import digest, removal, transfer

PLAN = "prune --dry-run"
ROWS = [removal(), removal(action="deleted", reference=None, freed=5_000_000)]
DISK = [
    DiskRecord(type="Images", total=3, active=1, size=4_000_000, reclaimable=1_000_000),
    DiskRecord(type="Build Cache", total=1, active=0, size=100, reclaimable=100),
    DiskRecord(type="Partial Downloads", total=0, active=0, size=0, reclaimable=0),
]


def html(answer: Answer) -> str:
    return str(to_html(to_notebook(answer)))


def test_a_plan_says_nothing_that_could_be_read_as_done() -> None:
    text = to_text(Answer(kind=PLAN, records=ROWS))
    assert text.splitlines() == [
        "Would be removed:",
        "untagged: nginx:latest",
        f"deleted: {digest('index')}",
        "",
        "Space that would be reclaimed: 5MB",
    ]
    shown = html(Answer(kind=PLAN, records=ROWS))
    assert "1 would be untagged, 1 deleted, 5MB freed" in shown
    assert "reclaimed" not in shown


@pytest.mark.parametrize(
    ("kind", "rows", "foot"),
    [
        ("prune", ROWS, "1 untagged, 1 deleted, total reclaimed space: 5MB"),
        ("prune", [], "total reclaimed space: 0B"),
        (PLAN, [], "nothing to remove"),
        ("rmi", ROWS, "1 untagged, 1 deleted, 5MB freed"),
    ],
)
def test_the_line_under_a_frame_says_what_it_comes_to(kind: str, rows: list[object], foot: str) -> None:
    assert foot in html(Answer(kind=kind, records=rows))


def test_an_empty_plan_says_nothing_by_itself() -> None:
    assert to_text(Answer(kind=PLAN, records=[])) == ""


@pytest.mark.parametrize("kind", ["prune", PLAN])
def test_an_upload_that_never_got_a_digest_is_told_in_words(kind: str) -> None:
    rows = [removal(action="deleted", reference=None, digest=None, freed=4)]
    assert "deleted: an upload that broke off" in to_text(Answer(kind=kind, records=rows))
    assert to_notebook(Answer(kind=kind, records=rows))["digest"].isna().all()


def test_pins_are_told_by_name() -> None:
    for kind, status in (("pin", Status.PINNED), ("unpin", Status.UNPINNED)):
        answer = Answer(kind=kind, records=[transfer(status=status, transferred=0, seconds=0.0)])
        assert to_text(answer) == f"{status.capitalize()}: nginx:latest"
        assert "1 image, 72.9MB" in html(answer)


def test_a_share_is_shown_where_docker_shows_one() -> None:
    lines = to_text(Answer(kind="df", records=DISK)).splitlines()
    assert lines[1].endswith("1MB (25%)")
    assert lines[2].endswith("100B")
    assert lines[3].endswith("0B")


def test_what_a_daemon_reports_is_shown_only_where_there_is_one() -> None:
    assert "REPORTED" not in to_text(Answer(kind="df", records=DISK))
    reported = [DiskRecord(type="Images", total=1, active=0, size=10, reclaimable=10, reported=3)]
    head, row = to_text(Answer(kind="df", records=reported)).splitlines()
    assert head.split() == ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE", "REPORTED"]
    assert row.split()[-1] == "3B"


def test_what_nobody_knows_is_not_a_number() -> None:
    unknown = [DiskRecord(type="Images", total=1, active=0, size=None, reclaimable=None)]
    assert to_text(Answer(kind="df", records=unknown)).splitlines()[1].split() == ["Images", "1", "0", "N/A", "N/A"]
