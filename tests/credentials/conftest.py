"""Files of logins in a folder of the test's own, and a helper program on the path."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from jupyimg.credentials import CredentialStore
from jupyimg.model.settings import Settings
from tests.services.vault import Vault, install_vault

if TYPE_CHECKING:
    from pathlib import Path


def auth(username: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}


@dataclass(frozen=True)
class Homes:
    """Where a user's files of logins lie."""

    settings: Settings

    @property
    def docker(self) -> Path:
        assert self.settings.docker_config is not None
        return self.settings.docker_config

    @property
    def podman(self) -> Path:
        return self.settings.auth_files[0]

    def write(self, path: Path, **document: Any) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))

    def read(self, path: Path) -> Any:
        return json.loads(path.read_text())

    def open(self, **changes: Any) -> CredentialStore:
        return CredentialStore(dataclasses.replace(self.settings, **changes))


@pytest.fixture
def homes(tmp_path: Path) -> Homes:
    return Homes(
        Settings(
            home=tmp_path / "jupyimg",
            docker_config=tmp_path / "docker" / "config.json",
            auth_files=(tmp_path / "run" / "auth.json", tmp_path / "config" / "auth.json"),
            helper_timeout=20.0,
        )
    )


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    installed = install_vault(tmp_path / "helper")
    monkeypatch.setenv("PATH", f"{installed.bin}{os.pathsep}{os.environ['PATH']}")
    return installed
