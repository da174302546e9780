"""Card: one image as a person wants to meet it: what it is, what it runs, its layers, and all the rest folded away."""

from __future__ import annotations

import itertools
import json
import shlex
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from jupyimg.model.config import read_time
from jupyimg.views import tongue, words
from jupyimg.views.markup import FAINT, LEFT, MONO, RIGHT, element, say, style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyimg.model.records import ImageDetail

_DEPTH = 12
_ITEMS = 200
_NODES = 3000
_LEAF = 2000
"""A document may be as large as a manifest may be; this much of it is shown, `repr` and the mapping have the rest."""

_BOX = (
    "border:1px solid var(--jp-border-color2,rgba(128,128,128,.4));border-radius:4px;padding:.6em .9em;margin:.3em 0;"
    "max-width:70em"
)
_WRAP = "overflow-wrap:anywhere"


def card(record: ImageDetail, lang: str = tongue.ENGLISH, *, folded: bool = False) -> str:
    """The image as HTML; ``folded`` keeps the config closed too, for several cards under each other."""
    told = partial(tongue.say, lang)
    parts = [
        _heading(record, lang),
        _table(_facts(record, lang), lang),
        _fold(told("Config"), _table(_settings(record), lang), opened=not folded),
        _layers(record, lang),
        _fold(told("Everything inspect says"), _tree(record.document, lang)),
        _fold(told("Manifest"), _tree(record.manifest, lang)) if record.manifest else "",
        _fold(told("Config as stored"), _tree(record.config, lang)) if record.config else "",
    ]
    return element("div", *parts, class_="jupyimg", style=_BOX)


def _heading(record: ImageDetail, lang: str) -> str:
    name = element("b", say(record.reference), style="font-size:115%")
    known = record.image_id or record.digest
    ident = element("span", say(known.short), style=style(MONO, FAINT), title=known) if known else ""
    return element("div", f"{name} &nbsp;{ident}") + element("div", " · ".join(_summary(record, lang)), style=FAINT)


def _summary(record: ImageDetail, lang: str) -> Iterator[str]:
    if record.platform is not None:
        yield say(str(record.platform))
    created = read_time(_text(record.document.get("Created")))
    if created is not None and created > words.LONG_AGO:
        built = tongue.say(lang, "built {age}", age=tongue.age(lang, created, datetime.now(UTC)))
        yield element("span", built, title=words.iso(created))
    for size, what in ((record.size, "compressed"), (record.unpacked, "unpacked")):
        if size is not None:
            told = tongue.say(lang, f"{{size}} {what}", size=words.size(size, 3))
            yield element("span", told, title=_exact(lang, size))
    yield tongue.count(lang, len(_layer_list(record)) or len(_diff_ids(record)), "layer")


def _facts(record: ImageDetail, lang: str) -> Iterator[tuple[str, str]]:
    if record.digest is not None:
        yield "digest", _mono(record.digest)
    if record.manifest_digest is not None and record.manifest_digest != record.digest:
        yield "manifest", _mono(record.manifest_digest)
    tags = record.document.get("RepoTags")
    if isinstance(tags, list) and tags and tags != [record.reference]:
        yield "names", say(_joined(tags))
    if len(record.platforms) > 1:
        yield "platforms", ", ".join(_platform(name, lang, held=name in record.held) for name in record.platforms)


def _platform(name: str, lang: str, *, held: bool) -> str:
    return element("b", say(name), title=tongue.say(lang, "held here")) if held else say(name)


def _settings(record: ImageDetail) -> Iterator[tuple[str, str]]:
    config = record.document.get("Config")
    config = config if isinstance(config, dict) else {}
    for key, name in (("Entrypoint", "entrypoint"), ("Cmd", "cmd")):
        if config.get(key):
            yield name, _mono(_command(config[key]))
    for key, name in (("WorkingDir", "workdir"), ("User", "user"), ("StopSignal", "stop signal")):
        if config.get(key):
            yield name, _mono(_text(config[key]))
    for key, name in (("ExposedPorts", "ports"), ("Volumes", "volumes")):
        if config.get(key):
            yield name, _mono(_joined(config[key]))
    if config.get("Env"):
        yield "env", _lines(config["Env"])
    if isinstance(config.get("Labels"), dict) and config["Labels"]:
        yield "labels", _lines([f"{key}={_text(value)}" for key, value in config["Labels"].items()])


def _command(value: object) -> str:
    return words.ellipsis(shlex.join(map(_text, value)) if isinstance(value, list) else _text(value), _LEAF)


def _joined(values: object) -> str:
    return words.ellipsis(", ".join(map(_text, values)) if isinstance(values, list | dict) else _text(values), _LEAF)


def _lines(values: object) -> str:
    listed = list(values)[:_ITEMS] if isinstance(values, list) else [values]
    return "".join(element("div", _pair(_text(value)), style=style(MONO, _WRAP)) for value in listed)


def _pair(text: str) -> str:
    key, equals, value = words.ellipsis(text, _LEAF).partition("=")
    return element("span", say(key + equals), style=FAINT) + say(value) if equals else say(text)


def _layer_list(record: ImageDetail) -> list[dict[str, Any]]:
    layers = record.manifest.get("layers")
    return [layer for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []


def _diff_ids(record: ImageDetail) -> list[object]:
    """The layers of an image whose manifest is not known."""
    root = record.document.get("RootFS")
    layers = root.get("Layers") if isinstance(root, dict) else None
    return layers if isinstance(layers, list) else []


def _layers(record: ImageDetail, lang: str) -> str:
    layers = _layer_list(record)
    rows = [
        element(
            "tr",
            element("td", str(at), style=style(RIGHT, FAINT)),
            element("td", _mono(_text(layer.get("digest"))), style=style(LEFT, _WRAP)),
            element("td", _size(lang, layer.get("size")), style=style(RIGHT, "white-space:nowrap")),
        )
        for at, layer in enumerate(layers[:_ITEMS], 1)
    ]
    title = tongue.say(lang, "Layers ({count})", count=len(layers))
    return _fold(title, element("table", element("tbody", *rows))) if rows else ""


def _size(lang: str, value: object) -> str:
    return element("span", words.size(value, 3), title=_exact(lang, value)) if isinstance(value, int) else ""


def _exact(lang: str, size: int) -> str:
    return tongue.say(lang, "{exact} bytes", exact=f"{size:,}")


def _table(rows: Iterator[tuple[str, str]], lang: str) -> str:
    made = [
        element(
            "tr",
            element("th", tongue.say(lang, name), style=_NAME, scope="row"),
            element("td", inner, style=style(LEFT, _WRAP)),
        )
        for name, inner in rows
    ]
    return element("table", element("tbody", *made), style="margin:.3em 0") if made else ""


_NAME = style(LEFT, FAINT, "vertical-align:top;white-space:nowrap;padding-right:1em;font-weight:normal")


def _fold(title: str, inner: str, *, opened: bool = False) -> str:
    if not inner:
        return ""
    summary = element("summary", say(title), style="cursor:pointer")
    return element("details", summary, inner, **({"open": ""} if opened else {}))


def _tree(value: object, lang: str, depth: int = 0, nodes: Iterator[int] | None = None) -> str:
    """A document as a tree that folds; only so deep, so wide and so much in all."""
    nodes = nodes or itertools.count()
    entries = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    rows = [_branch(_text(key), item, lang, depth, nodes) for key, item in entries[:_ITEMS] if next(nodes) < _NODES]
    if len(entries) > len(rows):
        rows.append(element("div", "… " + tongue.say(lang, "{rest} more", rest=len(entries) - len(rows)), style=FAINT))
    return element("div", *rows, style="margin-left:1.2em") if rows else ""


def _branch(key: str, value: object, lang: str, depth: int, nodes: Iterator[int]) -> str:
    name = element("span", say(words.ellipsis(key, _LEAF)), style=style(MONO, FAINT))
    if isinstance(value, dict | list) and value:
        if depth >= _DEPTH:
            return element("div", f"{name}: …")
        count = element("span", f" ({len(value)})", style=FAINT)
        summary = element("summary", name + count, style="cursor:pointer")
        return element("details", summary, _tree(value, lang, depth + 1, nodes))
    leaf = value if isinstance(value, str) else json.dumps(value)
    return element("div", f"{name}: {_mono(words.ellipsis(leaf, _LEAF))}", style=style(_WRAP, "padding-left:1em"))


def _mono(text: str) -> str:
    return element("span", say(text), style=MONO)


def _text(value: object) -> str:
    return "" if value is None else str(value)
