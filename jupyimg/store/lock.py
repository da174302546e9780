"""Locks on files that die with their process: flock, and nothing that a crash could leave behind.

A lock belongs to an open file, so two threads that each open the file exclude each other just as two processes do, and
the kernel frees it when the process ends, however it ends. A file that may be deleted while others wait for it
(a lease, a partial download) is looked at once more after the lock was obtained: a lock on a file that its name no
longer leads to guards nothing.

The lock is given back explicitly before the file is closed, because a child that was forked in between shares it.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OPEN = os.O_RDWR | getattr(os, "O_BINARY", 0)

if sys.platform == "win32":
    import msvcrt
    import time

    _FAR = 0x7FFF0000  # a lock there does not keep others from reading the content, as Windows' locks otherwise do

    def _at_far(fd: int, mode: int) -> None:
        here = os.lseek(fd, 0, os.SEEK_CUR)
        os.lseek(fd, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(fd, mode, 1)
        finally:
            os.lseek(fd, here, os.SEEK_SET)

    def _take(fd: int, *, wait: bool) -> bool:
        while True:
            try:
                _at_far(fd, msvcrt.LK_NBLCK)
            except OSError:
                if not wait:
                    return False
                time.sleep(0.01)
            else:
                return True

    def _give(fd: int) -> None:
        _at_far(fd, msvcrt.LK_UNLCK)

else:
    import fcntl

    def _take(fd: int, *, wait: bool) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _give(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock on a file that is never deleted, waiting for it without polling."""
    fd = os.open(path, _OPEN | os.O_CREAT, 0o666)
    try:
        _take(fd, wait=True)
        yield
    finally:
        release(fd)


def claim(path: Path, *, create: bool) -> int | None:
    """Open a file that may come and go and lock it, or return None where somebody else holds it.

    The descriptor that is returned is locked and is still what the name leads to; `release` gives it back.

    Raises:
        FileNotFoundError: it is not there, and ``create`` is False.
    """
    while True:
        fd = os.open(path, _OPEN | (os.O_CREAT if create else 0), 0o666)
        try:
            taken = _take(fd, wait=False)
            if taken and os.path.samestat(os.fstat(fd), path.stat()):
                return fd
        except FileNotFoundError:
            taken = True
        except BaseException:
            os.close(fd)
            raise
        release(fd) if taken else os.close(fd)
        if not taken:
            return None


@contextmanager
def releasing(fd: int) -> Iterator[None]:
    """Give a claimed lock back when the block ends, however it ends."""
    try:
        yield
    finally:
        release(fd)


@contextmanager
def handing_on(fd: int) -> Iterator[None]:
    """Give a claimed lock back if the block fails; else it is for whoever took it there."""
    try:
        yield
    except BaseException:
        release(fd)
        raise


def release(fd: int) -> None:
    """Give a lock back and close its file."""
    try:
        _give(fd)
    except OSError:  # not held (the wait for it was interrupted); closing is what matters
        pass
    finally:
        os.close(fd)
