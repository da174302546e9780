"""When saving or loading ends early: no archive appears under its name, the store stays valid, the next try works."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import stat
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from jupyimg.engines import open_engine
from jupyimg.errors import ContentError, DiskFull, ImageError, ImageNotFound, Interrupted, StoreError, Unsupported
from jupyimg.model.content import Phase
from jupyimg.model.digest import Digest
from jupyimg.model.settings import Settings
from jupyimg.store import Store
from jupyimg.store.archives import Archive
from tests.archives import build
from tests.services.synthetic import make_image, make_layer
from tests.services.waiting import AT_ONCE, until
from tests.store.checker import verify_store
from tests.store.conftest import small_disk  # noqa: F401 - a fixture

LAYERS = [make_layer({"f": random.Random(number).randbytes(900_000)}, compression="none") for number in range(4)]
BIG = make_image(LAYERS)
PIPE = 60_000
"""Bytes in a pipe that takes no more (of 64 KiB at most)."""


@pytest.fixture
def stocked(engine, tmp_path):
    engine.load(build.write(tmp_path / "in.tar", build.layout({"docker.io/library/big:1": BIG})))
    (tmp_path / "out").mkdir()
    return engine


def jupyimg(home, *words, **options):
    env = {**os.environ, "JUPYIMG_HOME": str(home)}
    return subprocess.Popen([sys.executable, "-m", "jupyimg", *words], env=env, stderr=subprocess.PIPE, **options)


def failed(engine, target, kind, words) -> ImageError:
    with pytest.raises(kind, match=words) as caught:
        engine.save(["big:1"], target)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


def test_a_full_disk_leaves_no_archive(stocked, small_disk):  # noqa: F811
    for suffix in ("tar", "tar.gz", "tar.zst"):
        failed(stocked, small_disk / f"big.{suffix}", DiskFull, f"big.{suffix}")
        assert list(small_disk.iterdir()) == []
    (small_disk / "big.tar").write_bytes(b"an older one")
    failed(stocked, small_disk / "big.tar", DiskFull, "space")
    assert (small_disk / "big.tar").read_bytes() == b"an older one"


def test_a_full_disk_under_the_store_ends_a_load(stocked, small_disk, tmp_path):  # noqa: F811
    stocked.save(["big:1"], tmp_path / "big.tar.gz")
    for source in (tmp_path / "in.tar", tmp_path / "big.tar.gz"):
        engine = open_engine(Settings(home=small_disk / "home"))
        with pytest.raises(DiskFull) as caught:
            engine.load(source)
        assert caught.value.hint
        assert engine.images() == []
        verify_store(small_disk / "home" / "store")


def test_where_an_archive_cannot_be_is_said(stocked, tmp_path):
    out = tmp_path / "out"
    failed(stocked, tmp_path / "none" / "x.tar", StoreError, "x.tar")
    failed(stocked, out, StoreError, "is a folder")
    failed(stocked, tmp_path / "in.tar" / "x.tar", StoreError, "x.tar")
    failed(stocked, out / "x.tar.xz", Unsupported, "xz")
    failed(stocked, out / ("x" * 300), StoreError, "x")
    failed(stocked, out / "a\0b", StoreError, "name")
    os.mkfifo(tmp_path / "pipe")
    failed(stocked, tmp_path / "pipe", StoreError, "is no file")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert list(out.iterdir()) == []


def test_a_device_is_not_replaced_by_an_archive(stocked, tmp_path):
    """As root, a rename over /dev/null would succeed."""
    device = tmp_path / "null"
    os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    failed(stocked, device, StoreError, "is no file")
    assert stat.S_ISCHR(device.stat().st_mode)


def test_a_long_name_has_room(stocked, tmp_path):
    stocked.save(["big:1"], tmp_path / "out" / ("x" * 250 + ".tar"))
    assert [len(path.name) for path in (tmp_path / "out").iterdir()] == [254]


def test_no_right_to_write_is_said(stocked, tmp_path):
    """Root may write anywhere, so somebody else tries."""
    folder = tmp_path / "out"
    folder.chmod(0o555)
    script = (
        "import os, sys, pathlib, jupyimg\nfrom jupyimg.store.archives import ArchiveWriter\n"
        "from jupyimg.model.platform import Platform\nos.setuid(65534)\n"
        "try:\n    ArchiveWriter(pathlib.Path(sys.argv[1]), Platform('amd64', 'linux'))\n"
        "except jupyimg.errors.StoreDenied as error:\n    print(error.hint)"
    )
    for parent in (folder, *folder.parents):
        if parent != Path("/tmp") and parent.is_relative_to("/tmp") and parent != folder:
            parent.chmod(parent.stat().st_mode | 0o055)
    done = subprocess.run([sys.executable, "-c", script, folder / "x.tar"], capture_output=True, text=True, check=True)
    assert "may write to" in done.stdout


def test_a_blob_that_rotted_makes_no_archive(stocked, tmp_path):
    path = stocked.store.blob_path(Digest(BIG.blobs[2].digest))
    raw = path.read_bytes()
    target = tmp_path / "out" / "big.tar"
    for rotten in (raw[:-1] + b"?", raw[:-9], raw + b"more"):
        path.write_bytes(rotten)
        if len(rotten) > len(raw):  # what is too much is not read
            stocked.save(["big:1"], target)
            target.unlink()
        else:
            failed(stocked, target, ContentError, BIG.blobs[2].digest[7:19])
        assert list(target.parent.iterdir()) == []
    path.unlink()
    failed(stocked, target, ContentError, "missing")
    assert list(target.parent.iterdir()) == []


def test_what_is_not_here_makes_no_archive(stocked, tmp_path):
    for name in ("none", "big:2", "cafecafe", f"big@{'sha256:' + '0' * 64}"):
        with pytest.raises(ImageNotFound, match="no such image"):
            stocked.save(["big:1", name], tmp_path / "out" / "x.tar")
    assert list((tmp_path / "out").iterdir()) == []


def slowed(read):
    """The same bytes, a little of them each time."""

    def slow(self, descriptor, offset=0):
        for chunk in read(self, descriptor, offset):
            for at in range(0, len(chunk), 20_000):
                time.sleep(0.1)
                yield chunk[at : at + 20_000]

    return slow


def test_a_stop_in_the_middle_of_a_save_leaves_nothing(stocked, tmp_path, monkeypatch):
    monkeypatch.setattr(Store, "read", slowed(Store.read))
    steps = stocked.saving(["big:1"], tmp_path / "out" / "big.tar")
    while next(steps).phase is not Phase.MOVING:
        pass
    with pytest.raises(Interrupted):
        steps.throw(KeyboardInterrupt)
    assert list((tmp_path / "out").iterdir()) == []
    monkeypatch.undo()
    stocked.save(["big:1"], tmp_path / "out" / "big.tar")


def test_a_stop_in_the_middle_of_a_load_is_prompt_and_a_load_afterwards_works(other, tmp_path, monkeypatch):
    monkeypatch.setattr(Archive, "read", slowed(Archive.read))
    path = build.write(tmp_path / "big.tar", build.layout({"docker.io/library/big:1": BIG}))
    steps = other.loading(path)
    while next(steps).phase is not Phase.MOVING:
        pass
    began = time.monotonic()
    with pytest.raises(Interrupted):
        steps.throw(KeyboardInterrupt)
    assert time.monotonic() - began < AT_ONCE
    assert other.images() == []
    verify_store(other.settings.store)
    monkeypatch.undo()
    other.load(path)
    assert other.inspect("big:1").image_id == BIG.blobs[-1].digest


def unread(pipe):
    """Bytes that were written into a pipe and not read yet."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


def test_a_reader_that_takes_nothing_is_left_at_once(stocked):
    """Ctrl-C while save waits for room in its standard output."""
    save = jupyimg(stocked.settings.home, "save", "big:1", stdout=subprocess.PIPE)
    until(lambda: unread(save.stdout) >= PIPE)
    save.send_signal(signal.SIGINT)
    assert save.wait(AT_ONCE) == 130
    assert b"Fatal" not in (said := save.stderr.read())
    assert b"Traceback" not in said


def test_a_pipe_that_says_nothing_is_left_at_once(other, tmp_path):
    """Ctrl-C while load waits for whoever should write into its standard input."""
    load = jupyimg(other.settings.home, "load", stdin=subprocess.PIPE)
    load.stdin.write(b"blobs")
    load.stdin.flush()
    until(lambda: unread(load.stdin) == 0)
    time.sleep(0.2)
    load.send_signal(signal.SIGINT)
    assert load.wait(AT_ONCE) == 130
    assert b"Fatal" not in (said := load.stderr.read())
    assert b"Traceback" not in said
    assert not list((other.settings.store / ".jupyimg").glob("*tmp*"))


@pytest.mark.parametrize("words", [("save", "-o", "OUT/big.tar", "big:1"), ("load", "-i", "IN")])
def test_kill_9_at_random_moments_leaves_no_archive_and_a_valid_store(stocked, other, tmp_path, words):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    out = tmp_path / "out"
    said = [word.replace("OUT", str(out)).replace("IN", str(tmp_path / "in.tar")) for word in words]
    home = stocked.settings.home if words[0] == "save" else other.settings.home
    began = time.monotonic()
    assert jupyimg(home, *said).wait() == 0
    took = time.monotonic() - began
    whole = (out / "big.tar").read_bytes() if words[0] == "save" else b""
    for _ in range(8):
        (out / "big.tar").unlink(missing_ok=True)
        if words[0] == "load":
            other.remove(["big:1"], force=True)
        process = jupyimg(home, *said)
        try:
            process.wait(chance.uniform(took * 0.4, took * 1.1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert not (out / "big.tar").exists() or (out / "big.tar").read_bytes() == whole
        verify_store(home / "store")
    assert jupyimg(home, *said).wait() == 0
    assert verify_store(home / "store")
