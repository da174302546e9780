"""Locks die with their process, and what a running operation relies on stays."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from jupyimg.errors import DiskFull, StoreError
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor
from jupyimg.store import Store, ingest, lock, untag
from jupyimg.store import leases as leasing
from jupyimg.store.lock import claim, exclusive, release
from tests.store.bring import bring, content, name, put

BLOB = Descriptor(OCI_LAYER, Digest.of(b"data"), 4)


def leases(root):
    return list((root / ".jupyimg" / "leases").iterdir())


def child(root, script):
    """A process of its own, with a store in its hands; it says "ready" and then does as told."""
    code = (
        f"import sys, pathlib, time\nfrom jupyimg.store import *\nstore = Store(pathlib.Path({str(root)!r}))\n{script}"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


HOLD = f"""
with store.lease({str(BLOB.digest)!r}):
    print("ready", flush=True)
    time.sleep(60)
"""


def test_a_lock_excludes_threads_as_it_does_processes(tmp_path):
    inside, most = 0, 0

    def work():
        nonlocal inside, most
        for _ in range(50):
            with exclusive(tmp_path / "lock"):
                inside += 1
                most = max(most, inside)
                time.sleep(0)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_claim_fails_while_another_has_it_and_never_gives_a_file_that_was_deleted(tmp_path):
    path = tmp_path / "file"
    first = claim(path, create=True)
    assert claim(path, create=True) is None
    path.unlink()
    second = claim(path, create=True)
    assert second is not None
    assert os.path.samestat(os.fstat(second), path.stat())
    release(first)
    assert claim(path, create=False) is None
    release(second)


def test_a_claim_of_a_file_that_is_replaced_before_its_lock_was_had_is_of_the_new_file(tmp_path, monkeypatch):
    path, take, raced = tmp_path / "file", lock._take, []

    def late(fd, *, wait):
        if not raced:
            raced.append(path.rename(tmp_path / "committed"))
        return take(fd, wait=wait)

    monkeypatch.setattr(lock, "_take", late)
    fd = claim(path, create=True)
    assert os.path.samestat(os.fstat(fd), path.stat())
    release(fd)


def test_what_was_found_to_be_here_stays_while_the_writer_lives(store, place, root):
    bring(store, place, "nginx", place.image())
    with store.writer() as sink:
        held = [item for item in content(place, store.resolve(name("nginx"))) if sink.has(item)]
        assert Store(root).remove(lambda entries: untag(entries, name("nginx"))) == []
        assert Store(root).collect() == []
        assert all(sink.has(item) for item in held)
    assert leases(root) == []
    assert len(store.collect()) == len(held)


def test_what_is_read_stays_with_all_that_it_leads_to(store, place, root):
    image = place.image()
    bring(store, place, "nginx", image)
    with store.lease(image.digest):
        assert Store(root).remove(lambda _: ()) == []
        for item in content(place, image):
            assert b"".join(store.read(item)) == place.blobs[item.digest]
    assert len(store.collect()) == 4


def test_another_process_s_lease_counts_until_it_is_killed(store, place, root):
    place.put(b"data", OCI_LAYER)
    with store.writer() as sink:
        put(sink, place, [BLOB])
    process = child(root, HOLD)
    try:
        assert store.collect() == []
        assert len(leases(root)) == 1
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert [freed.digest for freed in store.collect()] == [BLOB.digest]
    assert leases(root) == []


def test_what_is_named_after_a_write_that_broke_off_in_the_middle_is_protected(store, place, root, monkeypatch):
    place.put(b"data", OCI_LAYER)
    with store.writer() as sink:
        put(sink, place, [BLOB])

    def half(fd, data, real=os.write):
        real(fd, data[:20])
        raise OSError(errno.ENOSPC, "No space left on device")

    with store.lease() as lease:
        with monkeypatch.context() as patched:
            patched.setattr(leasing.os, "write", half)
            with pytest.raises(DiskFull):
                lease.add(Digest.of(b"another"))
        lease.add(BLOB.digest)
        assert Store(root).collect() == []


def test_a_digest_that_a_disk_takes_in_pieces_is_protected_as_a_whole(store, place, root, monkeypatch):
    place.put(b"data", OCI_LAYER)
    with store.writer() as sink:
        put(sink, place, [BLOB])
    with monkeypatch.context() as patched, store.lease() as lease:
        patched.setattr(leasing.os, "write", lambda fd, data, real=os.write: real(fd, data[:20]))
        lease.add(BLOB.digest)
        assert Store(root).collect() == []


def broken(*_, **__):
    raise OSError(errno.EIO, "Input/output error")


def test_a_lease_that_a_failing_disk_does_not_delete_ends_all_the_same(store, root, monkeypatch):
    lease = store.reading()
    lease.add(BLOB.digest)
    (path,) = leases(root)
    for end in (lease.close, store.collect):
        with monkeypatch.context() as patched:
            patched.setattr(leasing, "_forget", broken)
            with pytest.raises(StoreError):
                end()
        fd = claim(path, create=False)
        assert fd is not None, "nobody could ever end it"
        release(fd)
    store.collect()
    assert leases(root) == []


@pytest.mark.parametrize("fails", ["looking whether it has arrived", "deleting it", "reading it", "collecting it"])
def test_a_download_that_a_failing_disk_ends_is_given_back(store, root, monkeypatch, fails):
    store.change(lambda entries: entries)
    looks, path = [], root / ".jupyimg" / "ingest" / f"sha256-{BLOB.digest.encoded}"

    def arrived():
        looks.append(fails)
        if fails == "looking whether it has arrived" and len(looks) == 2:
            raise StoreError("could not look at it")
        return fails == "deleting it" and len(looks) == 2

    def bring():
        ingest.open_download(store._layout, BLOB.digest, lambda _: None, arrived=arrived, check=lambda: None)

    with monkeypatch.context() as patched:
        if fails == "reading it":
            patched.setattr(ingest, "_absorb", broken)
        elif fails != "looking whether it has arrived":
            path.touch()
            patched.setattr(type(path), "unlink", broken)
        with pytest.raises(StoreError):
            store.collect() if fails == "collecting it" else bring()
    fd = claim(path, create=False)
    assert fd is not None, "every later pull would wait for ever"
    release(fd)


def test_downloads_that_were_broken_off_are_cleaned_up_but_not_those_that_live(store, root):
    def read(offset):
        yield b"da"
        assert store.collect() == []
        yield b"ta"

    with store.writer() as sink:
        sink.write(BLOB, read)
        upload = sink.ingest()
        upload.write(b"half")
        assert [freed.digest for freed in store.collect()] == []
        upload.close()
        assert [tuple(freed) for freed in store.collect()] == [(None, 4)]
    (root / ".jupyimg" / "ingest" / f"sha256-{'0' * 64}").write_bytes(b"abandoned")
    (root / ".jupyimg" / "ingest" / f"sha256-{BLOB.digest.encoded}").write_bytes(b"d")
    with store.lease(BLOB.digest):
        assert [tuple(freed) for freed in store.collect()] == [(f"sha256:{'0' * 64}", 9)]
    assert {tuple(freed) for freed in store.collect()} == {(BLOB.digest, 4), (BLOB.digest, 1)}


def test_a_child_that_was_forked_under_the_lock_does_not_keep_it(root):
    script = """
import os, signal
children = []
def edit(entries):
    children.append(os.fork())
    if not children[0]:
        time.sleep(60)
    return entries
store.change(edit)
print("ready", flush=True)
try:
    store.change(lambda entries: entries)
finally:
    os.kill(children[0], signal.SIGKILL)
"""
    assert child(root, script).wait(60) == 0
