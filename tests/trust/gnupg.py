"""Keys and signatures made by gpg itself, in a home of their own under /tmp, where its sockets' paths stay short."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.services.process import environment, run

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG_AGO = "20200101T000000"
_KEY = """
%no-protection
Key-Type: EDDSA
Key-Curve: ed25519
Name-Real: {name}
Name-Email: {name}@example.test
Expire-Date: {expire}
%commit
"""


@dataclass(frozen=True)
class GnuPG:
    """A home with secret keys; ``folder`` is the HOME of a program that is to sign with them."""

    folder: Path

    def __call__(self, *arguments: str, stdin: bytes | None = None) -> str:
        quiet = ["gpg", "--batch", "--no-tty", "--quiet", "--yes"]
        return run([*quiet, *arguments], env=environment(self.folder), stdin=stdin, seconds=60).stdout

    def key(self, name: str, *, expire: str = "0", at: str = "") -> str:
        """A new key's fingerprint; ``at`` is when it was made."""
        before = set(self.fingerprints())
        self(*_when(at), "--gen-key", stdin=_KEY.format(name=name, expire=expire).encode())
        (fingerprint,) = set(self.fingerprints()) - before
        return fingerprint

    def fingerprints(self) -> list[str]:
        lines = self("--with-colons", "--list-keys").splitlines()
        return [line.split(":")[9] for line in lines if line.startswith("fpr:")]

    def export(self, fingerprint: str, *options: str) -> bytes:
        path = self.folder / "export"
        self(*options, "--output", str(path), "--export", fingerprint)
        return path.read_bytes()

    def revoke(self, fingerprint: str) -> None:
        """As its owner does who finds it stolen, with the certificate that gpg made beforehand."""
        text = (self.folder / ".gnupg/openpgp-revocs.d" / f"{fingerprint}.rev").read_text()
        self("--import", stdin=text.replace(":-----BEGIN", "-----BEGIN").encode())

    def sign(self, fingerprint: str, data: bytes, *options: str, at: str = "") -> bytes:
        """An inline signature, or what ``options`` ask for instead."""
        path, signed = self.folder / "payload.bin", self.folder / "signed"
        path.write_bytes(data)
        how = options or ("--sign",)
        self(*_when(at), "--local-user", fingerprint, "--output", str(signed), *how, str(path))
        return signed.read_bytes()


def _when(moment: str) -> list[str]:
    return ["--faked-system-time", f"{moment}!"] if moment else []


@contextmanager
def gnupg() -> Iterator[GnuPG]:
    """An empty home; its agent ends with it."""
    with tempfile.TemporaryDirectory(prefix="jt-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        (home / ".gnupg").mkdir(mode=0o700)
        try:
            yield GnuPG(home)
        finally:
            run(["gpgconf", "--kill", "all"], env=environment(home), check=False)
