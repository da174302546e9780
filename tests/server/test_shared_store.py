"""One store, two doors: what was pulled is served, what was pushed is listed, and neither breaks the other."""

from __future__ import annotations

import json
import subprocess

import pytest

from jupyimg.model.reference import Reference
from jupyimg.store import Store, retarget, untag
from tests.places.memory import MemoryPlace
from tests.server.client import INDEX, MANIFEST, Client, descriptor, digest_of, index
from tests.store.bring import bring
from tests.store.checker import verify_store


@pytest.fixture
def place() -> MemoryPlace:
    return MemoryPlace()


@pytest.fixture
def images(place):
    return [place.image(platform=platform, layers=(platform.encode(),)) for platform in ("linux/amd64", "linux/arm64")]


def got(client: Client, path: str) -> tuple[int, str | None, str | None]:
    reply = client("GET", path)
    return reply.status, reply.headers["Docker-Content-Digest"], reply.headers["Content-Type"]


def test_a_store_that_is_not_there_is_served_empty_and_not_made(client, root):
    assert client("GET", "/v2/_catalog").json() == {"repositories": []}
    assert client("GET", "/v2/nginx/manifests/latest").status == 404
    assert client("DELETE", "/v2/nginx/manifests/latest").status == 404
    assert not root.exists()


def test_what_was_pulled_is_served_under_its_familiar_name(client, store, place, images):
    for name in ("nginx:1.27", "localhost:5000/me/app:v1", "ghcr.io/a/b:x"):
        bring(store, place, name, images[0])
    assert client("GET", "/v2/_catalog").json()["repositories"] == ["ghcr.io/a/b", "localhost_5000/me/app", "nginx"]
    for path in ("nginx/manifests/1.27", "library/nginx/manifests/1.27", "localhost_5000/me/app/manifests/v1"):
        assert got(client, f"/v2/{path}") == (200, images[0].digest, MANIFEST)
    layer = json.loads(place.blobs[images[0].digest])["layers"][0]["digest"]
    assert client("GET", f"/v2/library/nginx/blobs/{layer}").body == b"linux/amd64"


def test_of_an_index_held_in_part_the_tag_is_the_platform_that_is_here(client, store, place, images):
    whole = place.index("", images)
    bring(store, place, "nginx:1", whole, images[0])
    assert got(client, "/v2/nginx/manifests/1") == (200, images[0].digest, MANIFEST)
    assert got(client, f"/v2/nginx/manifests/{whole.digest}") == (200, whole.digest, INDEX)
    assert got(client, f"/v2/nginx/manifests/{images[1].digest}")[0] == 404
    assert client("DELETE", "/v2/nginx/manifests/1").status == 202
    store.collect()
    assert got(client, f"/v2/nginx/manifests/{whole.digest}")[0] == 200
    assert got(client, f"/v2/nginx/manifests/{images[0].digest}")[0] == 200


def test_where_several_platforms_are_here_the_tag_is_the_index(client, store, place, images):
    whole = place.index("", [*images, place.image(platform="linux/s390x")])
    for image in images:
        bring(store, place, "nginx:1", whole, image)
    assert got(client, "/v2/nginx/manifests/1") == (200, whole.digest, INDEX)
    for image in images:
        assert got(client, f"/v2/nginx/manifests/{image.digest}")[0] == 200


def test_deleting_the_index_of_an_image_held_in_part_deletes_the_image(client, store, place, images):
    whole = place.index("", images)
    bring(store, place, "nginx:1", whole, images[0])
    assert client("DELETE", f"/v2/nginx/manifests/{whole.digest}").status == 202
    assert store.entries() == ()
    assert got(client, "/v2/nginx/manifests/1")[0] == 404
    assert client("DELETE", f"/v2/nginx/manifests/{images[0].digest}").status == 202
    store.collect()
    assert store.blobs() == {}


def test_what_is_held_by_digest_is_served_by_digest(client, store, place, images):
    bring(store, place, f"nginx@{images[0].digest}", images[0])
    assert got(client, f"/v2/nginx/manifests/{images[0].digest}")[0] == 200
    assert client("GET", "/v2/nginx/tags/list").json()["tags"] == []
    assert client("DELETE", f"/v2/nginx/manifests/{images[0].digest}").status == 202
    assert store.entries() == ()


def test_a_pushed_image_is_one_of_the_store_and_goes_as_one(client, store):
    """What was pushed piece by piece (the images of an index by digest alone) is freed with its name."""
    children = [client.push_image("lab/app", architecture=arch) for arch in ("amd64", "arm64")]
    raw = json.dumps(index(*(descriptor(MANIFEST, raw) for _, raw in children))).encode()
    assert client.put("lab/app", "1", raw).status == 201
    assert store.resolve(Reference.parse("lab/app:1")).digest == digest_of(raw)
    store.remove(lambda entries: untag(entries, Reference.parse("lab/app:1")))
    assert client("GET", "/v2/lab/app/manifests/1").status == 404
    assert store.blobs() == {}
    assert client("GET", "/v2/_catalog").json() == {"repositories": []}


def test_a_tag_given_in_the_store_is_served_at_once(client, store):
    digest, _ = client.push_image("lab/app", "1")
    image = store.entries()[0]
    store.change(lambda entries: retarget(entries, Reference.parse("ghcr.io/other/name:2"), [image]))
    assert got(client, "/v2/ghcr.io/other/name/manifests/2")[:2] == (200, digest)
    assert client("DELETE", f"/v2/ghcr.io/other/name/manifests/{digest}").status == 202
    store.collect()
    assert got(client, "/v2/lab/app/manifests/1")[:2] == (200, digest)


def test_a_layout_that_another_tool_wrote_is_served(serve, skopeo, tmp_path, client):
    client.push_image("lab/app", "1")
    other = tmp_path / "other"
    skopeo("copy", "--src-tls-verify=false", f"docker://{client.address}/lab/app:1", f"oci:{other}:nginx:1.27")
    assert serve(root=other)("GET", "/v2/nginx/manifests/1.27").status == 200


def test_two_servers_are_one_registry(serve):
    first, second = serve(), serve()
    digest, raw = first.push_image("lab/app", "1")
    assert second("GET", "/v2/lab/app/manifests/1").body == raw
    blob = second.push_blob("lab/app", b"loose")
    assert first("HEAD", f"/v2/lab/app/blobs/{blob}").status == 200
    assert first("GET", "/v2/_catalog").json() == second("GET", "/v2/_catalog").json()
    assert second("DELETE", f"/v2/lab/app/manifests/{digest}").status == 202
    assert first("GET", "/v2/lab/app/manifests/1").status == 404
    assert first("GET", f"/v2/lab/app/manifests/{digest}").status == 404


def test_reading_needs_no_right_to_write(serve, client, root):
    digest, raw = client.push_image("lab/app", "1")
    loose = client.push_blob("lab/app", b"loose")
    client.server.stop()
    subprocess.run(["mount", "--bind", root, root], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", root], check=True)
    try:
        reader = serve()
        assert reader("GET", "/v2/lab/app/manifests/1").body == raw
        assert reader("GET", f"/v2/lab/app/blobs/{loose}").body == b"loose"
        for reply in (
            reader("POST", "/v2/lab/app/blobs/uploads/"),
            reader.put("lab/app", "2", raw),
            reader("DELETE", f"/v2/lab/app/manifests/{digest}"),
        ):
            assert (reply.status, reply.codes) == (405, ["UNSUPPORTED"])
            assert str(root) not in reply.body.decode()
        reader.server.stop()
    finally:
        subprocess.run(["umount", root], check=True)


def test_a_full_disk_is_said_and_leaves_the_store_valid(serve, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], check=True)
    try:
        client = serve(root=small / "store")
        _, raw = client.push_image("lab/app", "1")
        data = b"x" * (2 << 20)
        for reply in (
            client("POST", f"/v2/lab/app/blobs/uploads/?digest={digest_of(data)}", data),
            client("PATCH", client.begin("lab/app"), data),
        ):
            assert (reply.status, reply.codes) == (507, ["UNKNOWN"])
        assert client("GET", "/v2/lab/app/manifests/1").body == raw
        client.server.stop()
        verify_store(small / "store")
        Store(small / "store").collect()
    finally:
        subprocess.run(["umount", small], check=True)
