"""Where a daemon is looked for, as the docker command looks for it."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.commands.environment import settings_from
from jupyimg.engines.docker.contexts import Tls, address, contexts, endpoints
from jupyimg.errors import Misuse
from jupyimg.model.settings import DaemonSettings
from tests.registry.certificates import make_certificate
from tests.services.process import environment, run


def hosts(settings, program="docker"):
    return [endpoint.host for endpoint in endpoints(settings, program)]


@pytest.fixture
def config(tmp_path):
    """A folder of the docker command with two contexts of its own making."""
    folder = tmp_path / "config"
    certificate, key = make_certificate(tmp_path, "far.example")
    env = environment(tmp_path / "client", DOCKER_CONFIG=str(folder))
    files = f"ca={certificate},cert={certificate},key={key}"
    run(["docker", "context", "create", "near", "--docker", "host=unix:///near.sock"], env=env)
    run(["docker", "context", "create", "far", "--docker", f"host=tcp://far.example:2376,{files}"], env=env)
    run(["docker", "context", "create", "lax", "--docker", "host=tcp://lax.example:2376,skip-tls-verify=true"], env=env)
    run(["docker", "context", "use", "near"], env=env)
    return folder


def test_contexts_that_the_docker_command_made_are_found(config):
    assert contexts(config) == ["default", "far", "lax", "near"]
    assert hosts(DaemonSettings(config=config)) == ["unix:///near.sock"], "the current one"
    assert hosts(DaemonSettings(config=config, context="far")) == ["tcp://far.example:2376"]
    assert "/var/run/docker.sock" in hosts(DaemonSettings(config=config, context="default"))[0]


def test_a_context_brings_its_certificates(config):
    (far,) = endpoints(DaemonSettings(config=config, context="far"))
    assert far.tls is not None
    assert far.tls.verify
    assert {path.rpartition("/")[2] for path in (far.tls.ca, far.tls.cert, far.tls.key)} == {
        "ca.pem",
        "cert.pem",
        "key.pem",
    }
    (lax,) = endpoints(DaemonSettings(config=config, context="lax"))
    assert lax.tls == Tls(verify=False)
    (near,) = endpoints(DaemonSettings(config=config, context="near"))
    assert near.tls is None


def test_a_host_goes_before_a_context(config):
    assert hosts(DaemonSettings(config=config, context="far", host="unix:///mine.sock")) == ["unix:///mine.sock"]


def test_the_environment_says_the_same_as_the_settings(config, tmp_path, monkeypatch):
    said = {"DOCKER_CONFIG": str(config), "DOCKER_CONTEXT": "far"}
    assert hosts(settings_from(said).daemon) == ["tcp://far.example:2376"]
    said |= {"DOCKER_HOST": "tcp://other.example", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    (other,) = endpoints(settings_from(said).daemon)
    assert (other.host, other.tls) == ("tcp://other.example:2376", Tls(verify=True))
    assert hosts(settings_from({"CONTAINER_HOST": "unix:///p.sock"}).daemon, "podman") == ["unix:///p.sock"]


def test_without_any_choice_the_usual_sockets_are_tried_in_order(tmp_path):
    plain = DaemonSettings(config=tmp_path, runtime_dir="/run/user/7")
    assert hosts(plain) == [
        "unix:///var/run/docker.sock",
        "unix:///run/user/7/docker.sock",
        f"unix://{tmp_path}/run/docker.sock",
    ]
    assert hosts(plain, "podman") == ["unix:///run/user/7/podman/podman.sock", "unix:///run/podman/podman.sock"]


def test_certificates_alone_ask_for_tls_but_for_no_proof(tmp_path):
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).write_text("")
    (found,) = endpoints(DaemonSettings(host="tcp://x.example", cert_path=str(tmp_path)))
    assert found.host == "tcp://x.example:2376"
    assert found.tls is not None
    assert (found.tls.verify, found.tls.ca) == (False, str(tmp_path / "ca.pem"))


def test_an_unknown_context_names_those_that_there_are(config):
    with pytest.raises(Misuse, match="no Docker context 'nope'") as caught:
        endpoints(DaemonSettings(config=config, context="nope"))
    assert "far, lax, near" in caught.value.hint


@pytest.mark.parametrize("text", ["{", "[]", "\xff", '{"currentContext": "gone"}', "[" * 100_000])
def test_a_damaged_config_is_no_other_daemon(tmp_path, text):
    (tmp_path / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(Misuse):
        endpoints(DaemonSettings(config=tmp_path))


@pytest.mark.parametrize("meta", ["{", "{}", '{"Endpoints": []}', '{"Endpoints": {"docker": {"Host": 3}}}'])
def test_a_damaged_context_is_an_error(tmp_path, meta):
    folder = tmp_path / "contexts" / "meta" / hashlib.sha256(b"odd").hexdigest()
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(meta)
    with pytest.raises(Misuse):
        endpoints(DaemonSettings(config=tmp_path, context="odd"))


def test_contexts_in_the_current_folder_are_nobodys(tmp_path, monkeypatch):
    folder = tmp_path / "contexts" / "meta" / hashlib.sha256(b"planted").hexdigest()
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(json.dumps({"Endpoints": {"docker": {"Host": "tcp://evil.example:1"}}}))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Misuse, match="no Docker context"):
        endpoints(DaemonSettings(config=tmp_path / "empty", context="planted"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("unix:///a/b.sock", "unix:///a/b.sock"),
        ("unix://a/b.sock", "unix:///a/b.sock"),
        ("/a/b.sock", "unix:///a/b.sock"),
        ("tcp://h", "tcp://h:2375"),
        ("h:99", "tcp://h:99"),
        ("tcp://[::1]:99/", "tcp://[::1]:99"),
        ("ssh://me@h", "ssh://me@h"),
        ("ssh://me@h:22/run/d.sock", "ssh://me@h:22/run/d.sock"),
        ("ssh://me@h/run/d.sock?secure=True", "ssh://me@h/run/d.sock"),
        ("npipe:////./pipe/docker_engine", "npipe:////./pipe/docker_engine"),
    ],
)
def test_addresses_are_taken_in_every_spelling(text, found):
    assert address(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unix://",
        "ftp://h",
        "tcp://",
        "tcp://h:port",
        "tcp://[::1",
        "ssh://-oProxyCommand=evil",
        "ssh://-l@h",
        "http://h",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(Misuse):
        address(text)


@pytest.mark.parametrize(
    "text", ["ssh://me:s3cret@h", "tcp://me:s3cret@h:1", "http://me:s3cret@h", "tcp://me:s3cret@h:x"]
)
def test_a_password_in_an_address_is_refused_and_not_repeated(text):
    with pytest.raises(Misuse) as caught:
        address(text)
    assert "s3cret" not in f"{caught.value.message}{caught.value.hint}"


@given(st.text(max_size=40), st.sampled_from(["", "tcp://", "unix://", "ssh://", "npipe://"]))
def test_an_address_is_itself_again_or_refused(text, scheme):
    try:
        found = address(scheme + text)
    except Misuse:
        return
    assert address(found) == found
