"""Subcommands that move images through archives: to a machine without a network, to docker load, and back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

import click

from jupyimg.commands.paths import written
from jupyimg.commands.verbs import VERBS, ImageName, detach_option, platform_option, quiet_option
from jupyimg.errors import Misuse
from jupyimg.views.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import IO

    from jupyimg.commands.session import Session
    from jupyimg.model.content import Step

    Asked = Generator[Step, None, Answer]


@VERBS.verb("save", docker="docker save", kind="save")
@click.argument("images", nargs=-1, required=True, type=ImageName(), metavar="IMAGE...")
@click.option("-o", "--output", metavar="FILE", help="the archive to write: .tar, .tar.gz or .tar.zst")
@platform_option
@quiet_option
@detach_option
def save(session: Session, images: tuple[str, ...], output: str | None, platform: str | None, *, quiet: bool) -> Asked:
    """Write images into one archive, for %image load, docker load, podman and skopeo.

    A repository without a tag means all its tags; an ID is saved without a name.
    """
    target = written(output) if output else _pipe_out(session, images[0])
    records = yield from session.engine.saving(list(dict.fromkeys(images)), target, platform=platform)
    return Answer(kind="save", records=records, quiet=quiet)


@VERBS.verb("load", docker="docker load", kind="load")
@click.option("-i", "--input", "source", metavar="FILE", help="a .tar, also compressed, or the folder of a layout")
@platform_option
@quiet_option
@detach_option
def load(session: Session, source: str | None, platform: str | None, *, quiet: bool) -> Asked:
    """Take in the images of an archive that docker, podman, skopeo, umoci or %image save wrote."""
    origin = written(source) if source else _pipe_in(session)
    records = yield from session.engine.loading(origin, platform=platform)
    return Answer(kind="load", records=records, quiet=quiet)


def _pipe_out(session: Session, image: str) -> IO[bytes]:
    """Where a terminal's command writes to without ``-o``.

    Raises:
        Misuse: a notebook, or a terminal that would show the bytes.
    """
    if not session.terminal or sys.stdout.isatty():
        name = image.rpartition("/")[2].partition("@")[0].partition(":")[0] or "image"
        where = "a terminal cannot show an archive" if session.terminal else "a cell cannot show an archive"
        raise Misuse(where, hint=f"say which file to write: -o {name}.tar")
    return _apart(sys.stdout, "wb")


def _pipe_in(session: Session) -> IO[bytes]:
    """Where a terminal's command reads from without ``-i``.

    Raises:
        Misuse: a notebook, or nothing is piped in.
    """
    if not session.terminal or sys.stdin.isatty():
        raise Misuse("there is no archive to load", hint="say which file to read: -i nginx.tar")
    return _apart(sys.stdin, "rb")


def _apart(stream: IO[str], mode: str) -> IO[bytes]:
    """The same file as another object: Python ends with a lock on its own, and a thread may still be inside it."""
    return cast("IO[bytes]", open(stream.fileno(), mode, closefd=False))
