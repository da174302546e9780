"""The crew's steps: silence is a step too, and a resumed blob says what came before."""

from __future__ import annotations

import time
from threading import Event, Thread

import pytest

from jupyimg.errors import Conflict, Interrupted
from jupyimg.model.content import Phase, drain
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor
from jupyimg.transfer import aside
from jupyimg.transfer.crew import Board, together
from tests.services.waiting import AT_ONCE, best


class Silent:
    """A place whose work ends when it is interrupted."""

    def __init__(self):
        self.left = Event()

    def interrupt(self):
        self.left.set()


def test_who_follows_a_silent_job_hears_ten_times_a_second_and_can_end_it():
    place = Silent()
    steps = aside(place, lambda _: place.left.wait(60))

    def heard():
        began = time.monotonic()
        assert next(steps).phase is Phase.IDLE
        return time.monotonic() - began

    assert best(heard, 0.2) < 0.2
    began = time.monotonic()
    with pytest.raises(Interrupted):
        steps.throw(KeyboardInterrupt())
    assert place.left.is_set()
    assert time.monotonic() - began < AT_ONCE


@pytest.mark.parametrize("most", [0, 1, 2])
def test_where_a_process_can_have_few_threads_those_do_it_all_and_where_none_it_is_said(monkeypatch, most):
    begun, done, start = [], [], Thread.start

    def begin(thread):
        if len(begun) == most:
            raise RuntimeError("can't start new thread")
        begun.append(thread)
        start(thread)

    monkeypatch.setattr(Thread, "start", begin)
    board = Board()
    work = together([lambda number=number: done.append(number) for number in range(9)], 4, board)
    if most:
        list(work)
    else:
        with pytest.raises(Conflict, match="can't start new thread") as caught:
            list(work)
        assert caught.value.hint
    board.stop.set()
    board.end()
    assert sorted(done) == (list(range(9)) if most else [])


def test_a_job_that_is_quick_says_nothing():
    assert drain(aside(Silent(), lambda _: 7)) == 7


@pytest.mark.parametrize(
    ("moved", "current", "earlier"),
    [(0, 0, 0), (0, 70, 70), (30, 100, 70), (100, 100, 0), (170, 100, 0)],
    ids=["begun", "resumed", "whole after a resume", "whole at once", "made again from the start"],
)
def test_what_did_not_move_came_earlier(moved, current, earlier):
    blob = Descriptor(media_type=OCI_LAYER, digest=Digest.of(b"x"), size=100)
    board = Board(counts={blob.digest: moved} if moved else {})
    board.note(Phase.MOVING, blob, current)
    assert board.steps[blob.digest].earlier == earlier
