"""Stop means now: whatever a thread waits for, cutting it off takes no longer than a blink, and the place works on."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyimg.errors import Interrupted
from jupyimg.model.content import drain
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor
from jupyimg.model.reference import Reference
from jupyimg.transfer import copying
from tests.places.memory import MemoryPlace
from tests.registry.certificates import make_certificate
from tests.registry.fake import Answer, full_backlog, serve_fake
from tests.services.waiting import AT_ONCE, PATIENCE, pressed, until

DATA = bytes(range(256)) * 20_000


class Worker(threading.Thread):
    """Runs something on a thread and keeps what became of it."""

    def __init__(self, job):
        super().__init__(daemon=True)
        self.job, self.result, self.error = job, None, None
        self.start()

    def run(self):
        try:
            self.result = self.job()
        except BaseException as error:
            self.error = error

    def ends_within(self, seconds=PATIENCE):
        self.join(seconds)
        return not self.is_alive()


def read(repository, blob):
    return b"".join(repository.read(blob))


def stop_and_see(place, *workers):
    """Interrupt, and expect every worker to end as interrupted at once, long before its own patience ends."""
    began = time.monotonic()
    place.interrupt()
    for worker in workers:
        assert worker.ends_within(), "it hangs"
    took = time.monotonic() - began
    assert [type(worker.error) for worker in workers] == [Interrupted] * len(workers)
    assert took < AT_ONCE


def connecting(host):
    """How many connections to this address are being made."""
    port = f":{int(host.rpartition(':')[2]):04X}"
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(row[2].endswith(port) and row[3] == "02" for row in rows)  # SYN_SENT


@pytest.mark.parametrize("stall", [-1, 0, 1_000_000])
def test_a_server_that_stalls_holds_nobody(fake, connect, stall):
    repository = connect().repository(fake.reference("app"))
    blobs = [fake.put(DATA + bytes([n])) for n in range(4)]
    fake.rule("GET", Answer(200, DATA, stall=stall), times=4)
    workers = [Worker(lambda blob=blob: read(repository, blob)) for blob in blobs]
    until(lambda: fake.count("GET") == 4)
    time.sleep(0.1)
    stop_and_see(repository, *workers)
    assert read(repository, blobs[0]) == DATA + b"\0", "the place is not usable afterwards"


@pytest.mark.parametrize("method", ["resolve", "has", "tags", "publish"])
def test_every_request_can_be_stopped(fake, connect, method):
    repository = connect().repository(fake.reference("app"))
    image = fake.image()
    jobs = {
        "resolve": lambda: repository.resolve(fake.reference("app:1")),
        "has": lambda: repository.has(image),
        "tags": lambda: list(repository.tags()),
        "publish": lambda: repository.publish(fake.reference("app:2"), image, (image,)),
    }
    fake.rule(".", Answer(stall=-1), times=1)
    worker = Worker(jobs[method])
    until(lambda: fake.seen)
    stop_and_see(repository, worker)
    jobs[method]()


def test_a_server_that_takes_no_more_bytes_holds_nobody(connect):
    with _deaf(greets=True) as (host, taken):
        repository = connect().repository(Reference.parse(f"{host}/app"))
        big = bytes(50_000_000)
        blob = Descriptor(media_type=OCI_LAYER, digest=Digest.of(big), size=len(big))
        worker = Worker(lambda: repository.write(blob, lambda offset: iter([big[offset:]])))
        until(lambda: len(taken) == 1 and taken[0].greeted)
        time.sleep(0.3)
        stop_and_see(repository, worker)


def test_a_wait_between_tries_is_cut_short(fake, connect):
    repository = connect().repository(fake.reference("app"))
    fake.rule(".", Answer(429, b"", {"Retry-After": "30"}))
    workers = [Worker(lambda: repository.resolve(fake.reference("app:1"))) for _ in range(3)]
    until(lambda: fake.seen)
    time.sleep(0.1)
    stop_and_see(repository, *workers)


def test_a_token_service_that_stalls_holds_nobody(fake, connect):
    fake.rule("/token", Answer(stall=-1))
    fake.rule(".", Answer(401, b"", {"WWW-Authenticate": f'Bearer realm="{fake.url}/token"'}))
    repository = connect().repository(fake.reference("app"))
    workers = [Worker(lambda: repository.resolve(fake.reference("app:1"))) for _ in range(3)]
    until(lambda: fake.count("/token"))
    time.sleep(0.1)
    stop_and_see(repository, *workers)


def test_a_handshake_that_stalls_holds_nobody(connect, monkeypatch):
    _resolve_to_loopback(monkeypatch)
    with _deaf() as (host, taken):
        reference = Reference.parse(f"registry.localhost:{host.rpartition(':')[2]}/app:1")
        repository = connect().repository(reference)
        worker = Worker(lambda: repository.resolve(reference))
        until(lambda: taken)
        time.sleep(0.2)
        stop_and_see(repository, worker)


def test_a_connection_that_never_comes_about_holds_nobody(connect):
    with full_backlog() as host:
        reference = Reference.parse(f"{host}/app:1")
        repository = connect().repository(reference)
        before = connecting(host)
        worker = Worker(lambda: repository.resolve(reference))
        until(lambda: connecting(host) > before)
        assert worker.is_alive()
        stop_and_see(repository, worker)


def test_a_tls_body_that_stalls_holds_nobody(connect, tmp_path, monkeypatch):
    _resolve_to_loopback(monkeypatch)
    certificate, key = make_certificate(tmp_path, "registry.localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    with serve_fake(context) as fake:
        blob = fake.put(DATA)
        fake.rule("GET", Answer(200, DATA, stall=1_000_000), times=1)
        reference = Reference.parse(f"registry.localhost:{fake.host.rpartition(':')[2]}/app")
        repository = connect(ca_file=str(certificate)).repository(reference)
        worker = Worker(lambda: read(repository, blob))
        until(lambda: fake.count("GET"))
        time.sleep(0.2)
        stop_and_see(repository, worker)
        assert read(repository, blob) == DATA


def test_only_what_has_begun_is_cut_off(fake, connect):
    registries = connect()
    mine, theirs = (registries.repository(fake.reference(name)) for name in ("mine", "theirs"))
    blob = fake.put(DATA)
    fake.rule("GET /v2/mine/", Answer(200, DATA, stall=1_000_000))
    slow = theirs.read(blob)
    first = next(slow)
    worker = Worker(lambda: read(mine, blob))
    until(lambda: fake.count("GET /v2/mine/"))
    stop_and_see(mine, worker)
    assert first + b"".join(slow) == DATA, "somebody else's read was cut off"


def test_a_reader_that_was_opened_before_is_cut_off_though_it_reads_after(fake, connect):
    repository = connect().repository(fake.reference("app"))
    opened = repository.read(fake.put(DATA))
    repository.interrupt()
    with pytest.raises(Interrupted):
        next(opened)


def test_a_connection_that_went_back_is_nobodys_to_cut(fake, connect):
    registries = connect()
    mine, theirs = (registries.repository(fake.reference(name)) for name in ("mine", "theirs"))
    blob = fake.put(DATA)
    generator = mine.read(blob)
    assert b"".join(generator) == DATA
    slow = theirs.read(blob)  # on the connection that was ours
    first = next(slow)
    mine.interrupt()
    assert first + b"".join(slow) == DATA


def test_registries_stop_all_of_theirs(fake, connect):
    registries = connect()
    fake.rule("GET", Answer(200, DATA, stall=0), times=2)
    blob = fake.put(DATA)
    repositories = [registries.repository(fake.reference(name)) for name in ("a", "b")]
    workers = [Worker(lambda place=place: read(place, blob)) for place in repositories]
    until(lambda: fake.count("GET") == 2)
    stop_and_see(registries, *workers)
    assert read(repositories[0], blob) == DATA
    registries.close()
    assert read(repositories[0], blob) == DATA


def test_the_main_threads_own_interrupt_leaves_a_usable_place(fake, connect):
    repository = connect().repository(fake.reference("app"))
    blob = fake.put(DATA)
    fake.rule("GET", Answer(200, DATA, stall=1_000_000), times=1)
    with pytest.raises(KeyboardInterrupt), pressed(lambda: fake.count("GET")) as moments:
        read(repository, blob)
    assert time.monotonic() - moments[0] < AT_ONCE
    assert read(repository, blob) == DATA


def test_a_stop_in_the_middle_of_a_copy_ends_all_of_it(fake, connect):
    fake.image("app", "1", layers=tuple(DATA + bytes([n]) for n in range(8)))
    fake.rule("GET .*/blobs/", lambda seen: Answer(200, DATA, stall=1_000_000))
    reference = fake.reference("app:1")
    with pytest.raises(Interrupted), pressed(lambda: fake.count("GET .*/blobs/")) as moments:
        drain(copying(connect().repository(reference), MemoryPlace(), reference))
    assert time.monotonic() - moments[0] < AT_ONCE


def _resolve_to_loopback(monkeypatch):
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **k: real("127.0.0.1" if host.endswith(".localhost") else host, *a, **k)
    )


@dataclass
class _Taken:
    connection: socket.socket
    greeted: bool = False


@contextmanager
def _deaf(*, greets=False):
    """A server that accepts connections and never reads, and those it took; if it greets, it opens one upload first."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = []

        def accept():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                taken.append(_Taken(connection))
                if greets and len(taken) == 1:
                    connection.settimeout(PATIENCE)
                    with suppress(OSError):
                        connection.recv(10_000)
                        connection.sendall(b"HTTP/1.1 202 A\r\nLocation: /u\r\nContent-Length: 0\r\n\r\n")
                        taken[0].greeted = True

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}", taken
        for each in taken:
            each.connection.close()
