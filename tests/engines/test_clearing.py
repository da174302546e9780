"""Pruning tells how far it is, holds the store's lock for nobody who only looks on, and says what went before it ended."""

from __future__ import annotations

import errno
import threading
import time
from pathlib import Path

import pytest

from jupyimg.engines import open_engine
from jupyimg.errors import Interrupted, StoreError
from jupyimg.model.content import COUNTED, FREED, Phase
from tests.engines.test_pins import names
from tests.places.memory import MemoryPlace
from tests.store.bring import bring

BIG = 50_000


@pytest.fixture
def full(engine):
    """Ten images of a layer each, and one layer that all share."""
    made = MemoryPlace()
    for number in range(10):
        name = f"many:{number}"
        bring(engine.store, made, name, made.image(layers=(b"shared", bytes([number]) * BIG)))
    return engine


@pytest.fixture
def slow(monkeypatch):
    """A disk that takes a while for each file, as one on a network does; what is to go wrong may be added to it."""
    unlink, state = Path.unlink, {"seconds": 0.03, "fails": -1, "gone": 0}

    def unlinked(path, **options):
        if "blobs" in path.parts:
            time.sleep(state["seconds"])
            if state["gone"] == state["fails"]:
                raise OSError(errno.EIO, "Input/output error")
            state["gone"] += 1
        unlink(path, **options)

    monkeypatch.setattr(Path, "unlink", unlinked)
    return state


def followed(steps, upon=lambda step: None):
    seen = []
    while True:
        try:
            seen.append(next(steps))
            upon(seen[-1])
        except StopIteration as end:
            return seen, end.value


def test_a_slow_pruning_counts_images_and_bytes_up_to_what_its_plan_says(full, slow):
    plan = full.prune_plan(everything=True)
    seen, rows = followed(full.pruning(everything=True))
    assert rows == plan
    images = [step.current for step in seen if step.item == "images"]
    freed = [step.current for step in seen if step.item == FREED]
    assert images == sorted(images)
    assert freed == sorted(freed)
    assert len(set(freed)) > 3, "it moves"
    assert {(step.text, step.total) for step in seen if step.phase is not Phase.IDLE} == {
        (COUNTED, 10),
        (FREED, sum(row.freed for row in plan)),
    }
    assert (images[-1], freed[-1]) == (10, sum(row.freed for row in plan))


def test_who_only_looks_on_holds_no_lock(full, slow):
    slow["seconds"] = 0.0
    steps = full.pruning(everything=True)
    next(steps)
    other = open_engine(full.settings)
    tagging = threading.Thread(target=lambda: other.store.change(lambda entries: entries), daemon=True)
    tagging.start()
    tagging.join(10)
    assert not tagging.is_alive()
    steps.close()
    other.close()


def test_a_stop_keeps_what_is_left_for_the_next_pruning_and_tells_what_went(full, slow):
    steps = full.pruning(everything=True)
    while next(steps).item != FREED:
        pass
    next(steps)
    with pytest.raises(Interrupted, match=r"interrupted; \d+ of \d+ were deleted before that") as caught:
        steps.throw(KeyboardInterrupt())
    done = caught.value.done
    blobs = full.store.blobs()
    assert blobs
    assert names(full) == [], "the names go first"
    assert {row.reference for row in done if row.action == "untagged"} >= {f"many:{at}" for at in range(10)}
    assert not {row.digest for row in done if row.action == "deleted"} & blobs.keys()
    assert "again" in caught.value.hint
    slow["seconds"] = 0.0
    rest = full.prune()
    assert sum(row.freed for row in rest) == sum(blobs.values())
    assert full.store.blobs() == {}


def test_a_disk_that_fails_half_way_tells_what_went_before(full, slow):
    before = full.store.blobs()
    slow.update(seconds=0.0, fails=7)
    with pytest.raises(StoreError, match=r"Input/output error; 7 of \d+ were deleted before that") as caught:
        full.prune(everything=True)
    gone = {row.digest for row in caught.value.done if row.action == "deleted"}
    assert gone == before.keys() - full.store.blobs().keys()
    assert len(gone) == 7
    assert len([row for row in caught.value.done if row.action == "untagged" and "@" not in row.reference]) == 10
    slow["fails"] = -1
    full.prune()
    assert full.store.blobs() == {}


def test_a_failure_before_the_list_is_written_tells_nothing(full, monkeypatch):
    def refuse(*_):
        raise StoreError("could not write the list")

    with monkeypatch.context() as patched:
        patched.setattr(full.store, "_write_less", refuse)
        with pytest.raises(StoreError, match=r"^could not write the list$") as caught:
            full.prune(everything=True)
    assert caught.value.done == ()
    assert len(names(full)) == 10
