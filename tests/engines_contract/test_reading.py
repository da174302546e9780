"""What is here, asked of every engine: list, filters, details, history."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from jupyimg.engines import ImageFilter
from jupyimg.errors import ImageNotFound
from tests.engines_contract.contract import COARSE, UNKNOWN

if TYPE_CHECKING:
    from jupyimg.engines import Engine
    from tests.services.registry import Registry

HELD = {
    "sample/base:1.0": "amd64",
    "sample/web:1.0": "amd64",
    "sample/web:1.1": "amd64",
    "sample/web:latest": "amd64",
    "sample/hello:latest": "arm64",
}


def truth(shelf: Registry, name: str, architecture: str) -> dict:
    """What the registry's own bytes say of an image, without any code of ours."""
    repository, tag = name.split(":")
    raw = shelf.manifest(repository, tag).body
    index = "sha256:" + hashlib.sha256(raw).hexdigest()
    listed = json.loads(raw)
    if "manifests" in listed:
        wanted = next(m for m in listed["manifests"] if m["platform"]["architecture"] == architecture)
        raw = shelf.manifest(repository, wanted["digest"]).body
        listed = json.loads(raw)
    config = shelf.request("GET", f"/v2/{repository}/blobs/{listed['config']['digest']}").json()
    return {
        "digest": index,
        "manifest_digest": "sha256:" + hashlib.sha256(raw).hexdigest(),
        "image_id": listed["config"]["digest"],
        "created": datetime.fromisoformat(config["created"]).astimezone(UTC),
        "labels": config["config"].get("Labels") or {},
        "size": listed["config"]["size"] + sum({one["digest"]: one["size"] for one in listed["layers"]}.values()),
        "platform": f"linux/{architecture}",
        "config": config,
    }


def names(shelf: Registry, found: list) -> set[str]:
    return {record.reference.removeprefix(f"{shelf.host}/") for record in found}


def test_a_row_says_of_an_image_what_the_registry_says(held: Engine, shelf: Registry):
    rows = {record.reference: record for record in held.images()}
    assert set(rows) == {shelf.reference(name) for name in HELD}
    for name, architecture in HELD.items():
        row, expected = rows[shelf.reference(name)], truth(shelf, name, architecture)
        unknown = UNKNOWN[held.name]
        for field in ("image_id", "digest", "manifest_digest", "size", "platform", "labels", "created"):
            value = getattr(row, field)
            assert value == (None if field in unknown else expected[field]), (name, field)
        assert f"{row.repository}:{row.tag}" == row.reference


def test_what_an_engine_cannot_know_is_empty_and_nothing_else_is(held: Engine):
    for row in held.images():
        empty = {field for field in row.__slots__ if getattr(row, field) is None}
        assert empty - {"unpacked"} == set(UNKNOWN[held.name]), row.reference


def test_the_newest_image_comes_first(held: Engine):
    created = [record.created for record in held.images()]
    assert created == sorted(created, reverse=True)


def test_filters_select_the_same_everywhere(held: Engine, shelf: Registry):
    host = shelf.host
    moment = next(record.created for record in held.images() if record.reference.endswith("web:1.1"))
    cases = {
        ImageFilter(references=(f"{host}/sample/web",)): {"sample/web:1.0", "sample/web:1.1", "sample/web:latest"},
        ImageFilter(references=(f"{host}/*/web:1*",)): {"sample/web:1.0", "sample/web:1.1"},
        ImageFilter(references=("*",)): set(),
        ImageFilter(labels=("version=1.0",), references=(f"{host}/sample/web",)): {"sample/web:1.0"},
        ImageFilter(labels=("nothing",)): set(),
        ImageFilter(before=(f"{host}/sample/web:1.1",), references=(f"{host}/sample/web",)): {"sample/web:1.0"},
        ImageFilter(since=(f"{host}/sample/web:1.1",)): {"sample/hello:latest"},
        ImageFilter(until=moment, references=(f"{host}/sample/web",)): {"sample/web:1.0"},
        ImageFilter(until=moment + timedelta(seconds=1), references=(f"{host}/sample/web:*1",)): {"sample/web:1.1"},
        ImageFilter(dangling=True): set(),
        ImageFilter(dangling=False): set(HELD),
    }
    for filters, expected in cases.items():
        assert names(shelf, held.images(filters)) == expected, filters
    with pytest.raises(ImageNotFound):
        held.images(ImageFilter(before=("nothing:here",)))


def test_inspect_finds_an_image_by_name_by_id_and_by_digest(held: Engine, shelf: Registry):
    expected = truth(shelf, "sample/web:1.1", "amd64")
    image_id = expected["image_id"]
    by_digest = shelf.reference(f"sample/web@{expected['digest']}")
    for word in (shelf.reference("sample/web:1.1"), image_id, image_id[7:], image_id[7:19], by_digest):
        found = held.inspect(word)
        assert found.image_id == image_id, word
        assert found.digest == expected["digest"], word
        assert str(found.platform) == "linux/amd64"
        assert found.manifest_digest == (
            None if "manifest_digest" in UNKNOWN[held.name] else expected["manifest_digest"]
        )


def test_inspect_has_the_keys_of_docker(held: Engine, shelf: Registry):
    config = truth(shelf, "sample/web:1.0", "amd64")["config"]
    shown = held.inspect(shelf.reference("sample/web:1.0")).document
    for key in ("Env", "Cmd", "Labels", "ExposedPorts", "WorkingDir"):
        if config["config"].get(key):
            assert shown["Config"][key] == config["config"][key], key
    assert shown["RootFS"]["Layers"] == config["rootfs"]["diff_ids"]
    assert shown["Id"] == truth(shelf, "sample/web:1.0", "amd64")["image_id"]
    assert shelf.reference("sample/web:1.0") in shown["RepoTags"]
    assert (shown["Os"], shown["Architecture"]) == ("linux", "amd64")


@pytest.mark.parametrize("word", ["nothing:here", "nothing", "deadbeef", "../x", "a b", ""])
def test_what_is_not_here_is_one_sentence_everywhere(held: Engine, word: str):
    for ask in (held.inspect, held.history):
        with pytest.raises(ImageNotFound) as caught:
            ask(word)
        assert word in caught.value.message
        assert "%image" in caught.value.hint


def test_another_platform_than_the_one_that_is_held_is_not_found(held: Engine, shelf: Registry):
    name = shelf.reference("sample/hello:latest")
    assert str(held.inspect(name, platform="linux/arm64").platform) == "linux/arm64"
    for ask in (held.inspect, held.history):
        with pytest.raises(ImageNotFound) as caught:
            ask(name, platform="linux/amd64")
        assert "linux/arm64" in caught.value.message
        assert "--platform linux/amd64" in caught.value.hint


def test_history_is_that_of_the_config_newest_first(held: Engine, shelf: Registry):
    expected = truth(shelf, "sample/web:1.1", "amd64")
    steps = expected["config"]["history"][::-1]
    found = held.history(shelf.reference("sample/web:1.1"))
    assert [row.created_by for row in found] == [step["created_by"] for step in steps]
    assert [row.empty for row in found] == [step.get("empty_layer", False) for step in steps]
    assert found[0].image_id == expected["image_id"]
    here = {record.image_id for record in held.images()}  # a step may be an image of its own, where one was built here
    assert {row.image_id for row in found[1:]} <= {None, *here}
    assert [row.diff_id for row in found if not row.empty] == expected["config"]["rootfs"]["diff_ids"][::-1]
    created = [datetime.fromisoformat(step["created"]).astimezone(UTC) for step in steps]
    assert [row.created for row in found] == created


def test_sizes_are_bytes_of_files(held: Engine, shelf: Registry):
    docker = {"sample/web:1.0": 65621, "sample/web:1.1": 65629}  # docker images, of the very same images
    for name, files in docker.items():
        steps = held.history(shelf.reference(name))
        total = sum(row.size or 0 for row in steps)
        assert files <= total <= files * COARSE[held.name], name
        row = next(record for record in held.images() if record.reference == shelf.reference(name))
        assert row.unpacked is None or files <= row.unpacked <= files * COARSE[held.name], name


def test_names_are_those_of_the_list(held: Engine, shelf: Registry):
    found = held.names()
    assert {shelf.reference(name) for name in HELD} <= set(found)
    assert {record.image_id.short for record in held.images()} <= set(found)
