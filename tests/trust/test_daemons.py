"""A trust policy where a daemon pulls: judged here, before it, and pulled by the digest that was judged."""

from __future__ import annotations

import pytest

from jupyimg.errors import NotTrusted
from jupyimg.model.settings import DaemonSettings
from tests.engines.test_pull import notes
from tests.trust.test_signed_by import signed

AGENTS = {"docker": "docker/", "podman": "containers/"}


@pytest.fixture(params=["docker", "podman"])
def daemon(request):
    """Settings of an engine that lets a daemon pull."""
    host = request.getfixturevalue(request.param).host
    return {"engine": request.param, "daemon": DaemonSettings(host=host, podman_host=host)}


def test_a_signed_image_is_pulled_by_its_digest_and_gets_its_name(
    trusting, signed_by, signer, signing_skopeo, stocked, daemon
):
    name = signed(signing_skopeo, stocked, signer, "app:1")
    engine = trusting(signed_by(signer), **daemon)
    said, (record,) = notes(engine.pulling(name))
    assert any("is signed by the GPG key" in line for line in said)
    assert record.reference == name
    assert [image.reference for image in engine.images() if image.tag] == [name]
    asked = [access.path for access in stocked.accesses() if access.agent.startswith(AGENTS[daemon["engine"]])]
    assert f"/v2/app/manifests/{stocked.digest('app', '1')}" in asked
    assert "/v2/app/manifests/1" not in asked


def test_an_unsigned_image_is_refused_before_the_daemon_hears_of_it(trusting, signed_by, signer, stocked, daemon):
    engine = trusting(signed_by(signer), **daemon)
    name = stocked.reference("sample/hello:latest")
    with pytest.raises(NotTrusted, match="a signature is required"):
        engine.pull(name)
    assert engine.images(everything=True) == []
    assert [record.reference for record in engine.pull(name, trust=False)] == [name]
