"""What TLS trusts and shows, by host: the system's authorities, and a user's own in ``certs.d``.

A folder ``certs.d/HOST:PORT`` (``certs.d/HOST`` for port 443) holds ``*.crt``, authorities that are trusted besides
the system's, and ``NAME.cert`` with ``NAME.key``, certificates to show (containers-certs.d(5), and Docker's "Verify
repository client with certificates"). The first folder that exists counts, alone: the user's before the system's.
"""

from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING

import certifi

from jupyimg.errors import Misuse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    Stamp = tuple[tuple[str, int, int], ...]

_HTTPS = 443


class Authorities:
    """TLS settings for each host, made when first needed: reading authorities takes longer than a request to loopback.

    Args:
        ca_file: certificate authorities to trust instead of the system's; "" is the system's.
        folders: each a ``certs.d``, the first that knows a host wins.
    """

    def __init__(self, ca_file: str, folders: Sequence[Path] = ()) -> None:
        self._ca_file = ca_file
        self._folders = tuple(folders)
        self._lock = threading.Lock()
        self._made: dict[tuple[Path | None, Stamp, bool], ssl.SSLContext] = {}

    def folder(self, host: str, port: int) -> Path | None:
        """Where a user's own certificates for this host lie, if there are any."""
        bracketed = f"[{host}]" if ":" in host else host
        names = [f"{bracketed}:{port}", *([bracketed] if port == _HTTPS else [])]
        return next((folder / name for folder in self._folders for name in names if _is_open(folder / name)), None)

    def context(self, host: str, port: int, *, verify: bool) -> ssl.SSLContext:
        """What to speak TLS with to this host; files that have changed are read again.

        Raises:
            Misuse: a file of certificates or keys cannot be used; it says which.
        """
        folder = self.folder(host, port)
        key = (folder, _stamp(folder), verify)
        with self._lock:
            made = self._made.get(key)
            if made is None:
                made = self._made[key] = self._make(folder, verify=verify)
            return made

    def _make(self, folder: Path | None, *, verify: bool) -> ssl.SSLContext:
        context = _trusting(self._ca_file)
        if folder is not None:
            _add(context, folder)
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["http/1.1"])
        return context


def _is_open(folder: Path) -> bool:
    """Whether there is such a folder for us; Docker's own may be its owner's alone."""
    try:
        return folder.is_dir()
    except PermissionError:
        return False


def _trusting(ca_file: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError:  # ssl.SSLError is one
        hint = "SSL_CERT_FILE must name a file of certificates in PEM form"
        raise Misuse(f"the certificate authorities in {ca_file!r} cannot be read", hint=hint) from None
    paths = ssl.get_default_verify_paths()
    if not ca_file and not (paths.cafile or paths.capath or context.cert_store_stats()["x509_ca"]):
        context.load_verify_locations(certifi.where())  # a Python that came without the system's
    return context


def _add(context: ssl.SSLContext, folder: Path) -> None:
    """A user's own authorities and certificates.

    Raises:
        Misuse: a file cannot be used, or a certificate and its key are not both there.
    """
    for path in sorted(folder.iterdir()):
        try:
            if path.suffix == ".crt":
                context.load_verify_locations(path)
            elif path.suffix == ".cert":
                context.load_cert_chain(path, _beside(path, ".key"), password=_no_password)
            elif path.suffix == ".key":
                _beside(path, ".cert")
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            what = "an authority" if path.suffix == ".crt" else "a certificate with its key"
            why = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else ""
            raise Misuse(
                f"{path.name} in certs.d/{folder.name} cannot be used as {what}" + (f": {why}" if why else ""),
                hint="it must be in PEM form, readable, and a key without a password",
            ) from None


def _beside(path: Path, suffix: str) -> Path:
    other = path.with_suffix(suffix)
    if not other.is_file():
        raise Misuse(
            f"{path.name} in certs.d/{path.parent.name} has no {other.name} beside it",
            hint="a certificate to show is NAME.cert with NAME.key; an authority to trust ends in .crt",
        )
    return other


def _no_password() -> str:
    """Nobody is asked on a terminal in the middle of a pull."""
    raise ValueError("the key wants a password")


def _stamp(folder: Path | None) -> Stamp:
    """What tells one state of a folder from another."""
    if folder is None:
        return ()
    try:
        states = [(path.name, path.stat()) for path in sorted(folder.iterdir())]
    except OSError as error:
        raise Misuse(f"certs.d/{folder.name} cannot be read: {error.strerror}") from None
    return tuple((name, state.st_mtime_ns, state.st_size) for name, state in states)
