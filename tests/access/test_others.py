"""The logins of others are ours and ours are theirs: skopeo, Docker and Podman, with files and with helpers."""

from __future__ import annotations

import json
import os

import pytest

from tests.credentials.conftest import auth
from tests.magic.test_magic import run as run_cell
from tests.services.packages import PATH
from tests.services.process import environment, run
from tests.services.registry import PASSWORD, USERNAME


@pytest.fixture
def folder(tmp_path):
    """Docker's folder of this test's user."""
    made = tmp_path / "home" / ".docker"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def host(htpasswd_registry):
    return htpasswd_registry.host


@pytest.fixture
def pushed(shell, hello, host, folder):
    """An image that only we can have pushed, with the login that we kept."""
    shell.user_ns["pw"] = PASSWORD
    run_cell(shell, f"%image login {host} -u {USERNAME} -p {{pw}}")
    run_cell(shell, f"%image tag {hello} {host}/me/hello:1")
    run_cell(shell, f"%image push {host}/me/hello:1")
    return f"{host}/me/hello:1"


@pytest.fixture
def tool(tmp_path, vault):
    """Runs a program in a home of its own, with the helper on its path."""
    env = environment(tmp_path / "their_home", PATH=f"{vault.bin}{os.pathsep}{PATH}")
    return lambda *command, **more: run(command, env=env, **more)


def reads(shell, reference):
    return run_cell(shell, f"%image inspect --remote {reference}")["Os"] == "linux"


def test_skopeo_uses_the_login_that_we_kept(pushed, skopeo, folder):
    assert skopeo.inspect(f"docker://{pushed}", f"--authfile={folder / 'config.json'}")["Os"] == "linux"


def test_we_use_the_login_that_skopeo_kept(pushed, shell, skopeo, host, tmp_path):
    file = tmp_path / "home" / ".config" / "containers" / "auth.json"
    run_cell(shell, f"%image logout {host}")
    skopeo(
        "login", f"--authfile={file}", f"--username={USERNAME}", f"--password={PASSWORD}", "--tls-verify=false", host
    )
    assert reads(shell, pushed)
    assert str(run_cell(shell, f"%image logout {host}")).startswith("Removing")
    assert json.loads(file.read_text())["auths"] == {}


def test_skopeo_and_we_use_one_helper_for_a_host(pushed, shell, tool, vault, host, tmp_path, folder):
    run_cell(shell, f"%image logout {host}")
    (folder / "config.json").write_text(json.dumps({"credHelpers": {host: "vault"}}))
    run_cell(shell, f"%image login {host} -u {USERNAME} -p {{pw}}")
    assert json.loads((folder / "config.json").read_text()) == {"credHelpers": {host: "vault"}, "auths": {host: {}}}
    arguments = ["--tls-verify=false", f"--authfile={folder / 'config.json'}"]
    assert json.loads(tool("skopeo", "inspect", *arguments, f"docker://{pushed}").stdout)["Os"] == "linux"
    vault.keep(host, USERNAME, "outdated")
    assert tool("skopeo", "inspect", *arguments, f"docker://{pushed}", check=False).returncode


def test_docker_uses_the_login_that_we_kept(pushed, docker, folder):
    said = docker.lines("--config", str(folder), "pull", pushed)
    assert said[-1] == pushed


def test_we_use_the_login_that_docker_kept_and_it_forgets_ours(pushed, shell, docker, host, folder):
    other = {"other.example": auth("x", "y")}  # without any login in its file, Docker would choose a helper by itself
    (folder / "config.json").write_text(json.dumps({"auths": other}))
    config = ("--config", str(folder))
    docker.run(*config, "login", f"--username={USERNAME}", "--password-stdin", host, stdin=PASSWORD.encode())
    assert json.loads((folder / "config.json").read_text())["auths"] == {host: auth(USERNAME, PASSWORD), **other}
    assert reads(shell, pushed)
    docker.run(*config, "logout", host)
    assert str(run_cell(shell, f"%image logout {host}")) == f"Not logged in to {host}"


def test_docker_and_we_use_one_helper_for_all(pushed, shell, docker, tool, vault, host, folder):
    (folder / "config.json").write_text(json.dumps({"credsStore": "vault"}))
    run_cell(shell, f"%image login {host} -u {USERNAME} -p {{pw}}")
    client = ["docker", "-H", docker.host, "--config", str(folder)]
    assert tool(*client, "pull", pushed).stdout.splitlines()[-1] == pushed
    tool(*client, "logout", host)
    assert host not in vault.kept
    tool(*client, "login", f"--username={USERNAME}", "--password-stdin", host, stdin=PASSWORD.encode())
    assert vault.kept[host]["Secret"] == PASSWORD
    assert reads(shell, pushed)


def test_podman_uses_the_login_that_we_kept_and_we_use_podmans(pushed, shell, podman, tool, host, tmp_path, folder):
    client = ["podman", "--remote", f"--url={podman.host}"]
    arguments = [f"--authfile={folder / 'config.json'}", "--tls-verify=false"]
    assert tool(*client, "pull", *arguments, pushed).stdout.strip()
    run_cell(shell, f"%image logout {host}")
    assert tool(*client, "pull", "--policy=always", *arguments, pushed, check=False).returncode
    theirs = tmp_path / "home" / "run" / "containers" / "auth.json"
    theirs.parent.mkdir(parents=True)
    login = ["login", f"--authfile={theirs}", "--tls-verify=false", f"--username={USERNAME}", "--password-stdin"]
    tool(*client, *login, f"{host}/me", stdin=PASSWORD.encode())
    assert list(json.loads(theirs.read_text())["auths"]) == [f"{host}/me"]
    assert reads(shell, pushed)
