"""A server starts, says where it is, stops, starts again, and says what stands in its way."""

from __future__ import annotations

import socket
import threading

import pytest

from jupyimg.errors import Conflict, Misuse, StoreError
from jupyimg.server import ImageServer, ServerSettings
from jupyimg.store import Store
from tests.server.client import Client
from tests.services.waiting import PATIENCE, until


def ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("jupyimg-")]


def test_a_server_starts_and_stops_and_starts_again(root):
    server = ImageServer(Store(root), ServerSettings(port=0))
    assert (server.running, server.port, server.address) == (False, 0, "127.0.0.1")
    for _ in range(2):
        server.start()
        assert server.running
        assert server.address == f"127.0.0.1:{server.port}"
        assert Client(server.address)("GET", "/v2/").status == 200
        with pytest.raises(Conflict, match="already"):
            server.start()
        address = server.address
        server.stop()
        server.stop()
        assert not server.running
        with pytest.raises(ConnectionRefusedError):
            Client(address)("GET", "/v2/")


def test_nothing_of_it_is_left_once_it_has_stopped(root):
    with ImageServer(Store(root), ServerSettings(port=0)) as server:
        client = Client(server.address)
        client.push_image("lab/app", "1")
        idle, half = client.connect(), client.connect()
        half.sendall(
            b"POST /v2/lab/app/blobs/uploads/?digest=x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"
        )
        assert half.recv(100).startswith(b"HTTP/1.1 400 ")
    for sock in (idle, half):
        sock.settimeout(PATIENCE)
        while sock.recv(1000):
            pass
        sock.close()
    until(lambda: not ours())


@pytest.mark.parametrize("lacking", ["jupyimg-server", "jupyimg-sweeper"])
def test_a_server_that_can_have_no_thread_says_so_and_leaves_nothing(root, monkeypatch, lacking):
    server, start = ImageServer(Store(root), ServerSettings(port=0)), threading.Thread.start
    ports = []

    def cannot(thread):
        ports.append(server.port)
        if thread.name == lacking:
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", cannot)
        with pytest.raises(Conflict, match="can't start new thread") as error:
            server.start()
    assert error.value.hint
    assert not server.running
    with pytest.raises(ConnectionRefusedError):
        Client(f"127.0.0.1:{ports[0]}")("GET", "/v2/")
    with server:
        assert Client(server.address)("GET", "/v2/").status == 200


def test_a_port_that_is_taken_is_said(root):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=f"port {port} is taken") as error:
            ImageServer(Store(root), ServerSettings(port=port)).start()
        assert "--port" in error.value.hint


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("192.0.2.1", 0, "not an address of this machine"),
        ("no.such.host.invalid", 0, "not an address"),
        ("127.0.0.1", 70000, "not a port"),
    ],
)
def test_an_address_that_is_none_is_said(root, host, port, said):
    with pytest.raises(Misuse, match=said) as error:
        ImageServer(Store(root), ServerSettings(host=host, port=port, read_only=True)).start()
    assert error.value.hint


def test_a_store_that_cannot_be_read_is_said_before_the_port_opens(root):
    root.mkdir()
    (root / "oci-layout").write_text('{"imageLayoutVersion":"9.0"}')
    server = ImageServer(Store(root), ServerSettings(port=0))
    with pytest.raises(StoreError, match=r"9\.0"):
        server.start()
    assert not server.running
    (root / "oci-layout").unlink()
