"""What an explorer shows of one image, as plain data for a page: sections of text, rectangles, and lines to run.

Text from outside is cleaned and cut here; the page only ever makes text of it. The rectangles are `geometry`'s, so
that the treemap is the one that is drawn elsewhere.
"""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from jupyimg.errors import BadReference
from jupyimg.model.config import read_time
from jupyimg.model.reference import Reference
from jupyimg.views import tongue, words
from jupyimg.views.geometry import Box, treemap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jupyimg.model.records import HistoryRecord
    from jupyimg.views.port import Sight

MAP = Box(0, 0, 100, 22)
"""The treemap's room; the page stretches it to its own."""
_ITEMS = 200
_LEAF = 2000
_SHARERS = 100


def sight(seen: Sight, *, remote: bool, platform: str = "", lang: str = tongue.ENGLISH) -> dict[str, Any]:
    """One image for the page; ``platform`` is the one that was asked for, or ""."""
    detail = seen.detail
    layers = [record for record in reversed(seen.history) if record.layer_digest or record.diff_id]
    image_id = str(detail.image_id or detail.document.get("Id") or detail.reference)
    own = {detail.reference, image_id, *map(str, _listed(detail.document.get("RepoTags")))}
    shared = [_others(seen, record, set() if remote else own) for record in layers]
    return {
        "title": _leaf(detail.reference),
        "summary": list(_summary(seen, lang)),
        "platforms": _platforms(seen, remote=remote),
        "facts": [[tongue.say(lang, key), value] for key, value in _facts(seen) if value],
        "config": [[tongue.say(lang, key), value] for key, value in _config(detail.document.get("Config")) if value],
        "env": _pairs(_mapping(detail.document.get("Config")).get("Env")),
        "labels": _pairs(_mapping(detail.document.get("Config")).get("Labels")),
        "history": [_step(record, lang) for record in seen.history[:_ITEMS]],
        "layers": [_layer(*each) for each in zip(layers[:_ITEMS], shared[:_ITEMS], strict=True)],
        "boxes": [list(box) for box in treemap([_bytes(record) or 0 for record in layers[:_ITEMS]], MAP)],
        "sharers": _sharers(layers, shared),
        "told": seen.holders is not None,
        "remote": remote,
        "lines": lines(
            detail.reference,
            image_id,
            here=seen.here,
            platform=platform if len(detail.platforms) > 1 else "",
            lang=lang,
        ),
    }


def lines(
    reference: str, image_id: str, *, here: bool, platform: str = "", lang: str = tongue.ENGLISH
) -> dict[str, dict[str, Any]]:
    """The line behind each button: its text, which part of it is to be written by the user, and what it does.

    An image without a name is meant by its ID; then there is nothing to pull or push.
    """
    try:
        name = None if _is_id(reference) else Reference.parse(reference)
    except BadReference:
        name = None
    word = reference if name else image_id
    made: dict[str, dict[str, Any]] = {}
    say = partial(tongue.say, lang)
    if name:
        which = ["--platform", platform] if platform else []
        made["pull"] = _line(say("Fetches it from {host}", host=name.host), "pull", *which, word)
    if here:
        base = name.familiar_name if name else "NAME"
        file = f"{base.rpartition('/')[2]}{'-' + name.tag if name and name.tag else ''}.tar"
        made["tag"] = _line(say("Gives it a further name: write it in"), "tag", word, chosen=f"{base}:NEW")
        if name and name.digest is None:
            made["push"] = _line(say("Sends it to {host}", host=name.host), "push", word)
        made["save"] = _line(say("Writes it into a file beside the notebook"), "save", "-o", chosen=file, after=word)
        what = "Removes the name, for all its platforms; an image without any name left goes"
        made["rmi"] = _line(say(what if name else "Removes the image"), "rmi", word)
    return made


def _line(note: str, *before: str, chosen: str = "", after: str = "") -> dict[str, Any]:
    head = shlex.join(["%image", *before])
    start = len(head) + 1 if chosen else len(head)
    text = " ".join(filter(None, [head, chosen and shlex.quote(chosen), after and shlex.quote(after)]))
    return {"line": text, "from": start, "to": start + len(shlex.quote(chosen)) if chosen else start, "note": note}


def _summary(seen: Sight, lang: str) -> Iterator[str]:
    document = seen.detail.document
    sizes = ((seen.detail.size, "{size} compressed"), (seen.detail.unpacked, "{size} unpacked"))
    if seen.detail.platform is not None:
        yield words.clean(str(seen.detail.platform))
    created = read_time(str(document.get("Created") or ""))
    if created is not None and created > words.LONG_AGO:
        yield tongue.say(lang, "built {age}", age=tongue.age(lang, created, datetime.now(UTC)))
    for size, what in sizes:
        if size is not None:
            yield tongue.say(lang, what, size=words.size(size, 3))


def _platforms(seen: Sight, *, remote: bool) -> list[list[Any]]:
    """Name, whether it is the one that is shown, whether it can be shown."""
    detail = seen.detail
    current = str(detail.platform or "")
    names = list(dict.fromkeys([*detail.platforms, *detail.held])) or ([current] if current else [])
    held = set(names) if remote or not detail.held else set(detail.held)
    return [[_leaf(name), name == current, name in held] for name in names[:_ITEMS]]


def _facts(seen: Sight) -> Iterator[tuple[str, str]]:
    detail = seen.detail
    yield "image ID", str(detail.image_id or "")
    yield "digest", str(detail.digest or "")
    if detail.manifest_digest != detail.digest:
        yield "manifest", str(detail.manifest_digest or "")
    tags = [tag for tag in map(str, _listed(detail.document.get("RepoTags"))) if tag != detail.reference]
    yield "also named", _leaf(", ".join(tags))


def _config(value: object) -> Iterator[tuple[str, str]]:
    config = _mapping(value)
    for key, name in (("Entrypoint", "entrypoint"), ("Cmd", "cmd")):
        given = config.get(key)
        yield name, _leaf(shlex.join(map(_text, given)) if isinstance(given, list) else _text(given))
    for key, name in (("WorkingDir", "workdir"), ("User", "user"), ("StopSignal", "stop signal")):
        yield name, _leaf(_text(config.get(key)))
    for key, name in (("ExposedPorts", "ports"), ("Volumes", "volumes")):
        yield name, _leaf(", ".join(map(_text, _listed(config.get(key)))))


def _step(record: HistoryRecord, lang: str) -> list[Any]:
    """What was done, when, how large, and whether it made a layer."""
    created = record.created
    when = tongue.age(lang, created, datetime.now(UTC)) if created and created > words.LONG_AGO else ""
    size = record.compressed if record.size is None else record.size
    return [_leaf(record.created_by or record.comment), when, "" if record.empty else _size(size), not record.empty]


def _layer(record: HistoryRecord, others: Sequence[str]) -> list[Any]:
    """Digest, size in words, bytes, who else has it, what made it."""
    named = [_named(name) for name in others[:_ITEMS]]
    digest, size = record.layer_digest or record.diff_id, _bytes(record)
    return [str(digest), _size(size), size, named, _leaf(record.created_by)]


def _bytes(record: HistoryRecord) -> int | None:
    """As it is stored, else its files: a daemon may know only these."""
    return record.size if record.compressed is None else record.compressed


def _others(seen: Sight, record: HistoryRecord, own: set[str]) -> list[str]:
    if record.layer_digest is None:
        return []
    return [name for name in (seen.holders or {}).get(record.layer_digest, ()) if name not in own]


def _sharers(layers: Sequence[HistoryRecord], shared: Sequence[Sequence[str]]) -> list[list[Any]]:
    """Who has how many of the layers, and their bytes in words; those with the most bytes first."""
    found: dict[str, tuple[int, int]] = {}
    once: set[tuple[str, str]] = set()
    for record, names in zip(layers, shared, strict=True):
        for name in names:
            if (name, str(record.layer_digest)) not in once:
                once.add((name, str(record.layer_digest)))
                count, size = found.get(name, (0, 0))
                found[name] = count + 1, size + (_bytes(record) or 0)
    ordered = sorted(found.items(), key=lambda item: (-item[1][1], item[0]))
    return [[_named(name), count, _size(size)] for name, (count, size) in ordered[:_SHARERS]]


def _named(reference: str) -> str:
    """A name whole, an ID short."""
    return words.short(reference) if _is_id(reference) else words.clean(reference)


def _is_id(reference: str) -> bool:
    """An image without a name goes by its ID, which would read as a name with a tag."""
    return reference.startswith(("sha256:", "sha512:"))


def _pairs(value: object) -> list[list[str]]:
    """``KEY=value`` texts, or a mapping, as pairs."""
    if isinstance(value, dict):
        given = [(_text(key), _text(item)) for key, item in value.items()]
    else:
        given = [(text.partition("=")[0], text.partition("=")[2]) for text in map(_text, _listed(value))]
    return [[_leaf(key), _leaf(item)] for key, item in given[:_ITEMS]]


def _listed(value: object) -> list[Any]:
    """What should be a list, or the keys of a mapping, whatever it is."""
    return list(value) if isinstance(value, list | dict) else [] if value in (None, "") else [value]


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _leaf(text: str) -> str:
    return words.ellipsis(words.clean(text), _LEAF)


def _size(count: int | None) -> str:
    return words.UNKNOWN if count is None else words.size(count, 3)
