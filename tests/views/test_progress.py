"""Progress shows at most eight states a second, and however it ends, its last state is static and says so."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

import pytest

from jupyimg import views
from jupyimg.errors import DigestMismatch, Interrupted
from jupyimg.model.content import COUNTED, FREED, Phase, Step
from jupyimg.views import progress_kernel
from jupyimg.views.progress import LogProgress, Progress
from jupyimg.views.progress_html import ROWS
from jupyimg.views.progress_kernel import INTERVAL, KernelProgress
from jupyimg.views.progress_terminal import TerminalProgress
from tests.views.samples import HOSTILE, digest
from tests.views.test_html import Page

BASE, TOP, CONFIG = digest("base"), digest("top"), digest("config")
NOTES = [
    Step(Phase.NOTE, text="Using default tag: latest"),
    Step(Phase.NOTE, text="latest: Pulling from library/nginx"),
]
PLAN = [Step(Phase.WAITING, BASE, 0, 4_000_000, "layer"), Step(Phase.WAITING, TOP, 0, 6_000_000, "layer")]
PULL = [
    *NOTES,
    *PLAN,
    Step(Phase.EXISTS, BASE, 4_000_000, 4_000_000, "layer"),
    Step(Phase.MOVING, TOP, 3_000_000, 6_000_000, "layer"),
    Step(Phase.DONE, TOP, 6_000_000, 6_000_000, "layer"),
    Step(Phase.DONE, CONFIG, 500, 500, "config"),
    Step(Phase.NOTE, text="Status: Downloaded newer image for nginx:latest"),
]


class Clock:
    """A clock that goes forward by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Screen:
    """What a notebook was told to show: each state of its one display, and how many displays there were."""

    def __init__(self) -> None:
        self.states: list[dict[str, str]] = []
        self.displays = 0

    def display(self, bundle: dict[str, str], **options: Any) -> Screen:
        assert options == {"raw": True, "display_id": True}
        self.displays += 1
        self.states.append(bundle)
        return self

    def update(self, bundle: dict[str, str], **options: Any) -> None:
        assert options == {"raw": True}
        self.states.append(bundle)

    @property
    def page(self) -> Page:
        return Page(self.states[-1]["text/html"])

    @property
    def text(self) -> str:
        return self.states[-1]["text/plain"]


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    made = Screen()
    monkeypatch.setattr(progress_kernel, "display", made.display)
    return made


def run(form: Progress, steps: list[Step], seconds: float = 0.0, clock: Clock | None = None) -> None:
    with form as show:
        for step in steps:
            show(step)
            if clock is not None:
                clock.now += seconds


def test_a_flood_of_steps_is_shown_eight_times_a_second(screen: Screen) -> None:
    clock = Clock()
    moving = [Step(Phase.MOVING, TOP, at * 1000, 6_000_000, "layer") for at in range(5000)]
    run(KernelProgress(clock=clock), moving, 0.001, clock)
    assert 38 <= len(screen.states) <= 5 * 8 + 1
    assert screen.displays == 1


def test_states_are_never_closer_than_the_interval_except_the_last(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, times = Clock(), []
    monkeypatch.setattr(screen, "update", lambda bundle, **_: times.append(clock.now))
    run(KernelProgress(clock=clock), PULL * 20, 0.03, clock)
    assert all(later - earlier >= INTERVAL - 1e-9 for earlier, later in pairwise(times[:-1]))


def test_while_it_runs_bars_can_be_seen_and_read_aloud(screen: Screen) -> None:
    clock = Clock()
    form = KernelProgress(clock=clock)
    with form as show:
        for step in PULL[:6]:
            clock.now += 1
            show(step)
        page = screen.page
        assert "progress" in page.elements
        assert "aria-label" in page.attributes
        assert "Downloading 3MB" in page.text
        assert "1 of 2 layers, 3MB of 6MB" in page.text


def test_the_last_state_is_a_static_table_with_dockers_words(screen: Screen) -> None:
    clock = Clock()
    run(KernelProgress(clock=clock), PULL, 0.5, clock)
    page = screen.page
    assert page.elements == {"div", "table", "tbody", "tr", "td"}
    assert page.rows == [
        [BASE.short, "layer", "4MB", "Already exists"],
        [TOP.short, "layer", "6MB", "Pull complete"],
        [CONFIG.short, "config", "500B", "Pull complete"],
    ]
    for said in (
        "Using default tag: latest",
        "Status: Downloaded newer image",
        "2 layers, 1 already there, 6MB in 4.5 s",
    ):
        assert said in page.text
    assert screen.text.splitlines() == [
        "Using default tag: latest",
        "latest: Pulling from library/nginx",
        f"{BASE.short}: Already exists",
        f"{TOP.short}: Pull complete",
        "Status: Downloaded newer image for nginx:latest",
        "2 layers, 1 already there, 6MB in 4.5 s (1.33MB/s)",
    ]


def test_a_failure_is_red_and_lasts(screen: Screen) -> None:
    failed = [*PULL[:6], Step(Phase.FAILED, TOP, 3_000_000, 6_000_000, "layer")]
    with pytest.raises(DigestMismatch), KernelProgress(clock=Clock()) as show:
        for step in failed:
            show(step)
        raise DigestMismatch("wrong bytes")
    assert [row[3] for row in screen.page.rows] == ["Already exists", "Failed"]
    assert screen.states[-1]["text/html"].count("--jp-error-color1") == 2
    assert "Failed: 1 of 2 layers complete" in screen.page.text
    assert "progress" not in screen.page.elements


def test_a_layer_that_no_byte_has_come_of_yet_had_been_started(screen: Screen) -> None:
    steps = [Step(Phase.WAITING, TOP, 0, 100, "layer"), Step(Phase.WAITING, BASE, 0, 100, "layer")]
    with pytest.raises(Interrupted), KernelProgress(clock=Clock()) as show:
        for step in [*steps, Step(Phase.MOVING, TOP, 0, 100, "layer")]:
            show(step)
        raise Interrupted
    assert [row[3] for row in screen.page.rows] == ["Stopped at 0B", "Not started"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, Interrupted])
def test_a_stop_leaves_a_state_that_says_so(screen: Screen, error: type[BaseException]) -> None:
    with pytest.raises(error), KernelProgress(clock=Clock()) as show:
        for step in PULL[:4] + PULL[5:6]:
            show(step)
        raise error
    assert [row[3] for row in screen.page.rows] == ["Not started", "Stopped at 3MB"]
    assert "Interrupted: 0 of 2 layers complete" in screen.text
    assert "progress" not in screen.page.elements


def test_nothing_to_do_shows_nothing(screen: Screen) -> None:
    run(KernelProgress(), [])
    assert screen.states == []


def test_notes_alone_are_shown(screen: Screen) -> None:
    run(KernelProgress(), NOTES)
    assert screen.text.splitlines() == [note.text for note in NOTES]


def test_thousands_of_items_are_counted_and_what_moves_is_seen(screen: Screen) -> None:
    many = [Step(Phase.DONE, digest(str(at)), 1, 1, "layer") for at in range(1000)]
    run(KernelProgress(clock=Clock()), [*many, Step(Phase.FAILED, TOP, 0, 9, "layer")])
    assert len(screen.page.rows) == ROWS
    assert screen.page.rows[-1][3] == "Failed"
    assert f"and {1001 - ROWS} more items" in screen.page.text


def test_a_layer_that_a_second_image_shares_stays_pulled(screen: Screen) -> None:
    again = [PLAN[1], Step(Phase.EXISTS, TOP, 6_000_000, 6_000_000, "layer")]
    run(KernelProgress(clock=Clock()), [*PULL, *again])
    assert screen.page.rows[1][3] == "Pull complete"
    assert "6MB in" in screen.page.text


def test_hostile_text_stays_text(screen: Screen) -> None:
    run(KernelProgress(), [Step(Phase.NOTE, text=HOSTILE), Step(Phase.FAILED, HOSTILE, 0, 1, HOSTILE)])
    assert screen.page.elements == {"div", "table", "tbody", "tr", "td"}
    assert screen.page.attributes == {"class", "style", "title", "role", "aria-label"}
    assert all(char.isprintable() or char == "\n" for char in screen.text + screen.page.text)


@pytest.mark.parametrize(
    ("kind", "exists", "done"),
    [
        ("pull", "Already exists", "Pull complete"),
        ("push", "Layer already exists", "Pushed"),
        ("load", "Already exists", "Loaded"),
        ("save", "Already saved", "Saved"),
        ("copy", "Already exists", "Copied"),
        ("mirror", "Already exists", "Copied"),
    ],
)
def test_each_operation_has_its_words(kind: str, exists: str, done: str) -> None:
    log = io.StringIO()
    run(LogProgress(kind, file=log), PULL)
    assert f"{BASE.short}: {exists}\n{TOP.short}: {done}\n" in log.getvalue()


def test_a_log_has_one_line_for_each_finished_layer() -> None:
    log = io.StringIO()
    run(LogProgress(file=log), PULL)
    assert log.getvalue().splitlines() == [
        "Using default tag: latest",
        "latest: Pulling from library/nginx",
        f"{BASE.short}: Already exists",
        f"{TOP.short}: Pull complete",
        "Status: Downloaded newer image for nginx:latest",
    ]


def test_a_log_ends_with_how_it_failed() -> None:
    log = io.StringIO()
    with pytest.raises(DigestMismatch), LogProgress(file=log) as show:
        show(PLAN[0])
        show(Step(Phase.FAILED, CONFIG, 0, 500, "config"))
        raise DigestMismatch("wrong bytes")
    assert log.getvalue().splitlines() == [f"{CONFIG.short}: Failed", "Failed: 0 of 1 layer complete"]


class Tty(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("_terminal")
def test_a_terminal_has_bars_that_go_and_lines_that_stay() -> None:
    out, clock = Tty(), Clock()
    run(TerminalProgress(file=out, clock=clock), PULL, 1, clock)
    written = out.getvalue()
    assert "Downloading" in written
    assert "━" in written
    assert f"{TOP.short}: Pull complete" in written
    assert "━" not in written.rpartition("Status:")[2]


@pytest.mark.usefixtures("_terminal")
def test_a_terminal_is_not_drawn_more_than_eight_times_a_second() -> None:
    out, clock = Tty(), Clock()
    moving = [Step(Phase.MOVING, TOP, at * 1000, 6_000_000, "layer") for at in range(2000)]
    run(TerminalProgress(file=out, clock=clock), moving, 0.001, clock)
    assert 10 <= out.getvalue().count("Downloading") <= 2 * 8 + 1


def test_what_is_no_terminal_gets_lines_without_codes() -> None:
    out = io.StringIO()
    run(TerminalProgress(file=out), PULL)
    assert out.getvalue().splitlines()[-2:] == [
        f"{TOP.short}: Pull complete",
        "Status: Downloaded newer image for nginx:latest",
    ]
    assert "\x1b" not in out.getvalue()


def test_the_terminal_is_given_no_codes_of_others() -> None:
    out = io.StringIO()
    run(TerminalProgress(file=out), [Step(Phase.NOTE, text=HOSTILE + "[bold]x[/bold] :smile:")])
    assert out.getvalue().strip().endswith("[bold]x[/bold] :smile:")
    assert all(char.isprintable() for char in out.getvalue().strip())


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run(views.progress("quiet"), PULL)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("where", "form"),
    [("kernel", KernelProgress), ("terminal", TerminalProgress), ("log", LogProgress), ("quiet", Progress)],
)
def test_the_front_gives_each_form_by_name(where: str, form: type[Progress]) -> None:
    made = views.progress(where, "push")
    assert type(made) is form
    assert made.ledger.kind == "push"


def pruned(of: int = 4) -> list[Step]:
    return [
        step
        for at in range(of + 1)
        for step in (
            Step(Phase.MOVING, "images", at, of, COUNTED),
            Step(Phase.MOVING, FREED, at * 1_000_000, of * 1_000_000, FREED),
        )
    ]


def test_a_pruning_that_is_over_at_once_is_not_shown(screen: Screen) -> None:
    clock = Clock()
    run(KernelProgress("prune", clock=clock), pruned(), 0.04, clock)
    assert screen.states == []


def test_a_pruning_that_takes_a_while_has_a_bar_and_leaves_what_it_freed(screen: Screen) -> None:
    clock = Clock()
    form = KernelProgress("prune", clock=clock)
    with form as show:
        clock.now = 60.0  # somebody was asked whether to go on
        for step in pruned()[:6]:
            clock.now += 0.5
            show(step)
        assert screen.page.text == "50% 2 of 4 images, 2MB of 4MB freed, 2.5 s left"
        assert "progress" in screen.page.elements
        for step in pruned()[6:]:
            show(step)
    assert screen.displays == 1
    assert screen.text == "Done: 4 images, 4MB freed in 2.5 s"
    assert "progress" not in screen.page.elements


def test_a_pruning_that_fails_at_once_leaves_its_error_alone(screen: Screen) -> None:
    with pytest.raises(DigestMismatch), KernelProgress("prune", clock=Clock()) as show:
        show(pruned()[0])
        raise DigestMismatch("wrong bytes")
    assert screen.states == []


@pytest.mark.usefixtures("_terminal")
def test_a_terminal_has_a_bar_for_what_is_counted() -> None:
    out, clock = Tty(), Clock()
    run(TerminalProgress("prune", file=out, clock=clock), pruned(), 0.5, clock)
    assert "━" in out.getvalue()
    assert "2 of 4 images, 2MB of 4MB freed" in out.getvalue()


def test_a_log_of_a_pruning_is_left_to_its_answer() -> None:
    log, clock = io.StringIO(), Clock()
    run(LogProgress("prune", file=log, clock=clock), pruned(), 0.5, clock)
    assert log.getvalue() == ""


@pytest.mark.parametrize("form", [TerminalProgress, LogProgress])
def test_a_layer_of_several_images_has_one_line_where_nothing_can_be_redrawn(form: type[Progress]) -> None:
    out = io.StringIO()
    again = [Step(Phase.EXISTS, at, 1, 1, "layer") for at in (BASE, TOP)]
    run(form("save", file=out), [*PULL[2:7], *again, *again])
    assert out.getvalue().splitlines() == [f"{BASE.short}: Already saved", f"{TOP.short}: Saved"]


@pytest.mark.parametrize("form", [TerminalProgress, LogProgress])
def test_a_layer_that_was_here_and_then_fails_is_said_to_fail(form: type[Progress]) -> None:
    out = io.StringIO()
    run(form("pull", file=out), [PULL[4], Step(Phase.FAILED, BASE, 0, 1, "layer")])
    assert out.getvalue().splitlines()[-1] == f"{BASE.short}: Failed"
