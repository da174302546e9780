"""Files of logins: read as they are, and rewritten whole, so that no other program ever sees half of one.

What is not ours in them stays: other keys, their order, and where a symlink leads. Two kernels that log in at the same
moment both succeed, by a lock on a file beside it.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyimg.errors import CredentialError
from jupyimg.store.lock import exclusive

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 16 << 20
"""The most bytes of a file that is read."""


def shown(path: Path) -> str:
    """A path for a message that may be saved in a notebook: below the home folder it begins with ``~``."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)


def parse(text: str | bytes, what: str) -> dict[str, Any]:
    """A document of logins, from JSON.

    Raises:
        CredentialError: it is none; ``what`` names it, and nothing of it is repeated.
    """
    try:
        document = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise CredentialError(f"{what} is not a JSON object", hint="mend it, or move it away and log in again")
    for name in ("auths", "credHelpers"):
        if not isinstance(document.get(name) or {}, dict):
            raise CredentialError(f"{name} in {what} is not a JSON object", hint="mend it by hand")
    return document


def read(path: Path) -> dict[str, Any]:
    """The document that a file holds; an empty one where there is no file.

    Raises:
        CredentialError: it cannot be read, or is no JSON object.
    """
    try:
        with path.open("rb") as file:
            return parse(file.read(LIMIT), shown(path))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise CredentialError(
            f"{shown(path)} cannot be read: {error.strerror}",
            hint="check its owner and mode, or set DOCKER_CONFIG or REGISTRY_AUTH_FILE",
        ) from None


def change(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Rewrite a file, for its owner's eyes only; a missing one is made.

    Raises:
        CredentialError: it cannot be read or written, or is no JSON object; it is then as it was.
    """
    try:
        real = path.resolve()
        real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(real.with_name(f".{real.name}.lock")):
            document = read(real)
            edit(document)
            _replace(real, json.dumps(document, indent="\t").encode() + b"\n")
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else "its links go in circles"
        raise CredentialError(
            f"{shown(path)} cannot be written: {why}", hint="set DOCKER_CONFIG to a folder that you may write to"
        ) from None


def _replace(path: Path, raw: bytes) -> None:
    fd, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # with mode 0600
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError, AttributeError):  # whoever owned it goes on owning it, where we may say so
            before = path.stat()
            os.chown(name, before.st_uid, before.st_gid)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
