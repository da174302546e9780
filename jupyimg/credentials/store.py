"""CredentialStore: finds, keeps and forgets logins, wherever Docker and Podman keep them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyimg.credentials.entries import denotes, found_key, goes_with, login_key, read_entry, write_entry
from jupyimg.credentials.files import change, parse, read, shown
from jupyimg.credentials.programs import Helper
from jupyimg.errors import CredentialError
from jupyimg.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyimg.model.settings import Settings
    from jupyimg.registry import Credentials

VARIABLE = "DOCKER_AUTH_CONFIG"


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a login went.

    Attributes:
        where: the helper or the file, to be shown.
        encrypted: False for a file, which holds it as it is.
        shadowed_by: what answers for the host before it, so that the login is not used; "" where nothing does.
    """

    where: str
    encrypted: bool
    shadowed_by: str


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a logout did.

    Attributes:
        removed: whether there was anything to forget.
        left: what still answers for the host, or "".
        troubles: helpers that failed, each a sentence.
    """

    removed: bool
    left: str
    troubles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """One document of logins: its name, its content, and its file unless it came from the environment."""

    name: str
    document: dict[str, Any]
    path: Path | None

    @property
    def auths(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document.get("auths") or {}
        return found


class CredentialStore:
    """Logins, read anew at each call, so that what another program changes counts at once.

    Args:
        settings: the files, the environment's own logins, and how long a helper may take.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def find(self, where: Reference | str) -> Credentials | None:
        """Who we are to a repository, or to a whole host; None where nothing is kept.

        Raises:
            CredentialError: what should know it cannot be used.
        """
        return self._look(where)[0]

    def source_of(self, where: Reference | str) -> str:
        """What answers for a repository or a host, to be shown: a file, a helper, a variable; "" where nothing does.

        A helper is asked for it, and one that fails is named together with its failure; nothing is raised.
        """
        try:
            return self._look(where)[1]
        except CredentialError as error:
            return error.message

    def hosts(self) -> tuple[str, ...]:
        """The keys that something is kept under, as they are written; what only a helper knows is not among them.

        Raises:
            CredentialError: a file cannot be used.
        """
        keys = [
            key for source in self._sources() for key in (*source.auths, *(source.document.get("credHelpers") or {}))
        ]
        return tuple(dict.fromkeys(keys))

    def store(self, host: str, credentials: Credentials) -> Kept:
        """Keep a login where the user's configuration says: with the helper that is set for the host, else in the file.

        Raises:
            CredentialError: it could not be kept.
        """
        path = self._settings.docker_config
        if path is None:
            raise CredentialError("there is no file to keep logins in", hint="set DOCKER_CONFIG to a folder")
        source = _Source(shown(path), read(path), path)
        key, helper = login_key(host), self._helper(source, host)
        entry = write_entry(credentials)
        if helper is not None:
            helper.store(key, credentials)
            entry = {}  # which tells others that the helper knows more

        def edit(document: dict[str, Any]) -> None:
            auths = document.get("auths") or {}
            # other spellings of the host would be found by other tools, and be out of date
            document["auths"] = {old: auths[old] for old in auths if not denotes(old, host)} | {key: entry}

        change(path, edit)
        shadow = VARIABLE if found_key(self._from_environment().auths, host) else ""
        return Kept(helper.program if helper else shown(path), helper is not None, shadow)

    def erase(self, host: str) -> Forgotten:
        """Forget what is kept for a host, in every place that `find` looks at and that can be written.

        Raises:
            CredentialError: a file could not be read or written.
        """
        removed, troubles = False, []
        for source in self._sources():
            if source.path is None:
                continue
            helper = self._helper(source, host)
            try:
                removed = (helper is not None and _erased(helper, host)) or removed
            except CredentialError as error:
                troubles.append(error.message)
            if any(goes_with(key, host) for key in source.auths):
                change(source.path, lambda document: _without(document, host))
                removed = True
        return Forgotten(removed, "" if troubles else self.source_of(host), tuple(troubles))

    def _look(self, where: Reference | str) -> tuple[Credentials | None, str]:
        host, path = (where.host, where.path) if isinstance(where, Reference) else (where, "")
        for source in self._sources():
            found = self._in(source, host, path)
            if found is not None:
                return found
        return None, ""

    def _in(self, source: _Source, host: str, path: str) -> tuple[Credentials, str] | None:
        key = found_key(source.auths, host, path)
        entry = read_entry(source.auths[key], f"{key} in {source.name}") if key is not None else None
        if entry is not None and key is not None and not denotes(key, host):
            return entry, source.name  # for this very path, which no helper knows of
        helper = self._helper(source, host)
        if helper is not None:
            for server in dict.fromkeys((login_key(host), host)):
                kept = helper.get(server)
                if kept is not None:
                    return kept, f"{helper.program} ({helper.where})"
        return (entry, source.name) if entry is not None else None

    def _sources(self) -> Iterator[_Source]:
        """Where to look, in order; what comes later is not even read where something earlier answers."""
        yield self._from_environment()
        first = self._settings.docker_config
        for path in (*([first] if first else []), *self._settings.auth_files):
            yield _Source(shown(path), read(path), path)

    def _from_environment(self) -> _Source:
        document = parse(self._settings.docker_auth_config, VARIABLE)
        return _Source(VARIABLE, {"auths": document.get("auths")}, None)

    def _helper(self, source: _Source, host: str) -> Helper | None:
        chosen = source.document.get("credHelpers") or {}
        key = found_key(chosen, host)
        name, where = (chosen[key], "credHelpers") if key else (source.document.get("credsStore"), "credsStore")
        return Helper(str(name), f"{where} in {source.name}", self._settings.helper_timeout) if name else None


def _erased(helper: Helper, host: str) -> bool:
    """Erase all that a helper keeps for a host; whether that was anything."""
    try:
        known = [server for server in helper.servers() if goes_with(server, host)]
    except CredentialError:  # an old one cannot list
        known = [login_key(host)] if helper.get(login_key(host)) else []
    for server in known:
        helper.erase(server)
    return bool(known)


def _without(document: dict[str, Any], host: str) -> None:
    auths = document.get("auths") or {}
    document["auths"] = {key: auths[key] for key in auths if not goes_with(key, host)}
