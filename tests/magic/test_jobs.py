"""--detach: the line gives a job at once; what it brings, what goes wrong in it and what stops it are as without."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from jupyimg.commands import Job
from jupyimg.errors import ImageNotFound, Interrupted, Misuse, RemoteNotFound, StillRunning
from tests.bench import images
from tests.crash.relay import relayed
from tests.magic.test_magic import run
from tests.services.waiting import AT_ONCE, PATIENCE, best, until

LAYERS, LAYER = 3, 1_500_000
SLOW = 50 << 10
"""Bytes a second and connection: a layer takes half a minute, unless a test lets it go."""
BLINK = 0.3
"""Seconds in which a job that is cancelled has to be over."""


@pytest.fixture
def relay(registry):
    """A slow line to a registry that has an image."""
    images.push(registry, "big", "1", layers=LAYERS, size=LAYER)
    with relayed(registry.host, SLOW) as relay:
        yield relay


@pytest.fixture
def slow(relay):
    """The image behind the slow line."""
    return f"{relay.host}/big:1"


def moving(job, least=100_000):
    """Wait until bytes of the job move."""

    def moves():
        assert not job.done
        return job.progress.moved >= least

    until(moves)
    return job


def threads():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("jupyimg job")]


def test_a_job_gives_the_frame_that_the_line_gives(shell, registry):
    images.push(registry, "app", "1", layers=2, size=1000)
    name = registry.reference("app:1")
    job = run(shell, f"job = %image pull --detach {name}\njob")
    frame = job.wait(PATIENCE)
    assert frame["status"].tolist() == ["downloaded"]
    assert job.result() is frame
    assert (job.done, job.error, job.progress.phase) == (True, None, "done")
    assert job.progress.bytes == job.progress.total == job.progress.moved > 2000
    again = run(shell, f"%image pull {name}")
    assert list(frame.columns) == list(again.columns)
    assert frame["digest"].tolist() == again["digest"].tolist()


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("push {host}/new/web:1", "pushed"),
        ("copy {host}/old/web:1 {host}/further/web:1", "copied"),
        ("save sample/web:1.0 -o {folder}/web.tar", "saved"),
        ("load -i {folder}/old.tar", "loaded"),
    ],
)
def test_all_that_moves_bytes_can_be_detached(shell, samples, registry, tmp_path, line, status):
    run(shell, f"%image tag sample/web:1.0 {registry.host}/new/web:1")
    run(shell, f"%image tag sample/web:1.0 {registry.host}/old/web:1")
    run(shell, f"%image push {registry.host}/old/web:1")
    run(shell, f"%image save sample/web:1.0 -o {tmp_path}/old.tar")
    job = run(shell, f"%image {line.format(host=registry.host, folder=tmp_path)} -d")
    assert job.wait(PATIENCE)["status"].tolist() == [status]


def test_the_cell_is_free_and_says_how_far_it_is(shell, slow):
    began = time.monotonic()
    job = run(shell, f"job = %image pull -d {slow}\njob")
    assert time.monotonic() - began < AT_ONCE
    moving(job)
    at = job.progress
    assert at.phase == "running"
    assert 0 < at.bytes == at.moved < at.total
    assert at.total > LAYERS * LAYER
    assert at.seconds > 0
    assert at.rate > 0
    assert f"Job 1: pull {slow} (running): 0 of {LAYERS} layers" in repr(job)
    assert "<progress" in job._repr_html_()
    with pytest.raises(StillRunning) as caught:
        job.result()
    assert ".cancel()" in caught.value.hint
    job.cancel()


def test_a_job_that_is_cancelled_is_over_in_a_blink_and_the_next_goes_on_from_there(shell, relay, slow):
    kept = []

    def cancelled():
        job = moving(run(shell, f"%image pull -d {slow}"))
        began = time.monotonic()
        job.cancel()
        took = time.monotonic() - began
        assert job.done
        until(lambda: threads() == [])
        assert job.progress.phase == "interrupted"
        with pytest.raises(Interrupted):
            job.wait()
        kept.append(job.progress.moved)
        return took

    assert best(cancelled, BLINK, tries=10) < BLINK
    relay.rate = 0
    frame = run(shell, f"%image pull -d {slow}").wait(PATIENCE)
    moved = int(frame["transferred"].iloc[0])
    assert 0 < moved < LAYERS * LAYER - sum(kept) / 2


def test_what_an_earlier_attempt_brought_counts_as_done_and_not_as_moved(shell, relay, slow):
    relay.rate = 10 * SLOW
    kept = moving(run(shell, f"%image pull -d {slow}"), 1_500_000)
    kept.cancel()
    relay.rate = SLOW
    job = moving(run(shell, f"%image pull -d {slow}"), 100_000)
    at = job.progress
    assert at.bytes - at.moved > 1_000_000
    # three connections that are throttled; the burst that buffers allow is why this is no equality
    assert at.rate < 4 * LAYERS * SLOW
    relay.rate = 0
    frame = job.wait(PATIENCE)
    end = job.progress
    assert end.bytes == end.total
    assert end.moved == int(frame["transferred"].iloc[0])
    assert end.rate == pytest.approx(end.moved / end.seconds)
    assert "from an earlier attempt" in repr(job)


def test_a_registry_that_has_fallen_silent_can_be_left(shell, registry):
    images.push(registry, "app", "1", layers=1, size=1000)
    with relayed(registry.host, 1) as relay:  # the first answer, and then nothing for minutes

        def left():
            before = relay.sent
            job = run(shell, f"%image pull -a -d {relay.host}/app")
            until(lambda: relay.sent > before)
            assert not job.done
            began = time.monotonic()
            job.cancel()
            took = time.monotonic() - began
            assert job.done
            return took

        assert best(left, BLINK + 0.1) < BLINK + 0.1


def test_a_job_goes_on_with_its_engine_when_another_becomes_current(shell, relay, slow, monkeypatch):
    session = shell.magics_manager.registry["ImageMagics"].session
    before, closed = session.engine, threading.Event()
    end = before.close
    monkeypatch.setattr(before, "close", lambda: (closed.set(), end()))
    pulls = moving(run(shell, f"%image pull -d {slow}"), 1)
    waits = run(shell, f"%image pull -d {slow}")  # for what the first one brings
    run(shell, "%image engine embedded")
    assert session.engine is not before
    assert not closed.is_set()
    waits.cancel()
    assert not closed.is_set()
    relay.rate = 0
    assert pulls.wait(PATIENCE)["status"].tolist() == ["downloaded"]
    assert closed.wait(PATIENCE)


def test_an_engine_that_nobody_works_with_is_closed_at_once(shell, monkeypatch):
    session = shell.magics_manager.registry["ImageMagics"].session
    closed = []
    monkeypatch.setattr(session.engine, "close", lambda: closed.append(True))
    run(shell, "%image engine embedded")
    assert closed == [True]


def test_a_job_works_with_the_engine_that_was_current_as_it_began(shell, registry, monkeypatch):
    images.push(registry, "app", "1", layers=1, size=1000)
    switched = threading.Event()
    session = shell.magics_manager.registry["ImageMagics"].session
    before, asked = session.engine, []
    pulling = before.pulling
    monkeypatch.setattr(before, "pulling", lambda *args, **how: asked.append(args) or pulling(*args, **how))
    goes_on = Job._drained
    monkeypatch.setattr(Job, "_drained", lambda job: switched.wait(10) and goes_on(job))
    job = run(shell, f"%image pull -d --disable-content-trust {registry.reference('app:1')}")
    run(shell, "%image engine embedded")
    switched.set()
    job.wait(30)
    assert len(asked) == 1


def test_a_wrong_line_is_an_error_at_once_and_no_job(shell, tmp_path):
    with pytest.raises(ImageNotFound):
        run(shell, "%image push -d nothing:here")
    with pytest.raises(Misuse, match="a cell cannot show an archive"):
        run(shell, "%image save -d nothing:here")
    assert len(run(shell, "%image jobs")) == 0


def test_what_goes_wrong_in_a_job_is_raised_by_wait_and_said_by_the_job(shell, registry):
    job = run(shell, f"%image pull -d {registry.reference('none:1')}")
    for _ in range(2):
        with pytest.raises(RemoteNotFound):
            job.wait(PATIENCE)
    assert isinstance(job.error, RemoteNotFound)
    assert job.error.message in repr(job)
    assert job.error.hint in repr(job)
    row = run(shell, "%image jobs").iloc[0]
    assert (row["state"], row["error"]) == ("failed", job.error.message)


def test_waiting_can_end_without_the_job(shell, slow, monkeypatch):
    job = run(shell, f"%image pull -d {slow}")
    with pytest.raises(StillRunning):
        job.wait(0.05)

    class Pressed(threading.Event):
        def wait(self, timeout=None):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(job, "_over", Pressed())
        with pytest.raises(Interrupted, match="goes on") as caught:
            job.wait()
    assert "%image jobs" in caught.value.hint
    assert not job.done
    job.cancel()


def test_stopping_one_of_two_leaves_the_other(shell, registry, relay, slow):
    images.push(registry, "other", "1", layers=1, size=LAYER)
    first, second = (moving(run(shell, f"%image pull -d {name}"), 1) for name in (slow, f"{relay.host}/other:1"))
    first.cancel()
    assert not second.done
    relay.rate = 0
    assert second.wait(PATIENCE)["status"].tolist() == ["downloaded"]


def test_two_pulls_of_one_image_share_what_comes(shell, relay, slow):
    jobs = [run(shell, f"%image pull -d {slow}") for _ in range(2)]
    until(lambda: any(job.progress.moved for job in jobs))  # whichever was first
    relay.rate = 10 * SLOW
    frames = [job.wait(PATIENCE) for job in jobs]
    assert frames[0]["digest"].tolist() == frames[1]["digest"].tolist()
    assert sum(int(frame["transferred"].iloc[0]) for frame in frames) < 1.5 * LAYERS * LAYER


def test_jobs_lists_them_and_cancels_by_number(shell, slow):
    moving(run(shell, f"%image pull -d {slow}"))
    frame = run(shell, "%image jobs")
    assert frame["job"].tolist() == [1]
    assert frame["command"].tolist() == [f"pull {slow}"]
    assert frame["state"].tolist() == ["running"]
    assert run(shell, "%image jobs --cancel 1")["state"].tolist() == ["interrupted"]
    with pytest.raises(Misuse, match="no job 7"):
        run(shell, "%image jobs --cancel 7")


def test_unloading_stops_jobs_and_leaves_no_thread(shell, slow):
    job = moving(run(shell, f"%image pull -d {slow}"))
    shell.run_line_magic("reload_ext", "jupyimg")
    assert job.done
    until(lambda: threads() == [])
    assert len(run(shell, "%image jobs")) == 0


def test_a_semicolon_silences_and_an_assignment_keeps_the_job(shell, registry):
    images.push(registry, "app", "1", layers=1, size=1000)
    assert run(shell, f"%image pull -d {registry.reference('app:1')};") is None
    assert isinstance(run(shell, f"x = %image pull -d {registry.reference('app:1')};\nx"), Job)
    run(shell, "x.wait()")


def test_a_terminal_refuses_and_says_why(home):
    said = subprocess.run(
        [sys.executable, "-m", "jupyimg", "pull", "--detach", "localhost:1/x"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 2
    assert "nothing to detach from" in said.stderr
    assert "hint:" in said.stderr
