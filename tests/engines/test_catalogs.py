"""Catalogs and searches through an engine: what is found, what fails, and how it stops."""

from __future__ import annotations

import threading
import time

import pytest

from jupyimg.engines import open_serving
from jupyimg.errors import Interrupted, Misuse, Unreachable, Unsupported
from jupyimg.model.content import COUNTED, Phase, drain
from tests.registry.fake import Answer, error
from tests.registry.hub import hit
from tests.services.waiting import AT_ONCE, until


def test_a_catalog_is_its_repositories(shapes, engine):
    found = engine.remote.catalog(shapes.host)
    assert [record.repository for record in found.records] == [
        f"{shapes.host}/{name}" for name in ("chart", "team/app", "team/old")
    ]
    assert [record.repository for record in engine.remote.catalog(shapes.host, pattern="team/*").records] == [
        f"{shapes.host}/team/app",
        f"{shapes.host}/team/old",
    ]
    limited = engine.remote.catalog(shapes.host, limit=1)
    assert len(limited.records) == 1
    assert "first 1 " in limited.notes[0]


def test_a_catalog_with_tags_is_all_of_them_and_progress_counts_them(shapes, engine):
    steps = engine.remote.cataloguing(shapes.host, tags=True)
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as stop:
            found = stop.value
            break
    rows = {(record.repository.rpartition("/")[2], record.tag) for record in found.records}
    assert rows == {
        ("app", "1.0"),
        ("app", "1.1"),
        ("app", "1.2"),
        ("app", "both"),
        ("old", "docker"),
        ("old", "same"),
        ("chart", "0.1"),
    }
    counted = {step.item: (step.current, step.total) for step in told if step.text == COUNTED}
    assert counted == {"repositories": (3, 3), "tags": (7, 7)}
    assert found.records == fresh_again(engine, shapes)


def fresh_again(engine, registry):
    return engine.remote.catalog(registry.host, tags=True).records


def test_a_repository_that_fails_is_a_note_and_never_the_whole(fake, engine):
    fake.rule("_catalog", Answer(200, b'{"repositories": ["good", "bad", "denied", "empty"]}'))
    fake.image("good", "1")
    fake.rule("/v2/bad/tags", Answer(500))
    fake.rule("/v2/denied/tags", error(401, "UNAUTHORIZED", "log in"))
    fake.rule("/v2/empty/tags", Answer(200, b'{"tags": null}'))
    found = engine.remote.catalog(fake.host, tags=True)
    assert [(record.repository, record.tag) for record in found.records] == [(f"{fake.host}/good", "1")]
    assert sorted(note.partition(": ")[0] for note in found.notes[:-1]) == [f"{fake.host}/bad", f"{fake.host}/denied"]


def test_many_failures_are_told_and_counted(fake, engine):
    names = ", ".join(f'"r{n}"' for n in range(50))
    fake.rule("_catalog", Answer(200, f'{{"repositories": [{names}]}}'.encode()))
    found = engine.remote.catalog(fake.host, tags=True)
    assert found.records == []
    assert "and 30 more that could not be read" in found.notes


def test_a_host_that_takes_no_more_is_not_asked_on(fake, fresh):
    names = ", ".join(f'"r{n}"' for n in range(200))
    fake.rule("_catalog", Answer(200, f'{{"repositories": [{names}]}}'.encode()))
    fake.rule("tags/list", Answer(429, b"", {"Retry-After": "3600"}))
    found = fresh(longest_wait=5.0).remote.catalog(fake.host, tags=True)
    assert fake.count("tags/list") <= 20
    assert any("were not asked" in note for note in found.notes)


def test_a_server_that_went_away_is_not_asked_for_ever(fake, fresh):
    names = ", ".join(f'"r{n}"' for n in range(500))
    fake.rule("_catalog", Answer(200, f'{{"repositories": [{names}]}}'.encode()))
    fake.rule("tags/list", Answer(reset=True))
    found = fresh().remote.catalog(fake.host, tags=True)
    assert fake.count("tags/list") <= 80
    assert any("were not asked" in note for note in found.notes)


def test_jupyimgs_own_server_is_explored_as_any_other(engine, fresh, samples):
    serving = open_serving(engine.settings)
    server = serving.start(port=0)
    try:
        host = server.address
        other = fresh("other").remote
        repositories = [record.repository for record in other.catalog(host).records]
        assert f"{host}/sample/web" in repositories
        found = other.catalog(host, tags=True)
        assert {record.tag for record in found.records if record.repository.endswith("/web")} == {
            "1.0",
            "1.1",
            "latest",
        }
        assert all(record.created for record in found.records)
    finally:
        serving.stop()


@pytest.mark.parametrize("host", ["docker.io", "index.docker.io", "registry-1.docker.io"])
def test_docker_hub_has_no_catalog(engine, host):
    with pytest.raises(Unsupported, match="does not list") as caught:
        engine.remote.catalog(host)
    assert "search" in caught.value.hint


@pytest.mark.parametrize(
    "host", ["", "name", "localhost:5000/app", "http://localhost:5000", "a b:1", "x:port", "<b>.com"]
)
def test_what_is_no_registry_is_refused(engine, host):
    with pytest.raises(Misuse, match="not a registry") as caught:
        engine.remote.catalog(host)
    assert "localhost:5000" in caught.value.hint


# ---- stop


def test_a_stop_in_the_middle_is_at_once_and_what_was_read_is_kept(fake, fresh):
    names = [f"r{n}" for n in range(30)]
    for name in names:
        fake.image(name, "1", layers=(name.encode(),))
    listed = ", ".join(f'"{name}"' for name in names)
    fake.rule("_catalog", Answer(200, f'{{"repositories": [{listed}]}}'.encode()))
    stalled = threading.Event()

    def stall(_seen):
        stalled.set()
        return Answer(stall=-1)

    fake.rule("GET /v2/r2[0-9]/manifests", stall)
    steps = fresh().remote.cataloguing(fake.host, tags=True)
    for step in steps:
        if step.item == "tags" and step.current >= 12 and stalled.is_set():
            break
    began = time.monotonic()
    with pytest.raises(Interrupted, match=r"of 30 tags are read and remembered"):
        steps.throw(KeyboardInterrupt())
    assert time.monotonic() - began < AT_ONCE
    fake.rules[:] = [rule for rule in fake.rules if rule is not fake.rules[-1]]
    before = fake.count("GET .*manifests")
    assert len(fresh().remote.catalog(fake.host, tags=True).records) == 30
    assert fake.count("GET .*manifests") - before <= 30 - 12


def test_a_stop_during_a_pause_is_at_once(fake, fresh):
    fake.rule("_catalog", Answer(429, b"", {"Retry-After": "50"}))
    steps = fresh().remote.cataloguing(fake.host)
    assert next(steps).phase is Phase.PAUSED
    began = time.monotonic()
    with pytest.raises(Interrupted):
        steps.throw(KeyboardInterrupt())
    assert time.monotonic() - began < AT_ONCE


def test_a_stop_while_a_search_waits_is_at_once(fake, fresh):
    fake.rule("search", Answer(stall=-1))
    remote = fresh(hub_api=fake.url, read_timeout=30.0).remote
    steps = remote.searching("nginx")
    raised = []

    def run():
        try:
            drain(steps)
        except Interrupted as caught:
            raised.append(caught)

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    until(lambda: fake.count("search"))
    remote.registries.interrupt()
    worker.join(AT_ONCE)
    assert not worker.is_alive()
    assert raised


# ---- search


def test_a_search_asks_hub_and_a_host_its_own(fake, hub, fresh, shapes):
    hub.hits = [hit("nginx")]
    remote = fresh(hub_api=fake.url).remote
    for term in ("nginx", "library/nginx", "docker.io/nginx", "docker.io/library/nginx", "index.docker.io/nginx"):
        assert [record.name for record in remote.search(term).records] == ["nginx"]
        assert fake.seen[-1].query["query"] == ["nginx"]
    found = remote.search(f"{shapes.host}/app")
    assert [record.name for record in found.records] == [f"{shapes.host}/team/app"]


@pytest.mark.parametrize("term", ["", " ", "https://docker.io/nginx", "localhost:5000/", "docker.io/"])
def test_a_term_that_is_none_is_refused(engine, term):
    with pytest.raises(Misuse):
        engine.remote.search(term)


@pytest.mark.parametrize("limit", [-1, 0, 101])
def test_a_limit_beyond_dockers_is_refused(engine, limit):
    with pytest.raises(Misuse) as caught:
        engine.remote.search("nginx", limit=limit)
    assert "1 to 100" in caught.value.hint


def test_an_offline_machine_is_told_so(engine):
    with pytest.raises(Unreachable) as caught:
        engine.remote.search("nginx")
    assert caught.value.hint
