"""A pause that a registry asks for is seen in every form of progress, and numbers of things are no bytes."""

from __future__ import annotations

import io

import pytest

from jupyimg.errors import Interrupted
from jupyimg.model.content import ARCHIVE, COUNTED, Phase, Step
from jupyimg.views.ledger import Ledger
from jupyimg.views.progress import LogProgress
from jupyimg.views.progress_html import to_html, to_text
from jupyimg.views.progress_kernel import KernelProgress
from jupyimg.views.progress_terminal import TerminalProgress
from tests.views.samples import HOSTILE, digest

LAYER = Step(Phase.MOVING, digest("layer"), 1_000_000, 4_000_000, "layer")
COUNTDOWN = [Step(Phase.PAUSED, "hub.example", left, 3) for left in (3, 2, 1, 0)]
TAGS = [
    Step(Phase.MOVING, "repositories", 300, 300, COUNTED),
    Step(Phase.MOVING, "tags", 812, 1500, COUNTED),
]


def ledger(*steps, kind="pull"):
    made = Ledger(kind, 0.0)
    for step in steps:
        made.take(step)
    return made


def test_a_running_pause_is_counted_down_and_gone_when_it_is_over():
    for at, left in enumerate(("3 seconds", "2 seconds", "1 second")):
        sentence = ledger(LAYER, *COUNTDOWN[: at + 1]).sentence(1.0)
        assert sentence.endswith(f"hub.example takes no more requests: going on in {left}")
        assert sentence.startswith("0 of 1 layer")
    assert "takes no more" not in ledger(LAYER, *COUNTDOWN).sentence(1.0)


def test_a_pause_before_anything_moves_is_all_that_is_said():
    assert ledger(COUNTDOWN[0]).sentence(0.0) == "hub.example takes no more requests: going on in 3 seconds"


def test_a_notebook_shows_it_in_html_and_text():
    state = ledger(LAYER, COUNTDOWN[1])
    assert "going on in 2 seconds" in to_html(state, 1.0)
    assert "going on in 2 seconds" in to_text(state, 1.0)


def test_a_terminal_says_it_once_and_counts_in_its_last_line():
    out = io.StringIO()
    with TerminalProgress("pull", file=out) as show:
        for step in [LAYER, *COUNTDOWN]:
            show(step)
    assert out.getvalue().count("takes no more requests: going on in 3 seconds") >= 1


def test_a_log_has_one_line_for_a_pause():
    out = io.StringIO()
    with LogProgress("pull", file=out) as show:
        for step in [LAYER, *COUNTDOWN, *COUNTDOWN]:
            show(step)
    assert out.getvalue().splitlines() == ["hub.example takes no more requests: going on in 3 seconds"] * 2


def test_a_hosts_name_is_outside_text():
    state = ledger(Step(Phase.PAUSED, HOSTILE, 3, 3))
    assert "<script>" not in to_html(state, 1.0)
    assert "\x1b" not in to_text(state, 1.0)


def test_what_is_counted_is_told_as_numbers():
    state = ledger(*TAGS, kind="catalog")
    assert state.sentence(1.0) == "300 repositories, 812 of 1500 tags"
    state.end(2.0, None)
    assert state.sentence(2.0) == "Done: 300 repositories, 812 of 1500 tags in 2.0 s"
    assert "<table" not in to_html(state, 2.0)


def test_what_was_counted_when_it_was_stopped_is_said():
    state = ledger(*TAGS, kind="catalog")
    state.end(2.0, Interrupted())
    assert state.sentence(2.0) == "Interrupted: 300 repositories, 812 of 1500 tags in 2.0 s"


@pytest.mark.parametrize("form", [LogProgress, TerminalProgress])
def test_an_error_before_anything_was_counted_says_it_all_itself(form):
    out = io.StringIO()
    with pytest.raises(ValueError, match="no"), form("search", file=out):
        raise ValueError("no")
    assert out.getvalue().strip() == ""


def test_a_pause_does_not_stay_in_the_notebook_when_it_is_over(monkeypatch):
    states = []

    class Screen:
        def update(self, bundle, **_):
            states.append(bundle)

    def display(bundle, **_):
        states.append(bundle)
        return Screen()

    monkeypatch.setattr("jupyimg.views.progress_kernel.display", display)
    with KernelProgress("search") as show:
        show(COUNTDOWN[0])
    assert "3 seconds" in states[0]["text/plain"]
    assert "seconds" not in states[-1]["text/plain"] + states[-1]["text/html"]


def test_a_notebook_keeps_what_was_counted(monkeypatch):
    states = []
    monkeypatch.setattr("jupyimg.views.progress_kernel.display", lambda bundle, **_: states.append(bundle))
    monkeypatch.setattr(KernelProgress, "changed", lambda self, step: None)
    with KernelProgress("catalog") as show:
        for step in TAGS:
            show(step)
    assert "812 of 1500 tags" in states[-1]["text/plain"]


EARLIER = Step(Phase.MOVING, digest("layer"), 3_000_000, 4_000_000, "layer", 2_000_000)


def test_bytes_of_an_earlier_attempt_are_done_but_did_not_move():
    state = ledger()
    state.mark(0.0)
    state.take(EARLIER)
    state.mark(2.0)
    at = state.snapshot(2.0)
    assert (at.bytes, at.total, at.moved, at.rate, at.left) == (3_000_000, 4_000_000, 1_000_000, 500_000, 2.0)
    assert state.sentence(2.0) == "0 of 1 layer, 3MB of 4MB (500kB/s), 2.0 s left"
    state.take(Step(Phase.DONE, digest("layer"), 4_000_000, 4_000_000, "layer", 2_000_000))
    state.end(4.0, None)
    assert state.sentence(4.0) == "1 layer, 2MB in 4.0 s (500kB/s), 2MB from an earlier attempt"
    assert state.snapshot(9.0).rate == 500_000


def test_the_speed_is_that_of_the_last_seconds():
    state = ledger()
    for second in range(21):  # 1 MB a second, then 0.1
        moved = min(second, 10) * 1_000_000 + max(0, second - 10) * 100_000
        state.take(Step(Phase.MOVING, digest("layer"), moved, 20_000_000, "layer"))
        state.mark(float(second))
    assert state.snapshot(20.0).rate == pytest.approx(100_000)


def test_that_nothing_moves_is_said_and_no_time_is_promised():
    state = ledger(kind="pull")
    state.mark(0.0)
    state.take(LAYER)
    state.mark(1.0)
    for second in range(2, 10):
        state.take(Step(Phase.IDLE))
        state.mark(float(second))
    said = state.sentence(9.0)
    assert said.endswith("nothing has moved for 8 seconds")
    assert "left" not in said
    state.take(COUNTDOWN[0])  # which is the better reason
    assert "nothing has moved" not in state.sentence(9.0)


def test_silence_is_no_item_and_no_line():
    out = io.StringIO()
    with LogProgress("pull", file=out) as show:
        show(Step(Phase.IDLE))
    assert out.getvalue() == ""
    assert show.ledger.items == {}
    assert show.ledger.before == []


def test_an_archive_that_was_read_is_read_and_its_bytes_are_not_counted_twice():
    state = ledger(Step(Phase.MOVING, ARCHIVE, 900, 1000, ARCHIVE), kind="load")
    state.mark(0.0)
    assert ">Reading 900B<" in to_html(state, 1.0).replace("</progress> ", "</progress>>")
    assert state.sentence(1.0).startswith("900B of 1kB")
    state.take(Step(Phase.EXISTS, ARCHIVE, 1000, 1000, ARCHIVE))
    state.take(Step(Phase.MOVING, digest("layer"), 10, 40, "layer"))
    state.mark(2.0)
    assert state.sentence(2.0).startswith("0 of 1 layer, 10B of 40B")
    state.take(Step(Phase.DONE, digest("layer"), 40, 40, "layer"))
    state.end(4.0, None)
    assert ">Read<" in to_html(state, 4.0)
    assert state.sentence(4.0) == "1 layer, 40B in 4.0 s (10B/s)"
