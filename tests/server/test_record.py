"""The record shows every moment whole, whatever others do between two looks at the disk."""

from __future__ import annotations

import json

import pytest

from jupyimg.model.digest import Digest
from jupyimg.model.reference import Reference
from jupyimg.server.record import Record
from jupyimg.store import Store

APP = Reference.parse("lab/app", default_tag="")


@pytest.mark.parametrize("move", ["tag to record", "record to tag"])
@pytest.mark.parametrize("look", [1, 2], ids=["before the names are read", "after the names were read"])
def test_what_moves_between_a_name_and_the_record_is_never_in_neither(client, root, monkeypatch, move, look):
    digest, raw = client.push_image("lab/app", "1")
    if move == "record to tag":
        assert client("DELETE", "/v2/lab/app/manifests/1").status == 202
    store = Store(root)
    read, looks = store.pins_of, []

    def pins_of(owner: str) -> dict[Digest, float]:
        looks.append(owner)
        pins = read(owner)
        if len(looks) == look:
            if move == "tag to record":
                assert client("DELETE", "/v2/lab/app/manifests/1").status == 202
            else:
                assert client.put("lab/app", "1", raw).status == 201
        return pins if look == 1 else read(owner)

    monkeypatch.setattr(store, "pins_of", pins_of)
    view = Record(store).view(APP)
    assert len(looks) > look
    assert view is not None
    assert digest in view.reached.manifests
    assert list(view.tags) == ([] if move == "tag to record" else ["1"])


@pytest.mark.parametrize("before", ["missing", "damaged"])
def test_a_manifest_that_was_brought_again_is_seen_at_once(client, store, before):
    digest, raw = client.push_image("lab/app", "1")
    layer = json.loads(raw)["layers"][0]["digest"]
    path = store.blob_path(Digest(digest))
    path.write_bytes(b"") if before == "damaged" else path.unlink()
    fresh = Record(Store(store.root))
    assert not fresh.view(APP).has_blob(layer)
    path.write_bytes(raw)
    assert fresh.view(APP).has_blob(layer), "what is listed and pinned has not changed"
    assert fresh.view(APP) is fresh.view(APP)


def test_what_has_not_changed_is_not_looked_at_again(client, store, monkeypatch):
    client.push_image("lab/app", "1")
    record = Record(store)
    first = record.view(APP)
    monkeypatch.setattr(store, "manifest", lambda digest: 1 / 0)
    client.push_image("lab/other", "1")
    assert record.view(APP) is first, "a push elsewhere changes nothing here"
