"""A user's settings in a home of the test's own, and small images in real registries."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyimg.engines import open_engine
from jupyimg.model.content import Phase
from jupyimg.model.settings import Settings
from jupyimg.registry import Registries
from tests.registry.fake import Fake, serve_fake
from tests.services.registry import Registry, serve_registry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
BIG = 3_000_000


@dataclass
class User:
    """A user whose settings lie in ``home``."""

    home: Path

    @property
    def folder(self) -> Path:
        return self.home / ".config" / "containers"

    def write(self, text: str, name: str = "registries.conf", *, system: bool = False) -> Path:
        path = (self.home / "etc" / "containers" if system else self.folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def mirrors(self, registry: str, *locations: str, more: str = "") -> Path:
        """``registry`` is read by way of ``locations``, each an address of the tests' that speaks http."""
        tables = "".join(f'[[registry.mirror]]\nlocation = "{location}"\n' for location in locations)
        return self.write(f'[[registry]]\nlocation = "{registry}"\n{more}\n{tables}')

    def settings(self, **more) -> Settings:
        folders = {"user_config": self.home / ".config", "system_config": self.home / "etc"}
        patience = {"connect_timeout": 3.0, "read_timeout": 5.0, "attempts": 2}
        return Settings(home=self.home / "jupyimg", **{**folders, **patience, **more})


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path / "user")


@pytest.fixture
def engine(user: User) -> Iterator:
    opened = open_engine(user.settings())
    yield opened
    opened.close()


@pytest.fixture
def connect(user: User) -> Iterator[Callable[..., Registries]]:
    opened: list[Registries] = []

    def make(credentials=None, **more) -> Registries:
        opened.append(Registries(user.settings(**more), credentials))
        return opened[-1]

    yield make
    for registries in opened:
        registries.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Registry]]:
    """Starts a further registry at each call."""
    with ExitStack() as servers:
        count = iter(range(100))
        yield lambda **more: servers.enter_context(serve_registry(tmp_path / f"registry-{next(count)}", **more))


@pytest.fixture
def fake() -> Iterator[Fake]:
    with serve_fake() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Fake]:
    with serve_fake() as server:
        yield server


def push_image(registry: Registry, repository: str = "app", tag: str = "1", layers: int = 2, seed: int = 0) -> str:
    """An image with some large layers that nobody else has; gives its digest."""

    def held(body: bytes, media_type: str) -> dict:
        return {"mediaType": media_type, "size": len(body), "digest": registry.push_blob(repository, body)}

    bodies = [bytes([seed, number]) + os.urandom(BIG) for number in range(layers)]
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}}
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": held(json.dumps(config).encode(), CONFIG),
        "layers": [held(body, LAYER) for body in bodies],
    }
    return registry.push_manifest(repository, tag, json.dumps(document).encode(), MANIFEST)


def pulled(engine, name: str) -> tuple[list[str], str]:
    """What a pull said, and the digest that it brought; all of it is checked to be there and right."""
    said, steps = [], engine.pulling(name, platform="linux/amd64")
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            (record,) = stop.value
            break
        if step.phase is Phase.NOTE:
            said.append(step.text)
    (image,) = engine.images()
    assert (image.digest, record.digest) == (record.digest, record.digest)
    return said, str(record.digest)


def passed_by(said: list[str]) -> list[str]:
    """The notes that tell of a mirror."""
    return [line for line in said if "going on with" in line]


@pytest.fixture
def upstream(registry: Registry) -> Registry:
    """A registry that has an image."""
    push_image(registry)
    return registry


@pytest.fixture
def mirror(second_registry: Registry, upstream: Registry) -> Registry:
    """A registry that holds just what the upstream holds."""
    second_registry.stock(upstream.data)
    return second_registry
