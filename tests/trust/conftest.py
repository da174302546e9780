"""Keys, a registry with images in it, and an engine that obeys a policy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from jupyimg.engines import open_engine, open_serving
from jupyimg.model.content import drain
from jupyimg.model.settings import Settings
from tests.services.registry import serve_registry
from tests.services.skopeo import Skopeo, make_skopeo
from tests.trust.gnupg import GnuPG, gnupg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jupyimg.engines import Engine
    from tests.services.registry import Registry


@pytest.fixture(scope="session")
def gpg() -> Iterator[GnuPG]:
    with gnupg() as home:
        yield home


@pytest.fixture(scope="session")
def signer(gpg: GnuPG) -> str:
    """The key that policies name."""
    return gpg.key("signer")


@pytest.fixture(scope="session")
def stranger(gpg: GnuPG) -> str:
    """A key that no policy names."""
    return gpg.key("stranger")


@pytest.fixture(scope="session")
def _signing(gpg: GnuPG) -> Skopeo:
    return make_skopeo(gpg.folder)


@pytest.fixture
def signatures(tmp_path: Path) -> Path:
    """The folder that GPG signatures go to and are read from."""
    folder = tmp_path / "lookaside"
    folder.mkdir()
    return folder


@pytest.fixture
def signing_skopeo(_signing: Skopeo, signatures: Path) -> Skopeo:
    """skopeo that has the keys (``--sign-by``) and writes signatures into `signatures`."""
    (_signing.registries_d / "here.yaml").write_text(f"default-docker:\n  lookaside: {signatures.as_uri()}\n")
    return _signing


@pytest.fixture(scope="session")
def _stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stock")
    with serve_registry(folder / "registry") as registry:
        engine = open_engine(Settings(home=folder))
        drain(open_serving(engine.settings).teaching(engine.remote, registry.host))
        engine.close()
        return registry.data


@pytest.fixture
def stocked(registry: Registry, _stock: Path) -> Registry:
    """The registry with every sample; ``sample/web:1.0`` is an index of two platforms."""
    registry.stock(_stock)
    return registry


@pytest.fixture
def trusting(tmp_path: Path, signatures: Path) -> Iterator[Callable[..., Engine]]:
    """Opens an engine with an empty store that obeys these requirements."""
    opened: list[Engine] = []

    def make(*requirements: dict[str, Any], scopes: dict[str, Any] | None = None, **settings: Any) -> Engine:
        folder = tmp_path / f"engine-{len(opened)}"
        (folder / "registries.d").mkdir(parents=True)
        lookaside = settings.pop("lookaside_url", signatures.as_uri())
        (folder / "registries.d" / "here.yaml").write_text(f"default-docker:\n  lookaside: {lookaside}\n")
        if requirements or scopes:
            settings["policy"] = write_policy(folder, requirements, scopes or {})
        opened.append(open_engine(Settings(home=folder, registries_d=folder / "registries.d", **settings)))
        return opened[-1]

    yield make
    for engine in opened:
        engine.close()


def write_policy(folder: Path, default: Any, scopes: dict[str, Any]) -> Path:
    """A policy file: what is required of all, and by scope."""
    path = folder / "policy.json"
    document = {"default": list(default) or [{"type": "reject"}], "transports": {"docker": scopes}}
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def signed_by(gpg: GnuPG, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A requirement: signed by this key."""

    def make(fingerprint: str, **identity: str) -> dict[str, Any]:
        path = tmp_path / f"{fingerprint}.gpg"
        path.write_bytes(gpg.export(fingerprint))
        found: dict[str, Any] = {"type": "signedBy", "keyType": "GPGKeys", "keyPath": str(path)}
        return {**found, "signedIdentity": identity} if identity else found

    return make


def everything(engine: Engine) -> list[tuple[str, bytes]]:
    """Every file of a store and its bytes; what leases and locks leave is not content."""
    root = engine.store.root  # type: ignore[attr-defined]
    files = [
        path
        for path in sorted(root.rglob("*"))
        if path.is_file() and ("blobs" in path.parts or path.name == "index.json")
    ]
    return [(str(path.relative_to(root)), path.read_bytes()) for path in files]


@pytest.fixture
def refused() -> Callable[..., Any]:
    """Pulls what must be refused: gives the error, after looking that the store is as it was, byte for byte."""

    def pull(engine: Engine, name: str, error: type[Exception], match: str = ".", **options: Any) -> Any:
        before, listed = everything(engine), engine.images(everything=True)
        with pytest.raises(error, match=match) as caught:
            engine.pull(name, **options)
        assert everything(engine) == before
        assert engine.images(everything=True) == listed
        assert caught.value.hint
        return caught.value

    return pull
