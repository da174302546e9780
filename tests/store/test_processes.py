"""Several real processes in one store, some of them killed: no name is lost, and nothing that is named is broken."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from jupyimg.store import Store
from tests.places.memory import MemoryPlace
from tests.services.waiting import until
from tests.store.bring import bring, content, name
from tests.store.checker import verify_store
from tests.store.worker import images

CHECKOUT = Path(__file__).parents[2]


def start(root, seed, steps, pause=0.0):
    command = [sys.executable, "-m", "tests.store.worker", str(root), str(seed), str(steps), str(pause)]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    return process


def finish(process):
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors


def test_processes_that_pull_push_tag_remove_and_prune_at_once_break_nothing(root, verify):
    for process in [start(root, seed, 60) for seed in range(4)]:
        finish(process)
    verify()
    store = Store(root)
    store.remove(lambda _: ())
    store.collect()
    assert store.blobs() == {}


def test_processes_that_are_killed_anywhere_leave_a_valid_store_and_the_others_go_on(root, verify):
    luck = random.Random(7)
    for round_ in range(6):
        victims = [start(root, 100 + 2 * round_ + n, 10_000, 0.0005) for n in range(2)]
        time.sleep(luck.uniform(0.02, 0.25))
        for victim in victims:
            victim.kill()
        for victim in victims:
            victim.communicate()
        verify_store(root)
    finish(start(root, 1, 30))
    verify()
    Store(root).collect()
    assert list((root / ".jupyimg" / "leases").iterdir()) == []
    assert list((root / ".jupyimg" / "ingest").iterdir()) == []


def test_names_of_many_processes_are_all_there(root):
    code = """
import sys
from pathlib import Path
from tests.places.memory import MemoryPlace
from tests.store.bring import bring
from jupyimg.store import Store
place, store = MemoryPlace(), Store(Path(sys.argv[1]))
image = place.image()
for number in range(25):
    bring(store, place, f"app{sys.argv[2]}:{number}", image)
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(root), str(n)], cwd=CHECKOUT, stderr=subprocess.PIPE, text=True
        )
        for n in range(4)
    ]
    for process in processes:
        finish(process)
    assert len({entry.name for entry in Store(root).entries()}) == 100
    verify_store(root)


def test_two_processes_that_bring_the_same_content_fetch_it_once_or_one_after_the_other(root):
    """Where the first one is killed, the second goes on from its bytes."""
    place = MemoryPlace()
    data = bytes(range(256)) * 400
    image = place.image(layers=(data,))
    code = """
import sys, time
from pathlib import Path
from tests.places.memory import MemoryPlace
from tests.store.bring import content, name
from jupyimg.store import Store
place, store = MemoryPlace(chunk=1000), Store(Path(sys.argv[1]))
image = place.image(layers=(bytes(range(256)) * 400,))
def read(item, offset):
    if item.size > 1000:
        print(offset, flush=True)
    for chunk in place.read(item, offset):
        time.sleep(float(sys.argv[2]))
        yield chunk
with store.writer() as sink:
    for item in content(place, image):
        if not sink.has(item):
            sink.write(item, lambda offset: read(item, offset))
    sink.publish(name("app"), image, (image,))
"""

    def run(pause="0.002"):
        return subprocess.Popen(
            [sys.executable, "-c", code, str(root), pause], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
        )

    first = run("0.3")  # half a minute for all
    assert first.stdout.readline() == "0\n"
    second = run()
    (ingest,) = (root / ".jupyimg" / "ingest").iterdir()
    until(lambda: ingest.stat().st_size > 0)
    time.sleep(0.1)
    first.kill()
    first.communicate()
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 0
    (offset,) = output.split()
    assert 0 < int(offset) < len(data)
    third, fourth = run(), run()
    assert [process.communicate(timeout=60)[0] for process in (third, fourth)] == ["", ""]
    verify_store(root)
    assert {item.digest for item in content(place, image)} == set(Store(root).blobs())


def test_the_worker_knows_every_image_it_brings(store):
    """The oracle of the tests above: each of its images can be brought whole and read back."""
    place = MemoryPlace()
    for number, (root, _) in enumerate(images(place)):
        bring(store, place, f"all:{number}", root)
        assert store.resolve(name(f"all:{number}")).digest == root.digest
    verify_store(store.root)


def test_figures_can_be_asked_for_while_others_change_everything(root):
    processes = [start(root, 50 + number, 60) for number in range(2)]
    store, looks = Store(root), 0
    while any(process.poll() is None for process in processes):
        usage = store.usage()
        assert sum(usage.unneeded(()).values()) <= sum(usage.blobs.values())
        looks += 1
    for process in processes:
        finish(process)
    assert looks > 5
