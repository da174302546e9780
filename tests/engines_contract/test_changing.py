"""Pull, push, tag, remove, prune, save and load: the same on every engine."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from jupyimg.engines import ImageFilter
from jupyimg.errors import (
    BadPlatform,
    BadReference,
    Conflict,
    ContentError,
    Denied,
    ImageNotFound,
    Misuse,
    NotFound,
    PlatformNotFound,
    RemoteNotFound,
    Unreachable,
    Unsupported,
)
from jupyimg.model.content import Phase
from jupyimg.model.records import Status
from tests.engines_contract.contract import (
    BY_DIGEST_IS_DANGLING,
    DIGEST_IS_A_NAME,
    LISTS_DANGLING,
    ONE_PLATFORM,
    QUIET_DIGESTS,
)

if TYPE_CHECKING:
    from pathlib import Path

    from jupyimg.engines import Engine
    from jupyimg.model.content import Step
    from jupyimg.model.records import TransferRecord
    from tests.services.images import RealImage
    from tests.services.registry import Registry


def followed(steps) -> tuple[list[Step], list[TransferRecord]]:
    """All steps, and what came of them."""
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as stop:
            return seen, stop.value


def tags(engine: Engine) -> set[str]:
    return {record.reference.partition("/")[2] for record in engine.images() if record.tag}


def test_a_pull_tells_of_its_layers_and_ends_in_one_record(engine: Engine, shelf: Registry):
    name = shelf.reference("sample/web:1.0")
    steps, (record,) = followed(engine.pulling(name))
    assert record.reference == name
    assert record.digest == shelf.digest("sample/web", "1.0")
    assert record.status is Status.DOWNLOADED
    assert record.image_id == engine.inspect(name).image_id
    last = {step.item: step for step in steps if step.item and step.text == "layer"}
    assert len(last) >= 4
    assert {step.phase for step in last.values()} == {Phase.DONE}
    notes = [step.text for step in steps if step.phase is Phase.NOTE]
    assert notes[-2:] == [f"Digest: {record.digest}", f"Status: Downloaded newer image for {name}"]
    assert notes[0] == "1.0: Pulling from sample/web"
    _, (again,) = followed(engine.pulling(name))
    assert (again.status, again.transferred) == (Status.UP_TO_DATE, 0)
    bare = engine.pulling(shelf.reference("sample/web"))
    assert next(bare).text == "Using default tag: latest"
    bare.close()


def test_all_tags_of_a_repository_are_pulled_and_pushed(engine: Engine, shelf: Registry, registry: Registry):
    pulled = engine.pull(shelf.reference("sample/web"), all_tags=True)
    assert {record.reference.rpartition(":")[2] for record in pulled} == {"1.0", "1.1", "latest"}
    for record in pulled:
        tag = record.reference.rpartition(":")[2]
        assert record.digest == shelf.digest("sample/web", tag)
        engine.tag(record.reference, registry.reference(f"copy/web:{tag}"))
    saved = engine.save([shelf.reference("sample/web")], io.BytesIO())  # a repository alone means all its tags too
    assert {record.reference for record in saved} == {record.reference for record in pulled}
    pushed = engine.push(registry.reference("copy/web"), all_tags=True)
    assert registry.tags("copy/web") == ["1.0", "1.1", "latest"]
    assert {record.digest for record in pushed} == {
        registry.digest("copy/web", tag) for tag in ("1.0", "1.1", "latest")
    }
    for asked in (engine.pulling, engine.pushing):
        with pytest.raises(Misuse):
            followed(asked(shelf.reference("sample/web:1.0"), all_tags=True))


def test_a_platform_is_pulled_when_it_is_asked_for(engine: Engine, shelf: Registry):
    name = shelf.reference("sample/hello:latest")
    engine.pull(name, platform="linux/arm64")
    assert str(engine.inspect(name).platform) == "linux/arm64"
    if engine.name in ONE_PLATFORM:
        with pytest.raises(Unsupported) as caught:
            engine.pull(name, platform="all")
        assert "%image engine embedded" in caught.value.hint
    else:
        engine.pull(name, platform="all")


def test_an_image_pulled_by_digest_is_known_by_it(engine: Engine, shelf: Registry):
    name = shelf.reference(f"sample/base@{shelf.digest('sample/base', '1.0')}")
    (record,) = engine.pull(name)
    assert record.reference == name
    (row,) = engine.images(everything=True)
    assert (row.reference, row.tag, row.digest) == (name, None, record.digest)
    assert row.dangling is (engine.name in BY_DIGEST_IS_DANGLING | {"podman"})
    assert engine.inspect(name).image_id == record.image_id


def test_what_cannot_be_pulled_says_why(engine: Engine, shelf: Registry, htpasswd_registry: Registry):
    cases = {
        shelf.reference("sample/web:nope"): RemoteNotFound,
        shelf.reference("sample/nope:latest"): RemoteNotFound,
        "127.0.0.1:1/sample/web:latest": Unreachable,
        htpasswd_registry.reference("secret/app:1"): Denied,
        "no such name": BadReference,
    }
    for name, kind in cases.items():
        with pytest.raises(kind) as caught:
            engine.pull(name)
        assert caught.value.hint, name
    with pytest.raises(PlatformNotFound):
        engine.pull(shelf.reference("sample/hello:latest"), platform="linux/s390x")
    with pytest.raises(BadPlatform):
        engine.pull(shelf.reference("sample/hello:latest"), platform="a b")
    assert engine.images(everything=True) == []


def test_a_push_gives_the_registry_the_same_image(engine: Engine, shelf: Registry, registry: Registry):
    engine.pull(shelf.reference("sample/web:1.0"))
    goal = registry.reference("me/app:v1")
    tagged = engine.tag(shelf.reference("sample/web:1.0"), goal)
    assert (tagged.reference, tagged.status) == (goal, Status.TAGGED)
    steps, (record,) = followed(engine.pushing(goal))
    assert record.status is Status.PUSHED
    assert record.digest == registry.digest("me/app", "v1")
    config = json.loads(registry.manifest("me/app", "v1").body)["config"]["digest"]
    assert record.image_id == config == tagged.image_id
    notes = [step.text for step in steps if step.phase is Phase.NOTE]
    assert any(f"digest: {record.digest}" in note for note in notes)


def test_what_is_not_here_cannot_be_pushed_or_tagged(engine: Engine, registry: Registry):
    for ask in (
        lambda: engine.push(registry.reference("no/thing:1")),
        lambda: engine.push(registry.reference("no/thing"), all_tags=True),
        lambda: engine.tag("nothing:here", "other:1"),
    ):
        with pytest.raises(ImageNotFound):
            ask()
    with pytest.raises(BadReference):
        engine.tag("nothing:here", "UPPER:1")


def test_a_tag_that_moves_leaves_its_image_dangling_until_pruned(
    engine: Engine, busybox_image: RealImage, registry: Registry
):
    registry.stock(busybox_image.registry.data)
    name = registry.reference("library/busybox:latest")
    engine.pull(name)
    old = engine.inspect(name).image_id
    registry.retag("library/busybox", "next", "latest")
    (record,) = engine.pull(name)
    assert record.status is Status.DOWNLOADED
    assert record.image_id != old
    listed = engine.images(ImageFilter(dangling=False))
    assert [row.reference for row in listed] == [name]
    assert {row.image_id for row in engine.images()} == {record.image_id} | (
        {old} if engine.name in LISTS_DANGLING else set()
    )
    (dangling,) = engine.images(ImageFilter(dangling=True))
    assert (dangling.image_id, dangling.tag, dangling.dangling) == (old, None, True)
    assert {row.image_id for row in engine.images(everything=True)} == {old, record.image_id}
    plan = engine.prune_plan()
    assert old in {row.digest for row in plan} or engine.name == "embedded"
    assert _told(engine.prune()) == _told(plan)
    assert {row.image_id for row in engine.images(everything=True)} == {record.image_id}
    assert engine.prune() == []


def _told(rows) -> set:
    return {(row.action, row.reference, row.digest, row.freed) for row in rows}


def test_prune_takes_named_images_only_when_asked_and_frees_what_its_plan_says(engine: Engine, shelf: Registry):
    for name in ("sample/base:1.0", "sample/web:1.0", "sample/web:1.1"):
        engine.pull(shelf.reference(name))
    assert engine.prune() == []
    rows = {row.reference: row for row in engine.disk_images()}
    base, web = (rows[shelf.reference(name)] for name in ("sample/base:1.0", "sample/web:1.0"))
    assert base.unique < base.shared  # all its layers are below the others
    assert 0 < web.unique < web.shared
    plan = engine.prune_plan(everything=True)
    disk = {row.type: row for row in engine.disk()}["Images"]
    assert disk.total == 3
    assert sum(row.unique for row in rows.values()) < disk.reclaimable  # what they share is freed too, and once
    assert disk.active == 0
    assert disk.reclaimable == sum(row.freed for row in plan) > 0
    done = engine.prune(everything=True)
    assert _told(done) == _told(plan)
    assert engine.images(everything=True) == []


def test_prune_takes_only_the_chosen_and_leaves_a_name_that_moved(engine: Engine, shelf: Registry):
    base, old, new = (shelf.reference(name) for name in ("sample/base:1.0", "sample/web:1.0", "sample/web:1.1"))
    for name in (base, old, new):
        engine.pull(name)
    could = engine.prunable(everything=True)
    assert {one.reference for one in could} == {base, old, new}
    assert engine.prunable() == []
    assert engine.prune_plan(everything=True, only=[]) == engine.prune(everything=True, only=[]) == []
    chosen = [one for one in could if one.reference != base]
    apart = [engine.prune_plan(everything=True, only=[one]) for one in chosen]
    plan = engine.prune_plan(everything=True, only=chosen)
    assert sum(row.freed for row in plan) > sum(row.freed for rows in apart for row in rows)  # what both share
    engine.tag(base, old)
    done = engine.prune(everything=True, only=chosen)
    assert {row.reference for row in done if row.reference and "@" not in row.reference} == {new}
    assert {one.reference for one in engine.images(ImageFilter(dangling=False))} == {base, old}


def test_a_name_goes_alone_while_others_are_left(engine: Engine, shelf: Registry):
    name = shelf.reference("sample/web:1.0")
    engine.pull(name)
    engine.tag(name, "other/app:v1")
    (row, *_) = engine.remove(["other/app:v1"])
    assert (row.action, row.reference) == ("untagged", "other/app:v1")
    assert engine.inspect(name)
    with pytest.raises(ImageNotFound):
        engine.inspect("other/app:v1")


def test_the_last_name_takes_the_image_with_it(engine: Engine, shelf: Registry):
    name = shelf.reference("sample/web:1.0")
    (pulled,) = engine.pull(name)
    rows = engine.remove([name])
    gone = [row.reference for row in rows if row.action == "untagged"]
    digest = shelf.reference(f"sample/web@{pulled.digest}")
    assert gone == ([name] if engine.name in QUIET_DIGESTS else [name, digest])
    assert pulled.image_id in {row.digest for row in rows if row.action == "deleted"}
    assert [row.action for row in rows] == sorted((row.action for row in rows), reverse=True)
    assert engine.images(everything=True) == []


def test_an_id_with_several_names_is_a_conflict_until_forced(engine: Engine, shelf: Registry):
    name = shelf.reference("sample/web:1.0")
    (pulled,) = engine.pull(name)
    engine.tag(name, "other/app:v1")
    with pytest.raises(Conflict) as caught:
        engine.remove([pulled.image_id])
    assert f"%image rmi -f {pulled.image_id}" in caught.value.hint
    assert {row.reference for row in engine.images()} == {name, "other/app:v1"}
    rows = engine.remove([pulled.image_id], force=True)
    assert {name, "other/app:v1"} <= {row.reference for row in rows}
    assert engine.images(everything=True) == []


def test_a_tag_is_never_taken_away_by_a_digest(engine: Engine, shelf: Registry):
    name = shelf.reference("sample/web:1.0")
    (pulled,) = engine.pull(name)
    digest = shelf.reference(f"sample/web@{pulled.digest}")
    if engine.name in DIGEST_IS_A_NAME:
        assert [row.reference for row in engine.remove([digest])] == [digest]
    else:
        with pytest.raises(Conflict) as caught:
            engine.remove([digest])
        assert name in caught.value.message
    assert [row.reference for row in engine.images()] == [name]


def test_every_name_is_tried_and_the_first_failure_told(engine: Engine, shelf: Registry):
    name = shelf.reference("sample/web:1.0")
    engine.pull(name)
    with pytest.raises(ImageNotFound) as caught:
        engine.remove(["nothing:here", name])
    assert name in caught.value.message
    assert caught.value.done[0].reference == name
    assert engine.images() == []
    assert engine.remove(["nothing:here"], force=True) == []


def test_an_archive_brings_back_the_same_image(engine: Engine, shelf: Registry, tmp_path: Path):
    names = [shelf.reference(name) for name in ("sample/web:1.0", "sample/hello:latest")]
    ids = {name: engine.pull(name)[0].image_id for name in names}
    saved = engine.save(names, tmp_path / "two.tar.gz")
    assert [(record.reference, record.image_id, record.status) for record in saved] == [
        (name, ids[name], Status.SAVED) for name in names
    ]
    stream = io.BytesIO()
    engine.save(names, stream)
    assert (tmp_path / "two.tar.gz").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "two.tar.gz").read_bytes()[:2] == b"\x1f\x8b"
    for source in (tmp_path / "two.tar.gz", io.BytesIO(stream.getvalue())):
        engine.remove(names)
        assert engine.images() == []
        loaded = engine.load(source)
        assert {record.reference: record.image_id for record in loaded} == ids
        assert {record.status for record in loaded} == {Status.LOADED}
        assert {row.reference: row.image_id for row in engine.images()} == ids


def test_a_failed_save_leaves_nothing_and_a_bad_archive_brings_nothing(engine: Engine, shelf: Registry, tmp_path: Path):
    with pytest.raises(ImageNotFound):
        engine.save(["nothing:here"], tmp_path / "none.tar")
    assert list(tmp_path.glob("*none*")) == []
    good = io.BytesIO()
    engine.pull(shelf.reference("sample/web:1.0"))
    engine.save([shelf.reference("sample/web:1.0")], good)
    engine.remove([shelf.reference("sample/web:1.0")])
    for content in (b"", b"not an archive at all", good.getvalue()[: len(good.getvalue()) // 2]):
        with pytest.raises(ContentError):
            engine.load(io.BytesIO(content))
    with pytest.raises(NotFound) as caught:
        engine.load(tmp_path / "nowhere.tar")
    assert "nowhere.tar" in caught.value.message
    assert engine.images(everything=True) == []


def test_registries_are_asked_the_same_way_whatever_the_engine(engine: Engine, shelf: Registry, registry: Registry):
    assert set(engine.remote.tags(shelf.reference("sample/web"))) == {"1.0", "1.1", "latest"}
    found = engine.remote.inspect(shelf.reference("sample/web:1.0"))
    assert found.digest == shelf.digest("sample/web", "1.0")
    assert engine.images(everything=True) == []
