"""Web pages, foreign hosts, wrong passwords and forbidden writes stay outside, and nothing tells a secret."""

from __future__ import annotations

import base64
import socket
import time

import bcrypt
import pytest

from jupyimg.errors import Misuse
from jupyimg.server import ImageServer, ServerSettings, read_htpasswd
from jupyimg.server.gate import Gate
from jupyimg.server.message import Head
from jupyimg.server.passwords import Doorkeeper
from jupyimg.server.problems import Refused
from jupyimg.store import Store
from tests.server.client import Client
from tests.services.process import environment, run

PASSWORD = "s3cret pass:wörd"


def hashed(password: str, rounds: int = 4) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)).decode()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("origin", ["http://evil.test", "http://localhost:5000", "null", ""])
def test_a_web_page_gets_nothing(client, origin):
    for method, path in [
        ("GET", "/v2/"),
        ("GET", "/v2/_catalog"),
        ("POST", "/v2/a/blobs/uploads/"),
        ("OPTIONS", "/v2/"),
    ]:
        reply = client(method, path, origin=origin)
        assert (reply.status, reply.codes) == (403, ["DENIED"])
        assert not [name for name in reply.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:5000", "localhost.", "x.localhost", "127.0.0.1:1", "127.9.9.9", "[::1]", "[::1]:80"],
)
def test_this_machine_s_names_are_taken(client, host):
    assert client("GET", "/v2/", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.test", "evil.test:5000", "localhost.evil.test", "notlocalhost", "192.0.2.1", "[2001:db8::1]", "", ":5000",
     "127.0.0.1@evil.test", "127.0.0.1.evil.test", "localhost:5000:5000", "[::1", "::1", "localhost/", "127.1"],
)  # fmt: skip
def test_a_foreign_host_gets_nothing(client, host):
    reply = client("GET", "/v2/", host=host)
    assert (reply.status, reply.codes) == (403, ["DENIED"])


def asked(host: str) -> Head:
    return Head(method="GET", path="/v2/", query=(), headers={}, host=host, keep=True, length=0)


def test_from_the_network_addresses_and_known_names_are_taken():
    gate = Gate(ServerSettings(host="0.0.0.0", read_only=True, names=frozenset({"registry.lab"})))
    own = socket.gethostname()
    for host in ("192.0.2.1:5000", "[2001:db8::1]:80", "localhost", "registry.lab:5000", f"{own}:5000", f"{own}.local"):
        gate.check(asked(host))
    for host in ("evil.test", "registry.lab.evil.test", "", "x.registry.lab"):
        with pytest.raises(Refused):
            gate.check(asked(host))


# ---- what may be served at all


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "registry.lab"])
def test_the_network_may_not_write_unless_that_is_said(host, root):
    with pytest.raises(Misuse, match="everybody on the network") as error:
        ImageServer(Store(root), ServerSettings(host=host))
    assert "--read-only" in error.value.hint
    for words in ({"read_only": True}, {"users": {"ada": PASSWORD}}, {"insecure": True}):
        ImageServer(Store(root), ServerSettings(host=host, **words))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_may(host, root):
    with ImageServer(Store(root), ServerSettings(host=host, port=0)) as server:
        assert Client(server.address)("GET", "/v2/").status == 200


def test_all_of_the_network_is_served_under_a_name_of_this_machine(root):
    with ImageServer(Store(root), ServerSettings(host="0.0.0.0", port=0, read_only=True)) as server:
        assert server.address == f"127.0.0.1:{server.port}"
        assert Client(server.address)("GET", "/v2/").status == 200


def test_a_read_only_registry_reads_only(serve, store):
    writer = serve()
    digest, raw = writer.push_image("lab/app", "1")
    client = serve(read_only=True)
    assert client("GET", "/v2/lab/app/manifests/1").body == raw
    assert client("HEAD", f"/v2/lab/app/manifests/{digest}").status == 200
    for method, path in [
        ("POST", "/v2/lab/app/blobs/uploads/"),
        ("POST", f"/v2/lab/app/blobs/uploads/?mount={digest}"),
        ("PUT", "/v2/lab/app/manifests/2"),
        ("DELETE", "/v2/lab/app/manifests/1"),
        ("DELETE", f"/v2/lab/app/manifests/{digest}"),
        ("DELETE", f"/v2/lab/app/blobs/{digest}"),
        ("PATCH", "/v2/lab/app/blobs/uploads/x"),
    ]:
        reply = client(method, path, raw if method == "PUT" else None)
        assert (reply.status, reply.codes, reply.headers["Allow"]) == (405, ["UNSUPPORTED"], "GET, HEAD")
    assert client("GET", "/v2/lab/app/manifests/1").body == raw


# ---- who comes in


@pytest.mark.parametrize(
    "stored",
    [PASSWORD, hashed(PASSWORD), hashed(PASSWORD).replace("$2b$", "$2y$")],
    ids=["plain", "bcrypt", "as htpasswd writes it"],
)
def test_users_come_in_with_their_password(serve, stored):
    client = serve(users={"ada": stored})
    for path in ("/v2/", "/v2/_catalog", "/nowhere"):
        reply = client("GET", path)
        assert (reply.status, reply.codes) == (401, ["UNAUTHORIZED"])
        assert reply.headers["WWW-Authenticate"] == 'Basic realm="jupyimg"'
    client.login = ("ada", PASSWORD)
    assert client("GET", "/v2/").status == 200
    client.push_image("lab/app", "1")
    for login in (
        ("ada", "wrong"),
        ("ada", ""),
        ("bob", PASSWORD),
        ("", PASSWORD),
        ("ADA", PASSWORD),
        ("ada", stored + " "),
    ):
        client.login = login
        assert client("GET", "/v2/").status == 401


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!!", "Basic YWRh", "Bearer YWRhOng=", "Basic " + base64.b64encode(b"\xff:\xff").decode()],
)
def test_what_is_no_login_does_not_come_in(header):
    assert not Doorkeeper({"ada": PASSWORD}).admits(header)


def test_a_password_is_checked_slowly_once():
    door = Doorkeeper({"ada": hashed(PASSWORD, 11)})
    began = time.perf_counter()
    assert door.admits(basic("ada", PASSWORD))
    first = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(100):
        assert door.admits(basic("ada", PASSWORD))
    assert time.perf_counter() - began < first
    assert not door.admits(basic("ada", "wrong"))


@pytest.mark.parametrize("word", ["x" * 72 + "y", "x\0y"])
def test_bcrypt_s_limits_are_those_of_htpasswd(word):
    door = Doorkeeper({"ada": hashed("x" * 72)})
    assert door.admits(basic("ada", word)) == word.startswith("x" * 72)


def test_a_file_of_htpasswd_is_read(tmp_path):
    path = tmp_path / "htpasswd"
    env = environment(tmp_path / "home")
    run(["htpasswd", "-cbB", str(path), "ada", PASSWORD], env=env)
    run(["htpasswd", "-bB", str(path), "bob", "x"], env=env)
    path.write_text(f"# who may come in\n\n{path.read_text()}")
    users = read_htpasswd(path)
    assert list(users) == ["ada", "bob"]
    door = Doorkeeper(users)
    assert door.admits(basic("ada", PASSWORD))
    assert door.admits(basic("bob", "x"))
    assert not door.admits(basic("bob", PASSWORD))


@pytest.mark.parametrize(
    "line",
    ["ada:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "ada:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", "ada:plain", "ada", ":x",
     "ada:$5$x$y", "", "# nobody"],
)  # fmt: skip
def test_an_entry_that_cannot_be_checked_is_an_error_that_does_not_repeat_it(tmp_path, line):
    path = tmp_path / "htpasswd"
    path.write_text(line + "\n")
    with pytest.raises(Misuse) as error:
        read_htpasswd(path)
    assert "htpasswd -B" in error.value.hint
    secret = line.partition(":")[2]
    assert not secret or secret not in str(error.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_an_error(tmp_path, content):
    path = tmp_path / "htpasswd"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Misuse, match="htpasswd"):
        read_htpasswd(path)


def test_nothing_tells_a_password(serve, caplog):
    caplog.set_level(0)
    client = serve(users={"ada": PASSWORD})
    client.login = ("ada", PASSWORD)
    client.push_image("lab/app", "1")
    client.login = ("ada", "another secret")
    client("GET", "/v2/")
    client.server.stop()  # a request is logged after its answer went
    told = caplog.text + repr(client.server.settings) + repr(vars(client.server)) + repr(client.server)
    assert '"GET /v2/" 401' in caplog.text, "requests are logged"
    for word in (PASSWORD, "another secret", basic("ada", PASSWORD), basic("ada", "another secret")):
        assert word not in told
        assert word.removeprefix("Basic ") not in told
