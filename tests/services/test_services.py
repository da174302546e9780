"""Each service starts, does its work once, and keeps to itself."""

from __future__ import annotations

import json
import os
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.services.process import ServiceFailed, environment, running


def test_a_server_that_does_not_start_tells_its_log(tmp_path):
    command = ["sh", "-c", "echo no such luck; exit 3"]
    with (
        pytest.raises(ServiceFailed, match=r"status 3(?s:.*)no such luck"),
        running(command, tmp_path / "log", lambda log: None, env=environment(tmp_path)),
    ):
        raise AssertionError("it never was up")


def test_the_machine_does_not_leak_in(tmp_path):
    assert Path.home() == tmp_path / "home"
    assert [name for name in os.environ if name.startswith(("JUPYIMG_", "DOCKER_"))] == ["JUPYIMG_ETC"]
    assert not Path(os.environ["JUPYIMG_ETC"]).exists()


def test_the_network_ends_at_loopback():
    with pytest.raises(OSError, match="no further than loopback"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("registry.example.com", 443)


def test_registry_holds_what_is_pushed_and_counts_it(registry, second_registry):
    body = b"x" * 5000
    digest = registry.push_blob("team/app", body)
    assert registry.request("GET", f"/v2/team/app/blobs/{digest}").body == body
    assert registry.sent() == 5000
    assert [access.status for access in registry.accesses(digest)][-1] == 200
    assert second_registry.request("GET", f"/v2/team/app/blobs/{digest}").status == 404


def test_htpasswd_registry_asks_who_you_are(htpasswd_registry):
    assert htpasswd_registry.request("GET", "/v2/").status == 200
    htpasswd_registry.login = None
    answer = htpasswd_registry.request("GET", "/v2/")
    assert (answer.status, answer.headers["www-authenticate"][:5]) == (401, "Basic")


def test_skopeo_reads_and_writes_without_touching_home(registry, skopeo, tmp_path):
    config = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{}}'
    media = "application/vnd.oci.image.manifest.v1+json"
    descriptor = {"mediaType": "application/vnd.oci.image.config.v1+json", "size": len(config)}
    manifest = {"schemaVersion": 2, "mediaType": media, "layers": []}
    manifest["config"] = {**descriptor, "digest": registry.push_blob("a/b", config)}
    digest = registry.push_manifest("a/b", "1", json.dumps(manifest).encode(), media)
    skopeo("copy", f"docker://{registry.reference('a/b:1')}", f"oci:{tmp_path}/layout:copied")
    skopeo("copy", f"oci:{tmp_path}/layout:copied", f"docker://{registry.reference('c/d:2')}")
    assert registry.digest("c/d", "2") == digest
    assert skopeo.inspect(f"docker://{registry.reference('a/b:1')}")["Digest"] == digest
    assert list(skopeo.home.rglob("*.boltdb")), "the blob info cache lies elsewhere"


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_a_daemon_pulls_runs_and_is_emptied(name, request, registry, busybox_image):
    daemon = request.getfixturevalue(name)
    registry.stock(busybox_image.registry.data)
    reference = registry.reference("library/busybox:latest")
    daemon.run("pull", reference)
    container = daemon.start(reference, "sh", "-c", "cat /build; sleep 60")
    assert container in daemon.lines("ps", "-q", "--no-trunc")
    registry.retag("library/busybox", "next", "latest")
    daemon.run("pull", reference)
    assert len(daemon.lines("images", "-q", "--filter", "dangling=true")) == 1
    assert daemon.lines("logs", container) == ["first"]
    daemon.reset()
    assert not daemon.lines("ps", "-aq")
    assert not daemon.lines("images", "-aq")


def test_nginx_is_a_real_image_and_serves(nginx_image, docker):
    docker.run("pull", nginx_image.reference)
    config = json.loads(docker.run("image", "inspect", nginx_image.reference).stdout)[0]
    assert config["Id"] == nginx_image.docker["1.22"]["inspect"]["Id"]
    assert config["Config"]["ExposedPorts"] == {"80/tcp": {}}
    assert len(nginx_image.manifest["layers"]) == 5
    assert len(nginx_image.docker["1.22"]["history"]) == 11
    container = docker.start(nginx_image.reference)
    ask = "exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
    assert "It serves" in docker.run("exec", container, "bash", "-c", f"until ({ask}) 2>&-; do sleep 0.1; done").stdout
    assert "GET / HTTP/1.0" in docker.run("logs", container).stdout


def test_real_images_cannot_be_changed(busybox_image):
    answer = busybox_image.registry.request("POST", "/v2/library/busybox/blobs/uploads/")
    assert answer.status == 405


def test_mitmproxy_does_harm_in_both_modes(mitmproxy, registry):
    addon = """
        def response(flow):
            flow.response.status_code = 429
    """
    reverse = mitmproxy(addon, upstream=registry.url)
    assert registry.request("GET", f"{reverse.url}/v2/").status == 429
    regular = mitmproxy(addon)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": regular.url}))
    with pytest.raises(urllib.error.HTTPError, match="429"):
        opener.open(f"{registry.url}/v2/", timeout=10)
    assert regular.authority.read_text().startswith("-----BEGIN CERTIFICATE")


def test_kernel_runs_cells_in_a_folder_of_its_own(kernel, tmp_path):
    cells = ["import os; print(os.environ['JUPYIMG_HOME'], os.environ['WHO'])", "1 / 0", "os.getcwd()"]
    first, second, third = kernel(cells, WHO="me")
    assert first.stream() == f"{tmp_path}/notebook/jupyimg me\n"
    assert second.error == ("ZeroDivisionError", "division by zero")
    assert third.shown() == [repr(f"{tmp_path}/notebook")]


def test_jupyter_page_runs_a_notebook_as_a_person_sees_it(jupyter_page, tmp_path):
    cells = [
        "import os; os.environ['JUPYIMG_HOME']",
        "from IPython.display import HTML\nHTML('<b class=mine>中文</b>')",
    ]
    jupyter_page.open([*cells, "import time; time.sleep(1); print('the end')"])
    jupyter_page.run_all()
    expect(jupyter_page.output(0)).to_contain_text(str(jupyter_page.folder / "jupyimg"))
    expect(jupyter_page.output(2)).to_have_text("the end")
    expect(jupyter_page.page.locator("b.mine")).to_have_text("中文")
    assert jupyter_page.screenshot(tmp_path / "seen.png").stat().st_size > 10_000
    assert "the end" in jupyter_page.save().read_text()
    assert jupyter_page.complaints == []
    assert jupyter_page.outside == []
    jupyter_page.page.evaluate("() => { fetch('http://example.com/').catch(() => 0); console.error('oh'); }")
    for _ in range(600):  # until both have been heard of
        jupyter_page.page.wait_for_timeout(100)
        if jupyter_page.outside and "oh" in jupyter_page.complaints:
            break
    assert jupyter_page.outside == ["http://example.com/"]
    assert "oh" in jupyter_page.complaints
