"""Plain http with a Podman that nobody set up for it: loopback works as with Docker Engine, the rest says how."""

from __future__ import annotations

import pytest

from jupyimg.engines import open_engine
from jupyimg.engines.docker.dialects import DOCKER, PODMAN
from jupyimg.engines.docker.plain_http import must_be_said
from jupyimg.engines.docker.refusals import refusal
from jupyimg.errors import PlatformNotFound, RemoteNotFound, Unreachable
from jupyimg.model.content import Phase
from jupyimg.model.records import Status
from jupyimg.model.reference import Reference
from jupyimg.model.settings import DaemonSettings, Settings
from tests.engines_contract.test_changing import followed
from tests.services.daemons import serve_podman


@pytest.fixture(scope="module")
def podman(tmp_path_factory):
    with serve_podman(registries='unqualified-search-registries = ["docker.io"]\n') as daemon:
        home = tmp_path_factory.mktemp("home")
        engine = open_engine(Settings(home=home, engine="podman", daemon=DaemonSettings(podman_host=daemon.host)))
        yield engine
        engine.close()


def test_podman_pulls_and_pushes_at_a_loopback_registry(podman, shelf):
    name = shelf.reference("sample/web:1.0")
    steps, (record,) = followed(podman.pulling(name))
    assert (record.reference, record.status) == (name, Status.DOWNLOADED)
    assert record.digest == shelf.digest("sample/web", "1.0")
    layers = podman.inspect(name).document["RootFS"]["Layers"]
    assert sum(step.phase is Phase.DONE for step in steps) == len(layers)
    assert podman.pull(name)[0].status is Status.UP_TO_DATE
    podman.tag(name, shelf.reference("me/web:1"))
    (pushed,) = podman.push(shelf.reference("me/web:1"))
    assert shelf.digest("me/web", "1") == pushed.digest
    (exact,) = podman.pull(f"{shelf.host}/sample/web@{record.digest}")
    assert exact.image_id == record.image_id
    (other,) = podman.pull(shelf.reference("sample/hello:latest"), platform="linux/arm64")
    assert str(podman.inspect(other.reference).platform).startswith("linux/arm64")


def test_what_a_loopback_registry_refuses_is_still_told(podman, shelf):
    with pytest.raises(RemoteNotFound):
        podman.pull(shelf.reference("sample/web:nosuch"))
    with pytest.raises(PlatformNotFound):
        podman.pull(shelf.reference("sample/hello:latest"), platform="linux/s390x")


@pytest.mark.parametrize("words", ["pinging container registry reg.example:5000: ", ""])
def test_plain_http_elsewhere_says_where_to_allow_it(words):
    told = f'{words}Get "https://reg.example:5000/v2/": http: server gave HTTP response to HTTPS client'
    error = refusal(told)
    assert isinstance(error, Unreachable)
    assert "registries.conf" in error.hint
    assert "daemon.json" in error.hint
    assert "plain http" in error.hint


def test_only_registries_that_may_be_plain_are_asked_without_tls(tmp_path):
    settings = Settings(home=tmp_path, engine="podman", insecure=frozenset({"reg.example:5000"}))
    for host in ("127.0.0.1:5000", "localhost", "[::1]:80", "127.3.4.5", "reg.example:5000"):
        assert must_be_said(PODMAN, settings, Reference.parse(f"{host}/app:1")), host
        assert not must_be_said(DOCKER, settings, Reference.parse(f"{host}/app:1")), host
    for host in ("docker.io", "reg.example", "127.0.0.1.example:5000", "10.0.0.1:5000"):
        assert not must_be_said(PODMAN, settings, Reference.parse(f"{host}/app:1")), host
