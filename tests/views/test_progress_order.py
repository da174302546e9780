"""What a terminal shows of layers and streams, in which order, and what it does not say."""

from __future__ import annotations

import io
import re

import pytest

from jupyimg.errors import Interrupted
from jupyimg.model.content import ARCHIVE, Phase, Step
from jupyimg.views.progress_terminal import TerminalProgress
from tests.views.test_progress import BASE, PLAN, PULL, TOP, Clock, Tty, run


@pytest.mark.usefixtures("_terminal")
def test_a_terminal_tells_layers_in_the_order_of_the_manifest() -> None:
    out, clock = Tty(), Clock()
    early = [Step(Phase.DONE, TOP, 6_000_000, 6_000_000, "layer"), Step(Phase.MOVING, BASE, 1, 4_000_000, "layer")]
    run(TerminalProgress(file=out, clock=clock), [*PLAN, *early, *PULL[4:5]], 1, clock)
    written = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    above, line = written.index(f"{BASE.short}: Already exists"), f"{TOP.short}: Pull complete\n"
    assert written.index(line) < above < written.rindex(line), "it is seen while it waits, and stays below"


def test_what_ended_is_told_also_where_a_layer_above_it_never_did() -> None:
    out = io.StringIO()
    with pytest.raises(Interrupted), TerminalProgress(file=out) as show:
        for step in [*PLAN, Step(Phase.DONE, TOP, 6_000_000, 6_000_000, "layer")]:
            show(step)
        raise Interrupted
    assert out.getvalue().splitlines()[0] == f"{TOP.short}: Pull complete"


@pytest.mark.usefixtures("_terminal")
def test_the_size_of_a_stream_that_nobody_knows_is_not_said() -> None:
    out, clock = Tty(), Clock()
    run(TerminalProgress("send", file=out, clock=clock), [Step(Phase.MOVING, ARCHIVE, 117_000, 0, ARCHIVE)], 1, clock)
    assert "117kB" in out.getvalue()
    assert "0B" not in out.getvalue()
