"""Files that say where registries are: containers' registries.conf with its drop-ins, and Docker's daemon.json.

Which files count is containers' rule (containers-registries.conf(5) and .d(5)): $CONTAINERS_REGISTRIES_CONF, else the
user's own file, else the system's; then the system's drop-ins and the user's, each folder by name; a user's own main
file leaves the system's drop-ins out. A table of a later file takes the place of an earlier one with the same prefix.

``[aliases]`` and ``unqualified-search-registries`` are left alone: a short name means Docker Hub, as for Docker.

A damaged registries.conf stops what would ask a registry, since it may have blocked just that one; nothing else stops.
A damaged daemon.json is noted and left out: it can only add.
"""

from __future__ import annotations

import json
import os
import re
import threading
import tomllib
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from jupyimg.errors import Misuse
from jupyimg.registry.endpoints import Mirror, Namespace, Pull, Rules, place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from jupyimg.model.settings import Settings

    Stamp = tuple[tuple[Path, int, int], ...]

T = TypeVar("T")

_AT = re.compile(r"\(at line (\d+)")
_SIZE_LIMIT = 1 << 20


class Conf:
    """The rules as the files have them now; read again when one of them has changed. For any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._known: tuple[Stamp, Rules] | None = None

    def rules(self) -> Rules:
        """What the files say.

        Raises:
            Misuse: a registries.conf cannot be used; it says which and where.
        """
        with self._lock:
            stamp = _stamp([*conf_files(self._settings), *daemon_files(self._settings)])
            if self._known is None or self._known[0] != stamp:
                self._known = (stamp, read_rules(self._settings))
            return self._known[1]


def conf_files(settings: Settings) -> list[Path]:
    """The registries.conf files that count, in the order in which later ones win."""
    user = settings.user_config / "containers" if settings.user_config else None
    system = settings.system_config / "containers" if settings.system_config else None
    own = user / "registries.conf" if user and _is_there(user / "registries.conf") else None
    if settings.registries_conf is not None:
        return [settings.registries_conf, *_drop_ins(system), *_drop_ins(user)]
    if own is not None:
        return [own, *_drop_ins(user)]
    main = [system / "registries.conf"] if system and _is_there(system / "registries.conf") else []
    return [*main, *_drop_ins(system), *_drop_ins(user)]


def daemon_files(settings: Settings) -> list[Path]:
    """Docker's daemon.json, the system's and the one of a rootless daemon; one that only root may read is not ours."""
    folders = [folder / "docker" for folder in (settings.system_config, settings.user_config) if folder]
    return [folder / "daemon.json" for folder in folders if os.access(folder / "daemon.json", os.R_OK)]


def read_rules(settings: Settings, *, without: Path | None = None) -> Rules:
    """All files as one set of rules; ``without`` leaves a file out.

    Raises:
        Misuse: a registries.conf cannot be used.
    """
    namespaces: dict[str, Namespace] = {}
    for path in conf_files(settings):
        if path != without:
            for one in parse_conf(_text(path, settings), shown(path, settings)):
                namespaces[one.prefix] = one
    hub: list[Mirror] = []
    insecure: set[str] = set()
    notes: list[str] = []
    for path in daemon_files(settings):
        try:
            mirrors, names = parse_daemon(_text(path, settings), shown(path, settings))
        except Misuse as error:
            notes.append(f"{error.message}; it is left out")
        else:
            hub += mirrors
            insecure |= names
    return Rules(
        namespaces=tuple(namespaces.values()), hub=tuple(hub), insecure=frozenset(insecure), notes=tuple(notes)
    )


def shown(path: Path, settings: Settings) -> str:
    """A path as people write it, the home folder as ``~``."""
    home = settings.user_config.parent if settings.user_config else None
    return f"~/{path.relative_to(home)}" if home and path.is_relative_to(home) else str(path)


def parse_conf(text: str, file: str) -> list[Namespace]:
    """The ``[[registry]]`` tables of one file.

    Raises:
        Misuse: it is no TOML, or of version 1, or a table is wrong; it names the file and the line.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _AT.search(str(error))
        line = found[1] if found else str(text.count("\n") + 1)
        what = str(error).partition(" (at ")[0]
        raise Misuse(f"{file} cannot be read: line {line}: {what}", hint="it is TOML; mend that line") from None
    _refuse_version_1(document, file)
    tables = document.get("registry", [])
    found_at = [
        number for number, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*registry\s*\]\]", line)
    ]
    made: dict[str, Namespace] = {}
    for at, table in enumerate(tables if isinstance(tables, list) else [tables]):
        where = f"{file}, line {found_at[at]}" if at < len(found_at) else file
        one = _located(where, partial(_namespace, table, file))
        made[one.prefix] = one
    return list(made.values())


def parse_daemon(text: str, file: str) -> tuple[list[Mirror], set[str]]:
    """``registry-mirrors`` and ``insecure-registries`` of a daemon.json (dockerd(8)).

    Raises:
        Misuse: it is not usable; it names the file and, where it can, the line.
    """
    try:
        document = json.loads(text) if text.strip() else {}
    except json.JSONDecodeError as error:
        raise Misuse(f"{file} cannot be read: line {error.lineno}: {error.msg}") from None
    except RecursionError:
        raise Misuse(f"{file} cannot be read: it is nested without end") from None
    if not isinstance(document, dict):
        raise Misuse(f"{file} cannot be read: line 1: it holds no object")
    names = _texts(document, "insecure-registries", file)
    mirrors = []
    for url in _texts(document, "registry-mirrors", file):
        scheme, found, rest = url.partition("://")
        location = rest if found else url
        host = _located(file, partial(place, location))
        mirrors.append(Mirror(location=host, insecure=scheme == "http" or host in names, file=file))
    return mirrors, {name.partition("://")[2] or name for name in names}


def _namespace(table: Any, file: str) -> Namespace:
    if not isinstance(table, dict):
        raise Misuse("registry is no table")
    location, prefix = _value(table, "location", ""), _value(table, "prefix", "")
    if not location and not prefix.startswith("*."):
        raise Misuse("a registry needs a location" if prefix else "a registry has neither prefix nor location")
    digest_only = _value(table, "mirror-by-digest-only", default=False)
    mirrors = table.get("mirror", [])
    if not isinstance(mirrors, list):
        raise Misuse("mirror is no array of tables")
    location = place(location) if location else ""
    return Namespace(
        prefix=place(prefix, wildcard=True) if prefix else location,
        location=location,
        insecure=_value(table, "insecure", default=False),
        blocked=_value(table, "blocked", default=False),
        digest_only=digest_only,
        mirrors=tuple(_mirror(mirror, file, digest_only=digest_only) for mirror in mirrors),
        file=file,
    )


def _mirror(table: Any, file: str, *, digest_only: bool) -> Mirror:
    if not isinstance(table, dict):
        raise Misuse("a mirror is no table")
    wanted = _value(table, "pull-from-mirror", "")
    if wanted not in {"", *Pull}:
        raise Misuse(f"pull-from-mirror is all, digest-only or tag-only, not {wanted!r}")
    if wanted and digest_only:
        raise Misuse("pull-from-mirror and mirror-by-digest-only exclude each other")
    location = place(_value(table, "location", ""))
    return Mirror(
        location=location, insecure=_value(table, "insecure", default=False), pull=Pull(wanted or "all"), file=file
    )


def _value(table: Mapping[str, Any], name: str, default: Any) -> Any:
    value = table.get(name, default)
    if type(value) is not type(default):
        raise Misuse(f"{name} is {'true or false' if isinstance(default, bool) else 'a text'}, not {value!r}")
    return value


def _texts(document: Mapping[str, Any], name: str, file: str) -> list[str]:
    values = document.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Misuse(f"{file} cannot be used: {name} is no list of texts")
    return values


def _located(where: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except Misuse as error:
        raise Misuse(f"{where}: {error.message}", hint=error.hint or "mend the file") from None


def _refuse_version_1(document: Mapping[str, Any], file: str) -> None:
    old = document.get("registries")
    lists = (
        [table.get("registries") for table in old.values() if isinstance(table, dict)] if isinstance(old, dict) else []
    )
    if any(lists):
        raise Misuse(
            f"{file} is written in version 1 of its format, which is not read",
            hint='write [[registry]] tables: location = "HOST" and, for what stood in [registries.insecure] or '
            "[registries.block], insecure = true or blocked = true",
        )


def _drop_ins(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    try:
        inside = sorted((folder / "registries.conf.d").iterdir(), key=lambda path: path.name)
        return [path for path in inside if path.suffix == ".conf" and path.is_file()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise Misuse(f"{folder / 'registries.conf.d'} cannot be read: {error.strerror}") from None


def _is_there(path: Path) -> bool:
    """Whether there is such a file; one that we may not see is, so that reading it says why it cannot be used."""
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def _text(path: Path, settings: Settings) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_SIZE_LIMIT + 1)
        if len(raw) > _SIZE_LIMIT:
            raise Misuse(f"{shown(path, settings)} is too large to be a file of settings")
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise Misuse(f"{shown(path, settings)} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Misuse(f"{shown(path, settings)} cannot be read: line {line}: it is not UTF-8") from None


def _stamp(paths: list[Path]) -> Stamp:
    found = []
    for path in paths:
        try:
            state = path.stat()
        except OSError:
            found.append((path, 0, 0))
        else:
            found.append((path, state.st_mtime_ns, state.st_size))
    return tuple(found)
