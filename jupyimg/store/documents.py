"""Documents: the small JSON blobs of a store (manifests, indexes, configs), read once and proven then."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, TypeVar, cast

from jupyimg.errors import BadManifest, ContentError, DigestMismatch, Unsupported
from jupyimg.model.config import ImageConfig, read_config
from jupyimg.model.digest import Digest
from jupyimg.model.documents import MANIFEST_LIMIT, Index, Manifest, read_manifest
from jupyimg.store.layout import Layout, disk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

_KEPT_BYTES = 32 << 20
_AGAIN = "pull the image again"


class Documents:
    """Manifests and configs by digest, kept in memory up to 32 MiB of JSON. Safe to use from several threads.

    What a digest stands for never changes, so nothing here is ever stale.

    Attributes:
        layout: where they are read from.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._kept: dict[tuple[Digest, str], tuple[object, int]] = {}  # oldest first
        self._bytes = 0
        self._guard = threading.Lock()

    def raw(self, digest: Digest) -> bytes:
        """The bytes of a document, whose digest is proven.

        Raises:
            ContentError: it is missing, damaged on this disk, or too large for a document.
        """
        with disk(f"read {digest.short}"):
            try:
                raw = _read(self.layout.blob(digest))
            except FileNotFoundError:
                raise ContentError(f"{digest.short} is missing from the store", hint=_AGAIN) from None
        if raw is None:
            raise BadManifest(f"{digest.short} is larger than a manifest or config may be ({MANIFEST_LIMIT} bytes)")
        if Digest.of(raw, digest.algorithm) != digest:
            raise DigestMismatch(f"{digest.short} is damaged on this disk", hint=_AGAIN)
        return raw

    def manifest(self, digest: Digest) -> Manifest | Index:
        """A manifest or an index.

        Raises:
            ContentError: see `raw`; BadManifest where it is something else.
        """
        return self._remembered((digest, "manifest"), lambda raw: read_manifest(raw, digest=digest))

    def config(self, digest: Digest) -> ImageConfig:
        """The config of an image.

        Raises:
            ContentError: see `raw`; BadManifest where it is something else.
        """
        return self._remembered((digest, "config"), read_config)

    def sniff(self, digest: Digest) -> Manifest | Index | None:
        """A manifest or index where the blob is one, else None; for blobs that nobody says the type of."""
        size = self.layout.size(digest)
        if size is None or size > MANIFEST_LIMIT:
            return None
        with disk(f"read {digest.short}"):
            try:
                with self.layout.blob(digest).open("rb") as file:
                    begins = file.read(64).lstrip()
            except FileNotFoundError:  # deleted since
                return None
        if not begins.startswith(b"{"):
            return None
        try:
            return self.manifest(digest)
        except (ContentError, Unsupported):
            return None

    def forget(self, digest: Digest) -> None:
        """Let go of a document that is no longer here."""
        with self._guard:
            for kind in ("manifest", "config"):
                self._bytes -= self._kept.pop((digest, kind), (None, 0))[1]

    def _remembered(self, key: tuple[Digest, str], parse: Callable[[bytes], T]) -> T:
        found = self._kept.get(key)
        if found is not None:
            return cast("T", found[0])
        raw = self.raw(key[0])
        value = parse(raw)
        with self._guard:
            self._bytes += len(raw) - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = (value, len(raw))
            while self._bytes > _KEPT_BYTES:
                self._bytes -= self._kept.pop(next(iter(self._kept)))[1]
        return value


def _read(path: Path) -> bytes | None:
    """All of a small file, or None where it is larger than a document may be."""
    with path.open("rb", buffering=0) as file:
        return file.read() if os.fstat(file.fileno()).st_size <= MANIFEST_LIMIT else None
