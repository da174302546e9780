"""skopeo as an outside oracle: it reads what we write and writes what we read.

Nothing of the machine takes part: policy, registries.d, credentials, temporary files and the blob info cache lie in a
folder of the caller's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.services.process import environment, run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

_INSECURE = {
    "copy": ("--src-tls-verify=false", "--dest-tls-verify=false"),
    "sync": ("--src-tls-verify=false", "--dest-tls-verify=false"),
    "inspect": ("--tls-verify=false",),
    "delete": ("--tls-verify=false",),
    "list-tags": ("--tls-verify=false",),
    "login": ("--tls-verify=false",),
}
"""How each subcommand is told that a loopback registry speaks plain HTTP."""


@dataclass(frozen=True)
class Skopeo:
    """``skopeo("copy", "docker://…", "oci:…")`` runs it and gives its output; a failure is an error that tells why.

    Attributes:
        folder: everything it may write.
        policy: the trust policy; it accepts all until a test writes another.
        registries_d: lookaside configuration, empty until a test writes some.
    """

    folder: Path

    @property
    def policy(self) -> Path:
        return self.folder / "policy.json"

    @property
    def registries_d(self) -> Path:
        return self.folder / "registries.d"

    def __call__(self, subcommand: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        everywhere = [f"--policy={self.policy}", f"--registries.d={self.registries_d}", f"--tmpdir={self.folder}"]
        command = ["skopeo", *everywhere, subcommand, *_INSECURE.get(subcommand, ()), *arguments]
        return run(command, env=self._environment(), check=check)

    def inspect(self, image: str, *arguments: str) -> Any:
        """``skopeo inspect``'s document; with ``"--raw"`` the manifest, with ``"--config"`` the config."""
        return json.loads(self("inspect", *arguments, image).stdout)

    def _environment(self) -> dict[str, str]:
        return environment(
            self.folder / "home",
            REGISTRY_AUTH_FILE=str(self.folder / "auth.json"),
            XDG_DATA_HOME=str(self.folder / "cache"),
            # root's blob info cache would lie in /var/lib and carry knowledge from test to test
            _CONTAINERS_ROOTLESS_UID="1",
        )


def make_skopeo(folder: Path) -> Skopeo:
    """A skopeo that writes in ``folder`` only."""
    skopeo = Skopeo(folder)
    skopeo.registries_d.mkdir(parents=True)
    skopeo.policy.write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
    return skopeo
