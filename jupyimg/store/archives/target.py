"""Target: the file that an archive is written to, which appears under its name when it is whole.

Until then it lies beside its place, for its owner's eyes only. It is not forced to the disk: nobody relies on it yet,
and cp and docker save leave that to the system too.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from jupyimg.errors import DiskFull, StoreDenied, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
_SHOWN = 40
"""Letters of a name that its file has while it is written: more might be more than a name can have."""


@contextmanager
def target_file(target: Path) -> Iterator[IO[bytes]]:
    """A file to write to, whose ``name`` is its path for now; leaving the block without an error renames it.

    Raises:
        StoreError: there is no such folder, it may not be written, or the name is a device's, a pipe's or a folder's.
        DiskFull: no space is left.
    """
    with writing(target.name):
        _writable(target)
        number, name = tempfile.mkstemp(prefix=f".{target.name[:_SHOWN]}.", dir=target.parent)  # mode 0600, as Docker's
        os.close(number)
    fresh = Path(name)
    file = fresh.open("wb")
    try:
        yield file
        with writing(target.name):
            file.close()
            fresh.replace(target)
    finally:
        with suppress(OSError):
            file.close()
        fresh.unlink(missing_ok=True)


@contextmanager
def writing(shown: str) -> Iterator[None]:
    """The edge where the system's errors become ours; a reader that has seen enough passes.

    Args:
        shown: what to call that which is written.

    Raises:
        DiskFull, StoreDenied, StoreError: what the system said.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        message = f"could not write {shown}: {error.strerror or error}"
        if error.errno in _FULL:
            raise DiskFull(message, hint="free some space, or save to another disk; nothing was written") from error
        if error.errno in _DENIED:
            raise StoreDenied(message, hint="save to a folder that you may write to") from error
        raise StoreError(message, hint="look whether the folder is there") from error


def _writable(target: Path) -> None:
    """Make sure that the name is free or a file's: a device or a pipe would be replaced by the archive.

    Raises:
        StoreError: something else has that name.
    """
    try:
        kind = target.stat().st_mode
    except FileNotFoundError:
        return
    except ValueError:
        raise StoreError(f"{target} is no name of a file", hint="name the file to write, such as nginx.tar") from None
    if stat.S_ISDIR(kind):
        raise StoreError(f"{target} is a folder", hint="name the file to write, such as nginx.tar")
    if not stat.S_ISREG(kind):
        raise StoreError(f"{target} is no file", hint="name a file, or leave -o out to write to a pipe in a terminal")
