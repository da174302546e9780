"""Reading by way of mirrors, on real registries: used where they serve, passed by where they do not, always said."""

from __future__ import annotations

import os
import signal

import pytest

from jupyimg.engines import open_serving
from jupyimg.errors import Denied, DigestMismatch, RemoteNotFound, Unreachable
from jupyimg.model.content import Phase, drain
from jupyimg.model.digest import Digest
from jupyimg.model.reference import Reference
from jupyimg.registry import mirrored
from tests.mirrors.conftest import BIG, passed_by, pulled, push_image
from tests.registry.fake import dead_port, error, full_backlog
from tests.store.checker import verify_store

CORRUPT = """
    def response(flow):
        if "/{what}/" in flow.request.path and flow.request.method == "GET" and flow.response.status_code == 200:
            content = bytearray(flow.response.content)
            if len(content) >= {least}:
                content[len(content) // 2] ^= 1
                flow.response.content = bytes(content)
"""


def reads(registry, what="/v2/app/"):
    """What came from us; what set the registry up is not counted."""
    return [access for access in registry.accesses(what) if access.agent == "jupyimg"]


def test_a_mirror_serves_all_and_the_upstream_is_not_touched(user, engine, upstream, mirror, skopeo):
    user.mirrors(upstream.host, mirror.host)
    said, digest = pulled(engine, upstream.reference("app:1"))
    assert not passed_by(said)
    assert mirror.sent() > 2 * BIG
    assert reads(upstream, "/v2/") == []
    assert digest == mirror.digest("app", "1")
    (image,) = engine.images()
    assert image.reference == upstream.reference("app:1"), "the name is what the user wrote"
    (shown,) = engine.inspect(image.reference).document["RepoDigests"]
    assert shown == f"{upstream.host}/app@{digest}"
    verify_store(engine.store.root, skopeo.inspect)


def test_tags_and_inspection_come_by_the_mirror_too(user, engine, upstream, mirror):
    user.mirrors(upstream.host, mirror.host)
    assert list(engine.remote.tags(upstream.reference("app"))) == ["1"]
    assert engine.remote.inspect(upstream.reference("app:1"), platform="linux/amd64").reference.endswith("app:1")
    assert reads(upstream, "/v2/") == []


def test_what_is_pushed_goes_to_the_upstream_alone(user, engine, upstream, mirror):
    user.mirrors(upstream.host, mirror.host)
    engine.pull(upstream.reference("app:1"))
    engine.tag(upstream.reference("app:1"), upstream.reference("mine:2"))
    before = len(reads(mirror, "/v2/"))
    engine.push(upstream.reference("mine:2"))
    assert upstream.tags("mine") == ["2"]
    assert len(reads(mirror, "/v2/")) == before


def test_a_mirror_that_is_not_there_is_passed_by_and_not_asked_again(user, connect, engine, upstream, fake):
    gone = f"127.0.0.1:{dead_port()}"
    user.mirrors(upstream.host, gone)
    said, _ = pulled(engine, upstream.reference("app:1"))
    assert passed_by(said) == [f"{gone} refuses the connection: going on with {upstream.host}"]
    said, _ = pulled(engine, upstream.reference("app:1"))
    assert passed_by(said) == [f"{gone} gave no answer a moment ago: going on with {upstream.host}"]


def test_a_mirror_is_tried_again_after_a_while(user, engine, upstream, mirror, monkeypatch):
    monkeypatch.setattr(mirrored, "REST", 0.0)
    os.kill(mirror.pid, signal.SIGSTOP)
    try:
        user.mirrors(upstream.host, mirror.host)
        assert "went silent" in passed_by(pulled(engine, upstream.reference("app:1"))[0])[0]
    finally:
        os.kill(mirror.pid, signal.SIGCONT)
    assert not passed_by(pulled(engine, upstream.reference("app:1"))[0])


@pytest.mark.parametrize("how", ["takes no connection", "says nothing"])
def test_a_mirror_that_is_slow_costs_one_wait_for_all_blobs(user, engine, registry, fake, how):
    push_image(registry, layers=6)
    with full_backlog() as deaf:
        host = deaf if how == "takes no connection" else fake.host
        fake.rule(".", lambda seen: fake.over.wait(60) and None)
        user.mirrors(registry.host, host)
        said, _ = pulled(engine, registry.reference("app:1"))
    assert len(passed_by(said)) == 1
    assert fake.count(".") <= 1


def test_a_mirror_that_dies_on_the_way_is_followed_by_the_upstream(user, engine, upstream, mirror):
    user.mirrors(upstream.host, mirror.host)
    steps = engine.pulling(upstream.reference("app:1"), platform="linux/amd64")
    next(step for step in steps if step.total > BIG)  # the manifest has been read, the layers have not
    os.kill(mirror.pid, signal.SIGKILL)
    said = [step.text for step in steps if step.phase is Phase.NOTE]
    assert len(engine.images()) == 1
    assert len(passed_by(said)) == 1
    assert [access for access in reads(upstream) if access.method == "GET"]


def test_a_corrupt_manifest_of_a_mirror_is_refused_and_fetched_elsewhere(user, engine, upstream, mirror, mitmproxy):
    bad = mitmproxy(CORRUPT.format(what="manifests", least=1), upstream=mirror.url)
    user.mirrors(upstream.host, bad.host)
    said, digest = pulled(engine, upstream.reference("app:1"))
    assert digest == upstream.digest("app", "1")
    assert "have the digest" in passed_by(said)[0]
    by_digest = upstream.reference(f"app@{digest}")
    engine.remove([upstream.reference("app:1")])
    said, again = pulled(engine, by_digest)
    assert again == digest


def test_a_corrupt_layer_of_a_mirror_is_begun_anew_elsewhere(user, engine, upstream, mirror, mitmproxy, skopeo):
    bad = mitmproxy(CORRUPT.format(what="blobs", least=BIG), upstream=mirror.url)
    user.mirrors(upstream.host, bad.host)
    said, digest = pulled(engine, upstream.reference("app:1"))
    assert any(
        "sends wrong bytes" in line and line.endswith(f"going on with {upstream.host}") for line in passed_by(said)
    )
    assert digest == upstream.digest("app", "1")
    whole = [access for access in reads(upstream, "/blobs/") if access.method == "GET" and access.status == 200]
    assert whole, "read from its beginning"
    verify_store(engine.store.root, skopeo.inspect)


def test_a_corrupt_layer_of_the_only_place_is_still_an_error(user, engine, upstream, mitmproxy):
    bad = mitmproxy(CORRUPT.format(what="blobs", least=BIG), upstream=upstream.url)
    with pytest.raises(DigestMismatch):
        engine.pull(f"{bad.host}/app:1", platform="linux/amd64")
    assert engine.images() == []


def test_a_mirror_that_lacks_the_image_or_a_layer_is_passed_by_for_that(user, engine, upstream, start):
    empty, partial = start(), start()
    partial.stock(upstream.data)
    layer = upstream.manifest("app", "1").json()["layers"][0]["digest"]
    partial.request("DELETE", f"/v2/app/blobs/{layer}")
    user.mirrors(upstream.host, empty.host, partial.host)
    said, _ = pulled(engine, upstream.reference("app:1"))
    assert len(passed_by(said)) == 2
    assert passed_by(said)[0].endswith(f"going on with {partial.host}")
    assert passed_by(said)[1].startswith(f"{partial.host}: ")
    assert partial.sent() > BIG
    assert [access.path.rpartition("/")[2] for access in reads(upstream, "/blobs/")] == [layer]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_mirror_that_refuses_is_passed_by_without_waiting(user, engine, upstream, fake, status):
    fake.rule(".", error(status, "DENIED" if status < 429 else "UNKNOWN", "go away", Retry_After="3600"))
    user.mirrors(upstream.host, fake.host)
    said, _ = pulled(engine, upstream.reference("app:1"))
    assert len(passed_by(said)) == 1
    assert passed_by(said)[0].startswith(fake.host)
    assert fake.count(".") <= 3


def test_the_last_error_is_the_upstreams_and_tells_of_the_mirrors(user, engine, upstream, mirror):
    gone = f"127.0.0.1:{dead_port()}"
    user.mirrors(upstream.host, gone, mirror.host)
    with pytest.raises(RemoteNotFound, match="has no tag 9") as failed:
        engine.pull(upstream.reference("app:9"))
    assert failed.value.hint.startswith(
        f"mirrors were asked first: {gone} refuses the connection; {mirror.host} has no"
    )
    user.mirrors(gone, mirror.host)
    assert pulled(engine, f"{gone}/app:1")[1] == upstream.digest("app", "1"), "a mirror is enough without the upstream"
    with pytest.raises(Unreachable):
        engine.pull(f"{gone}/app:9")


@pytest.mark.parametrize(
    ("only", "by_tag", "by_digest"),
    [
        ('pull-from-mirror = "digest-only"', False, True),
        ('pull-from-mirror = "tag-only"', True, False),
    ],
)
def test_a_mirror_serves_only_what_it_is_for(user, engine, upstream, mirror, only, by_tag, by_digest):
    path = user.mirrors(upstream.host, mirror.host)
    path.write_text(path.read_text() + only)
    digest = upstream.digest("app", "1")
    for name, used in ((upstream.reference("app:1"), by_tag), (upstream.reference(f"app@{digest}"), by_digest)):
        before = mirror.sent()
        pulled(engine, name)
        assert (mirror.sent() > before + BIG) is used
        engine.remove([name])


def test_a_blocked_registry_is_not_spoken_to(user, engine, registry):
    user.mirrors(registry.host, more="blocked = true")
    name = registry.reference("app:1")
    drain(open_serving(user.settings()).teaching())
    engine.tag(engine.names()[0], name)
    for ask in (engine.pull, engine.push, engine.remote.inspect, engine.remote.tags):
        with pytest.raises(Denied, match=rf"{registry.host}/app is blocked: ~/\.config/containers/registries\.conf"):
            ask(name)
    with pytest.raises(Denied, match="is blocked"):
        drain(engine.remote.copying(name, "localhost:1/x:1"))
    assert registry.accesses() == []


def test_a_location_is_read_and_written_in_place_of_the_name(user, engine, registry, start):
    push_image(registry, "team/app")
    user.write(f'[[registry]]\nprefix = "images.example/x"\nlocation = "{registry.host}/team"')
    _, digest = pulled(engine, "images.example/x/app:1")
    assert digest == registry.digest("team/app", "1")
    engine.tag("images.example/x/app:1", "images.example/x/copy:2")
    (record,) = engine.push("images.example/x/copy:2")
    assert (record.reference, record.transferred < 5000) == ("images.example/x/copy:2", True), "mounted, not sent"
    assert registry.digest("team/copy", "2") == digest
    with pytest.raises(RemoteNotFound, match=rf"{registry.host}/team/app has no tag 9"):
        engine.pull("images.example/x/app:9")


def test_a_push_to_another_location_that_is_refused_says_where(user, engine, registry, fake):
    push_image(registry)
    pulled(engine, registry.reference("app:1"))
    user.write(f'[[registry]]\nprefix = "images.example"\nlocation = "{fake.host}/team"')
    engine.tag(registry.reference("app:1"), "images.example/app:1")
    fake.rule("PUT /v2/team/app/manifests/1", error(403, "DENIED"))
    with pytest.raises(Denied, match=rf"{fake.host} does not let you push to {fake.host}/team/app:1"):
        engine.push("images.example/app:1")


def test_a_wildcard_prefix_finds_its_mirror(user, engine, registry):
    push_image(registry, "all/app")
    user.write(f'[[registry]]\nprefix = "*.example"\n[[registry.mirror]]\nlocation = "{registry.host}/all"')
    assert pulled(engine, "deep.images.example/app:1")[1] == registry.digest("all/app", "1")


def test_dockers_own_mirror_serves_docker_hub(user, engine, registry):
    push_image(registry, "library/app")
    path = user.home / "etc" / "docker" / "daemon.json"
    path.parent.mkdir(parents=True)
    path.write_text(f'{{"registry-mirrors": ["{registry.url}/"]}}')
    assert pulled(engine, "app:1")[1] == registry.digest("library/app", "1")
    (image,) = engine.images()
    assert image.reference == "app:1"


def test_a_damaged_daemon_json_is_said_and_the_pull_goes_on(user, engine, upstream):
    path = user.home / "etc" / "docker" / "daemon.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    said, _ = pulled(engine, upstream.reference("app:1"))
    assert any("daemon.json cannot be read: line 1" in line for line in said)


def test_a_copy_between_registries_reads_by_the_mirror_and_writes_upstream(user, engine, upstream, mirror):
    user.mirrors(upstream.host, mirror.host)
    for _ in engine.remote.copying(upstream.reference("app:1"), upstream.reference("copied:1")):
        pass
    assert upstream.digest("copied", "1") == mirror.digest("app", "1")
    assert mirror.tags("copied") == []


def test_a_copy_between_registries_does_not_pass_on_what_a_mirror_corrupts(user, engine, upstream, mirror, mitmproxy):
    bad = mitmproxy(CORRUPT.format(what="blobs", least=BIG), upstream=mirror.url)
    user.mirrors(upstream.host, bad.host)
    drain(engine.remote.copying(upstream.reference("app:1"), f"{mirror.host}/copied:1"))
    assert mirror.digest("copied", "1") == upstream.digest("app", "1")
    for layer in upstream.manifest("app", "1").json()["layers"]:
        assert Digest.of(mirror.request("GET", f"/v2/copied/blobs/{layer['digest']}").body) == layer["digest"]


def test_a_digest_is_read_by_the_mirror_and_proven(user, connect, upstream, fake):
    raw = upstream.manifest("app", "1").body
    fake.put_manifest("app", "1", raw.replace(b"amd64", b"arm64") + b" ")
    fake.manifests["app", str(Digest.of(raw))] = ("application/vnd.oci.image.manifest.v1+json", raw + b" ")
    user.mirrors(upstream.host, fake.host)
    reference = Reference.parse(upstream.reference(f"app@{Digest.of(raw)}"))
    repository = connect().repository(reference)
    found = repository.resolve(reference)
    assert b"".join(repository.read(found)) == raw
