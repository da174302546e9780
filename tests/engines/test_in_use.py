"""Nothing goes that a running operation relies on, in whatever process it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from jupyimg.engines import open_engine
from jupyimg.errors import StoreDenied
from jupyimg.model.digest import Digest
from jupyimg.server import readers
from jupyimg.store import Store
from tests.bench import images
from tests.crash.relay import relayed
from tests.places.memory import MemoryPlace
from tests.server.served import serving
from tests.services.waiting import until
from tests.store.bring import bring, content, put
from tests.store.checker import verify_store
from tests.store.stores import du

CHECKOUT = Path(__file__).parents[2]
HALF = f"sha256-{'0' * 64}"


def begun(ingests):
    """Whether bytes of a download have arrived; a file may be renamed while it is looked at."""
    with suppress(FileNotFoundError):
        return any(path.stat().st_size for path in ingests.iterdir())
    return False


def started(engine, *words):
    env = {**os.environ, "JUPYIMG_HOME": str(engine.settings.home)}
    return subprocess.Popen([sys.executable, "-m", "jupyimg", *words], env=env, stderr=subprocess.PIPE, text=True)


def finished(process):
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors


def test_a_pull_in_another_process_loses_nothing_to_pruning(engine, registry):
    images.push(registry, "app", "1", layers=4, size=200_000)
    ingests = engine.store.root / ".jupyimg" / "ingest"
    with relayed(registry.host, rate=4_000) as relay:
        pulling = started(engine, "pull", f"{relay.host}/app:1")
        until(lambda: begun(ingests))
        pruned = 0
        while pulling.poll() is None:
            assert engine.prune(all_partial=True) == [], "the pull still needs it"
            row = engine.disk()[-1]
            pruned += row.active
            relay.rate = 400_000  # it has been seen, and may come to its end
        finished(pulling)
    assert pruned > 0, "df never saw the download as one that is active"
    verify_store(engine.store.root)
    assert [image.tag for image in engine.images()] == ["1"]


def test_a_pull_that_is_killed_leaves_bytes_that_wait_for_a_day(engine, registry):
    images.push(registry, "app", "1", layers=2, size=200_000)
    ingests = engine.store.root / ".jupyimg" / "ingest"
    with relayed(registry.host, rate=10_000) as relay:
        pulling = started(engine, "pull", f"{relay.host}/app:1")
        until(lambda: begun(ingests))
        pulling.kill()
        pulling.communicate()
    waiting = sum(path.stat().st_size for path in ingests.iterdir())
    row = engine.disk()[-1]
    assert (row.active, row.size, row.reclaimable) == (0, waiting, 0)
    engine.prune()
    assert sum(path.stat().st_size for path in ingests.iterdir()) == waiting
    assert sum(row.freed for row in engine.prune_plan(all_partial=True)) == waiting
    for path in ingests.iterdir():
        os.utime(path, (time.time() - 25 * 3600,) * 2)
    assert engine.disk()[-1].reclaimable == waiting
    assert sum(row.freed for row in engine.prune()) == waiting
    assert du(engine.store.root) == 0


def test_an_image_that_is_being_pushed_keeps_its_name_too(engine):
    place = MemoryPlace()
    for name in ("one", "two"):
        bring(engine.store, place, name, place.image(layers=(name.encode(),)))
    (root,) = [entry.descriptor for entry in engine.store.entries() if entry.name.familiar == "one:latest"]
    with Store(engine.store.root).lease(root.digest):
        assert engine.disk()[0].active == 1
        engine.prune(everything=True)
        assert [image.reference for image in engine.images()] == ["one:latest"]
        assert all(Store(engine.store.root).has(item) for item in content(place, root))
    engine.prune(everything=True)
    assert engine.store.blobs() == {}


def test_an_index_that_is_being_fetched_keeps_the_platforms_that_are_here(engine):
    place = MemoryPlace()
    amd, arm = place.image(), place.image(platform="linux/arm64")
    whole = place.index("", [amd, arm])
    bring(engine.store, place, "app:1", whole, amd)
    with Store(engine.store.root).lease(whole.digest):
        assert engine.prune(everything=True) == []
    engine.prune(everything=True)
    assert engine.store.blobs() == {}


def test_an_upload_that_is_under_way_is_no_leftover(engine):
    with Store(engine.store.root).writer() as sink, sink.ingest() as upload:
        upload.write(b"half")
        assert engine.prune_plan(all_partial=True) == engine.prune(all_partial=True) == []
        assert (engine.disk()[-1].active, engine.disk()[-1].size) == (1, 4)
    assert [(row.digest, row.freed) for row in engine.prune(all_partial=True)] == [(None, 4)]


def test_what_a_foreign_line_of_the_list_mentions_stays(engine):
    place = MemoryPlace()
    bring(engine.store, place, "app:1", place.image())
    with engine.store.writer() as sink:
        put(sink, place, [place.put(b"foreign", "a/b")])
    index = engine.store.root / "index.json"
    listed = json.loads(index.read_text())
    listed["manifests"].append({"odd": {"digest": Digest.of(b"foreign")}})
    index.write_text(json.dumps(listed))
    fresh = open_engine(engine.settings)
    assert fresh.prune_plan() == fresh.prune() == []
    fresh.prune(everything=True)
    assert set(fresh.store.blobs()) == {Digest.of(b"foreign")}


def test_an_image_that_clients_of_a_server_are_fetching_stays_until_the_server_ends(engine):
    place = MemoryPlace()
    whole = place.index("", [place.image(), place.image(platform="linux/arm64")])
    bring(engine.store, place, "app:1", whole)
    bring(engine.store, place, "other:1", place.image(layers=(b"other",)))
    with serving(engine.store.root) as served:
        assert served.client("GET", "/v2/app/manifests/1").status == 200
        assert served.client("HEAD", "/v2/other/manifests/1").status == 200
        engine.prune(everything=True)
        assert {image.reference for image in engine.images()} == {"app:1"}
        for item in content(place, whole):
            kind = "manifests" if item.is_manifest else "blobs"
            assert served.client("GET", f"/v2/app/{kind}/{item.digest}").body == place.blobs[item.digest]
        served.kill()
    engine.prune(everything=True)
    assert engine.store.blobs() == {}


def test_what_clients_fetch_can_be_removed_by_its_name(engine):
    place = MemoryPlace()
    bring(engine.store, place, "app:1", place.image())
    with serving(engine.store.root) as served:
        assert served.client("GET", "/v2/app/manifests/1").status == 200
        engine.remove(["app:1"])
        assert engine.store.blobs() == {}


def test_what_was_fetched_long_ago_is_let_go(engine, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(readers.time, "monotonic", lambda: clock[0])
    held = readers.Readers(engine.store)
    first, second = (Digest.of(word) for word in (b"first", b"second"))
    held.note(first)
    clock[0] += readers.TURN_SECONDS - 1
    held.note(second)
    assert engine.store.usage().leased == {first, second}
    clock[0] += 2
    held.note(second)
    clock[0] += readers.TURN_SECONDS
    held.sweep()
    assert engine.store.usage().leased == {second}
    held.close()
    assert engine.store.usage().leased == frozenset()


def test_prunings_at_once_count_each_byte_once(engine):
    place = MemoryPlace()
    for number in range(40):
        bring(engine.store, place, f"app:{number}", place.image(layers=(b"shared", b"%d" % number)))
    before = du(engine.store.root)
    code = (
        "import sys; from pathlib import Path; from jupyimg.engines import open_engine;"
        "from jupyimg.model.settings import Settings;"
        "print(sum(row.freed for row in open_engine(Settings(home=Path(sys.argv[1]))).prune(everything=True)))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, engine.settings.home], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert sum(int(process.communicate(timeout=60)[0]) for process in running) == before
    assert du(engine.store.root) == 0


def test_what_is_brought_after_the_plan_was_made_stays(engine):
    """Pruning decides anew, under the store's lock, on what is true then."""
    place = MemoryPlace()
    bring(engine.store, place, "app", place.image(layers=(b"old",)))
    bring(engine.store, place, "app", place.image(layers=(b"new",)))
    plan = engine.prune_plan()
    (old,) = [image for image in engine.images(everything=True) if image.dangling]
    engine.tag(str(old.image_id), "kept")
    assert plan
    assert engine.prune() == []
    assert {image.reference for image in engine.images()} == {"app:latest", "kept:latest"}


def test_a_damaged_manifest_hinders_no_pruning_and_costs_the_others_nothing(engine, samples):
    entry = next(e for e in engine.store.entries() if e.name and e.name.familiar == "sample/base:1.0")
    path = engine.store.blob_path(entry.descriptor.digest)
    path.write_bytes(b"?" * path.stat().st_size)
    fresh = open_engine(engine.settings)
    before = du(engine.store.root)
    plan = fresh.prune_plan()
    assert fresh.prune() == plan
    assert sum(row.freed for row in plan) == before - du(engine.store.root)
    left = {image.reference for image in fresh.images()}
    assert left == set(samples) - {"sample/base:1.0"}
    for entry in fresh.store.entries():
        if entry.name.familiar != "sample/base:1.0":
            assert list(fresh.store.missing(entry.descriptor)) == []


def test_a_store_that_cannot_be_written_shows_its_figures_and_is_not_pruned(engine):
    place = MemoryPlace()
    bring(engine.store, place, "app", place.image())
    root = engine.store.root
    with engine.store.writer() as sink:
        put(sink, place, [place.put(b"garbage", "a/b")])
    (root / ".jupyimg" / "ingest" / HALF).write_bytes(b"half")
    figures = [(row.total, row.size) for row in engine.disk()]
    subprocess.run(["mount", "--bind", root, root], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", root], check=True)
    try:
        reader = open_engine(engine.settings)
        assert [(row.total, row.size) for row in reader.disk()] == figures
        assert (reader.disk()[-1].active, reader.disk()[-1].reclaimable) == (1, 0)
        assert len(reader.prune_plan()) == 1
        with pytest.raises(StoreDenied):
            reader.prune()
    finally:
        subprocess.run(["umount", root], check=True)
