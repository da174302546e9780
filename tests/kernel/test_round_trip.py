"""The main job in a real kernel, on a real image and real registries; skopeo and Docker judge from outside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.services.kernel import run_cells
from tests.store.checker import verify_store

if TYPE_CHECKING:
    from pathlib import Path


def test_pull_tag_push_remove_in_a_kernel(nginx_image, registry, skopeo, docker, tmp_path: Path) -> None:
    source, target = nginx_image.reference, registry.reference("me/nginx:v1")
    cells = run_cells(
        tmp_path,
        [
            "%load_ext jupyimg",
            f"source, target = {source!r}, {target!r}",
            "pulled = %image pull {source}",
            "again = %image pull {source}",
            "images = %image images",
            "history = %image history {source}",
            "detail = %image inspect {source}",
            "%image tag {source} {target}",
            "pushed = %image push {target}",
            "remote = %image inspect --remote {target}",
            (
                "import json\n"
                "print(json.dumps(dict(pulled=pulled.digest[0], pushed=pushed.digest[0], status=pulled.status[0],"
                " again=again.status[0], moved=int(again.transferred[0]), image=images.image_id[0],"
                " sizes=history['size'].tolist(), by=history.created_by.tolist(), empty=history['empty'].tolist(),"
                " config=detail['Config'], id=detail['Id'], layers=detail['RootFS']['Layers'], remote=remote['Id'])))"
            ),
            "removed = %image rmi {source} {target}\nprint(removed.action.value_counts().to_json())",
            "left = %image images -a\nprint(len(left))",
        ],
    )
    assert [cell.error for cell in cells if cell.error] == []
    said = json.loads(cells[10].stream())
    there = skopeo.inspect(f"docker://{source}", "--tls-verify=false")
    sent = skopeo.inspect(f"docker://{target}", "--tls-verify=false")
    assert said["pulled"] == there["Digest"] == said["pushed"] == sent["Digest"]
    assert (said["status"], said["again"], said["moved"]) == ("downloaded", "up to date", 0)

    docker_said = nginx_image.docker[nginx_image.tag]
    assert said["id"] == said["image"] == said["remote"] == docker_said["inspect"]["Id"]
    assert said["layers"] == docker_said["inspect"]["RootFS"]["Layers"]
    assert said["config"]["Labels"] == docker_said["inspect"]["Config"]["Labels"]
    assert [str(size) for size in said["sizes"]] == [step["Size"] for step in docker_said["history"]]
    assert said["by"] == [step["CreatedBy"] for step in docker_said["history"]]

    docker.run("pull", target)
    assert docker.lines("image", "inspect", "--format={{.Id}}", target) == [said["id"]]
    assert json.loads(cells[11].stream())["deleted"] >= len(said["layers"]) + 2
    assert cells[12].stream() == "0\n"


def test_what_we_pull_skopeo_reads_in_place(nginx_image, registry, skopeo, tmp_path: Path) -> None:
    """The real image in OCI's own types; Docker's are kept as they came, and skopeo's layout reader refuses those."""
    name = registry.reference("oci/nginx:1.22")
    loopback = ("--src-tls-verify=false", "--dest-tls-verify=false")
    skopeo("copy", *loopback, "--format=oci", f"docker://{nginx_image.reference}", f"docker://{name}")
    cells = run_cells(tmp_path, ["%load_ext jupyimg", f"%image pull {name}", f"%image pull {nginx_image.reference}"])
    assert [cell.error for cell in cells if cell.error] == []
    store = tmp_path / "jupyimg" / "store"
    there, here = skopeo.inspect(f"docker://{name}", "--tls-verify=false"), skopeo.inspect(f"oci:{store}:{name}")
    assert (here["Digest"], here["Layers"], here["Labels"]) == (there["Digest"], there["Layers"], there["Labels"])
    assert verify_store(store, skopeo.inspect)


def test_docker_runs_what_we_pushed(busybox_image, registry, docker, tmp_path: Path) -> None:
    source, target = busybox_image.reference, registry.reference("me/box:v1")
    cells = run_cells(
        tmp_path,
        ["%load_ext jupyimg", f"%image pull {source}", f"%image tag {source} {target}", f"%image push {target}"],
    )
    assert [cell.error for cell in cells if cell.error] == []
    docker.run("pull", target)
    ran = docker.run("run", "--rm", "--network=none", target, "echo", "it runs")
    assert ran.stdout == "it runs\n"


def test_copy_goes_from_registry_to_registry_without_the_store(nginx_image, registry, skopeo, tmp_path: Path) -> None:
    target = registry.reference("mirror/nginx:1.22")
    cells = run_cells(
        tmp_path,
        [
            "%load_ext jupyimg",
            f"x = %image copy {nginx_image.reference} {target}",
            "print(x.digest[0])",
            "%image images -a",
        ],
    )
    assert [cell.error for cell in cells if cell.error] == []
    assert skopeo.inspect(f"docker://{target}", "--tls-verify=false")["Digest"] == cells[2].stream().strip()
    assert not (tmp_path / "jupyimg" / "store" / "index.json").exists()


def test_completion_answers_in_a_real_kernel_within_300_ms(tmp_path: Path) -> None:
    cells = run_cells(
        tmp_path,
        [
            "%load_ext jupyimg",
            (
                "import time\nip = get_ipython()\nip.Completer.use_jedi = False\n"
                "took = []\n"
                "for _ in range(5):\n"
                "    began = time.perf_counter()\n"
                "    found = ip.complete('%image pul', '%image pul')[1]\n"
                "    took.append(time.perf_counter() - began)\n"
                "print([f for f in found if 'pull' in f], min(took) < 0.3)"
            ),
        ],
    )
    assert "pull" in cells[1].stream()
    assert "True" in cells[1].stream()
