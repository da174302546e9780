"""A frame is data: exact dtypes for many records, one or none, whatever is missing in them."""

from __future__ import annotations

import json
import pickle
from dataclasses import make_dataclass
from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest

from jupyimg.errors import Misuse
from jupyimg.views import Answer
from jupyimg.views.columns import FRAMES, Meaning
from jupyimg.views.frames import frame, of_records
from jupyimg.views.series import TEXT
from tests.views.samples import HOSTILE, NOW, digest, image, removal, step, transfer

SAMPLES = {
    Meaning.TEXT: "text",
    Meaning.DIGEST: digest("x"),
    Meaning.BYTES: 1 << 62,
    Meaning.COUNT: 3,
    Meaning.SECONDS: 1.5,
    Meaning.NUMBER: 2.5,
    Meaning.TIME: NOW,
    Meaning.FLAG: True,
    Meaning.MAPPING: {"a": "b"},
}


def dtypes(made: pd.DataFrame) -> dict[str, str]:
    """The dtypes by name, where pandas 2's text is called what it is called in pandas 3."""
    texts = {column.name for kind in FRAMES.values() for column in kind if column.dtype == "str"}
    return {
        str(name): "str" if name in texts and dtype == pd.Series([], dtype=TEXT).dtype else str(dtype)
        for name, dtype in made.dtypes.items()
    }


def record(kind: str, *, missing: bool) -> object:
    """A record of any kind, also of those that no engine returns yet."""
    values = {
        column.name: None if missing else SAMPLES.get(column.meaning, (column.categories or ("word",))[0])
        for column in FRAMES[kind]
    }
    return make_dataclass("Record", list(values))(**values)


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("which", ["none", "one", "all missing", "both"])
def test_columns_and_dtypes_are_the_same_for_any_records(kind: str, which: str) -> None:
    records = {
        "none": [],
        "one": [record(kind, missing=False)],
        "all missing": [record(kind, missing=True)],
        "both": [record(kind, missing=True), record(kind, missing=False)],
    }[which]
    made = frame(Answer(kind=kind, records=records))
    assert dtypes(made) == {column.name: column.dtype for column in FRAMES[kind]}
    assert len(made) == len(records)


def test_missing_values_are_missing_and_not_words() -> None:
    made = frame(Answer(kind="images", records=[image(tag=None, created=None, unpacked=None, containers=None)]))
    row = made.iloc[0]
    assert made[["tag", "created", "unpacked", "containers"]].isna().all().all()
    assert row["repository"] == "nginx"


@pytest.mark.parametrize("year", [1, 1677, 2263, 9999])
def test_a_time_that_nanoseconds_cannot_hold_is_missing(year: int) -> None:
    made = frame(Answer(kind="images", records=[image(created=datetime(year, 1, 1, tzinfo=UTC)), image()]))
    assert pd.isna(made["created"][0])
    assert made["created"][1] == NOW - timedelta(days=6)


def test_the_epoch_of_reproducible_builds_is_kept() -> None:
    made = frame(Answer(kind="images", records=[image(created=datetime(1970, 1, 1, tzinfo=UTC))]))
    assert made["created"][0] == pd.Timestamp(0, tz="UTC")


def test_a_time_from_another_zone_is_the_same_moment() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=8)))
    made = frame(Answer(kind="images", records=[image(created=there), image(created=NOW)]))
    assert made["created"][0] == made["created"][1]


def test_sizes_beyond_floats_are_exact_also_beside_missing_ones() -> None:
    made = frame(Answer(kind="images", records=[image(size=(1 << 62) + 1), image(unpacked=None)]))
    assert made["size"][0] == (1 << 62) + 1


def test_the_data_is_what_came_even_if_it_is_hostile() -> None:
    made = frame(Answer(kind="history", records=[step(created_by=HOSTILE)]))
    assert made["created_by"][0] == HOSTILE


def test_values_are_plain_types_so_a_pickle_needs_nothing_of_ours() -> None:
    made = frame(Answer(kind="images", records=[image()]))
    assert b"jupyimg.model" not in pickle.dumps(made)


def test_categories_stay_when_frames_of_one_kind_are_joined() -> None:
    first = frame(Answer(kind="rmi", records=[removal()]))
    second = frame(Answer(kind="prune", records=[removal(action="deleted", reference=None)]))
    assert str(pd.concat([first, second])["action"].dtype) == "category"


def test_a_word_that_was_not_foreseen_is_kept() -> None:
    made = frame(Answer(kind="rmi", records=[removal(action="vanished")]))
    assert list(made["action"]) == ["vanished"]
    assert list(made["action"].cat.categories) == ["untagged", "deleted", "vanished"]


def test_the_note_is_small_and_json() -> None:
    made = frame(Answer(kind="images", records=[image()] * 100, no_trunc=True, notes=("said",)))
    note = json.dumps(made.attrs)
    assert len(note) < 300
    assert json.loads(note)["jupyimg"]["kind"] == "images"


@pytest.mark.parametrize(
    ("records", "first"),
    [([image()], "repository"), ([step()], "image_id"), ([transfer()], "reference"), ([removal()], "action")],
)
def test_what_an_engine_returned_becomes_its_frame(records: list[object], first: str) -> None:
    assert of_records(records).columns[0] == first  # type: ignore[arg-type]


def test_no_records_are_an_empty_frame_of_images_unless_a_kind_is_named() -> None:
    assert list(of_records([]).columns) == [column.name for column in FRAMES["images"]]
    assert list(of_records([], "history").columns) == [column.name for column in FRAMES["history"]]


def test_records_of_two_kinds_are_refused() -> None:
    with pytest.raises(Misuse, match="one kind"):
        of_records([image(), step()])
    with pytest.raises(Misuse, match="one kind"):
        of_records(["nginx"])  # type: ignore[list-item]
