"""Lookaside: GPG signatures that lie beside a registry, in a folder or on a web server, as registries.d says.

The signatures of a manifest are ``BASE/NAMESPACE/NAME@sha256=HEX/signature-1`` and so on, without the registry's host
(docs/signature-protocols.md of containers/image); the first number that is missing ends the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyimg.errors import BadPolicy
from jupyimg.trust.evidence import SIGNATURE_LIMIT, Unacceptable
from jupyimg.trust.identity import scopes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyimg.model.reference import Reference
    from jupyimg.trust.evidence import Subject

FILE_LIMIT = 1 << 20
"""The most bytes of one file of registries.d."""
_DEPTH = 4
_KEYS = {"lookaside", "lookaside-staging", "sigstore", "sigstore-staging", "use-sigstore-attachments"}


@dataclass(frozen=True, slots=True)
class Lookaside:
    """What registries.d says.

    Attributes:
        default: the URL for names that nothing else covers, or "".
        scopes: the URL for each scope; "" passes the question on to the next one.
    """

    default: str
    scopes: dict[str, str]

    def base(self, reference: Reference) -> str:
        """The URL below which a name's signatures lie, or ""."""
        found = (self.scopes.get(scope, "") for scope in scopes(reference))
        return next((url for url in found if url), self.default)


def read_lookaside(folder: Path | None, default: Path | None) -> Lookaside:
    """Read the files of registries.d; they are one document, in which nothing stands twice.

    Args:
        folder: the folder, or None.
        default: the folder of signatures where they name no place, or None.

    Raises:
        BadPolicy: a file is not usable.
    """
    common, found = "", dict[str, str]()
    for path in sorted(folder.glob("*.yaml")) if folder is not None else []:
        document = _read(path)
        for key in document:
            if key not in {"default-docker", "docker"}:
                raise BadPolicy(f"{path} is not usable: unknown key {key!r}")
        if "default-docker" in document:
            if common:
                raise BadPolicy(f"{path} is not usable: default-docker stands in two files")
            common = _url(document["default-docker"], path)
        for scope, section in _mapping(document.get("docker", {}), path).items():
            if scope in found:
                raise BadPolicy(f"{path} is not usable: {scope!r} stands in two files")
            found[scope] = _url(section, path)
    return Lookaside(common or (default.as_uri() if default is not None else ""), found)


def signatures(subject: Subject, lookaside: Lookaside) -> Iterator[bytes]:
    """The signatures of one manifest, as they are asked for, without end where there is none.

    Raises:
        Unacceptable: one is too large, or cannot be read.
        BadPolicy: the URL is not one.
        RegistryError: the web server said no, or nothing.
    """
    base = lookaside.base(subject.wanted)
    if not base:
        return
    digest, number = subject.digest, 0
    while True:
        number += 1
        url = f"{base}/{subject.wanted.path}@{digest.algorithm}={digest.encoded}/signature-{number}"
        raw = _file(url) if urlsplit(url).scheme == "file" else subject.place.beside(url, SIGNATURE_LIMIT)
        if raw is None:
            return
        yield raw


def _file(url: str) -> bytes | None:
    from urllib.request import url2pathname  # it brings much that a look at images needs not

    path = Path(url2pathname(urlsplit(url).path))
    try:
        if path.exists() and not path.is_file():
            raise Unacceptable(f"{path} is no file")
        with path.open("rb") as file:
            raw = file.read(SIGNATURE_LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Unacceptable(f"{path} cannot be read: {error.strerror}") from None
    if len(raw) > SIGNATURE_LIMIT:
        raise Unacceptable(f"{path} has more than {SIGNATURE_LIMIT} bytes")
    return raw


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        with path.open("rb") as file:
            raw = file.read(FILE_LIMIT + 1)
        if len(raw) > FILE_LIMIT:
            raise BadPolicy(f"{path} is not usable: it has more than {FILE_LIMIT} bytes")
        node = yaml.compose(raw, Loader=yaml.SafeLoader)
    except OSError as error:
        raise BadPolicy(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, RecursionError):
        raise BadPolicy(f"{path} is not usable: it is not YAML") from None
    return _mapping(_plain(node, path, 0) if node is not None else {}, path)


def _plain(node: Any, path: Path, depth: int) -> Any:
    """A tree of mappings and texts, in which no key stands twice; YAML's own types play no part here."""
    import yaml

    if isinstance(node, yaml.ScalarNode):
        return "" if node.tag == "tag:yaml.org,2002:null" else node.value
    if not isinstance(node, yaml.MappingNode) or depth > _DEPTH:
        raise BadPolicy(f"{path} is not usable: only mappings and texts are expected")
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value in found:
            raise BadPolicy(f"{path} is not usable: a key is no text, or stands twice")
        found[key.value] = _plain(value, path, depth + 1)
    return found


def _mapping(value: Any, path: Path) -> dict[str, Any]:
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise BadPolicy(f"{path} is not usable: a mapping is expected")
    return value


def _url(value: Any, path: Path) -> str:
    """Where a section says that signatures are read from; the older key counts where the newer one is missing."""
    section = _mapping(value, path)
    for key, text in section.items():
        if key not in _KEYS or not isinstance(text, str):
            raise BadPolicy(
                f"{path} is not usable: unknown key {key!r}" if key not in _KEYS else f"{path} is not usable"
            )
    url: str = section.get("lookaside") or section.get("sigstore") or ""
    if url and urlsplit(url).scheme not in {"file", "https", "http"}:
        raise BadPolicy(f"{path} is not usable: {url!r} is neither file:// nor https://")
    if url.startswith("file:") and urlsplit(url).netloc not in {"", "localhost"}:
        raise BadPolicy(f"{path} is not usable: {url!r} names another machine", hint="write file:///FOLDER")
    return url.rstrip("/")
