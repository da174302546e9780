"""Each service starts, does its work once, and keeps to itself."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

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
    assert not [name for name in os.environ if name.startswith(("JUPYIMG_", "DOCKER_"))]


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
    assert list((skopeo.folder / "cache").rglob("*.boltdb")), "the blob info cache lies elsewhere"
