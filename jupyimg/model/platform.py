"""Platform: what an image runs on, its many spellings, and which of several manifests suits it.

The rules are containerd's ``platforms`` matcher, which Docker uses: an exact variant is best, then the next
lower ones (an arm/v7 machine runs v6 and v5); arm64 means arm64/v8, amd64 means amd64/v1.
"""

from __future__ import annotations

import platform as _machine
import re
from typing import Self

import msgspec

from jupyimg.errors import BadPlatform

_ARCHITECTURES = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "i386": ("386", ""),
    "i486": ("386", ""),
    "i686": ("386", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
}
_SYSTEMS = {"macos": "darwin"}
_BASE_VARIANTS = {"arm64": "v8", "amd64": "v1", "arm": "v7"}
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)


class Platform(msgspec.Struct, frozen=True, omit_defaults=True):
    """An operating system and a CPU, as image-spec's ``platform`` object writes them."""

    architecture: str = ""
    os: str = ""
    os_version: str = msgspec.field(default="", name="os.version")
    os_features: tuple[str, ...] = msgspec.field(default=(), name="os.features")
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``OS/ARCHITECTURE[/VARIANT]``, ``ARCHITECTURE`` or ``OS``, with the usual aliases.

        Raises:
            BadPlatform: it is none of these.
        """
        words = text.strip().lower().split("/")
        if not 1 <= len(words) <= 3 or not all(_WORD.fullmatch(word) for word in words):  # noqa: PLR2004
            raise BadPlatform(f"{text!r} is not a platform")
        if len(words) == 1:
            if words[0] in {"linux", "windows", "darwin", "macos", "freebsd"}:
                words = [words[0], cls.host().architecture]
            else:
                words = ["linux", words[0]]
        system, architecture, variant = (*words, "")[:3]
        architecture, implied = _ARCHITECTURES.get(architecture, (architecture, ""))
        return cls(architecture, _SYSTEMS.get(system, system), variant=variant or implied).normalised()

    @classmethod
    def host(cls) -> Self:
        """What images for this machine are built for: Linux on this CPU (containers are Linux, also on a Mac)."""
        machine = _machine.machine().lower()
        architecture, variant = _ARCHITECTURES.get(machine, (machine, ""))
        return cls(architecture, "linux", variant=variant)

    def normalised(self) -> Self:
        """The same platform in its shortest canonical spelling."""
        implied = {"arm64": "v8", "amd64": "v1"}.get(self.architecture)
        variant = self.variant if not self.variant.isdecimal() else f"v{self.variant}"
        return msgspec.structs.replace(self, variant="" if variant == implied else variant)

    @property
    def unknown(self) -> bool:
        """True for ``unknown/unknown``, which marks an attestation and is never offered as a platform."""
        return self.os == "unknown" or self.architecture == "unknown"

    def __str__(self) -> str:
        plain = self.normalised()
        return "/".join(part for part in (plain.os, plain.architecture, plain.variant) if part)

    def distance(self, offered: Platform) -> int | None:
        """How far an offered platform is from this wanted one: 0 is exact, None does not run at all."""
        if (self.os, self.architecture) != (offered.os, offered.architecture) or offered.unknown:
            return None
        if self.os_version and not (offered.os_version + ".").startswith(self.os_version + "."):
            return None
        base = _BASE_VARIANTS.get(self.architecture, "")
        wanted, has = self.variant or base, offered.variant or base
        if wanted == has:
            return 0
        if not (wanted[1:].isdecimal() and has[1:].isdecimal()):
            return None
        gap = int(wanted[1:]) - int(has[1:])
        return gap if gap > 0 else None
