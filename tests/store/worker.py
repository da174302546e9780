"""A process that does what kernels do in one store: ``python -m tests.store.worker ROOT SEED STEPS [PAUSE]``.

It brings, tags, removes, reads and collects small images that share layers, chosen by the seed. Bytes come in small
chunks with a pause behind each, so that a kill finds it in the middle of something.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from jupyimg.errors import ContentError, ImageNotFound
from jupyimg.model.content import verified
from jupyimg.store import Store, retarget, untag
from tests.places.memory import MemoryPlace
from tests.store.bring import content, name

NAMES = [f"app:{number}" for number in range(4)]


def images(place: MemoryPlace) -> list:
    layers = [bytes([number]) * (3000 + number) for number in range(8)]
    single = [place.image(layers=tuple(layers[n : n + 3])) for n in range(5)]
    other = [place.image(platform="linux/arm64", layers=tuple(layers[n : n + 2])) for n in range(3)]
    return [
        *((root, ()) for root in single),
        *((place.index("", [single[n], other[n]]), (single[n], other[n])) for n in range(3)),
    ]


class Worker:
    def __init__(self, root: Path, seed: int, pause: float) -> None:
        self.store, self.random, self.pause = Store(root), random.Random(seed), pause
        self.place = MemoryPlace(chunk=1000)
        self.images = images(self.place)

    def read(self, descriptor, offset):
        for chunk in self.place.read(descriptor, offset):
            time.sleep(self.pause)
            yield chunk

    def pull(self) -> None:
        root, members = self.random.choice(self.images)
        held = self.random.choice([(), *((member,) for member in members)])
        with self.store.writer() as sink:
            needed = [item for image in held or (root,) for item in content(self.place, image)]
            for item in {item.digest: item for item in (*needed, root)}.values():
                if not sink.has(item):
                    sink.write(item, lambda offset, item=item: self.read(item, offset))
            sink.publish(name(self.random.choice(NAMES)), root, held or members or (root,))

    def push(self) -> None:
        """Read an image as a push does; once it is leased and still listed, all of it must stay."""
        target = name(self.random.choice(NAMES))
        try:
            root = self.store.resolve(target)
        except ImageNotFound:
            return
        with self.store.lease(root.digest):
            try:
                self.store.resolve(target)
                missing = list(self.store.missing(root))
            except (ImageNotFound, ContentError):
                return
            if missing:  # it was removed before the lease
                return
            for item in content(self.place, root):
                for _ in verified(item, self.store.read(item)):
                    time.sleep(self.pause)

    def tag(self) -> None:
        entries = self.store.entries()
        if entries:
            chosen = self.random.choice(entries)
            same = [entry for entry in entries if entry.name == chosen.name] if chosen.name else [chosen]
            target = name(self.random.choice(NAMES))

            def edit(now):
                still = [entry for entry in now if entry in same]
                return retarget(now, target, still, self.store.members) if still else now

            self.store.change(edit)

    def rmi(self) -> None:
        target = name(self.random.choice(NAMES))
        self.store.remove(lambda entries: untag(entries, target))

    def prune(self) -> None:
        if self.random.random() < 0.5:
            self.store.prune(lambda usage: tuple(e for e in usage.entries if not e.dangling), lambda _: True)
        else:
            self.store.remove(lambda entries: tuple(entry for entry in entries if not entry.dangling))
            self.store.collect()

    def run(self, steps: int) -> None:
        for _ in range(steps):
            act = self.random.choices([self.pull, self.push, self.tag, self.rmi, self.prune], [6, 3, 2, 2, 1])[0]
            act()


if __name__ == "__main__":
    folder, seed, steps, *rest = sys.argv[1:]
    worker = Worker(Path(folder), int(seed), float(rest[0]) if rest else 0.0)
    print("ready", flush=True)
    worker.run(int(steps))
