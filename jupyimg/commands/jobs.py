"""Jobs: long work that goes on beside the notebook while its cells are free (``--detach``).

A job is the generator of steps that the same line without the flag would be, drained by a daemon thread of its own.
Its form draws from that thread, through a display of the cell that began it. Between two steps the thread looks
whether it is to stop, and then does what the interrupt button does: it throws KeyboardInterrupt into the generator,
which closes connections and keeps what arrived. Steps come ten times a second, also from what has fallen silent.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from jupyimg import views
from jupyimg.errors import ImageError, Interrupted, Misuse, StillRunning
from jupyimg.model.content import told
from jupyimg.views import detached, tongue

if TYPE_CHECKING:
    from collections.abc import Generator

    from jupyimg.model.content import Step
    from jupyimg.views import Answer, Progress
    from jupyimg.views.ledger import Snapshot

    Steps = Generator[Step, None, Answer]

PATIENCE = 5.0
"""Seconds that who stops a job waits for it to be over at most; it takes 0.1 to 0.3, on a busy machine more."""


class Job:
    """Work in the background; what ``%image pull --detach`` and its like return.

    Attributes:
        number: by which ``%image jobs`` knows it.
        line: what was asked for, such as "pull nginx:1.27".
    """

    def __init__(self, number: int, line: str, steps: Steps, form: Progress) -> None:
        self.number = number
        self.line = line
        self._steps = steps
        self._form = form
        self._stop = Event()
        self._over = Event()
        self._answer: Answer | None = None
        self._error: BaseException | None = None
        self._shown: Any = None

    def begin(self) -> None:
        """Take the first step here and now, then go on in the background.

        Raises:
            ImageError: what is wrong with the line itself; then there is no job.
        """
        form, steps = self._form, self._steps
        form.__enter__()
        try:
            form(next(steps))
        except StopIteration as stop:
            self._answer = stop.value
        form.open(self._title, self.cancel)
        Thread(target=self._run, name=f"jupyimg job {self.number}", daemon=True).start()

    @property
    def progress(self) -> Snapshot:
        """Where it stands: ``bytes`` of ``total``, ``phase``, ``seconds``, ``rate`` in bytes a second, ``left``."""
        with self._form.guard:
            return self._form.ledger.snapshot(self._form.clock())

    @property
    def done(self) -> bool:
        """Whether it is over, however it ended."""
        return self._over.is_set()

    @property
    def error(self) -> BaseException | None:
        """What went wrong; None while it runs, and where all went well."""
        return self._error

    def wait(self, timeout: float | None = None) -> Any:
        """The frame that the line returns without ``--detach``, once it is there.

        Args:
            timeout: seconds to wait at most; None is as long as it takes.

        Raises:
            StillRunning: it is not over yet; it goes on.
            ImageError: what went wrong in it.
            Interrupted: it was cancelled; or the user pressed stop here, and then it goes on.
        """
        try:
            over = self._over.wait(timeout)
        except KeyboardInterrupt:
            raise _left(self) from None
        if not over:
            raise StillRunning(f"job {self.number} is not over yet: {self._sentence}")
        if self._error is not None:
            raise self._error.with_traceback(None)
        if self._shown is None and self._answer is not None:
            self._shown = views.to_notebook(self._answer, lang=self._form.ledger.lang)
        return self._shown

    def result(self) -> Any:
        """What `wait` gives, at once.

        Raises:
            StillRunning: it is not over yet.
        """
        return self.wait(0)

    def cancel(self) -> None:
        """Stop it as the interrupt button would: what arrived is kept, and the same line goes on from there."""
        self.stop()
        self._over.wait(PATIENCE)

    def stop(self) -> None:
        """Have it cancelled without waiting for that."""
        self._stop.set()

    def mute(self) -> None:
        """Draw nothing any more."""
        self._form.mute()

    def _run(self) -> None:
        try:
            with closing(self._steps):
                answer = self._answer or self._drained()
        except BaseException as error:  # noqa: BLE001 - `wait` raises it, where somebody sees it
            self._error = error
            self._form.__exit__(type(error), error, None)
        else:
            self._answer = answer
            self._form.__exit__(None, None, None)
        finally:
            self._over.set()

    def _drained(self) -> Answer:
        try:
            return told(self._steps, self._form, self._stop)
        except KeyboardInterrupt as error:
            raise error if isinstance(error, Interrupted) else Interrupted from None

    # ---- how it looks

    @property
    def _title(self) -> str:
        return tongue.say(self._form.ledger.lang, "Job {number}: {line}", number=self.number, line=self.line)

    @property
    def _sentence(self) -> str:
        """For an error, which is English."""
        with self._form.guard:
            return replace(self._form.ledger, lang=tongue.ENGLISH).sentence(self._form.clock())

    def record(self) -> JobRecord:
        """A row of ``%image jobs``."""
        at = self.progress
        said = self._error.message if isinstance(self._error, ImageError) else None
        return JobRecord(
            self.number, self.line, at.phase, at.bytes, at.total, at.rate, at.seconds, said or _unforeseen(self._error)
        )

    def __repr__(self) -> str:
        with self._form.guard:
            return detached.to_text(self._title, self._form.ledger, self._form.clock(), self._error)

    def _repr_html_(self) -> str:
        with self._form.guard:
            return detached.to_html(self._title, self._form.ledger, self._form.clock(), self._error)

    def _ipython_display_(self) -> None:
        """Show the display that lives, not a copy of it.

        Raises:
            NotImplementedError: there is none here; IPython then shows the text.
        """
        if not self._form.again():
            raise NotImplementedError


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One job, as a row: the attributes are the columns of ``%image jobs``."""

    job: int
    command: str
    state: str
    bytes: int
    total: int
    rate: float
    seconds: float
    error: str | None


class Jobs:
    """The jobs of a session, in the order in which they began."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []

    def start(self, line: str, steps: Steps, form: Progress) -> Job:
        """Begin one; see `Job.begin`."""
        job = Job(len(self._jobs) + 1, line, steps, form)
        job.begin()
        self._jobs.append(job)
        return job

    def records(self) -> list[JobRecord]:
        """All of them."""
        return [job.record() for job in self._jobs]

    def cancel(self, number: int) -> None:
        """Stop one.

        Raises:
            Misuse: there is none of that number.
        """
        if not 0 < number <= len(self._jobs):
            raise Misuse(f"there is no job {number}", hint="%image jobs lists them")
        self._jobs[number - 1].cancel()

    def close(self) -> None:
        """Stop them all, and let none draw any more."""
        running = [job for job in self._jobs if not job.done]
        for job in running:
            job.stop()  # all at once, so that the waits below are one
        for job in running:
            job.cancel()
            job.mute()


def _left(job: Job) -> Interrupted:
    stopped = Interrupted(f"stopped waiting; job {job.number} goes on")
    stopped.hint = f"%image jobs says how far it is; %image jobs --cancel {job.number} stops it"
    return stopped


def _unforeseen(error: BaseException | None) -> str | None:
    """What is no error of ours, in a word or two."""
    if error is None:
        return None
    return getattr(error, "message", type(error).__name__)
