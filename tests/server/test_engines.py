"""Docker, Podman, skopeo and jupyimg itself push to a served store and pull from it; digests are the same everywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from jupyimg.engines import open_engine
from jupyimg.model.content import drain
from jupyimg.model.reference import Reference
from jupyimg.model.settings import Settings
from jupyimg.transfer import copying
from tests.places.memory import MemoryPlace
from tests.services.registry import PASSWORD, USERNAME
from tests.store.checker import verify_store

if TYPE_CHECKING:
    from tests.services.daemons import Daemon

PLAIN = ("--src-tls-verify=false", "--dest-tls-verify=false")


@pytest.fixture
def stocked(client, nginx_image, skopeo):
    """The server, with the real nginx in it as a registry had it; and its digest."""
    skopeo("copy", *PLAIN, f"docker://{nginx_image.reference}", f"docker://{client.address}/nginx:1.22")
    digest = nginx_image.registry.digest(nginx_image.repository, nginx_image.tag)
    assert client("HEAD", "/v2/nginx/manifests/1.22").headers["Docker-Content-Digest"] == digest
    return client, digest


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_a_daemon_pulls_runs_and_pushes_nginx(name, request, stocked, nginx_image, store):
    client, digest = stocked
    daemon: Daemon = request.getfixturevalue(name)
    image = f"{client.address}/nginx:1.22"
    daemon.run("pull", image)
    said = json.loads(daemon.run("image", "inspect", image).stdout)[0]
    assert said["Id"].removeprefix("sha256:") == nginx_image.docker["1.22"]["inspect"]["Id"].removeprefix("sha256:")
    assert any(told.endswith(f"@{digest}") for told in said["RepoDigests"])
    daemon.run("tag", image, f"{client.address}/me/copy:{name}")
    daemon.run("push", f"{client.address}/me/copy:{name}")
    pushed = store.resolve(Reference.parse(f"me/copy:{name}"))
    assert store.manifest(pushed.digest).config.digest == said["Id"] if name == "docker" else True
    daemon.run("rmi", f"{client.address}/me/copy:{name}", image)
    daemon.run("pull", f"{client.address}/me/copy:{name}")
    again = json.loads(daemon.run("image", "inspect", f"{client.address}/me/copy:{name}").stdout)[0]
    assert again["Id"] == said["Id"]
    assert any(told.endswith(f"@{pushed.digest}") for told in again["RepoDigests"])


def test_docker_logs_in(serve, docker):
    client = serve(users={USERNAME: PASSWORD})
    refused = docker.run("login", "-u", USERNAME, "--password-stdin", client.address, stdin=b"wrong", check=False)
    assert refused.returncode
    docker.run("login", "-u", USERNAME, "--password-stdin", client.address, stdin=PASSWORD.encode())
    docker.run("logout", client.address)


def test_skopeo_copies_in_and_out(stocked, skopeo, nginx_image, tmp_path):
    client, digest = stocked
    layout = tmp_path / "layout"
    skopeo("copy", *PLAIN, f"docker://{client.address}/nginx:1.22", f"oci:{layout}:1")
    skopeo("copy", *PLAIN, "--format=oci", f"oci:{layout}:1", f"docker://{client.address}/ghcr.io/me/app:2")
    skopeo("copy", *PLAIN, f"docker://{client.address}/ghcr.io/me/app:2", f"docker://{client.address}/again:1")
    listed = json.loads(skopeo("list-tags", "--tls-verify=false", f"docker://{client.address}/nginx").stdout)
    assert listed["Tags"] == ["1.22"]
    config = skopeo.inspect(f"docker://{client.address}/nginx:1.22", "--config", "--raw", "--tls-verify=false")
    for name in ("ghcr.io/me/app:2", "again:1"):
        copied = skopeo.inspect(f"docker://{client.address}/{name}", "--config", "--raw", "--tls-verify=false")
        assert copied["rootfs"] == config["rootfs"]  # of the rest, OCI's types know less than Docker's
    skopeo("delete", "--tls-verify=false", f"docker://{client.address}/nginx:1.22")
    assert client("GET", f"/v2/nginx/manifests/{digest}").status == 404
    assert client("GET", "/v2/again/manifests/1").status == 200


def test_skopeo_copies_every_platform(client, skopeo, tmp_path):
    origin = tmp_path / "origin"
    with_platforms(origin)
    skopeo("copy", "--all", *PLAIN, f"oci:{origin}:1", f"docker://{client.address}/multi:1")
    digest = client("HEAD", "/v2/multi/manifests/1").headers["Docker-Content-Digest"]
    skopeo("copy", "--all", *PLAIN, f"docker://{client.address}/multi:1", f"oci:{tmp_path / 'copy'}:1")
    copied = json.loads((tmp_path / "copy" / "index.json").read_text())["manifests"]
    assert [item["digest"] for item in copied] == [digest]


def with_platforms(folder) -> None:
    """An OCI layout with an index of two images, written without our code."""
    from tests.server.client import CONFIG, INDEX, LAYER, MANIFEST, descriptor, image, index

    def put(media_type, data, **more):
        told = descriptor(media_type, data, **more)
        path = folder / "blobs" / told["digest"].replace(":", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return told

    children = []
    for architecture in ("amd64", "arm64"):
        config, layers, document = image(architecture=architecture, layers=(architecture.encode() * 100,))
        put(CONFIG, config)
        put(LAYER, layers[0])
        platform = {"os": "linux", "architecture": architecture}
        children.append(put(MANIFEST, json.dumps(document).encode(), platform=platform))
    root = put(INDEX, json.dumps(index(*children)).encode())
    root["annotations"] = {"org.opencontainers.image.ref.name": "1"}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [root]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')


def test_a_second_store_pulls_and_pushes(stocked, tmp_path):
    client, digest = stocked
    engine = open_engine(Settings(home=tmp_path / "second"))
    try:
        (pulled,) = engine.pull(f"{client.address}/nginx:1.22")
        assert pulled.digest == digest
        engine.tag(f"{client.address}/nginx:1.22", f"{client.address}/back/again:1")
        (pushed,) = engine.push(f"{client.address}/back/again:1")
        assert pushed.digest == digest
    finally:
        engine.close()
    assert client("HEAD", "/v2/back/again/manifests/1").headers["Docker-Content-Digest"] == digest
    verify_store(tmp_path / "second" / "store")


def test_a_second_store_pulls_and_pushes_an_index_that_lists_what_nobody_knows(client, store, tmp_path):
    place = MemoryPlace()
    images = [place.image(platform=name, layers=(name.encode(),)) for name in ("linux/amd64", "linux/arm64")]
    strange = place.put(b"what nobody knows", "application/vnd.example")
    root = place.index("odd:1", [strange, *images])
    with store.writer() as sink:
        drain(copying(place, sink, Reference.parse("odd:1")))
    engine = open_engine(Settings(home=tmp_path / "second"))
    try:
        for platform, held in (("linux/arm64", False), ("all", True)):
            (pulled,) = engine.pull(f"{client.address}/odd:1", platform=platform)
            assert (pulled.digest, strange.digest in engine.store.blobs()) == (root.digest, held)
        engine.tag(f"{client.address}/odd:1", f"{client.address}/back/again:1")
        (pushed,) = engine.push(f"{client.address}/back/again:1")
        assert pushed.digest == root.digest
    finally:
        engine.close()
    assert client("GET", f"/v2/back/again/blobs/{strange.digest}").body == b"what nobody knows"
    verify_store(tmp_path / "second" / "store")


def test_what_was_pushed_is_among_the_images_and_goes_with_rmi(stocked, root, tmp_path):
    client, _ = stocked
    (tmp_path / "home").mkdir(exist_ok=True)
    engine = open_engine(Settings(home=root.parent))
    try:
        assert [record.reference for record in engine.images()] == ["nginx:1.22"]
        engine.remove(["nginx:1.22"])
        assert engine.images(everything=True) == []
    finally:
        engine.close()
    assert client("GET", "/v2/nginx/manifests/1.22").status == 404
    assert not [path for path in (root / "blobs").rglob("*") if path.is_file()]
