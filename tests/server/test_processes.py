"""Servers that are killed, servers beside each other, and a collector beside them: nothing half is seen, nothing lost."""

from __future__ import annotations

import itertools
import json
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyimg.store import Store
from tests.server.client import Client, digest_of, image
from tests.server.served import serving
from tests.services.waiting import PATIENCE, until
from tests.store.checker import verify_store


class Pusher(threading.Thread):
    """Pushes images of its own, slowly, until the line breaks; knows what it was told is there."""

    def __init__(self, client: Client, name: str, seed: int) -> None:
        super().__init__(daemon=True)
        self.client, self.name_, self.random = client, name, random.Random(seed)
        self.blobs: dict[str, bytes] = {}
        self.tags: dict[str, bytes] = {}
        self.tried: list[str] = []
        self.start()

    def run(self) -> None:
        try:
            for number in range(10_000):
                self.push(number)
        except OSError:
            pass

    def push(self, number: int) -> None:
        config, layers, document = image(layers=(self.random.randbytes(300_000), self.random.randbytes(70_000)))
        for data in (config, *layers):
            location = self.client.begin(self.name_)
            cut = len(data) // 2
            self.client("PATCH", location, iter([data[:cut], data[cut : cut + 100]]))
            digest = digest_of(data)
            self.tried.append(digest)
            if self.client("PUT", f"{location}?digest={digest}", data[cut + 100 :]).status == 201:
                self.blobs[digest] = data
        raw = json.dumps(document).encode()
        if self.client.put(self.name_, str(number), raw).status == 201:
            self.tags[str(number)] = raw


@pytest.mark.parametrize("seed", range(4))
def test_a_server_that_is_killed_leaves_nothing_half_and_loses_nothing(tmp_path, seed):
    root = tmp_path / "store"
    pushers: list[Pusher] = []
    for round_ in range(2):
        with serving(root) as served:
            pushers = [Pusher(served.client, f"lab/app{round_}{number}", seed * 10 + number) for number in range(3)]
            until(lambda now=pushers: all(pusher.tags for pusher in now))
            time.sleep(random.Random(seed).random() / 5)
            served.kill()
            for pusher in pushers:
                pusher.join(PATIENCE)
        verify_store(root)
        with serving(root) as again:
            for pusher in pushers:
                for tag, raw in pusher.tags.items():
                    assert again.client("GET", f"/v2/{pusher.name_}/manifests/{tag}").body == raw
                for digest, data in pusher.blobs.items():
                    assert again.client("GET", f"/v2/{pusher.name_}/blobs/{digest}").body == data
                for digest in set(pusher.tried) - pusher.blobs.keys():  # it was not told, but may be there, whole
                    assert again.client("GET", f"/v2/{pusher.name_}/blobs/{digest}").status in (200, 404)
    Store(root).collect()
    assert not list((root / ".jupyimg" / "ingest").iterdir())
    verify_store(root)


def test_an_upload_goes_on_after_its_server_was_killed(tmp_path):
    data = os.urandom(3 << 20)
    with serving(tmp_path / "store") as served:
        location = served.client.begin("lab/app")
        served.client("PATCH", location, data[: 1 << 20])
        with served.client.connect() as sock:
            head = f"PATCH {location} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {2 << 20}\r\n\r\n"
            sock.sendall(head.encode() + data[1 << 20 : 2 << 20])
            time.sleep(0.2)
            served.kill()
    verify_store(tmp_path / "store")
    with serving(tmp_path / "store") as again:
        last = int(again.client("GET", location).headers["Range"].partition("-")[2])
        assert last + 1 >= 1 << 20
        done = again.client("PUT", f"{location}?digest={digest_of(data)}", data[last + 1 :])
        assert done.status == 201
        assert again.client("GET", done.location).body == data


def test_two_servers_and_a_collector_lose_nothing(tmp_path):
    root = tmp_path / "store"
    ended = threading.Event()

    def collect() -> int:
        rounds = 0
        while not ended.is_set():
            Store(root).collect()
            rounds += 1
        return rounds

    def push(client: Client, tag: str) -> bytes:
        # shared config and base layer, so that each also relies on what the others brought
        return client.push_image("lab/app", tag, layers=(b"base", tag.encode() * 1000))[1]

    with serving(root) as first, serving(root) as second, ThreadPoolExecutor(5) as pool:
        collecting = pool.submit(collect)
        clients = [first.client, second.client]
        tags = [f"t{number}" for number in range(40)]
        pushed = dict(zip(tags, pool.map(push, clients * 20, tags), strict=True))
        ended.set()
        assert collecting.result() > 1
        for client in clients:
            assert client("GET", "/v2/lab/app/tags/list").json()["tags"] == sorted(tags)
            for tag, raw in pushed.items():
                assert client("GET", f"/v2/lab/app/manifests/{tag}").body == raw
                assert client("GET", f"/v2/lab/app/blobs/{digest_of(tag.encode() * 1000)}").status == 200
    verify_store(root)


def test_a_tag_that_moves_is_never_missing(tmp_path):
    with serving(tmp_path / "store") as first, serving(tmp_path / "store") as second:
        raws = [first.client.push_image("lab/app", "1", layers=(bytes([n]),))[1] for n in range(2)]
        ended, enough = threading.Event(), threading.Event()

        def read() -> int:
            count = 0
            while not ended.is_set():
                reply = second.client("GET", "/v2/lab/app/manifests/1")
                assert reply.status == 200, reply.body
                assert reply.body in raws
                for raw in raws:
                    assert second.client("HEAD", f"/v2/lab/app/manifests/{digest_of(raw)}").status == 200
                count += 1
                if count > 5:
                    enough.set()
            return count

        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(read)
            for number in itertools.count():
                first.client.put("lab/app", "1", raws[number % 2])
                first.client.put("lab/app", digest_of(raws[number % 2]), raws[number % 2])
                if reading.done() or (number >= 40 and enough.is_set()):
                    break
            ended.set()
            assert reading.result() > 5


def test_many_hostile_manifests_at_once_do_not_fill_memory(tmp_path):
    with serving(tmp_path / "store") as served:
        served.client.push_image("lab/app", "1")
        before = served.peak
        nested = b'{"schemaVersion":2,"x":[' + b"[]," * 1_300_000 + b"[]]}"
        many = json.dumps(
            {"schemaVersion": 2, "manifests": [{"digest": digest_of(b""), "size": 1, "mediaType": "a"}] * 30_000}
        ).encode()
        with ThreadPoolExecutor(16) as pool:
            bodies = [nested, many] * 3
            replies = list(pool.map(lambda raw: served.client.put("lab/app", "2", raw, "application/json"), bodies))
        assert {reply.status for reply in replies} == {400}
        assert served.peak - before < 200 << 20, f"{(served.peak - before) >> 20} MiB"
        assert served.client("GET", "/v2/lab/app/manifests/1").status == 200
