"""Dispatch: a frame runs lines of %image, as its user would type them, through the shell that it is in.

So a frame needs no engine, and what runs is what a line does: progress, interrupts, errors, everything. Values of a
frame come from outside: each is checked to be a name, and quoted, so that none is taken for an expression or a flag.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from IPython import get_ipython

from jupyimg.errors import Misuse
from jupyimg.model.digest import Digest
from jupyimg.model.platform import Platform
from jupyimg.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(verb: str, name: str, *flags: str, platform: str | None = None) -> Any:
    """What ``%image VERB FLAGS NAME`` returns.

    Raises:
        Misuse: there is no notebook or IPython that knows %image.
        BadReference, BadPlatform: the value is no name or platform.
        ImageError: whatever the line raises.
    """
    shell: Any = get_ipython()
    if shell is None or shell.find_line_magic("image") is None:
        raise Misuse(
            "this works where %image does", hint="run %load_ext jupyimg first; in a script call jupyimg.connect()"
        )
    return shell.run_line_magic("image", line(verb, name, *flags, platform=platform))


def line(verb: str, name: str, *flags: str, platform: str | None = None) -> str:
    """The words behind %image; ``name`` is a reference or a whole image ID.

    Raises:
        BadReference, BadDigest, BadPlatform: it is no such thing.
    """
    words: Sequence[str] = [verb, *flags]
    if platform is not None:
        words = [*words, "--platform", platform if platform == "all" else str(Platform.parse(platform))]
    known = str(Digest(name)) if name.startswith("sha256:") else Reference.parse(name).familiar
    return shlex.join([*words, known])
