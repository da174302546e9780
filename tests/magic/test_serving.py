"""%image serve and %image samples: a registry from a notebook, and the images of a first lesson."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from jupyimg.errors import Conflict, Denied, Misuse
from tests.magic.test_magic import run


def test_a_served_store_is_pulled_from_tagged_and_pushed_to(shell):
    served = run(shell, "server = %image serve --samples --port 0\nserver")
    assert f"docker pull {served.address}/sample/base:1.0" in repr(served)
    pulled = run(shell, "%image pull {server.address}/sample/web:1.0")
    assert pulled["status"].tolist() == ["downloaded"]
    run(shell, "%image tag {server.address}/sample/web:1.0 {server.address}/me/app:v1")
    pushed = run(shell, "%image push {server.address}/me/app:v1")
    assert pushed["digest"].tolist() == run(shell, "%image images")["manifest_digest"].unique().tolist()
    assert pushed["transferred"].iloc[0] < 2000  # the layers were there
    assert not run(shell, "%image serve --stop").record.running
    with pytest.raises(Exception, match="refuses the connection"):
        run(shell, "%image pull {server.address}/sample/base:1.0")


def test_what_is_served_is_the_local_store(shell, samples):
    run(shell, "server = %image serve --port 0")
    run(shell, "%image copy {server.address}/sample/hello {server.address}/you/hello:1")
    assert "you/hello" in set(run(shell, "%image images")["repository"])
    run(shell, "%image rmi you/hello:1")
    run(shell, "%image serve --stop")


def test_unloading_stops_serving(shell):
    served = run(shell, "server = %image serve --samples --port 0\nserver")
    shell.run_line_magic("unload_ext", "jupyimg")
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://{served.address}/v2/", timeout=2)
    shell.run_line_magic("load_ext", "jupyimg")


def test_a_saved_notebook_does_not_say_where_the_store_lies(shell, home):
    served = run(shell, "server = %image serve --port 0\nserver")
    assert str(home) not in repr(served) + served._repr_html_()


@pytest.mark.parametrize(("line", "why"), [
    ("serve --host 0.0.0.0 --port 0", "everybody on the network"),
    ("serve --port 99999", "port"),
    ("serve --port 0 --auth me:secret", "written in a cell"),
    ("serve --port 0 --auth nobody", "neither"),
    ("serve --stop", "nothing is served"),
])  # fmt: skip
def test_what_would_be_reckless_or_senseless_is_refused(shell, line, why):
    with pytest.raises(Misuse, match=why) as caught:
        run(shell, f"%image {line}")
    assert caught.value.hint


def test_a_refused_password_is_in_no_message(shell):
    with pytest.raises(Misuse) as caught:
        run(shell, "%image serve --port 0 --auth me:hunter2")
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_a_taken_port_is_a_conflict(shell):
    served = run(shell, "server = %image serve --port 0\nserver")
    with pytest.raises(Conflict, match=served.address.rpartition(":")[2]):
        run(shell, "%image serve --port {server.address.split(':')[1]}")


def test_a_password_from_a_variable_guards_the_registry(shell):
    run(shell, "pw = 'hunter2'\nserver = %image serve --samples --port 0 --auth me:{pw}")
    with pytest.raises(Denied):
        run(shell, "%image pull {server.address}/sample/base:1.0")
    assert "hunter2" not in repr(shell.user_ns["server"])


def test_samples_put_all_images_here_and_a_tag_has_moved(shell):
    frame = run(shell, "%image samples")
    assert set(frame["reference"]) == {
        "sample/base:1.0",
        "sample/web:1.0",
        "sample/web:1.1",
        "sample/web:latest",
        "sample/hello:latest",
        "sample/waste:latest",
    }
    assert len(run(shell, "%image images -f dangling=true")) == 2
    assert run(shell, "%image samples")["status"].unique().tolist() == ["loaded"]
    assert len(run(shell, "%image images -a")) == 15  # once more changes nothing


def test_samples_can_go_to_a_registry(shell, registry, skopeo):
    run(shell, f"%image samples --push {registry.host}")
    assert skopeo.inspect(f"docker://{registry.reference('sample/web:1.1')}", "--raw")["manifests"]


def test_a_terminal_serves_until_it_is_interrupted(home, skopeo):
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyimg", "serve", "--samples", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
    )
    address = process.stderr.readline().split()[-1]
    assert skopeo.inspect(f"docker://{address}/sample/web:1.0", "--tls-verify=false")["Labels"]["version"] == "1.0"
    process.send_signal(signal.SIGINT)
    try:
        out, _ = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # faulthandler says where it stands
        pytest.fail(process.communicate()[1])
    assert process.returncode == 0
    assert out.startswith("No longer serving the teaching images")
