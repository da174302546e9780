"""Containers as a daemon lists them, in words; what is missing or odd is empty and never invented."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jupyimg.engines.docker.containers import listed, ports, record
from jupyimg.engines.docker.engine import Docker
from jupyimg.errors import EngineError
from tests.docker_containers.daemons import settings_at
from tests.docker_containers.fake import answer, fake_daemon


def port(private, public=None, ip=None, kind="tcp"):
    return {"PrivatePort": private, "Type": kind, **({"PublicPort": public, "IP": ip} if ip else {})}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ([], ""),
        ([port(80)], "80/tcp"),
        ([port(81), port(80), port(82)], "80-82/tcp"),
        ([port(80), port(82)], "80/tcp, 82/tcp"),
        ([port(53), port(53, kind="udp")], "53/tcp, 53/udp"),
        ([port(80, 8080, "0.0.0.0"), port(80, 8080, "::")], "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"),
        ([port(80, 80, "0.0.0.0"), port(81, 81, "0.0.0.0")], "0.0.0.0:80-81->80-81/tcp"),
        ([port(80, 8080, "0.0.0.0"), port(443)], "443/tcp, 0.0.0.0:8080->80/tcp"),
        (None, ""),
        ([None, {}, {"PrivatePort": "x"}], ""),
    ],
)
def test_ports_are_written_as_docker_ps_does(given, shown):
    assert ports(given) == shown


def test_the_containers_own_name_is_the_one_without_a_link():
    assert record({"Names": ["/other/alias", "/web"]}).name == "web"
    assert record({"Names": ["/other/alias"]}).name == "other/alias"


@pytest.mark.parametrize(
    "row", [{}, {"Names": None, "Image": None, "State": 3, "Created": "x", "Ports": {}}, {"Created": 1e30}]
)
def test_what_a_daemon_does_not_say_is_empty(row):
    found = record(row)
    assert (found.name, found.image, found.state, found.created, found.ports) == (None, None, None, None, "")


def test_a_name_is_familiar_and_an_id_is_left_alone():
    assert record({"Image": "docker.io/library/nginx:1.22"}).image == "nginx:1.22"
    assert record({"Image": "nginx"}).image == "nginx"
    assert record({"Image": f"sha256:{'a' * 64}"}).image == f"sha256:{'a' * 64}"
    assert record({"Created": 0}).created == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("said", [answer({"message": "odd"}), answer("text"), answer([1])])
def test_a_list_that_is_none_is_an_error(tmp_path, said):
    with fake_daemon(**{"containers/json": said}) as fake:
        engine = Docker(settings_at(fake.host, tmp_path))
        with pytest.raises(EngineError, match="list of containers"):
            listed(engine.api.client)
