"""Archives between us and the tools that people have: Docker Engine, podman, skopeo and umoci, all real."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from jupyimg.engines import open_engine
from jupyimg.model.settings import Settings
from tests.archives import build
from tests.services.podman import Podman, make_podman
from tests.services.process import run
from tests.services.synthetic import TYPES, Blob, make_image, make_index, make_layer
from tests.store.checker import verify_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ASK = "exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
SERVE_AND_ASK = (
    f"nginx -g 'daemon on;' && for _ in 1 2 3 4 5; do sleep 0.2; ({ASK}) 2>/dev/null && exit 0; done; exit 1"
)


@pytest.fixture(scope="module")
def podman_alone() -> Iterator[Podman]:
    with make_podman() as podman:
        yield podman


@pytest.fixture
def own_podman(podman_alone: Podman) -> Podman:
    podman_alone("rmi", "--all", "--force")
    return podman_alone


@pytest.fixture(scope="module")
def nginx_archive(nginx_image, tmp_path_factory) -> Path:
    """The real nginx image under two names of its own, saved by us."""
    folder = tmp_path_factory.mktemp("saved")
    engine = open_engine(Settings(home=folder / "home"))
    engine.pull(nginx_image.reference)
    for name in ("nginx:1.22", "nginx:latest", "localhost:5000/me/web:v1"):
        engine.tag(nginx_image.reference, name)
    records = engine.save(["nginx", "localhost:5000/me/web:v1"], folder / "nginx.tar")
    assert [record.reference for record in records] == ["nginx:1.22", "nginx:latest", "localhost:5000/me/web:v1"]
    engine.close()
    return folder / "nginx.tar"


NAMES = {"nginx:1.22", "nginx:latest", "localhost:5000/me/web:v1"}


def docker_said(image) -> tuple:
    """ID, layers, and each step with its size, as the Docker Engine that built it said."""
    said = image.docker[image.tag]
    steps = [(step["CreatedBy"], int(step["Size"])) for step in said["history"]]
    return said["inspect"]["Id"], said["inspect"]["RootFS"]["Layers"], steps


def we_say(engine, name) -> tuple:
    detail = engine.inspect(name)
    steps = [(step.created_by, step.size) for step in engine.history(name)]
    return detail.image_id, detail.document["RootFS"]["Layers"], steps


def names_of(engine) -> set[str]:
    return {record.reference for record in engine.images()}


# ---- they load ours


def test_docker_loads_and_runs_what_we_saved(docker, nginx_archive, nginx_image):
    said = docker.run("load", "-i", str(nginx_archive)).stdout
    assert {line.removeprefix("Loaded image: ") for line in said.splitlines()} >= NAMES
    assert set(docker.lines("images", "--format={{.Repository}}:{{.Tag}}")) == NAMES
    detail = json.loads(docker.run("image", "inspect", "nginx:1.22").stdout)[0]
    assert (detail["Id"], detail["RootFS"]["Layers"]) == docker_said(nginx_image)[:2]
    assert "It serves" in docker.run("run", "--rm", "--network=none", "nginx:1.22", "bash", "-c", SERVE_AND_ASK).stdout


def test_podman_loads_and_runs_what_we_saved(own_podman, nginx_archive, nginx_image):
    own_podman("load", "-i", str(nginx_archive))
    listed = set(own_podman.lines("images", "--format={{.Repository}}:{{.Tag}}"))
    assert listed == {"docker.io/library/nginx:1.22", "docker.io/library/nginx:latest", "localhost:5000/me/web:v1"}
    image_id = own_podman.lines("image", "inspect", "--format={{.Id}}", "nginx:1.22")
    assert [f"sha256:{found}" for found in image_id] == [docker_said(nginx_image)[0]]
    limits = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=512:512")
    ran = own_podman("run", "--rm", "--network=none", *limits, "nginx:1.22", "cat", "/var/www/html/index.html")
    assert "It serves" in ran.stdout


def test_skopeo_reads_what_we_saved_as_dockers_archive(skopeo, nginx_archive, nginx_image):
    tags = json.loads(skopeo("list-tags", f"docker-archive:{nginx_archive}").stdout)["Tags"]
    assert set(tags) == {"docker.io/library/nginx:1.22", "docker.io/library/nginx:latest", "localhost:5000/me/web:v1"}
    manifest = skopeo.inspect(f"docker-archive:{nginx_archive}:nginx:1.22", "--raw")
    assert manifest["config"]["digest"] == docker_said(nginx_image)[0]


def test_skopeo_reads_what_we_saved_as_an_oci_archive_and_as_a_layout(skopeo, nginx_image, registry, engine, tmp_path):
    name = registry.reference("oci/nginx:1.22")
    loopback = ("--src-tls-verify=false", "--dest-tls-verify=false")
    skopeo("copy", *loopback, "--format=oci", f"docker://{nginx_image.reference}", f"docker://{name}")
    [pulled] = engine.pull(name)
    engine.save([name], tmp_path / "nginx.tar")
    there = skopeo.inspect(f"oci-archive:{tmp_path}/nginx.tar:{name}")
    assert there["Digest"] == pulled.digest == registry.digest("oci/nginx", "1.22")
    with tarfile.open(tmp_path / "nginx.tar") as tar:
        tar.extractall(tmp_path / "layout", filter="data")
    assert skopeo.inspect(f"oci:{tmp_path}/layout:{name}")["Digest"] == pulled.digest
    verify_store(tmp_path / "layout", skopeo.inspect)
    skopeo("copy", f"oci-archive:{tmp_path}/nginx.tar:{name}", f"dir:{tmp_path}/copied")  # it reads every layer


def test_docker_and_podman_load_what_has_no_name_and_what_is_zstd(docker, own_podman, engine, tmp_path):
    image = make_image([make_layer({"file": b"a"}), make_layer({"b": b"b" * 3000})])
    [record] = engine.load(build.write(tmp_path / "in.tar", build.layout({"": image})))
    engine.save([record.reference], tmp_path / "out.tar")
    assert docker.run("load", "-i", str(tmp_path / "out.tar")).stdout.strip() == f"Loaded image ID: {record.image_id}"
    assert docker.lines("images", "-q", "--no-trunc") == [record.image_id]
    own_podman("load", "-i", str(tmp_path / "out.tar"))
    assert own_podman.lines("images", "-q", "--no-trunc") == [record.image_id]


def test_docker_loads_one_platform_of_an_index(docker, engine, tmp_path):
    """The old form holds but one: this machine's, or the one asked for."""
    images = [make_image([make_layer({"f": name.encode()})], platform=name) for name in ("linux/arm64", "linux/amd64")]
    index = make_index(images, attestations=True)
    engine.load(build.write(tmp_path / "in.tar", build.layout({"docker.io/library/multi:1": index})))
    for platform in ("linux/amd64", "linux/arm64"):
        settings = {"platform": platform} if platform == "linux/arm64" else {}
        engine.save(["multi:1"], tmp_path / "out.tar", **settings)
        docker.reset()
        docker.run("load", "-i", str(tmp_path / "out.tar"))
        assert docker.lines("image", "inspect", "--format={{.Os}}/{{.Architecture}}", "multi:1") == [platform]


# ---- we load theirs


@pytest.fixture
def docker_nginx(docker, nginx_image):
    """Docker with the real image under several names."""
    docker.run("pull", "-q", nginx_image.reference)
    for name in NAMES:
        docker.run("tag", nginx_image.reference, name)
    docker.run("rmi", nginx_image.reference)
    return docker


def test_what_docker_saved_of_a_repository_with_several_tags(docker_nginx, nginx_image, engine, tmp_path):
    docker_nginx.run("save", "-o", f"{tmp_path}/nginx.tar", "nginx", "localhost:5000/me/web:v1")
    records = engine.load(tmp_path / "nginx.tar")
    assert {record.reference for record in records} == names_of(engine) == NAMES
    assert we_say(engine, "nginx:1.22") == docker_said(nginx_image)
    config = json.loads(json.dumps(engine.inspect("nginx:1.22").config))
    assert hashlib.sha256(engine.store.config_bytes(records[0].image_id)).hexdigest() == records[0].image_id.encoded
    assert config["config"]["Cmd"] == nginx_image.docker[nginx_image.tag]["inspect"]["Config"]["Cmd"]
    verify_store(engine.settings.store)


def test_what_docker_saved_by_id(docker_nginx, nginx_image, engine, tmp_path):
    image_id = docker_said(nginx_image)[0]
    docker_nginx.run("save", "-o", f"{tmp_path}/nginx.tar", image_id)
    [record] = engine.load(tmp_path / "nginx.tar")
    assert (record.reference, record.image_id) == (image_id, image_id)
    assert we_say(engine, image_id) == docker_said(nginx_image)


def test_what_docker_saved_of_images_that_share_layers(docker, busybox_image, engine, tmp_path):
    names = [busybox_image.registry.reference(f"library/busybox:{tag}") for tag in ("1.35", "next")]
    for name in names:
        docker.run("pull", "-q", name)
    docker.run("save", "-o", f"{tmp_path}/both.tar", *names)
    engine.load(tmp_path / "both.tar")
    assert names_of(engine) == set(names)
    for tag, name in zip(("1.35", "next"), names, strict=True):
        assert engine.inspect(name).image_id == busybox_image.docker[tag]["inspect"]["Id"]
        assert (
            engine.inspect(name).document["RootFS"]["Layers"]
            == busybox_image.docker[tag]["inspect"]["RootFS"]["Layers"]
        )
    blobs = engine.store.blobs()
    assert len(blobs) == 2 + 2 + len(
        {layer for t in ("1.35", "next") for layer in busybox_image.docker[t]["inspect"]["RootFS"]["Layers"]}
    )


def test_dockers_combined_archive_of_ours_goes_round_through_docker(docker, busybox_image, engine, other, tmp_path):
    """Ours, into Docker, out of Docker, and back: the same image ID, config and layers."""
    engine.pull(busybox_image.reference)
    engine.tag(busybox_image.reference, "box:1")
    engine.save(["box:1"], tmp_path / "a.tar")
    docker.run("load", "-i", f"{tmp_path}/a.tar")
    docker.run("save", "-o", f"{tmp_path}/b.tar", "box:1")
    other.load(tmp_path / "b.tar")
    assert we_say(other, "box:1") == we_say(engine, "box:1") == docker_said(busybox_image)


PODMAN_FORMS = ("docker-archive", "oci-archive", "oci-dir", "docker-dir")


@pytest.mark.parametrize("form", PODMAN_FORMS)
def test_what_podman_saved(form, own_podman, busybox_image, engine, tmp_path):
    own_podman("pull", "-q", busybox_image.reference)
    own_podman("tag", busybox_image.reference, "docker.io/library/box:1")
    own_podman("save", f"--format={form}", "-o", f"{tmp_path}/saved", "docker.io/library/box:1")
    [record] = engine.load(tmp_path / "saved")
    image_id = docker_said(busybox_image)[0]
    if form in {"docker-archive", "oci-archive", "oci-dir"}:
        assert record.reference == "box:1"
    if form == "docker-dir":  # which has no names
        assert record.reference == record.image_id
    if form in {"docker-archive", "docker-dir"}:
        assert record.image_id == image_id
    said = json.loads(own_podman("image", "inspect", "box:1").stdout)[0]
    assert engine.inspect(record.reference).document["RootFS"]["Layers"] == said["RootFS"]["Layers"]
    assert [step.size for step in engine.history(record.reference)] == [
        size for _, size in docker_said(busybox_image)[2]
    ]
    verify_store(engine.settings.store)


def test_what_podman_saved_of_several_images(own_podman, busybox_image, engine, tmp_path):
    for tag, name in (("1.35", "box:1"), ("next", "box:2")):
        origin = busybox_image.registry.reference(f"library/busybox:{tag}")
        own_podman("pull", "-q", origin)
        own_podman("tag", origin, f"docker.io/library/{name}", f"quay.io/me/{name}")
        own_podman("rmi", origin)
    names = {"box:1", "box:2", "quay.io/me/box:1", "quay.io/me/box:2"}
    own_podman("save", "-m", "-o", f"{tmp_path}/many.tar", *sorted(names))
    engine.load(tmp_path / "many.tar")
    assert names_of(engine) == names
    for tag, name in (("1.35", "box:1"), ("next", "box:2")):
        assert engine.inspect(name).image_id == busybox_image.docker[tag]["inspect"]["Id"]


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive", "oci", "dir"])
def test_what_skopeo_wrote(form, skopeo, nginx_image, engine, tmp_path):
    name = {"docker-archive": ":web:1", "oci-archive": ":docker.io/library/web:1", "oci": ":docker.io/library/web:1"}
    target = f"{form}:{tmp_path}/written{name.get(form, '')}"
    skopeo("copy", "--src-tls-verify=false", f"docker://{nginx_image.reference}", target)
    [record] = engine.load(tmp_path / "written")
    assert record.reference == (record.image_id if form == "dir" else "web:1")
    if form != "docker-archive":
        assert record.digest == skopeo.inspect(target)["Digest"]
    if form in {"docker-archive", "dir"}:  # the others turn the config's type, not its bytes
        assert record.image_id == docker_said(nginx_image)[0]
    assert we_say(engine, record.reference)[1:] == docker_said(nginx_image)[1:]


def test_what_umoci_wrote(engine, tmp_path):
    layout = tmp_path / "layout"
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    (tmp_path / "file").write_text("hello")
    run(["umoci", "init", "--layout", str(layout)], env=env)
    run(["umoci", "new", "--image", f"{layout}:latest"], env=env)
    run(["umoci", "insert", "--rootless", "--image", f"{layout}:latest", str(tmp_path / "file"), "/file"], env=env)
    [line] = json.loads((layout / "index.json").read_text())["manifests"]
    [record] = engine.load(layout)
    assert record.digest == line["digest"]
    assert record.reference == record.image_id  # "latest" alone is a tag of nobody knows what
    [step, *_] = engine.history(record.reference)
    assert step.size == 5


# ---- what no server here writes: made by code, as Docker 25 and later and crane write it (their formats' descriptions)


def docker_25(image, name):
    """Docker Engine's own image store: layers uncompressed and named by their diff IDs, a manifest made for them."""
    layers = [Blob.of(TYPES["oci"]["none"], gzip.decompress(layer.content)) for layer in image.layers]
    config = image.blobs[-1]
    manifest = {**image.document, "layers": [layer.descriptor() for layer in layers]}
    root = Blob.document(TYPES["oci"]["manifest"], manifest)
    files = {f"blobs/{blob.digest.replace(':', '/')}": blob.read() for blob in (*layers, config, root)}
    notes = {build.FULL_NAME: name, build.REF_NAME: name.rpartition(":")[2]}
    paths = {
        "Config": f"blobs/{config.digest.replace(':', '/')}",
        "Layers": [f"blobs/{b.digest.replace(':', '/')}" for b in layers],
    }
    saved = [{**paths, "RepoTags": ["app:1"], "LayerSources": {b.digest: b.descriptor() for b in layers}}]
    return files | {
        "index.json": build.index_of(root.descriptor(annotations=notes)),
        "oci-layout": build.MARK,
        "manifest.json": build.as_json(saved),
        "repositories": b'{"app":{"1":"0000"}}',
    }, root


def test_what_docker_25_saves(engine, tmp_path):
    image = make_image([make_layer({"a": b"a" * 1000}), make_layer({"b": b"b" * 70})])
    files, root = docker_25(image, "docker.io/library/app:1")
    [record] = engine.load(build.write(tmp_path / "saved.tar", files))
    assert (record.reference, record.digest, record.image_id) == ("app:1", root.digest, image.blobs[-1].digest)
    assert [step.size for step in engine.history("app:1")] == [70, 0, 1000]
    assert {layer.diff_id for layer in image.layers} <= set(engine.store.blobs())  # kept as they are


def test_what_docker_with_containerd_saves_of_a_platform(engine, tmp_path):
    """The whole index, but the blobs of one platform only."""
    images = [make_image([make_layer({"f": name.encode()})], platform=name) for name in ("linux/amd64", "linux/arm64")]
    index = make_index(images, attestations=True)
    source = {"containerd.io/distribution.source.docker.io": "library/app"}
    files = {
        "oci-layout": build.MARK,
        "index.json": build.index_of(build.line(index, "docker.io/library/app:1", annotations=source)),
        **build.blobs_of(images[0]),
        f"blobs/{index.digest.replace(':', '/')}": index.root.read(),
        **{f"blobs/{made.digest.replace(':', '/')}": made.root.read() for made in images},
    }
    [record] = engine.load(build.write(tmp_path / "saved.tar", files))
    assert (record.reference, record.digest, record.image_id) == ("app:1", index.digest, images[0].blobs[-1].digest)
    [row] = engine.images()
    assert (row.platform, row.digest, row.manifest_digest) == ("linux/amd64", index.digest, images[0].digest)


def test_what_crane_writes(engine, tmp_path):
    image = make_image([make_layer({"a": b"a" * 1000}), make_layer({"b": b"b" * 70})])
    config = image.blobs[-1]
    layers = {f"{layer.digest.partition(':')[2]}.tar.gz": layer.content for layer in image.layers}
    row = {"Config": config.digest, "RepoTags": ["ghcr.io/me/app:1"], "Layers": list(layers)}
    [record] = engine.load(
        build.write(
            tmp_path / "crane.tar", {config.digest: config.read(), **layers, "manifest.json": build.as_json([row])}
        )
    )
    assert (record.reference, record.image_id) == ("ghcr.io/me/app:1", config.digest)
    assert {layer.digest for layer in image.layers} <= set(engine.store.blobs())  # their compressed bytes are kept


def test_what_old_docker_saved_with_a_layer_twice(engine, tmp_path):
    """A layer that comes again is a symbolic link to where it came first."""
    layer = make_layer({"a": b"a"}, compression="none")
    image = make_image([layer, layer])
    config = image.blobs[-1].read()
    row = {"Config": f"{build.sha256(config)}.json", "RepoTags": ["app:1"], "Layers": ["1/layer.tar", "2/layer.tar"]}
    files = {
        "1/layer.tar": layer.content,
        "1/VERSION": b"1.0",
        "2/layer.tar": build.Odd(tarfile.SYMTYPE, "../1/layer.tar"),
        row["Config"]: config,
        "manifest.json": build.as_json([row]),
        "repositories": b"{}",
    }
    [record] = engine.load(build.write(tmp_path / "old.tar", files))
    assert record.image_id == image.blobs[-1].digest
    assert engine.inspect("app:1").document["RootFS"]["Layers"] == [layer.diff_id] * 2
