"""Descriptions: remembered by digest, by any number of processes, and never worth an error."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from jupyimg.model.digest import Digest
from jupyimg.store import Description, Descriptions, descriptions

IMAGES = (Description("linux/amd64", 10, "2026-01-02T03:04:05+00:00"), Description("linux/arm64", 11))


def digest(word):
    return Digest.of(str(word).encode())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "descriptions.jsonl"


def test_what_was_put_is_there_for_the_next_process(path):
    first = Descriptions(path)
    assert first.get(digest("a")) is None
    first.put("docker.io/library/nginx", digest("a"), IMAGES)
    for memory in (first, Descriptions(path)):
        assert memory.get(digest("a")) == IMAGES
        assert memory.knows("docker.io/library/nginx")
        assert not memory.knows("docker.io/library/other")
        assert memory.get(digest("b")) is None


def test_the_same_twice_is_one_line(path):
    memory = Descriptions(path)
    for _ in range(3):
        memory.put("r", digest("a"), IMAGES)
    assert path.read_bytes().count(b"\n") == 1


def test_only_the_user_may_read_it(path):
    Descriptions(path).put("r", digest("a"), IMAGES)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "line",
    [
        b"junk",
        b"{",
        b"[]",
        b'{"repository": "r", "digest": "sha256:12", "images": []}',
        b'{"repository": "r", "images": []}',
        b'{"repository": "r", "digest": "%s", "images": [{"size": -1}]}' % digest("x").encode(),
        b'{"repository": "r", "digest": "%s", "images": "all"}' % digest("x").encode(),
        b"\xff\xfe",
    ],
)
def test_a_line_that_cannot_be_read_is_passed_over(path, line):
    memory = Descriptions(path)
    memory.put("r", digest("a"), IMAGES)
    path.write_bytes(line + b"\n" + path.read_bytes() + line)
    memory = Descriptions(path)
    assert memory.get(digest("a")) == IMAGES
    assert memory.get(digest("x")) is None


def test_the_file_does_not_grow_without_end(path, monkeypatch):
    monkeypatch.setattr(descriptions, "LIMIT", 10_000)
    memory = Descriptions(path)
    for number in range(200):
        memory.put("r", digest(number), IMAGES)
    assert path.stat().st_size > 10_000
    again = Descriptions(path)
    assert again.get(digest(0)) is None
    assert again.get(digest(199)) == IMAGES
    assert path.stat().st_size <= 5_000


def test_a_description_without_end_is_not_kept(path):
    memory = Descriptions(path)
    memory.put("r", digest("a"), IMAGES * 2000)
    assert memory.get(digest("a")) == IMAGES * 2000
    assert Descriptions(path).get(digest("a")) is None


def test_a_place_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    memory = Descriptions(tmp_path / "cache" / "descriptions.jsonl")
    memory.put("r", digest("a"), IMAGES)
    assert memory.get(digest("a")) == IMAGES


def test_threads_and_processes_lose_no_line(path):
    code = (
        "import sys; from pathlib import Path; from jupyimg.model.digest import Digest\n"
        "from jupyimg.store import Description, Descriptions\n"
        "memory = Descriptions(Path(sys.argv[1]))\n"
        "for n in range(300): memory.put('r', Digest.of(f'{sys.argv[2]}-{n}'.encode()), (Description('linux/amd64', n),))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(path), name], env=dict(os.environ)) for name in ("p", "q")
    ]
    memory = Descriptions(path)

    def write(name):
        for number in range(300):
            memory.put("r", digest(f"{name}-{number}"), (Description("linux/amd64", number),))

    threads = [threading.Thread(target=write, args=(name,)) for name in ("s", "t")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [process.wait(60) for process in processes] == [0, 0]
    everything = Descriptions(path)
    assert all(everything.get(digest(f"{name}-{number}")) for name in "pqst" for number in range(300))
