"""The terminal's door: ``jupyimg pull nginx``, ``python -m jupyimg images``."""

from __future__ import annotations

import os
import re
import sys
from functools import partial

_HOSTS = {"docker": "DOCKER_HOST", "podman": "CONTAINER_HOST"}
_ENGINE = re.compile(r"%image engine (embedded|docker|podman)\b( --host …)?", re.ASCII)
_VERSION = (["--version"], ["-v"], ["version"])
MISUSE, FAILURE, INTERRUPTED = 2, 1, 130

try:  # most of a short command's time goes by in here, so that Ctrl-C often comes now
    from jupyimg import views
    from jupyimg.commands import Job, Manual, Session, run
    from jupyimg.commands.manual import Help
    from jupyimg.errors import ImageError, Interrupted, Misuse
except KeyboardInterrupt:
    sys.stderr.write("jupyimg: interrupted\n")
    sys.exit(INTERRUPTED)


def main(argv: list[str] | None = None) -> int:
    """Run one command line.

    Returns:
        The exit status: 0, 1 for a failure, 2 for a wrong line, 130 when interrupted.
    """
    said = sys.argv[1:] if argv is None else argv
    if list(said) in _VERSION:
        sys.stdout.write(f"jupyimg {sys.modules[__package__].__version__}\n")
        return 0
    session: Session | None = None
    try:
        session = Session(terminal=True)
        answer = run(session, said, partial(_follow, "terminal" if sys.stderr.isatty() else "log"))
        assert not isinstance(answer, Job)  # which a terminal refuses
        if isinstance(answer, Manual):
            text = repr(Help(answer, "jupyimg"))
        else:
            text = views.to_text(answer)
            sys.stderr.write("".join(f"{note}\n" for note in views.notes(answer)))
        _print(text)
    except ImageError as error:
        _tell(error.done)
        return _complain(error.message, error.hint, MISUSE if isinstance(error, Misuse) else FAILURE)
    except KeyboardInterrupt as error:
        _tell(getattr(error, "done", ()))
        if isinstance(error, Interrupted):
            return _complain(error.message, error.hint, INTERRUPTED)
        return _complain("interrupted", "", INTERRUPTED)  # nothing was under way, such as at a question
    except BrokenPipeError:
        # The reader has seen enough; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    finally:
        if session is not None:
            session.close()
    return 0


def _follow(where: str, kind: str, quiet: bool, detach: bool) -> views.Progress:  # noqa: ARG001, FBT001
    # What a server says are notes, and bars would stay under them until Ctrl-C.
    return views.progress("quiet" if quiet else "log" if kind == "serve" else where, kind)


def _tell(done: tuple[object, ...]) -> None:
    """What was done all the same, before it is said what was not, as Docker does."""
    _print(views.to_text(views.done(done)) if done else "")


def _print(text: str) -> None:
    if text:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def _complain(message: str, hint: str, status: int) -> int:
    lines = [f"jupyimg: {message}", *([f"  hint: {hint}"] if hint else [])]
    sys.stderr.write(_in_a_terminal("\n".join(lines)) + "\n")
    return status


def _in_a_terminal(text: str) -> str:
    """Lines of a notebook as a terminal has them; another engine is chosen by a variable there."""
    text = _ENGINE.sub(
        lambda found: f"{_HOSTS[found[1]]}=…" if found[2] and found[1] in _HOSTS else f"JUPYIMG_ENGINE={found[1]}", text
    )
    return text.replace("%image ", "jupyimg ")


if __name__ == "__main__":
    sys.exit(main())
