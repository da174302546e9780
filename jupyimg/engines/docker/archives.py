"""Archives: images as one stream of bytes, out of a daemon (`docker save`) and into it (`docker load`)."""

from __future__ import annotations

import os
import re
import time
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from jupyimg.engines.asked import as_platform
from jupyimg.engines.docker import answers, images
from jupyimg.engines.docker.api import CHUNK
from jupyimg.engines.docker.aside import aside
from jupyimg.engines.docker.events import Told, decoded
from jupyimg.engines.docker.moving import steps
from jupyimg.engines.docker.naming import fully_named
from jupyimg.errors import ContentError, EngineError, NotFound, Unsupported
from jupyimg.model.content import Phase, Step
from jupyimg.model.records import Status, TransferRecord
from jupyimg.model.reference import Reference
from jupyimg.store.archives.outer import DAMAGED, OPENERS, Counted, wrapped
from jupyimg.store.archives.target import target_file, writing
from jupyimg.store.layout import disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from jupyimg.engines.asked import Transfers
    from jupyimg.engines.docker.api import Api, Call
    from jupyimg.model.platform import Platform
    from jupyimg.model.records import ImageRecord

_LOADED = re.compile(r"Loaded image(?: ID)?: (.+)")
_GZIP = b"\x1f\x8b"
_ITEM = "archive"


def saving(
    api: Api, names: Sequence[Reference | str], target: Path | IO[bytes], platform: Platform | str | None
) -> Transfers:
    """See `Engine.saving`."""
    began = time.monotonic()
    wanted = _wanted(answers.records(images.listed(api)), names)
    params = {"names": list(dict.fromkeys(word for word, _ in wanted)), "platform": _platform(api, platform)}
    shown = target.name if isinstance(target, Path) else "the stream"
    call, written = api.open(), 0
    try:
        with _written(target) as file:

            def job(put: Callable[[int], None]) -> None:
                for piece in call.send("GET", "/images/get", params):
                    with writing(shown):
                        file.write(piece)
                    put(len(piece))

            with closing(aside(job, call.interrupt)) as sizes:
                for size in sizes:
                    written += size or 0
                    yield Step(Phase.MOVING, _ITEM, written, 0, "archive")
    finally:
        call.close()
    yield Step(Phase.DONE, _ITEM, written, written, "archive")
    took = time.monotonic() - began
    return [_saved(one, written if len(wanted) == 1 else None, took) for _, one in wanted]


def _saved(one: ImageRecord, written: int | None, took: float) -> TransferRecord:
    return TransferRecord(
        reference=one.reference,
        digest=one.digest,
        image_id=one.image_id,
        status=Status.SAVED,
        size=one.size,
        transferred=written,
        seconds=took,
    )


def _wanted(here: list[ImageRecord], names: Sequence[Reference | str]) -> list[tuple[str, ImageRecord]]:
    """What to ask for, and the row of each; a name without a tag means every tag that it has here, as in Docker.

    Raises:
        ImageNotFound: one of them is not here.
    """
    found: dict[tuple[str, str], ImageRecord] = {}
    for name in names:
        bare = _repository(name)
        rows = [one for one in here if one.tag and one.repository == bare] if bare else []
        for one in rows or images.find(here, name)[:1]:
            word = str(Reference.parse(one.reference)) if rows else images.asked(name)
            found.setdefault((word, one.reference), one)
    return [(word, one) for (word, _), one in found.items()]


def _repository(name: Reference | str) -> str | None:
    if isinstance(name, str):
        parsed = answers.reference_of(name)
        if parsed is None:
            return None
        name = parsed
    return None if name.tag or name.digest else name.familiar_name


def loading(api: Api, source: Path | IO[bytes], platform: Platform | str | None) -> Transfers:
    """See `Engine.loading`."""
    began = time.monotonic()
    call, told, sent = api.open(), Told(), 0
    params = {"quiet": False, "platform": _platform(api, platform)}
    try:
        with _opened(source) as file:
            total = os.fstat(file.fileno()).st_size if isinstance(source, Path) else 0
            with closing(aside(lambda put: _send(call, params, _readable(api, file), put), call.interrupt)) as events:
                for event in events:
                    if event is None or isinstance(event, int):
                        sent = event or sent
                        yield Step(Phase.MOVING, _ITEM, sent, max(total, sent) if total else 0, "archive")
                    else:
                        yield from told.take(event, api.dialect.name)
    finally:
        call.close()
    yield Step(Phase.DONE, _ITEM, sent, sent, "archive")
    yield from steps((), told, api.dialect.name)
    return _loaded(api, told, sent, time.monotonic() - began)


def _readable(api: Api, file: IO[bytes]) -> Iterator[bytes]:
    """The archive as this daemon reads it."""
    pieces = _pieces(file, takes_gzip=api.dialect.takes_gzip)
    return pieces if api.dialect.completes_names else fully_named(pieces)


def _send(call: Call, params: dict[str, Any], pieces: Iterator[bytes], put: Callable[[Any], None]) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for piece in pieces:
            sent += len(piece)
            put(sent)
            yield piece

    headers = {"Content-Type": "application/x-tar"}
    for event in decoded(call.send("POST", "/images/load", params, headers=headers, body=body())):
        put(event)


def _pieces(file: IO[bytes], *, takes_gzip: bool) -> Iterator[bytes]:
    """The bytes of an archive, out of whatever it is wrapped in; a daemon that can read gzip gets it as it is."""
    with disk("read the archive"):
        head = file.read(CHUNK)
    if not head:
        raise ContentError("the archive is empty", hint="%image save writes one")
    for magic, opened in OPENERS.items():
        if head.startswith(magic) and not (takes_gzip and magic == _GZIP):
            file, head = cast("IO[bytes]", opened(cast("IO[bytes]", Counted(file, head)))), b""
            break
    while True:
        if head:
            yield head
        try:
            head = file.read(CHUNK)
        except DAMAGED as error:
            raise ContentError(f"the archive is damaged: {error}", hint="get it anew from where it came from") from None
        if not head:
            return


def _loaded(api: Api, told: Told, sent: int, took: float) -> list[TransferRecord]:
    """A row for each name that the daemon says it has loaded.

    Raises:
        EngineError: it says none, so that it is not known what happened.
    """
    matches = [_LOADED.fullmatch(line.strip()) for line in told.lines]
    names = [name.strip() for match in matches if match for name in match[1].split(",")]
    if not names:
        raise EngineError(
            f"{api.dialect.name} does not say what it loaded", hint="see with %image images -a, and run the line again"
        )
    done = []
    for name in dict.fromkeys(names):
        found = images.detail(api, name, None)
        row = TransferRecord(
            reference=found.reference,
            digest=found.digest,
            image_id=found.image_id,
            status=Status.LOADED,
            size=found.size,
            transferred=sent if len(names) == 1 else None,
            seconds=took,
        )
        done.append(row)
    return done


def _platform(api: Api, platform: Platform | str | None) -> str | None:
    wanted = as_platform(platform)
    if wanted is None:
        return None
    if not api.knows("1.48"):
        raise Unsupported(
            f"this {api.dialect.name} cannot choose a platform in an archive",
            hint="leave --platform away: it holds one platform of each image",
        )
    return images.platform_json(wanted)


@contextmanager
def _written(target: Path | IO[bytes]) -> Iterator[IO[bytes]]:
    """What takes an archive, compressed as the suffix says; a file is there only when all of it is."""
    if not isinstance(target, Path):
        yield target
        return
    wrap = wrapped(target.name)
    with target_file(target) as file:
        out = wrap(file)
        yield out
        if out is not file:
            with writing(target.name):
                out.close()


def _opened(source: Path | IO[bytes]) -> Any:
    if not isinstance(source, Path):
        return nullcontext(source)
    if source.is_dir():
        raise Unsupported(
            f"{source} is a folder, and a daemon loads files only", hint="%image engine embedded loads it"
        )
    try:
        return source.open("rb")
    except FileNotFoundError:
        raise NotFound(f"there is no file {source}", hint="look whether the path is right") from None
    except OSError as error:
        raise EngineError(f"could not read {source}: {error.strerror}") from None
    except ValueError:
        raise NotFound(f"{source} is no name of a file", hint="look whether the path is right") from None
