"""Readers: what clients are fetching, so that pruning does not take an image from under those who pull it.

A manifest that was sent counts as in use for half an hour at least and an hour at most: a lease takes in digests for
half an hour and ends after a whole one. Only pruning heeds these leases: who removes an image by its name means it.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from jupyimg.errors import StoreError

if TYPE_CHECKING:
    from jupyimg.model.digest import Digest
    from jupyimg.store import Lease, Store

TURN_SECONDS = 1800.0


class Readers:
    """The leases of one server. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._leases: list[tuple[float, Lease]] = []  # oldest first

    def note(self, digest: Digest) -> None:
        """Remember that a manifest is being sent; a store that cannot be written is served all the same."""
        now = time.monotonic()
        with self._guard, suppress(StoreError):
            if not self._leases or self._leases[-1][0] <= now - TURN_SECONDS:
                self._leases.append((now, self._store.reading()))
            self._leases[-1][1].add(digest)

    def sweep(self) -> None:
        """Let go of what was sent long ago."""
        self._drop(time.monotonic() - 2 * TURN_SECONDS)

    def close(self) -> None:
        """Let go of everything."""
        self._drop(time.monotonic())

    def _drop(self, until: float) -> None:
        with self._guard:
            gone = [lease for began, lease in self._leases if began <= until]
            self._leases = [item for item in self._leases if item[0] > until]
        for lease in gone:
            with suppress(StoreError):
                lease.close()
