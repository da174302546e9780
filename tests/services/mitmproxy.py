"""A hostile network: mitmproxy between a client and a registry, with an addon that does the harm.

An addon is Python source as `mitmdump --scripts` takes it, for instance::

    def response(flow):
        if "/blobs/" in flow.request.path:
            flow.response.status_code = 429
"""

from __future__ import annotations

import os
import re
import textwrap
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.services.process import ServiceFailed, environment, running

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWN = Path(__file__).parents[2] / ".venv" / "mitm" / "bin" / "mitmdump"
_PROGRAM = os.environ.get("JUPYIMG_MITMDUMP") or str(_OWN)  # read at import: tests see no JUPYIMG_ variables
_LISTENING = re.compile(r"listening at \[?([0-9.:]+)\]?:(\d+)")


@dataclass(frozen=True)
class Proxy:
    """A mitmproxy that is up.

    Attributes:
        host: ``127.0.0.1:PORT``; in reverse mode it stands for the upstream server.
        authority: the certificate (PEM) that signs what it shows to HTTPS clients.
        log: what it and the addon printed.
    """

    host: str
    authority: Path
    log: Path

    @property
    def url(self) -> str:
        """``http://HOST``: the value of ``HTTP_PROXY``, or the upstream's stand-in."""
        return f"http://{self.host}"


@contextmanager
def serve_mitmproxy(
    folder: Path, addon: str = "", *, upstream: str = "", options: tuple[str, ...] = ()
) -> Iterator[Proxy]:
    """Run mitmdump.

    Args:
        folder: where its addon, certificates and log lie; made when missing.
        addon: the addon's source.
        upstream: ``http://HOST:PORT`` to stand before (reverse mode); "" is an ordinary proxy.
        options: further ``NAME=VALUE`` for ``--set``, such as ``stream_large_bodies=1m``.
    """
    if not Path(_PROGRAM).exists():
        message = f"{_PROGRAM} is missing; run tests/run once, or set JUPYIMG_MITMDUMP to a mitmdump"
        raise ServiceFailed(message)
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "addon.py"
    script.write_text(textwrap.dedent(addon))
    command = [_PROGRAM, "--listen-host=127.0.0.1", "--listen-port=0", f"--scripts={script}"]
    command += [f"--mode=reverse:{upstream}"] if upstream else []
    for option in (f"confdir={folder / 'conf'}", "ssl_insecure=true", "termlog_verbosity=info", *options):
        command += ["--set", option]
    with running(
        command, folder / "mitmproxy.log", _host, env=environment(folder / "home", PYTHONUNBUFFERED="1")
    ) as up:
        yield Proxy(up.answer, folder / "conf" / "mitmproxy-ca-cert.pem", up.log)


def _host(log: str) -> str | None:
    found = _LISTENING.search(log)
    return f"127.0.0.1:{found[2]}" if found else None
