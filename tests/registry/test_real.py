"""Against a real registry, judged by a real tool of others."""

from __future__ import annotations

import random

import pytest

from jupyimg.errors import Denied, DigestMismatch, RemoteNotFound
from jupyimg.model.content import drain, verified
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor
from jupyimg.model.reference import Reference
from jupyimg.registry import Credentials, upload
from jupyimg.transfer import copying
from tests.places.memory import MemoryPlace

LAYERS = tuple(random.Random(n).randbytes(200_000 * (n + 1)) for n in range(4))


def image(name, layers=LAYERS):
    place = MemoryPlace(chunk=70_000)
    return place, place.image(name, layers=layers)


def blob_of(data):
    return Descriptor(media_type=OCI_LAYER, digest=Digest.of(data), size=len(data))


def push(place, repository, reference):
    return drain(copying(place, repository, reference))


def test_what_is_pushed_has_the_same_digest_for_skopeo_and_comes_back_the_same(registry, skopeo, connect):
    reference = Reference.parse(registry.reference("team/app:1"))
    place, root = image(str(reference))
    registries = connect()
    push(place, registries.repository(reference), reference)
    seen = skopeo.inspect(f"docker://{reference}")
    assert seen["Digest"] == root.digest
    assert seen["Layers"] == [Digest.of(layer) for layer in LAYERS]
    back = MemoryPlace()
    copied = drain(copying(registries.repository(reference), back, reference))
    assert copied.tree.root == Descriptor(media_type=root.media_type, digest=root.digest, size=root.size)
    assert back.blobs == place.blobs


def test_what_skopeo_pushed_is_read(registry, skopeo, connect, tmp_path):
    ours = Reference.parse(registry.reference("team/app:1"))
    place, root = image(str(ours))
    repository = connect().repository(ours)
    push(place, repository, ours)
    theirs = Reference.parse(registry.reference("their/copy:2"))
    skopeo("copy", "--preserve-digests", f"docker://{ours}", f"docker://{theirs}")
    assert connect().repository(theirs).resolve(theirs).digest == root.digest


def test_an_index_goes_after_what_it_lists(registry, skopeo, connect):
    reference = Reference.parse(registry.reference("team/multi:1"))
    place = MemoryPlace()
    children = [place.image(platform=p, layers=(p.encode(),)) for p in ("linux/amd64", "linux/arm64")]
    root = place.index(str(reference), children)
    repository = connect().repository(reference)
    push(place, repository, reference)
    assert registry.digest("team/multi", "1") == root.digest
    assert repository.resolve(reference).media_type == root.media_type


def test_pushing_again_sends_nothing(registry, connect):
    reference = Reference.parse(registry.reference("app:1"))
    place, _ = image(str(reference))
    push(place, connect().repository(reference), reference)
    before = len(registry.accesses())
    push(place, connect().repository(reference), reference)
    methods = {access.method for access in registry.accesses()[before:]}
    assert methods == {"HEAD"}


def test_a_neighbours_layers_are_mounted(registry, connect):
    first, second = (Reference.parse(registry.reference(f"{name}:1")) for name in ("base", "app"))
    place, root = image(str(first))
    push(place, connect().repository(first), first)
    place.names[str(second)] = root
    moved = push(place, connect().repository(second, mounts=["base"]), second)
    assert registry.digest("app", "1") == root.digest
    assert moved.transferred == root.size  # the manifest alone
    assert not [access for access in registry.accesses("/v2/app/blobs/uploads") if access.method in {"PATCH", "PUT"}]


def test_a_blob_goes_in_chunks_too(registry, connect, monkeypatch):
    monkeypatch.setattr(upload, "CHUNK_SIZE", 1 << 18)
    repository = connect().repository(Reference.parse(registry.reference("app")))
    repository._line.learned.takes_whole = False
    data = LAYERS[3]
    repository.write(blob_of(data), lambda offset: iter([data[offset:]]))
    assert len([access for access in registry.accesses("uploads") if access.method == "PATCH"]) == 4
    assert b"".join(repository.read(blob_of(data))) == data


def test_wrong_bytes_are_refused_by_the_registry(registry, connect):
    repository = connect().repository(Reference.parse(registry.reference("app")))
    blob = blob_of(b"right")
    with pytest.raises(DigestMismatch):
        repository.write(blob, lambda offset: iter([b"wrong"]))
    assert not repository.has(blob)


def test_reading_resumes_in_the_middle(registry, connect):
    repository = connect().repository(Reference.parse(registry.reference("app")))
    registry.push_blob("app", LAYERS[3])
    assert b"".join(repository.read(blob_of(LAYERS[3]), 123_456)) == LAYERS[3][123_456:]
    statuses = [access.status for access in registry.accesses(Digest.of(LAYERS[3])) if access.method == "GET"]
    assert statuses == [206]


def test_all_tags_are_listed(registry, connect):
    reference = Reference.parse(registry.reference("app:0"))
    place, _ = image(str(reference), layers=(b"x",))
    push(place, connect().repository(reference), reference)
    for n in range(1, 7):
        registry.retag("app", "0", str(n))
    assert sorted(connect().repository(reference).tags()) == [str(n) for n in range(7)]


def test_missing_things_are_told_apart(registry, connect):
    reference = Reference.parse(registry.reference("app:1"))
    with pytest.raises(RemoteNotFound, match="has no repository"):
        connect().repository(reference).resolve(reference)
    place, _ = image(str(reference), layers=(b"x",))
    push(place, connect().repository(reference), reference)
    with pytest.raises(RemoteNotFound, match="has no tag 2"):
        connect().repository(reference).resolve(reference.with_tag("2"))


def test_a_registry_with_passwords_lets_in_who_has_one(htpasswd_registry, connect):
    reference = Reference.parse(htpasswd_registry.reference("app:1"))
    place, root = image(str(reference))
    with pytest.raises(Denied, match="does not let you push"):
        push(place, connect().repository(reference), reference)
    who = Credentials(*htpasswd_registry.login)
    push(place, connect({reference.host: who}.get).repository(reference), reference)
    assert htpasswd_registry.digest("app", "1") == root.digest
    with pytest.raises(Denied, match="does not accept the login"):
        connect(lambda host: Credentials("ada", "wrong")).repository(reference).resolve(reference)


def test_a_real_image_is_read_to_the_last_byte(busybox_image, connect):
    reference = Reference.parse(busybox_image.reference)
    place = MemoryPlace()
    copied = drain(copying(connect().repository(reference), place, reference))
    for blob in copied.tree.blobs:
        assert b"".join(verified(blob, [place.blobs[blob.digest]]))


def test_a_hostile_network_only_costs_time(registry, mitmproxy, connect):
    """Every third answer with content is cut short, every fifth fails: what arrives is right all the same."""
    proxy = mitmproxy(
        """
        count = 0
        def response(flow):
            global count
            if flow.request.method != "GET":
                return
            count += 1
            if count % 5 == 0:
                flow.response.status_code, flow.response.content = 503, b"no"
            elif count % 3 == 0 and flow.response.content:
                flow.response.content = flow.response.content[: len(flow.response.content) // 2]
        """,
        upstream=registry.url,
    )
    direct, by_proxy = (Reference.parse(f"{host}/app:1") for host in (registry.host, proxy.host))
    place, _ = image(str(direct))
    push(place, connect().repository(direct), direct)
    back = MemoryPlace()
    drain(copying(connect().repository(by_proxy), back, by_proxy))
    assert back.blobs == place.blobs
