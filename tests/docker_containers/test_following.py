"""Lines while they come: few updates, a bounded memory, nothing that a terminal or a page would obey; and in a kernel."""

from __future__ import annotations

import io
import json
import os
import time
from tempfile import TemporaryDirectory

import pytest
from jupyter_client.manager import KernelManager

from jupyimg import views
from jupyimg.model.content import Phase, Step
from jupyimg.views import following
from jupyimg.views.following import KernelLines
from jupyimg.views.lines import Lines, PrintedLines
from tests.services.waiting import AT_ONCE, best

HOSTILE = "\x1b[31mred\x1b[0m \u202eevil\0 <script>alert(1)</script>\r\n"


def line(text, stream="stdout"):
    return Step(Phase.NOTE, item=stream, text=text)


QUIET = Step(Phase.WAITING)


class Screen:
    """Takes the place of a notebook's display and keeps what was published."""

    def __init__(self):
        self.shown = []
        self.clock = 0.0

    def display(self, bundle, **_):
        self.shown.append(bundle)
        return self

    def update(self, bundle, **_):
        self.shown.append(bundle)


@pytest.fixture
def screen(monkeypatch):
    made = Screen()
    monkeypatch.setattr(following, "display", made.display)
    return made


@pytest.fixture
def lines(screen, monkeypatch):
    made = KernelLines()
    made.clock = lambda: screen.clock
    return made


def test_there_are_at_most_eight_updates_a_second(screen, lines):
    for at in range(1000):
        screen.clock = at / 100
        lines(line(str(at)))
    assert len(screen.shown) <= 81


def test_what_came_last_is_shown_once_it_is_quiet(screen, lines):
    lines(line("one"))
    lines(line("two"))
    assert "two" not in screen.shown[-1]["text/plain"]
    screen.clock = 0.2
    lines(QUIET)
    assert "two" in screen.shown[-1]["text/plain"]
    before = len(screen.shown)
    screen.clock = 0.4
    lines(QUIET)
    assert len(screen.shown) == before, "nothing new"


def test_only_the_newest_lines_are_kept_and_each_is_cut(screen, lines):
    for _ in range(1000):
        lines(line("x" * 100_000))
    screen.clock = 1
    lines(QUIET)
    assert len(lines.newest) == following.LINES
    assert len(screen.shown[-1]["text/html"]) < following.LINES * (following.COLUMNS + 200)
    assert "1000 lines so far" in screen.shown[-1]["text/plain"]


def test_what_stays_is_a_sentence(screen, lines):
    with lines:
        lines(line("one"))
        lines(line("two", "stderr"))
    for bundle in screen.shown[-1].values():
        assert "2 lines in" in bundle
        assert "two" not in bundle


def test_hostile_lines_are_only_text(screen, lines):
    lines(line(HOSTILE, "stderr"))
    html, text = (screen.shown[-1][kind] for kind in ("text/html", "text/plain"))
    assert "<script" not in html
    for shown in (html, text):
        assert not [char for char in shown if char in "\x1b\u202e\0\r"]


def test_a_terminal_has_each_line_on_its_stream_without_what_it_would_obey():
    out, err = io.StringIO(), io.StringIO()
    with PrintedLines(out, err) as shown:
        for step in (line("a\tb"), line(HOSTILE, "stderr"), line(""), QUIET):
            shown(step)
    assert out.getvalue() == "a\tb\n\n"
    assert err.getvalue() == "red evil <script>alert(1)</script> \n"


def test_no_form_keeps_the_lines(screen):
    for where in ("kernel", "quiet", "log", "terminal"):
        with views.progress(where, "logs") as shown:
            assert isinstance(shown, Lines)
            for _ in range(5):
                shown(line(""))
            assert not shown.ledger.before
            assert not shown.ledger.items


# ---- in a real kernel


class Kernel:
    """A kernel whose cells can be interrupted; its sockets have names of their own, where ports might meet."""

    def __init__(self, folder, **env):
        self.manager = KernelManager(transport="ipc", connection_file=f"{folder}/kernel.json")
        self.manager.start_kernel(env={**os.environ, **env})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, code, stop=None):
        """The cell's outputs, and the seconds between the interrupt and the end of the cell."""
        asked = self.client.execute(code)
        outputs, stopped = [], None
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return outputs, time.monotonic() - stopped if stopped else None
            if kind in {"status", "execute_input"}:
                continue
            outputs.append((kind, content))
            if stop and stopped is None and stop(outputs):
                self.manager.interrupt_kernel()
                stopped = time.monotonic()


@pytest.fixture
def kernel(dockerd, tmp_path):
    with TemporaryDirectory(prefix="jupyimg-kernel-", dir="/tmp") as folder:  # short enough for the paths of sockets
        made = Kernel(folder, JUPYIMG_HOME=str(tmp_path / "jupyimg"), DOCKER_HOST=dockerd.host)
        made.run("%load_ext jupyimg")
        made.run("%image engine docker;")
        yield made
        made.close()


def test_following_in_a_kernel_ends_at_once_and_gives_what_was_seen(kernel, dockerd):
    script = "i=0; while i=$((i+1)); do echo line $i; echo error $i >&2; sleep 0.02; done"
    made = dockerd.start("--stop-signal=KILL", "localhost/box:1", "sh", "-c", script)

    def stopped():
        outputs, seconds = kernel.run(f"x = %image logs -f {made}", lambda seen: len(seen) > 6)
        assert {kind for kind, _ in outputs} == {"display_data", "update_display_data"}, "one display, and no error"
        assert "so far" in outputs[3][1]["data"]["text/plain"]
        assert "lines in" in outputs[-1][1]["data"]["text/plain"]
        return seconds

    assert best(stopped, 0.2) < 0.2
    told, _ = kernel.run(
        "import json; print(json.dumps([len(x), *sorted(x.groupby('stream', observed=True)['line'].first()), str(x['time'].dtype)]))"
    )
    count, *first, dtype = json.loads(told[0][1]["text"])
    assert count > 10
    assert first == ["error 1", "line 1"]
    assert dtype == "datetime64[ns, UTC]"
    shown, _ = kernel.run("%image logs -f --tail 3 " + made, lambda seen: len(seen) > 3)
    assert shown[-1][0] == "execute_result"
    assert "stderr" in shown[-1][1]["data"]["text/html"]
    silent = dockerd.start("--stop-signal=KILL", "localhost/box:1", "sleep", "600")
    outputs, seconds = kernel.run(f"%image logs -f {silent}", lambda seen: len(seen) > 0)
    assert outputs[-1][0] == "execute_result"
    assert seconds < AT_ONCE
