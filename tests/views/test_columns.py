"""The columns are a promise: names, order and dtypes of every kind, written out here a second time."""

from __future__ import annotations

import pytest

from jupyimg.views.columns import FRAMES, columns_of, names_of

IMAGES = {
    "repository": "str",
    "tag": "str",
    "image_id": "str",
    "created": "datetime64[ns, UTC]",
    "size": "Int64",
    "unpacked": "Int64",
    "platform": "str",
    "digest": "str",
    "manifest_digest": "str",
    "reference": "str",
    "containers": "Int64",
    "labels": "object",
}
TRANSFERS = {
    "reference": "str",
    "digest": "str",
    "image_id": "str",
    "status": "category",
    "size": "Int64",
    "transferred": "Int64",
    "seconds": "float64",
}
REMOVALS = {"action": "category", "reference": "str", "digest": "str", "freed": "Int64"}
PROMISED = {
    "images": IMAGES,
    "history": {
        "image_id": "str",
        "created": "datetime64[ns, UTC]",
        "created_by": "str",
        "size": "Int64",
        "compressed": "Int64",
        "comment": "str",
        "empty": "boolean",
        "layer_digest": "str",
        "diff_id": "str",
    },
    "search": {
        "name": "str",
        "description": "str",
        "stars": "Int64",
        "official": "boolean",
        "pulls": "Int64",
        "source": "str",
    },
    "tags": {
        "repository": "str",
        "tag": "str",
        "digest": "str",
        "platform": "str",
        "size": "Int64",
        "created": "datetime64[ns, UTC]",
        "updated": "datetime64[ns, UTC]",
    },
    **dict.fromkeys(("pull", "push", "load", "tag", "save", "copy", "send", "pin", "unpin"), TRANSFERS),
    **dict.fromkeys(("rmi", "prune", "prune --dry-run"), REMOVALS),
    "df": {"type": "category", **dict.fromkeys(("total", "active", "size", "reclaimable", "reported"), "Int64")},
    "catalog": {"repository": "str"},
    "info": {"field": "str", "value": "str", "number": "Int64"},
    "df -v": {**IMAGES, "shared": "Int64", "unique": "Int64"},
    "ps": {
        "container_id": "str",
        "name": "str",
        "image": "str",
        "state": "category",
        "created": "datetime64[ns, UTC]",
        "ports": "str",
        "status": "str",
        "command": "str",
        "exit_code": "Int64",
    },
    "logs": {"time": "datetime64[ns, UTC]", "stream": "category", "line": "str"},
    "engine": {
        "engine": "str",
        "current": "boolean",
        "reachable": "boolean",
        "version": "str",
        "api_version": "str",
        "address": "str",
    },
    "mirror": {"registry": "str", "mirror": "str", "insecure": "boolean", "pull": "category", "file": "str"},
    "mirror test": {
        "registry": "str",
        "endpoint": "str",
        "role": "category",
        "status": "category",
        "milliseconds": "float64",
        "error": "str",
    },
    "compare": {
        "digest": "str",
        "size": "Int64",
        "unpacked": "Int64",
        "in_a": "boolean",
        "in_b": "boolean",
        "status": "category",
        "created_by": "str",
    },
    "differences": {"field": "str", "key": "str", "a": "str", "b": "str", "status": "category"},
    "layers": {
        "reference": "str",
        "platform": "str",
        "created_by": "str",
        "size": "Int64",
        "compressed": "Int64",
        "layer_digest": "str",
        "diff_id": "str",
    },
    "jobs": {
        "job": "Int64",
        "command": "str",
        "state": "category",
        "bytes": "Int64",
        "total": "Int64",
        "rate": "float64",
        "seconds": "float64",
        "error": "str",
    },
}


def test_every_kind_is_promised_and_no_other() -> None:
    assert FRAMES.keys() == PROMISED.keys()


@pytest.mark.parametrize("kind", PROMISED)
def test_the_columns_of_a_kind_are_those_promised_in_order(kind: str) -> None:
    assert [(column.name, column.dtype) for column in FRAMES[kind]] == list(PROMISED[kind].items())
    assert names_of(kind) == tuple(PROMISED[kind])


@pytest.mark.parametrize("kind", PROMISED)
def test_every_column_says_what_it_means(kind: str) -> None:
    assert all(column.says for column in FRAMES[kind])


def test_quiet_leaves_the_id_alone() -> None:
    assert [column.name for column in columns_of("images", quiet=True)] == ["image_id"]
    assert [column.name for column in columns_of("history", quiet=True)] == ["image_id"]
    assert columns_of("rmi", quiet=True) == columns_of("rmi")
