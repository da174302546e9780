"""What is dear to make and is kept: a folder in the checkout that ignores itself, or ``$JUPYIMG_TEST_CACHE``."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# read at import: tests see no JUPYIMG_ variables
CACHE = Path(os.environ.get("JUPYIMG_TEST_CACHE") or Path(__file__).parents[2] / ".cache").absolute()


@contextmanager
def making(name: str) -> Iterator[Path]:
    """The path of that name in the cache, while no other process makes it; the system frees the lock of a dead one."""
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n")
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield CACHE / name
