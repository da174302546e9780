"""A server in a process of its own, which a test may kill: ``python -m tests.server.served ROOT`` prints its address."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyimg.server import ImageServer, ServerSettings
from jupyimg.store import Store
from tests.server.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Served:
    client: Client
    process: subprocess.Popen[str]

    def kill(self) -> None:
        """``kill -9``."""
        self.process.kill()
        self.process.wait()

    @property
    def peak(self) -> int:
        """The most bytes of memory that it has used."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM"))


@contextmanager
def serving(root: Path) -> Iterator[Served]:
    command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "tests.server.served", str(root)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Served(Client(process.stdout.readline().strip()), process)
        finally:
            process.kill()


def main() -> None:
    server = ImageServer(Store(Path(sys.argv[1])), ServerSettings(port=0))
    server.start()
    print(server.address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
