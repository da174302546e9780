"""A real server as a child process: started in an environment of its own, awaited, stopped by its pid.

Servers choose their port themselves (port 0) wherever they can, and it is read from their log: a port that was found
free a moment ago may be another worker's by the time it is used. Each is told to die with the process that started it,
so that a killed test run leaves nothing behind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar

from tests.services.packages import PACKAGES, PATH, find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

T = TypeVar("T")

KEPT = ("LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""What a child may inherit; everything else of the developer's machine stays outside."""


class ServiceFailed(AssertionError):
    """A server or tool that the tests need is missing, did not start, or failed."""


@dataclass(frozen=True)
class Running(Generic[T]):
    """A server that is up: what its readiness check answered, its pid and its log."""

    answer: T
    pid: int
    log: Path


def need(program: str) -> str:
    """The path of a program; its absence is a failure everywhere, and says what to install."""
    path = find(program)
    if path is None:
        message = f"{program} is not installed; run: sudo apt-get install --no-install-recommends {PACKAGES.get(program, program)}"
        raise ServiceFailed(message)
    return path


def environment(home: Path, **more: str) -> dict[str, str]:
    """A clean environment for a child, with ``home`` as its home."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    own = {"HOME": str(home), "JUPYIMG_ETC": str(home / "etc")}
    return {"LANG": "C.UTF-8", **kept, "PATH": PATH, **own, "TMPDIR": "/tmp", **more}


def tail(log: Path, lines: int = 30) -> str:
    """The end of a log, for a message."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(no log)"


@contextmanager
def running(
    command: Sequence[str], log: Path, ready: Callable[[str], T | None], *, env: dict[str, str], seconds: float = 120
) -> Iterator[Running[T]]:
    """Run a server until the block is left.

    Args:
        command: the program's name and its arguments.
        log: the file that its standard output and error go to.
        ready: given the log so far, answers None until the server is up.
        env: its whole environment (`environment`).
        seconds: how long it may take to start.
    """
    program = [need("setpriv"), "--pdeathsig", "TERM", need(command[0]), *command[1:]]
    with log.open("wb") as out:
        process = subprocess.Popen(
            program, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=env, start_new_session=True
        )
    try:
        answer = _await(process, command[0], log, ready, seconds)
        yield Running(answer, process.pid, log)
    finally:
        _stop(process)


def _await(
    process: subprocess.Popen[bytes], name: str, log: Path, ready: Callable[[str], T | None], seconds: float
) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        answer = ready(log.read_text(errors="replace"))
        if answer is not None:
            return answer
        time.sleep(0.02)
    state = "did not answer in time" if process.poll() is None else f"ended with status {process.returncode}"
    message = f"{name} {state}; the end of its log:\n{tail(log)}"
    raise ServiceFailed(message)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # a group of its own, so these are its own children
        process.wait()


def run(
    command: Sequence[str],
    *,
    env: dict[str, str],
    check: bool = True,
    stdin: bytes | IO[bytes] | None = None,
    seconds: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end and give its output as text; a failure tells its standard error."""
    source: dict[str, Any] = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin or subprocess.DEVNULL}
    program = [need(command[0]), *command[1:]]
    done = subprocess.run(program, env=env, capture_output=True, timeout=seconds, check=False, **source)
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    if check and done.returncode:
        message = f"{' '.join(command)} ended with status {done.returncode}:\n{err or out}"
        raise ServiceFailed(message)
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)
