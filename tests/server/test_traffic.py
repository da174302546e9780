"""Who pulls and pushes is told from requests: a visit begins, moves and ends; what was refused is no visit."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from jupyimg.engines import open_serving
from jupyimg.model.settings import Settings
from jupyimg.server.traffic import KEPT, PATIENCE, SILENCE, Traffic, agent_of, told_by
from jupyimg.store import Store
from tests.places.memory import MemoryPlace
from tests.store.bring import bring

DIGEST = "sha256:" + "a" * 64


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Channel:
    """What is read of a connection."""


class Client:
    """One connection of one program."""

    def __init__(self, traffic, peer="10.0.0.7", agent="docker/27.5 go/1.22 (linux)"):
        self.traffic, self.agent = traffic, agent
        self.channel = Channel()
        self.channel.peer, self.channel.came, self.channel.went = peer, 0, 0

    def ask(self, method, path, *, status=200, sent=0, came=0):
        head = SimpleNamespace(method=method, path=path, first=lambda _: self.agent)
        with self.traffic.request(head, self.channel) as seen:
            self.channel.went += sent
            self.channel.came += came
            seen.status = status


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def traffic(clock):
    return Traffic(clock)


@pytest.fixture
def client(traffic):
    return Client(traffic)


def seen(traffic):
    return [(each.action, each.name, each.requests, each.bytes, each.ended) for each in traffic.look().visits]


@pytest.mark.parametrize(("method", "path", "told"), [
    ("GET", "/v2/lab/app/manifests/1.0", ("pull", "lab/app", "1.0")),
    ("GET", f"/v2/lab/app/manifests/{DIGEST}", ("pull", "lab/app", "")),
    ("GET", f"/v2/lab/blobs/app/blobs/{DIGEST}", ("pull", "lab/blobs/app", "")),
    ("HEAD", "/v2/lab/app/manifests/1.0", ("", "lab/app", "1.0")),
    ("HEAD", f"/v2/lab/app/blobs/{DIGEST}", ("", "", "")),
    ("POST", "/v2/lab/app/blobs/uploads/", ("push", "lab/app", "")),
    ("PATCH", "/v2/lab/app/blobs/uploads/1-2", ("push", "lab/app", "")),
    ("PUT", "/v2/lab/app/manifests/1.0", ("push", "lab/app", "1.0")),
    ("GET", "/v2/", ("", "", "")),
    ("GET", "/v2/lab/app/tags/list", ("", "", "")),
    ("DELETE", "/v2/lab/app/manifests/1.0", ("", "", "")),
])  # fmt: skip
def test_a_request_is_a_part_of(method, path, told):
    assert told_by(method, path) == told


def test_a_pull_that_asks_for_the_tag_first_has_its_name_and_ends_with_silence(traffic, client, clock):
    client.ask("HEAD", "/v2/lab/app/manifests/1.0")
    client.ask("GET", f"/v2/lab/app/manifests/{DIGEST}", sent=500)
    clock.now += 1
    client.ask("GET", f"/v2/lab/app/blobs/{DIGEST}", sent=4000)
    assert seen(traffic) == [("pull", "lab/app:1.0", 2, 4500, False)]
    assert traffic.look().moving
    clock.now += SILENCE
    assert seen(traffic) == [("pull", "lab/app:1.0", 2, 4500, True)]
    assert traffic.look().visits[0].seconds == 1.0, "the silence is not a part of it"
    assert (traffic.look().pulls, traffic.look().sent, traffic.look().requests) == (1, 4500, 3)


def test_a_slow_client_that_asks_for_the_next_blob_goes_on_with_its_pull(traffic, client, clock):
    client.ask("GET", "/v2/lab/app/manifests/1", sent=500)
    clock.now += PATIENCE - 1
    assert seen(traffic)[0][-1]
    client.ask("GET", f"/v2/lab/app/blobs/{DIGEST}", sent=4000)
    assert seen(traffic) == [("pull", "lab/app:1", 2, 4500, False)]
    clock.now += SILENCE
    client.ask("GET", "/v2/lab/app/manifests/1", sent=500)
    assert [each[2] for each in seen(traffic)] == [1, 2], "the same once more is another pull"


def test_another_tag_is_another_pull(traffic, client):
    for tag in "12":
        client.ask("GET", f"/v2/lab/app/manifests/{tag}")
    assert [each[1] for each in seen(traffic)] == ["lab/app:2", "lab/app:1"]


def test_a_push_ends_with_the_tag_that_it_gives(traffic, client):
    client.ask("POST", "/v2/me/app/blobs/uploads/", status=202)
    client.ask("PUT", "/v2/me/app/blobs/uploads/1", status=201, came=9000)
    client.ask("PUT", f"/v2/me/app/manifests/{DIGEST}", status=201, came=500)
    assert seen(traffic) == [("push", "me/app", 3, 9500, False)]
    client.ask("PUT", "/v2/me/app/manifests/v1", status=201, came=500)
    assert seen(traffic) == [("push", "me/app:v1", 4, 10000, True)]
    client.ask("PUT", "/v2/me/app/manifests/v1", status=201, came=500)
    assert traffic.look().pushes == 2


def test_what_moves_is_seen_before_it_has_come(traffic, client):
    head = SimpleNamespace(method="GET", path=f"/v2/lab/app/blobs/{DIGEST}", first=lambda _: "")
    with traffic.request(head, client.channel) as request:
        client.channel.went += 1 << 20
        assert seen(traffic) == [("pull", "lab/app", 0, 1 << 20, False)]
        assert traffic.look().sent == 1 << 20
        request.status = 200
    assert traffic.look().sent == 1 << 20


@pytest.mark.parametrize("status", [401, 404, 0])
def test_what_was_refused_or_broke_off_is_a_request_and_no_visit(traffic, client, status):
    client.ask("GET", "/v2/lab/app/manifests/1", status=status)
    assert seen(traffic) == []
    assert (traffic.look().pulls, traffic.look().requests) == (0, 1)


def test_two_clients_are_two_visits(traffic, client):
    for each in (client, Client(traffic, peer="10.0.0.8"), Client(traffic, agent="skopeo/1.9.3")):
        each.ask("GET", "/v2/lab/app/manifests/1")
    assert len(seen(traffic)) == traffic.look().pulls == 3


def test_what_is_remembered_has_a_limit(traffic, client):
    for at in range(3 * KEPT):
        client.ask("HEAD", f"/v2/lab/app{at}/manifests/1")
        client.ask("GET", f"/v2/lab/app{at}x/manifests/1")
    assert (len(seen(traffic)), len(traffic._tags), traffic.look().pulls) == (KEPT, KEPT, 3 * KEPT)


def test_a_program_is_named_shortly():
    assert agent_of("docker/27.5 go/go1.22") == "docker/27.5"
    assert len(agent_of("x" * 10_000)) == 40
    assert agent_of("") == ""


def test_who_waits_is_woken_by_news_and_by_the_end(traffic, client):
    woken = []
    look = traffic.look()
    waiting = threading.Thread(target=lambda: (traffic.wait(look.version), woken.append(1)), daemon=True)
    waiting.start()
    client.ask("GET", "/v2/")
    waiting.join(60)
    assert woken == [1]
    look = traffic.look()
    waiting = threading.Thread(target=lambda: (traffic.wait(look.version), woken.append(2)), daemon=True)
    waiting.start()
    traffic.close()
    waiting.join(60)
    assert woken == [1, 2]
    assert not traffic.look().running


def test_a_real_pull_and_push_are_told_once_each(tmp_path, skopeo):
    settings = Settings(home=tmp_path / "home")
    made = MemoryPlace()
    bring(Store(settings.store), made, "app:1", made.image(layers=(b"x" * 5000,)))
    serving = open_serving(settings)
    record = serving.start(port=0)
    told = []
    watching = threading.Thread(target=lambda: told.extend(serving.wait(record)), daemon=True)
    watching.start()
    skopeo("copy", f"docker://{record.address}/library/app:1", f"oci:{tmp_path}/oci:1")
    skopeo("copy", f"oci:{tmp_path}/oci:1", f"docker://{record.address}/me/app:2")
    deadline = time.monotonic() + 60
    while len(told) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert serving.start(port=0) is record, "what is served just so goes on"
    (stopped,) = serving.stop()
    watching.join(60)
    assert {(each.action, each.name, each.who) for each in told} == {
        ("pull", "library/app:1", "127.0.0.1"),
        ("push", "me/app:2", "127.0.0.1"),
    }
    assert all(each.agent.startswith("skopeo/") and each.bytes > 1000 for each in told)
    assert (stopped.running, stopped.traffic.pulls, stopped.traffic.pushes) == (False, 1, 1)
