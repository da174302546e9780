"""skopeo as an outside oracle: it reads what we write and writes what we read.

Nothing of the machine takes part: policy, registries.d, credentials, temporary files and the blob info cache lie in a
folder of the caller's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.services.containers import write_settings
from tests.services.process import environment, run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


@dataclass(frozen=True)
class Skopeo:
    """``skopeo("copy", "docker://…", "oci:…")`` runs it and gives its output; a failure is an error that tells why.

    Attributes:
        home: its home; it writes nowhere else.
        policy: the trust policy; it accepts all until a test writes another.
        registries_d: lookaside configuration, empty until a test writes some.
    """

    home: Path
    policy: Path
    registries_d: Path

    def __call__(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        everywhere = [f"--policy={self.policy}", f"--registries.d={self.registries_d}", f"--tmpdir={self.home}"]
        return run(["skopeo", *everywhere, *arguments], env=self._environment(), check=check)

    def inspect(self, image: str, *arguments: str) -> Any:
        """``skopeo inspect``'s document; with ``"--raw"`` the manifest, with ``"--config"`` the config."""
        return json.loads(self("inspect", *arguments, image).stdout)

    def _environment(self) -> dict[str, str]:
        return environment(
            self.home,
            REGISTRY_AUTH_FILE=str(self.home / "auth.json"),
            CONTAINERS_REGISTRIES_CONF=str(self.registries_d.parent / "registries.conf"),
            XDG_DATA_HOME=str(self.home / "data"),
            # root's blob info cache would lie in /var/lib and carry knowledge from test to test
            _CONTAINERS_ROOTLESS_UID="1",
        )


def make_skopeo(home: Path) -> Skopeo:
    """A skopeo that writes in ``home`` only; loopback registries may speak plain HTTP."""
    settings = write_settings(home)
    return Skopeo(home, settings / "policy.json", settings / "registries.d")
