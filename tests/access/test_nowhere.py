"""A secret, in whatever way it was given, is afterwards nowhere but where it belongs.

A real kernel with its history, a log at DEBUG and a person who answers; every secret is another one. Then all that
was shown, kept, logged or started is searched for all of them, in every spelling that a program may give them.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager
from traitlets.config import Config

from tests.services.process import environment, run
from tests.services.registry import serve_registry
from tests.services.vault import install_vault

SECRETS = {
    "typed": "typed-xyzzy-1",
    "value": "value xyzzy:2",
    "variable": "variable+xyzzy/3",
    "mistyped": "wrong-xyzzy-4",
    "address": "address-xyzzy-5",
    "helper": "helper-xyzzy-6",
    "docker": "docker-xyzzy-7",
    "proxy": "proxy-xyzzy-8",
    "form": "form-xyzzy-9",
}
USERS = ("typed", "value", "variable", "helper", "docker", "form")
CELLS = """
import logging, pathlib, sys, traceback, jupyimg
logging.basicConfig(level=logging.DEBUG, filename={home!r} + "/debug.log")
logging.debug("a word of the log")
%load_ext jupyimg
%image samples
%image tag sample/hello {host}/typed/hello:1
%image tag sample/hello {docker}/docker/hello:1
%image login {host} -u typed
%image push {host}/typed/hello:1
%image login {host} -u typed
secrets = pathlib.Path({secrets!r})
%image login {host} -u value -p {{(secrets / "value").read_text()}}
%image copy {host}/typed/hello:1 {host}/value/hello:1
%image login {host} -u variable -p env:MY_SECRET
%image login {host} -u variable --password={{(secrets / "mistyped").read_text()}}
%image login {host} -u variable -p {{(secrets / "mistyped").read_text()}} {{(secrets / "mistyped").read_text()}}
address = "https://me:" + (secrets / "address").read_text() + "@{host}"
%image login {{address}}
%image logout {{address}}
%image pull {{address}}/app
%image pull {{address[8:]}}/app
%image inspect {{address}}
(pathlib.Path({home!r}) / ".docker/config.json").write_text('{{"credsStore": "vault"}}')
%image login {host}
%image inspect --remote {host}/typed/hello:1
%image logout {host}
%image login {host} -u helper -p {{(secrets / "helper").read_text()}}
%image login 127.0.0.1:1 -u helper -p {{(secrets / "helper").read_text()}}
session = get_ipython().magics_manager.registry["ImageMagics"].session
session, session.settings, vars(session), session.engine, vars(session.engine.remote)
session.engine.remote.credentials.find("{host}"), session.engine.remote.credentials.source_of("{host}")
session.engine.remote.registries.log_in("{host}", session.engine.remote.credentials.find("{host}"))
try: session.engine.remote.access.login("{host}", "typed", (secrets / "mistyped").read_text())
except Exception: print(traceback.format_exc())
%xmode Verbose
%image login {host} -u variable -p {{(secrets / "mistyped").read_text()}}
%image push {docker}/docker/hello:1
%image pull 10.255.255.1/app
%image login {host} -u form --widget
form = _
form, vars(form), form.widget.get_state(), form.widget._trait_values, get_ipython().kernel.get_parent()
%image inspect --remote {host}/typed/hello:1
%image logout {host}
"""


@pytest.fixture
def host(tmp_path):
    """A registry whose users each have one of the secrets."""
    env = environment(tmp_path / "htpasswd_home")
    lines = [run(["htpasswd", "-nbB", user, SECRETS[user]], env=env).stdout.strip() for user in USERS]
    (tmp_path / "users").write_text("\n".join(lines) + "\n")
    auth = {"htpasswd": {"realm": "tests", "path": str(tmp_path / "users")}}
    with serve_registry(tmp_path / "many", auth=auth) as server:
        yield server.host


@pytest.fixture
def secrets(tmp_path):
    """Files that hold the secrets, as a user may have them; outside of the home folder."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name, secret in SECRETS.items():
        (folder / name).write_text(secret)
    return folder


class Told:
    """A kernel whose input requests are answered, and all that it said."""

    def __init__(self, env):
        self.folder = tempfile.mkdtemp(prefix="jupyimg-kernel-", dir="/tmp")
        config = Config({"KernelManager": {"transport": "ipc", "connection_file": f"{self.folder}/kernel.json"}})
        self.manager = KernelManager(config=config, kernel_name="python3")
        self.manager.start_kernel(env=env, stdout=-3, stderr=-3)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.said: list[str] = []
        self.asked: list[dict] = []
        self.comms: list[str] = []

    def run(self, source, answers):
        def reply(message):
            self.asked.append(message["content"])
            self.client.input(next(answers))

        def hear(message):
            outputs.append(message["content"])
            if message["msg_type"] == "comm_open":
                self.comms.append(message["content"]["comm_id"])

        outputs = []
        done = self.client.execute_interactive(
            source,
            allow_stdin=True,
            timeout=90,
            output_hook=hear,
            stdin_hook=reply,
        )
        self.said.append(json.dumps([source, outputs, done["content"]], ensure_ascii=False, default=str))
        return self.said[-1]

    def fill_in(self, username, password):
        """Send what the newest form would, and keep all that comes back until the kernel rests."""
        data = {"method": "custom", "content": {"do": "login", "username": username}}
        message = self.client.session.msg("comm_msg", {"comm_id": self.comms[-1], "data": data})
        self.client.session.send(self.client.shell_channel.socket, message, buffers=[password.encode()])
        while True:
            answer = self.client.get_iopub_msg(timeout=60)
            if answer["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                self.said.append(json.dumps(answer["content"], ensure_ascii=False, default=str))
                if answer["content"].get("execution_state") == "idle":
                    return

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel()
        shutil.rmtree(self.folder, ignore_errors=True)


def spellings(secret):
    """A secret as it is, as base64 has it at any offset, as URLs and JSON have it."""
    yield from (secret, json.dumps(secret)[1:-1])
    yield from (urllib.parse.quote(secret), urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret))
    for lead in ("", "x", "xx"):
        coded = base64.b64encode((lead + secret).encode()).decode()
        yield coded[4 if lead else 0 : len(coded) // 4 * 4 - 4]


def found_in(text, where):
    return [
        f"{name} in {where}"
        for name, secret in SECRETS.items()
        if any(spelling in text for spelling in spellings(secret))
    ]


def test_the_search_finds_what_it_is_looking_for():
    for name, secret in SECRETS.items():
        for text in (secret, base64.b64encode(f"me:{secret}".encode()).decode(), urllib.parse.quote(secret)):
            assert found_in(f"<{text}>", "here") == [f"{name} in here"]
    assert not found_in("Login Succeeded", "here")


def processes():
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield line.read_bytes().decode(errors="replace")
        except OSError:
            continue


def test_no_secret_is_left_where_it_does_not_belong(tmp_path, host, secrets, capfd):
    home = tmp_path / "home"
    vault = install_vault(tmp_path / "helper")
    vault.keep(host, "helper", SECRETS["helper"])
    given = base64.b64encode(f"docker:{SECRETS['docker']}".encode()).decode()
    as_name = f"localhost:{host.rpartition(':')[2]}"  # another name of it, with a login from the environment
    env = {
        **os.environ,
        "PATH": f"{vault.bin}{os.pathsep}{os.environ['PATH']}",
        "JUPYIMG_HOME": str(home / "jupyimg"),
        "MY_SECRET": SECRETS["variable"],
        "DOCKER_AUTH_CONFIG": json.dumps({"auths": {as_name: {"auth": given}}}),
        "HTTPS_PROXY": f"http://me:{SECRETS['proxy']}@127.0.0.1:1",
    }
    answers = iter([SECRETS["typed"], SECRETS["mistyped"]])
    cells = CELLS.format(host=host, docker=as_name, home=str(home), secrets=str(secrets)).strip()
    told, lines = Told(env), []
    try:
        for cell in re.split(r"\n(?!except)", cells):
            said = told.run(cell, answers)
            lines += processes()
            if "--widget" in cell:
                told.fill_in("form", SECRETS["mistyped"])
                told.fill_in("form", SECRETS["form"])
            if "-p env:" in cell:
                kept = (home / ".docker" / "config.json").read_text()
            if "docker/hello" in cell:
                assert "error" not in said
    finally:
        told.close()
    everything = "\n".join(told.said)
    assert everything.count("Login Succeeded") >= 5, everything
    assert everything.count("does not accept this login") >= 3, everything
    assert everything.count('"status": "error"') >= 8
    assert [asked["password"] for asked in told.asked] == [True, True]
    assert not found_in(everything, "the notebook")
    assert not found_in("\n".join(lines), "a list of processes")
    assert not found_in("".join(capfd.readouterr()), "what the kernel printed")
    assert not found_in(json.dumps(vault.calls), "a call of the helper")
    assert found_in(kept, "Docker's file") == ["variable in Docker's file"]
    assert "a word of the log" in (home / "debug.log").read_text()
    assert list(home.rglob("history.sqlite"))
    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) > 10
    leaks = [leak for path in files for leak in found_in(path.read_bytes().decode("latin-1"), path)]
    assert not leaks
    assert not [leak for path in files for leak in found_in(path.name, "a file's name")]


def test_no_secret_that_was_piped_in_is_left(tmp_path, host):
    home = tmp_path / "home"
    env = {**os.environ, "JUPYIMG_HOME": str(home / "jupyimg"), "PYTHONFAULTHANDLER": "1"}
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-m", "jupyimg", "login", host, "-u", "typed", "--password-stdin"],
        input=SECRETS["typed"].encode() + b"\n",
        capture_output=True,
        env=env,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not found_in((done.stdout + done.stderr).decode(), "its output")
    where = [path for path in home.rglob("*") if path.is_file() and found_in(path.read_text(errors="replace"), path)]
    assert where == [home / ".docker" / "config.json"]
