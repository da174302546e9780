"""A real registry (Debian's docker-registry, distribution 2.8) on a loopback port of its own choosing.

Its access log is kept, so that a test can count requests and bytes: `Registry.accesses`. The little HTTP client here
(urllib) shares no code with jupyimg, so it stays an independent judge of what jupyimg sent.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import shutil
import ssl
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tests.services.process import environment, run, running

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
USERNAME, PASSWORD = "ada", "s3cret pass:word"
"""Who may enter `htpasswd_registry`; the password has a space and a colon, which clients get wrong."""

_LISTENING = re.compile(r'listening on \[?([0-9.:]+)\]?:(\d+)"?')
_ACCESS = re.compile(r'^\S+ - \S+ \[[^\]]*\] "([A-Z]+) (\S+) HTTP/[0-9.]+" (\d{3}) (\d+) "[^"]*" "(.*)"$', re.MULTILINE)
_PROXYLESS = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Access:
    """One line of the access log; ``size`` is the bytes of the body that was sent."""

    method: str
    path: str
    status: int
    size: int
    agent: str


@dataclass(frozen=True)
class Answer:
    """What the registry answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as a document."""
        return json.loads(self.body)


@dataclass
class Registry:
    """A registry that is up.

    Attributes:
        host: ``127.0.0.1:PORT``.
        data: its storage folder.
        log: its log, access log included.
        pid: its process, for tests that stop or kill it.
        authority: the certificate to trust it by, where it speaks TLS.
    """

    host: str
    data: Path
    log: Path
    pid: int
    login: tuple[str, str] | None = None
    authority: Path | None = None
    _marks: Iterator[int] = field(default_factory=itertools.count, repr=False)

    @property
    def port(self) -> int:
        """The port alone."""
        return int(self.host.rpartition(":")[2])

    @property
    def url(self) -> str:
        """``http://HOST``, or https."""
        return f"http{'s' if self.authority else ''}://{self.host}"

    def reference(self, name: str) -> str:
        """``HOST/NAME``: what a user would write."""
        return f"{self.host}/{name}"

    def request(
        self, method: str, path: str, body: bytes | IO[bytes] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request by urllib, errors as answers; ``path`` may also be a whole URL (a Location)."""
        url = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(
            url, data=body, method=method, headers={"Content-Type": "application/octet-stream", **(headers or {})}
        )
        if self.login:
            request.add_header("Authorization", "Basic " + base64.b64encode(":".join(self.login).encode()).decode())
        opener = _trusting(self.authority) if self.authority else _PROXYLESS
        try:
            with opener.open(request, timeout=60) as response:
                return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())

    def manifest(self, repository: str, name: str) -> Answer:
        """The manifest or index as it is held, of any current media type; ``name`` is a tag or a digest."""
        return self.request("GET", f"/v2/{repository}/manifests/{name}", headers={"Accept": ", ".join(MANIFEST_TYPES)})

    def push_blob(self, repository: str, body: bytes | Path, digest: str = "") -> str:
        """Upload a blob in one piece, from a file too (whose digest is to be given); gives its digest."""
        if isinstance(body, Path):
            with body.open("rb") as file:
                return self._upload(repository, file, digest, body.stat().st_size)
        return self._upload(repository, body, digest or "sha256:" + hashlib.sha256(body).hexdigest(), len(body))

    def _upload(self, repository: str, body: bytes | IO[bytes], digest: str, size: int) -> str:
        begun = self.request("POST", f"/v2/{repository}/blobs/uploads/")
        assert begun.status == 202, begun.body
        location = begun.headers["location"]
        length = {"Content-Length": str(size)}
        done = self.request("PUT", f"{location}{'&' if '?' in location else '?'}digest={digest}", body, length)
        assert done.status == 201, done.body
        return digest

    def push_manifest(self, repository: str, name: str, body: bytes, media_type: str) -> str:
        """Put a manifest or index under a tag or its digest; gives its digest."""
        put = self.request("PUT", f"/v2/{repository}/manifests/{name}", body, {"Content-Type": media_type})
        assert put.status == 201, put.body
        return put.headers["docker-content-digest"]

    def digest(self, repository: str, name: str) -> str:
        """The digest of what a name points at, computed from its bytes."""
        answer = self.manifest(repository, name)
        assert answer.status == 200, f"{repository}:{name}: {answer.status} {answer.body[:200]!r}"
        return "sha256:" + hashlib.sha256(answer.body).hexdigest()

    def tags(self, repository: str) -> list[str]:
        """The tags of a repository, sorted; [] when there is no such repository."""
        return sorted(self.request("GET", f"/v2/{repository}/tags/list").json().get("tags") or [])

    def retag(self, repository: str, source: str, target: str) -> str:
        """Point a further tag at what ``source`` (a tag or a digest) holds, as any push would; gives the digest."""
        held = self.manifest(repository, source)
        return self.push_manifest(repository, target, held.body, held.headers["content-type"])

    def stock(self, data: Path) -> None:
        """Add a copy of another registry's storage folder to this one."""
        shutil.copytree(data, self.data, dirs_exist_ok=True)

    def accesses(self, path: str = "") -> list[Access]:
        """Every request so far whose path contains ``path``, in the order they ended.

        A line is written after its answer was sent, so a request of our own goes last and is waited for.
        """
        mark = f"/v2/?mark={next(self._marks)}"
        self.request("GET", mark)
        deadline = time.monotonic() + 60
        before = ""
        while time.monotonic() < deadline:
            log = self.log.read_text()
            if mark in log and log == before:  # nor is a line still coming that should have come before the mark
                lines = [Access(m, p, int(s), int(n), a) for m, p, s, n, a in _ACCESS.findall(log)]
                return [line for line in lines if path in line.path and "?mark=" not in line.path]
            before = log
            time.sleep(0.01)
        message = f"{mark} never reached {self.log}"
        raise AssertionError(message)

    def sent(self, path: str = "/blobs/") -> int:
        """Bytes of bodies sent in answers to GET requests whose path contains ``path``."""
        return sum(line.size for line in self.accesses(path) if line.method == "GET")


def _trusting(authority: Path) -> urllib.request.OpenerDirector:
    context = ssl.create_default_context(cafile=str(authority))
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))


def _config(data: Path, *, port: int, readonly: bool, auth: dict[str, Any], tls: tuple[Path, Path] | None) -> Any:
    maintenance = {"uploadpurging": {"enabled": False}, "readonly": {"enabled": readonly}}
    config: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "info", "accesslog": {"disabled": False}},
        "storage": {
            "filesystem": {"rootdirectory": str(data)},
            "delete": {"enabled": True},
            "maintenance": maintenance,
        },
        "http": {"addr": f"127.0.0.1:{port}", "secret": "only for tests"},
    }
    if auth:
        config["auth"] = auth
    if tls:
        config["http"]["tls"] = {"certificate": str(tls[0]), "key": str(tls[1])}
    return config


def _port(log: str) -> int | None:
    found = _LISTENING.search(log)
    return int(found[2]) if found else None


@contextmanager
def serve_registry(
    folder: Path,
    *,
    data: Path | None = None,
    port: int = 0,
    readonly: bool = False,
    auth: bool | dict[str, Any] = False,
    tls: tuple[Path, Path] | None = None,
) -> Iterator[Registry]:
    """Run a registry.

    Args:
        folder: where its configuration, log and, by default, its data lie; made when missing.
        data: a storage folder that exists already.
        port: 0 for one of its own choosing; a former one to come back where it was.
        readonly: refuse pushes and deletes.
        auth: ask for `USERNAME` and `PASSWORD` (basic, from a bcrypt htpasswd file), or what its configuration says.
        tls: speak it, with this certificate (which signed itself) and key.
    """
    folder.mkdir(parents=True, exist_ok=True)
    env = environment(folder / "home")
    if auth is True:
        users = folder / "htpasswd"
        users.write_text(run(["htpasswd", "-nbB", USERNAME, PASSWORD], env=env).stdout.strip() + "\n")
        auth = {"htpasswd": {"realm": "tests", "path": str(users)}}
    data = data or folder / "data"
    data.mkdir(exist_ok=True)
    config = folder / "config.yml"
    config.write_text(json.dumps(_config(data, port=port, readonly=readonly, auth=auth or {}, tls=tls)))
    command = ["docker-registry", "serve", str(config)]
    with running(command, folder / "registry.log", _port, env=env) as up:
        login = (USERNAME, PASSWORD) if auth and "htpasswd" in auth else None
        yield Registry(f"127.0.0.1:{up.answer}", data, up.log, up.pid, login, tls[0] if tls else None)
