"""Ends of a copy: what ends one operation is no business of another that reads the same place."""

from __future__ import annotations

import pytest

from jupyimg.engines.ends import Pinned
from jupyimg.errors import StoreError
from jupyimg.model.content import CHUNK
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor
from jupyimg.store import Store


def test_interrupting_one_reader_of_a_store_leaves_the_others(tmp_path):
    store = Store(tmp_path / "store")
    data = bytes(3 * CHUNK)
    blob = Descriptor(media_type=OCI_LAYER, digest=Digest.of(data), size=len(data))
    with store.writer() as sink:
        sink.write(blob, lambda offset: iter([data[offset:]]))
        one, two = Pinned(store, blob), Pinned(store, blob)
        stopped, going = one.read(blob), two.read(blob)
        assert len(next(stopped)) == len(next(going)) == CHUNK
        one.interrupt()
        with pytest.raises(StoreError, match="interrupted"):
            next(stopped)
        assert sum(map(len, going)) == 2 * CHUNK
        assert sum(map(len, one.read(blob))) == len(data), "it is usable afterwards"
