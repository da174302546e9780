"""A credential helper of the tests (``docker-credential-vault``), which keeps a note of how it was called.

It speaks docker-credential-helpers' protocol over a JSON file, and misbehaves on command: see `Vault.misbehave`.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROGRAM = """#!{python} -IS
import json, os, pathlib, sys, time
here = pathlib.Path({folder!r})
verb = sys.argv[1]
said = sys.stdin.buffer.read().decode()
seen = [pathlib.Path(f"/proc/{{who}}/cmdline").read_text() for who in (os.getpid(), os.getppid())]
with (here / "calls").open("a") as calls:
    calls.write(json.dumps([verb, said if verb != "store" else json.loads(said)["ServerURL"], seen]) + "\\n")
print("a word on standard error", file=sys.stderr)
mode = (here / "mode").read_text()
if mode == "hang":
    child = os.fork()
    (here / "child").write_text(str(child)) if child else None
    time.sleep(60)
elif mode == "flood":
    while True:
        os.write(1, b"x" * 65536)
elif mode:
    status, _, text = mode.partition(" ")
    sys.stdout.write(text)
    sys.exit(int(status))
kept = json.loads((here / "kept").read_text())
if verb == "store":
    document = json.loads(said)
    kept[document["ServerURL"]] = document
elif verb == "list":
    print(json.dumps({{server: kept[server]["Username"] for server in kept}}))
elif said.strip() not in kept:
    print("credentials not found in native keychain")
    sys.exit(1)
elif verb == "get":
    print(json.dumps(kept[said.strip()]))
elif verb == "erase":
    del kept[said.strip()]
(here / "kept").write_text(json.dumps(kept))
"""


@dataclass(frozen=True)
class Vault:
    """A helper that is installed.

    Attributes:
        bin: the folder to put on PATH.
        folder: where it keeps secrets and notes.
    """

    bin: Path
    folder: Path

    @property
    def kept(self) -> dict[str, dict[str, str]]:
        """What it keeps, by server."""
        found: dict[str, dict[str, str]] = json.loads((self.folder / "kept").read_text())
        return found

    @property
    def calls(self) -> list[list[Any]]:
        """Each call so far: the verb, the server, and the command lines of it and of whoever called it."""
        file = self.folder / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def keep(self, server: str, username: str, secret: str) -> None:
        """Put a login into it."""
        document = {"ServerURL": server, "Username": username, "Secret": secret}
        (self.folder / "kept").write_text(json.dumps({**self.kept, server: document}))

    def misbehave(self, mode: str) -> None:
        """``hang``, ``flood``, or ``STATUS TEXT`` to end with; "" is to behave."""
        (self.folder / "mode").write_text(mode)


def install_vault(folder: Path) -> Vault:
    """Put the helper into a folder of its own."""
    vault = Vault(folder / "bin", folder / "vault")
    vault.bin.mkdir(parents=True)
    vault.folder.mkdir()
    program = vault.bin / "docker-credential-vault"
    program.write_text(_PROGRAM.format(python=os.path.realpath(sys.executable), folder=str(vault.folder)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (vault.folder / "kept").write_text("{}")
    vault.misbehave("")
    return vault
