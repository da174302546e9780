"""df.oci works on frames of ours and says clearly why not on others."""

from __future__ import annotations

import pandas as pd
import pytest

from jupyimg.views import Answer
from jupyimg.views.frames import frame
from tests.views.samples import digest, image, removal, step, transfer


def images() -> pd.DataFrame:
    other = image(manifest_digest=digest("other"), size=1_000_000, reference="other:1")
    return frame(Answer(kind="images", records=[image(), image(reference="my-nginx:v1"), other]))


def test_total_counts_a_digest_once() -> None:
    assert images()["size"].sum() == 146_800_246
    assert images().oci.total() == 73_900_123


def test_total_of_what_was_moved_and_removed() -> None:
    assert frame(Answer(kind="pull", records=[transfer(), transfer()])).oci.total() == 72_900_123
    freed = [removal(action="deleted", freed=5), removal(action="deleted", freed=7)]
    assert frame(Answer(kind="rmi", records=freed)).oci.total() == 12
    assert frame(Answer(kind="history", records=[step(size=3), step(size=3), step(size=None)])).oci.total() == 6


def test_human_is_a_copy_in_words_with_the_same_rows_and_columns() -> None:
    made = images()[lambda df: df["size"] < 5_000_000]
    words = made.oci.human()
    assert list(words.columns) == list(made.columns)
    assert list(words.index) == list(made.index) == [2]
    assert words["size"].to_list() == ["1MB"]
    assert words.attrs == {}
    assert made["size"].to_list() == [1_000_000]


@pytest.mark.parametrize("other", [pd.DataFrame({"a": [1]}), images().describe()])
def test_other_frames_have_no_such_thing(other: pd.DataFrame) -> None:
    with pytest.raises(AttributeError, match="needs a frame of %image"):
        _ = other.oci


def test_total_names_the_columns_it_misses() -> None:
    with pytest.raises(AttributeError, match="the columns manifest_digest are needed"):
        images()[["reference", "size"]].oci.total()
    with pytest.raises(AttributeError, match="does not add up"):
        frame(Answer(kind="search", records=[])).oci.total()
