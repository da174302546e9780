"""Answers of daemons that no machine here runs, as values: containerd's image store (Docker 29's API), and oddities.

The documents have the shapes that Docker's API reference gives for ``GET /images/json?manifests=1`` and
``GET /images/{name}/json`` from 1.48 on; they were not recorded from a daemon.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from jupyimg.engines import open_engine
from jupyimg.engines.base import PruneFilter
from jupyimg.engines.docker import answers
from jupyimg.engines.docker.chains import EMPTY, Graph, Step, chain, layers_at
from jupyimg.engines.docker.space import Look
from jupyimg.errors import ImageNotFound
from jupyimg.model.digest import Digest
from jupyimg.model.platform import Platform
from jupyimg.model.settings import DaemonSettings, Settings
from tests.engines_contract.fake import FakeDaemon, Line, fake_daemon

if TYPE_CHECKING:
    from pathlib import Path


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


def _manifest(letter: str, architecture: str, *, available: bool = True, kind: str = "image") -> dict:
    platform = {"os": "linux", "architecture": architecture}
    found = {
        "ID": digest(letter),
        "Descriptor": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest(letter),
            "size": 1000,
            "platform": platform,
        },
        "Available": available,
        "Size": {"Content": 70_000_000 if available else 0, "Total": 250_000_000 if available else 0},
        "Kind": kind,
    }
    if kind == "image":
        size = {"Unpacked": 180_000_000 if available else 0}
        found["ImageData"] = {"Platform": platform, "Containers": ["c0ffee"], "Size": size}
    else:
        found["AttestationData"] = {"For": digest("1")}
    return found


CONTAINERD = {
    "Containers": 1,
    "Created": 1767225600,
    "Id": digest("a"),
    "Labels": {"maintainer": "somebody"},
    "ParentId": "",
    "Descriptor": {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest("a"), "size": 1609},
    "Manifests": [
        _manifest("1", "amd64"),
        _manifest("2", "arm64", available=False),
        _manifest("3", "unknown", kind="attestation"),
    ],
    "RepoDigests": [f"nginx@{digest('a')}"],
    "RepoTags": ["nginx:1.27", "registry.example/web:1"],
    "SharedSize": -1,
    "Size": 250_000_000,
}
CLASSIC = {
    "Containers": -1,
    "Created": 1767225600,
    "Id": digest("c"),
    "Labels": {"maintainer": "somebody"},
    "ParentId": "",
    "RepoDigests": [f"nginx@{digest('a')}"],
    "RepoTags": ["nginx:1.27"],
    "SharedSize": -1,
    "Size": 180_000_000,
}
PODMAN = {
    **CLASSIC,
    "Containers": 2,
    "Digest": digest("a"),
    "RepoDigests": [f"docker.io/library/nginx@{digest('a')}", f"docker.io/library/nginx@{digest('1')}"],
    "RepoTags": ["docker.io/library/nginx:1.27", f"docker.io/library/nginx@{digest('a')}"],
}


def test_the_containerd_store_gives_a_row_for_each_name_and_held_platform():
    rows = answers.records([CONTAINERD])
    assert [row.reference for row in rows] == ["nginx:1.27", "registry.example/web:1"]
    for row in rows:
        assert (row.digest, row.manifest_digest) == (digest("a"), digest("1"))
        assert row.image_id is None  # that store names an image by its index and tells no digest of a config
        assert (row.size, row.unpacked, row.platform) == (70_000_000, 180_000_000, "linux/amd64")
        assert row.containers == 1
        assert row.created == datetime(2026, 1, 1, tzinfo=UTC)
        assert not row.dangling


def test_the_same_image_compares_equal_in_every_store():
    rows = [answers.records([image])[0] for image in (CONTAINERD, CLASSIC, PODMAN)]
    for field in ("repository", "tag", "reference", "digest", "created", "labels"):
        assert len({str(getattr(row, field)) for row in rows}) == 1, field
    for field in ("image_id", "manifest_digest", "platform", "size"):
        known = {getattr(row, field) for row in rows} - {None}
        assert len(known) <= 1, field
    assert rows[1].image_id == rows[2].image_id == digest("c")
    assert rows[0].manifest_digest == rows[2].manifest_digest == digest("1")


def test_a_containerd_image_that_is_dangling_or_not_here_at_all():
    nameless = {**CONTAINERD, "RepoTags": [], "RepoDigests": []}
    (row,) = answers.records([nameless])
    assert (row.reference, row.repository, row.tag, row.dangling) == (digest("a"), None, None, True)
    (row,) = answers.records([{**nameless, "Manifests": [_manifest("2", "arm64", available=False)]}])
    assert (row.platform, row.size, row.manifest_digest) == (None, None, None)
    single = {**nameless, "Manifests": None, "Descriptor": _manifest("1", "amd64")["Descriptor"]}
    assert answers.records([single])[0].manifest_digest == digest("1")


def test_a_digest_that_may_be_another_tags_is_not_claimed():
    doubtful = {**CLASSIC, "RepoDigests": [f"nginx@{digest('a')}", f"nginx@{digest('b')}"]}
    assert answers.records([doubtful])[0].digest is None
    pushed = {**PODMAN, "RepoDigests": [*PODMAN["RepoDigests"], f"docker.io/library/nginx@{digest('9')}"]}
    row = answers.records([pushed])[0]
    assert (row.digest, row.manifest_digest) == (digest("a"), None)


@pytest.mark.parametrize(
    "odd",
    [
        {"Id": digest("c")},
        {"Id": digest("c"), "RepoTags": None, "RepoDigests": None, "Labels": None, "Created": None, "Size": None},
        {"Id": digest("c"), "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"], "Created": -62135596800},
        {"Id": digest("c"), "RepoTags": 5, "RepoDigests": {"a": 1}, "Manifests": "no", "RootFS": [], "Labels": 3},
        {"Id": digest("c"), "Manifests": [7, {"Kind": "image"}], "RepoTags": [None, 3], "RootFS": {"Layers": {}}},
        {"Id": "c" * 64, "Created": "soon", "Size": -1, "Containers": None, "Manifests": [], "Labels": {"a": None}},
    ],
)
def test_every_field_of_an_answer_may_be_missing_or_odd(odd: dict):
    (row,) = answers.records([odd])
    assert (row.image_id, row.reference) == (digest("c"), digest("c"))
    assert (row.created, row.size, row.unpacked, row.containers, row.digest) == (None,) * 5
    assert answers.detail(odd, "x").platform is None
    assert answers.history([{}], odd)[0].created_by == ""


def test_steps_of_a_classic_build_are_not_dangling():
    step = {"Id": digest("d"), "ParentId": "", "RepoTags": None, "RepoDigests": None, "Created": 1, "Size": 1}
    rows = answers.records([{**CLASSIC, "ParentId": digest("d")}, step])
    assert [row.dangling for row in rows] == [False, False]


def test_a_new_daemon_is_asked_for_the_platform_and_an_old_one_is_not(tmp_path: Path):
    image = {**CONTAINERD, "Os": "linux", "Architecture": "amd64"}

    def asked(daemon: FakeDaemon) -> str:
        settings = Settings(home=tmp_path, engine="docker", daemon=DaemonSettings(host=daemon.host))
        engine = open_engine(settings)
        found = engine.inspect("nginx:1.27", platform="linux/amd64")
        assert found.platform == Platform("amd64", "linux")
        assert found.platforms == ("linux/amd64", "linux/arm64")
        assert (found.digest, found.manifest_digest, found.image_id) == (digest("a"), digest("1"), None)
        engine.close()
        return daemon.asked[-1]

    def answer(line: Line) -> None:
        line.document(image)

    with fake_daemon({"/images/": answer}, api="1.51") as daemon:
        assert "/v1.51/" in asked(daemon)
        assert "platform=" in daemon.asked[-1]
    with fake_daemon({"/images/": answer}, api="1.44") as daemon:
        assert "platform=" not in asked(daemon)
        with pytest.raises(ImageNotFound):
            settings = Settings(home=tmp_path, engine="docker", daemon=DaemonSettings(host=daemon.host))
            open_engine(settings).inspect("nginx:1.27", platform="linux/arm64")


def test_a_list_costs_one_request_however_many_images_there_are(tmp_path: Path):
    images = [
        {**CLASSIC, "Id": digest("c")[:-4] + f"{n:04x}", "RepoTags": [f"app:{n}"], "RepoDigests": []}
        for n in range(1000)
    ]
    with fake_daemon({"/images/json": lambda line: line.document(images)}) as daemon:
        settings = Settings(home=tmp_path, engine="docker", daemon=DaemonSettings(host=daemon.host))
        engine = open_engine(settings)
        assert len(engine.images(everything=True)) == 1000
        assert [path for path in daemon.asked if "/images/" in path] == [daemon.asked[-1]]
        engine.close()


def test_pruning_a_containerd_store_spares_the_name_that_a_container_was_given():
    other = {**CONTAINERD, "Id": digest("b"), "RepoTags": ["idle:1"], "RepoDigests": []}
    containers = [{"Image": "nginx:1.27", "ImageID": digest("a")}]
    look = Look([CONTAINERD, other], containers, None, as_docker=True)
    rows = look.plan(PruneFilter(), everything=True)
    assert [row.reference for row in rows if row.action == "untagged"] == ["idle:1", "registry.example/web:1"]
    (gone,) = [row for row in rows if row.action == "deleted"]
    assert (gone.digest, gone.freed) == (digest("b"), None)  # what its blobs share is not told
    assert look.plan(PruneFilter(), everything=False) == []


# ---- chains: which layers images share, and how much that is

A, B, C, D = (Digest(digest(letter)) for letter in "abcd")


def test_a_chain_id_is_that_of_docker():
    first, second = (
        Digest("sha256:15a742c5e52a18cbdafa1662a784cf737216d0bee13b2465503fe819e22c68ee"),
        Digest("sha256:8e38b2389290253d967f7ebee231d910eb73153179285aecc503d81f190d6618"),
    )
    made = chain([first, second], [Step(1984132, ""), Step(0, "LABEL x"), Step(6, "RUN y"), Step(0, "CMD z")])
    assert made.ids == (first, Digest.of(f"{first} {second}".encode()))
    assert made.upto == (1984132, 1984138)


@pytest.mark.parametrize(
    ("count", "steps", "upto"),
    [
        (2, [(10, "ADD"), (5, "RUN")], (10, 15)),
        (2, [(10, "ADD"), (0, "CMD x"), (5, "RUN")], (10, 15)),
        (3, [(10, "ADD"), (0, "WORKDIR /x"), (5, "RUN")], (10, 10, 15)),
        (3, [(10, "ADD"), (0, "CMD x"), (5, "RUN"), (0, "RUN rm")], (10, 15, 15)),  # CMD makes no layer
        (3, [(10, "ADD"), (0, "odd"), (5, "RUN"), (0, "odd")], (10, None, 15)),  # either of them may have
        (1, [(10, "ADD"), (5, "RUN")], (None,)),
        (2, [], (None, None)),
        (0, [], ()),
    ],
)
def test_a_size_is_known_only_where_the_steps_leave_no_doubt(count: int, steps: list, upto: tuple):
    asked = [Step(*step) for step in steps]
    assert chain([A, B, C, D][:count], asked).upto == upto
    assert (layers_at(count, asked) is not None) is (None not in upto)


def test_what_a_set_frees_is_more_than_the_sum_of_what_each_has_for_itself():
    steps = [Step(100, "ADD"), Step(10, "RUN"), Step(1, "RUN")]
    graph = Graph({"x": chain([A, B, C], steps), "y": chain([A, B, D], steps), "base": chain([A], steps[:1])})
    assert graph.upto[EMPTY] == 0
    assert graph.size(["x", "y", "base"]) == 112
    assert graph.size(["x"], ["y", "base"]) == 1
    assert graph.size(["x", "y"], ["base"]) == 12
    assert graph.size(["x", "y", "base"], []) == 112
    assert [graph.shared(name) for name in ("x", "y", "base")] == [110, 110, 100]
    assert list(graph.freed(["x"], ["y"]).values()) == [1]
    assert list(graph.freed(["x", "y"], ["base"]).values()) == [1, 10, 1]
