"""Mirrors: which registries are read by way of which others, set and tried, the same for every engine.

What is set goes into a drop-in of containers' registries.conf that is ours alone, so podman, skopeo and buildah of the
same user go the same ways. What others wrote is read and shown, never edited.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from jupyimg.errors import Conflict, ImageError, Interrupted, Misuse, NotFound, StoreError
from jupyimg.model.content import Phase, Step
from jupyimg.model.records import EndpointRecord, MirrorRecord
from jupyimg.model.reference import DOCKER_HUB, Reference
from jupyimg.registry.conf import conf_files, parse_conf, read_rules, shown
from jupyimg.registry.dropin import inherited, with_mirror, without_mirror
from jupyimg.registry.endpoints import Mirror, Pull, place
from jupyimg.store.lock import exclusive

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from jupyimg.model.settings import Settings
    from jupyimg.registry import Registries, Repository

DROP_IN = "zz-jupyimg.conf"
"""Late in the alphabet, for the last table of a prefix is the one that counts."""
_PORT = re.compile(r":\d+$")
_WANTS_LOGIN = 401


class Mirrors:
    """The mirrors that the user's files name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def listed(self, registry: str = "") -> list[MirrorRecord]:
        """All mirrors, or those of one registry or namespace, in the order in which they are tried.

        Raises:
            Misuse: a file cannot be used; it says which and where.
        """
        rules = read_rules(self._settings)
        found = [
            MirrorRecord(
                registry=namespace.prefix,
                mirror=mirror.location,
                insecure=mirror.insecure,
                pull=str(namespace.pull(mirror)),
                file=mirror.file,
            )
            for namespace in rules.namespaces
            for mirror in namespace.mirrors
        ]
        found += [
            MirrorRecord(registry=DOCKER_HUB, mirror=one.location, insecure=one.insecure, pull="all", file=one.file)
            for one in rules.hub
        ]
        return [record for record in found if not registry or record.registry == registry]

    def add(self, registry: str, mirror: str, *, insecure: bool = False, pull: str = "all") -> list[MirrorRecord]:
        """Read a registry or namespace by way of a mirror, after those that it has; gives all that it then has.

        Raises:
            Misuse: not the name of a registry, or a file cannot be used.
            Conflict: another file has the last word on this registry.
            StoreError: our file cannot be written.
        """
        prefix, location = _prefix(registry), place(mirror)
        if prefix == location:
            raise Misuse(f"{location} cannot be its own mirror")
        with self._editing() as path:
            before = inherited(prefix, read_rules(self._settings, without=path))
            if before.blocked:
                raise Conflict(f"{prefix} is blocked in {before.file}, so a mirror of it is never asked")
            if before.digest_only and pull != Pull.ALL:
                raise Conflict(f"{before.file} lets mirrors of {prefix} serve digests only, whatever is set for one")
            text = _held(path)
            _write(path, with_mirror(text, before, Mirror(location=location, insecure=insecure, pull=Pull(pull))))
            rows = self.listed(prefix)
            if location not in {row.mirror for row in rows}:
                _write(path, text)
                raise Conflict(
                    f"a file that is read after {DROP_IN} has the last word on {prefix}", hint="set the mirror there"
                )
        return rows

    def remove(self, registry: str, mirror: str | None = None) -> list[MirrorRecord]:
        """Forget a mirror of a registry, or all that were set here; gives those that the registry then still has.

        Raises:
            NotFound: there is no such mirror.
            Conflict: another file names it, which is not ours to edit.
            StoreError: our file cannot be written.
        """
        prefix, location = _prefix(registry), place(mirror) if mirror else None
        with self._editing() as path:
            rows = [row for row in self.listed(prefix) if location in {None, row.mirror}]
            what = f"mirror {location}" if location else "mirror"
            if not rows:
                raise NotFound(f"{prefix} has no {what}", hint="%image mirror list shows those that there are")
            ours = [row for row in rows if row.file == shown(path, self._settings)]
            if not ours:
                raise Conflict(f"{rows[0].file} names that {what} of {prefix}", hint="edit it there")
            before = inherited(prefix, read_rules(self._settings, without=path))
            _write(path, without_mirror(_held(path), before, location))
            return self.listed(prefix)

    def testing(self, registries: Registries, name: str = "") -> Generator[Step, None, list[EndpointRecord]]:
        """Ask each mirror, and the registry behind it, whether it answers; steps say who is being asked.

        Args:
            registries: what asks.
            name: a registry or namespace, or an image, whose manifest is asked for too; "" is all that have mirrors.

        Raises:
            Misuse: a file cannot be used.
        """
        goals: list[tuple[str, Reference, bool]] = []
        if name and not _is_registry(name):
            reference = Reference.parse(name)
            goals.append((reference.familiar, reference, True))
        else:
            names = [_prefix(name)] if name else dict.fromkeys(row.registry for row in self.listed())
            goals += [(one, _example(one), False) for one in names]
        done: list[EndpointRecord] = []
        for shown_name, reference, is_image in goals:
            try:
                places = registries.places(reference)
            except ImageError as error:
                done.append(_failure(shown_name, reference.host, "registry", error, 0.0))
                continue
            for at, one in enumerate(places):
                role = "registry" if at == len(places) - 1 else "mirror"
                if role == "registry" and shown_name.startswith("*."):
                    continue  # no host has that name
                yield Step(Phase.NOTE, text=f"Asking {one.host}")
                try:
                    done.append(_tried(shown_name, one, role, reference if is_image else None))
                except KeyboardInterrupt:
                    raise Interrupted from None
        return done

    @contextmanager
    def _editing(self) -> Iterator[Path]:
        """The path of our file, which nobody else edits meanwhile."""
        if self._settings.user_config is None:
            raise Misuse("there is no folder for a user's settings")
        path = self._settings.user_config / "containers" / "registries.conf.d" / DROP_IN
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with exclusive(path.with_name(f".{DROP_IN}.lock")):
                if path in conf_files(self._settings):
                    parse_conf(_held(path), shown(path, self._settings))
                yield path
        except OSError as error:
            raise StoreError(f"{shown(path, self._settings)} cannot be written: {error.strerror}") from None


def _prefix(text: str) -> str:
    prefix = place(text, wildcard=True)
    if not _is_registry(prefix):
        name = Reference.parse(prefix, default_tag="").name
        raise Misuse(f"{text!r} is no registry", hint=f"write it with its host: {name}, or {DOCKER_HUB} for all of it")
    return prefix


def _is_registry(text: str) -> bool:
    """Whether a word names a registry or namespace and not an image: ``docker.io`` does, ``nginx:1.27`` does not."""
    host, slash, rest = text.partition("/")
    name = _PORT.sub("", host)
    literal = name.startswith("[")
    is_host = name == "localhost" or "." in name or literal or (name != host and bool(slash))
    return is_host and (literal or ":" not in name) and not set(rest) & {":", "@"}


def _example(prefix: str) -> Reference:
    """A name below a prefix, to find out where it would be read."""
    return Reference.parse(f"{prefix.replace('*.', 'any.')}/example", default_tag="")


def _tried(name: str, place_: Repository, role: str, reference: Reference | None) -> EndpointRecord:
    began = time.monotonic()
    try:
        status = "login" if place_.ping() == _WANTS_LOGIN else "ok"
        if reference is not None:
            place_.find(place_.named(reference))
            status = "ok"
    except ImageError as error:
        return _failure(name, place_.host, role, error, time.monotonic() - began)
    return EndpointRecord(
        registry=name, endpoint=place_.host, role=role, status=status, milliseconds=_ms(time.monotonic() - began)
    )


def _failure(name: str, host: str, role: str, error: ImageError, took: float) -> EndpointRecord:
    status = "missing" if isinstance(error, NotFound) else "failed"
    return EndpointRecord(
        registry=name, endpoint=host, role=role, status=status, milliseconds=_ms(took), error=error.message
    )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _held(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8")
    return ""


def _write(path: Path, text: str) -> None:
    """Replace our file whole, so that who reads it sees the old or the new one; no text at all removes it."""
    if not text:
        path.unlink(missing_ok=True)
        return
    fd, name = tempfile.mkstemp(dir=path.parent, prefix=f".{DROP_IN}.")
    try:
        with open(fd, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
            file.write(text)
            file.flush()
            os.fsync(fd)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
