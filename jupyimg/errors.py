"""Everything that can go wrong, as one tree; branches follow what the *user* can do about it.

::

    ImageError                      what every error of ours is; carries one sentence and a hint
    ├── Misuse                      the line or the call is wrong: write it differently
    │   ├── BadReference            not a legal image reference
    │   ├── BadDigest               not a legal digest
    │   ├── BadPlatform             not a legal platform
    │   ├── BadPolicy               a trust policy, or a file that it needs, is not usable
    │   ├── UndefinedName           a {name} or $name that the notebook does not have
    │   └── Unsupported             this engine or this build cannot do that
    ├── NotFound                    what was named does not exist: check the name
    │   ├── ImageNotFound           not in the local store
    │   ├── RemoteNotFound          not in the registry
    │   ├── PlatformNotFound        the image exists, but not for that platform
    │   └── ContainerNotFound       the engine has no such container
    ├── NotTrusted                  the trust policy does not let the image in
    ├── Conflict                    it exists, and something stands in the way
    │   └── StillRunning            a job that is not over yet
    ├── RegistryError               a registry said no, or nothing
    │   ├── Unreachable             no answer: name, network, TLS, proxy
    │   ├── Denied                  it wants to know who you are, or refuses you
    │   ├── RateLimited             too many requests
    │   └── ProtocolError           an answer that the specification does not allow
    ├── EngineError                 a Docker or Podman daemon said no, or nothing
    │   ├── NoDaemon                nobody answers there: start it, or say where it is
    │   └── DaemonDenied            this user may not talk to it
    ├── ContentError                bytes that are not what they claim to be
    │   ├── DigestMismatch          wrong bytes
    │   ├── SizeMismatch            too few or too many bytes
    │   └── BadManifest             a document that is not a usable manifest, index or config
    ├── CredentialError             a file or a helper that keeps logins said no, or nonsense
    └── StoreError                  this disk said no
        ├── DiskFull                no space left
        └── StoreDenied             not writable or not readable

    Interrupted                     the user pressed stop (a KeyboardInterrupt, so `except Exception` lets it pass)

Names are the fact, not the class of fact, so they do not end in Error unless nothing better is left.
Foreign exceptions (httpx, OSError, msgspec) become one of these once, at the edge of the floor that meets them.
"""

from __future__ import annotations

import re

__all__ = [
    "BadDigest",
    "BadManifest",
    "BadPlatform",
    "BadPolicy",
    "BadReference",
    "Conflict",
    "ContainerNotFound",
    "ContentError",
    "CredentialError",
    "DaemonDenied",
    "Denied",
    "DigestMismatch",
    "DiskFull",
    "EngineError",
    "ImageError",
    "ImageNotFound",
    "Interrupted",
    "Misuse",
    "NoDaemon",
    "NotFound",
    "NotTrusted",
    "PlatformNotFound",
    "ProtocolError",
    "RateLimited",
    "RegistryError",
    "RemoteNotFound",
    "SizeMismatch",
    "StillRunning",
    "StoreDenied",
    "StoreError",
    "UndefinedName",
    "Unreachable",
    "Unsupported",
]


_LONGEST = 600
_LOGIN = re.compile(r"(?<=://)[^\s'\"]*@(?!sha\w*:)|(?<![^\s/'\"])[^\s/@:'\"\[]+:[^\s'\"]+@(?!sha\w*:)", re.ASCII)


def _plain(text: str) -> str:
    """Text that may come from outside, as it may stand in a terminal: one line, no control characters, not endless.

    A login in an address (``USER:PASSWORD@HOST``) is left out, wherever it came from; ``NAME:TAG@sha256:…`` is none.
    """
    text = _LOGIN.sub("…@", text[: 4 * _LONGEST])
    shown = "".join(char if char.isprintable() else " " for char in text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."


def _one_line(error: BaseException, message: str, hint: str) -> list[str]:
    lines = [f"{type(error).__name__}: {message}"]
    if hint:
        lines.append(f"  hint: {hint}")
    return lines


class ImageError(Exception):
    """What every error of jupyimg is.

    Attributes:
        message: one sentence saying what failed, without a trailing full stop.
        hint: what to do next, or "".
        done: records of what was done all the same, where several things were asked for and one failed.
    """

    hint = ""
    done: tuple[object, ...] = ()

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message = _plain(message)
        super().__init__(self.message)
        self.hint = _plain(hint) or type(self).hint

    def _render_traceback_(self) -> list[str]:
        """Let IPython show the sentence and the hint instead of a traceback."""
        return _one_line(self, self.message, self.hint)


class Misuse(ImageError):
    """The line or the call is wrong."""


class BadReference(Misuse):
    """Not a legal image reference (distribution/reference grammar)."""

    hint = "write it as [HOST[:PORT]/]NAME[:TAG][@DIGEST], such as nginx:1.27 or localhost:5000/me/app"


class BadDigest(Misuse, ValueError):
    """Not a legal digest; a ValueError too, so that JSON decoders report where it stood."""

    hint = "a digest is sha256: and 64 hexadecimal digits (or sha512: and 128)"


class BadPlatform(Misuse):
    """Not a legal platform."""

    hint = "write it as OS/ARCHITECTURE[/VARIANT], such as linux/amd64 or linux/arm/v7"


class BadPolicy(Misuse):
    """A trust policy, or a file that it needs (keys, registries.d), is not usable; nothing is let in on a guess."""

    hint = "containers-policy.json(5) and containers-registries.d(5) describe these files"


class UndefinedName(Misuse):
    """A {name} or $name in a line that the notebook does not have."""


class Unsupported(Misuse):
    """This engine, this format or this build cannot do what was asked."""


class NotFound(ImageError):
    """What was named does not exist."""


class ImageNotFound(NotFound):
    """No such image in the local store."""

    hint = "%image images lists what is here; %image pull fetches what is not"


class RemoteNotFound(NotFound):
    """No such repository, tag or digest in the registry."""


class PlatformNotFound(NotFound):
    """The image exists, but not for the platform asked for."""


class ContainerNotFound(NotFound):
    """The engine has no such container."""

    hint = "%image ps -a lists them all"


class NotTrusted(ImageError):
    """The trust policy does not let the image in; nothing was stored and no name was given."""


class Conflict(ImageError):
    """Something stands in the way of what was asked."""


class StillRunning(Conflict):
    """A job is not over yet; nothing has happened to it."""

    hint = "wait for it with .wait(), or stop it with .cancel()"


class RegistryError(ImageError):
    """A registry said no, or nothing.

    Attributes:
        status: the HTTP status, or 0 when there was no answer.
        code: the registry's error code (distribution-spec, Error Codes), or "".
    """

    def __init__(self, message: str, *, hint: str = "", status: int = 0, code: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code


class Unreachable(RegistryError):
    """No answer: the name, the network, TLS or a proxy."""


class Denied(RegistryError):
    """The registry wants to know who you are, or refuses you."""


class RateLimited(RegistryError):
    """Too many requests."""

    hint = "wait a while and run the line again"


class ProtocolError(RegistryError):
    """An answer that the distribution specification does not allow."""


class EngineError(ImageError):
    """A Docker or Podman daemon said no, or nothing."""


class NoDaemon(EngineError):
    """Nobody answers where a daemon should be."""


class DaemonDenied(EngineError):
    """This user may not talk to the daemon."""


class ContentError(ImageError):
    """Bytes that are not what they claim to be."""


class DigestMismatch(ContentError):
    """Wrong bytes for a digest."""

    hint = "the content was damaged on its way or at its origin; nothing was kept, so run the line again"


class SizeMismatch(ContentError):
    """Too few or too many bytes for a descriptor."""

    hint = "the connection or the registry cut the content short; run the line again"


class BadManifest(ContentError):
    """A document that is not a usable manifest, index or config."""

    hint = "its origin sent something that is no image; check the name, and whether a registry answers there"


class CredentialError(ImageError):
    """A file or a helper program that keeps logins cannot be used; which is not a login that a registry refuses."""


class StoreError(ImageError):
    """This disk said no."""


class DiskFull(StoreError):
    """No space left where the store is."""

    hint = "free some space (%image prune, %image rmi) or set JUPYIMG_HOME to a larger disk; what arrived is kept"


class StoreDenied(StoreError):
    """The store is not writable or not readable for this user."""

    hint = "set JUPYIMG_HOME to a folder that you may write to"


class Interrupted(KeyboardInterrupt):
    """The user pressed stop; what arrived is kept and the next run goes on from there.

    Attributes:
        done: as `ImageError.done`.
    """

    done: tuple[object, ...] = ()

    def __init__(self, message: str = "interrupted") -> None:
        super().__init__(message)
        self.message = message
        self.hint = "run the line again to go on from the bytes that arrived"

    def _render_traceback_(self) -> list[str]:
        return _one_line(self, self.message, self.hint)
