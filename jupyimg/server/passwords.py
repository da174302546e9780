"""Passwords: who may come in, by plain passwords and by htpasswd's bcrypt hashes.

A hash is slow on purpose, and a client sends its password with every request. So a password that was right is
remembered as a keyed digest, under a key that lives as long as this process. A wrong one always costs the full time,
in one thread at a time, so that guessing cannot take the machine.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import threading
from typing import TYPE_CHECKING

import bcrypt

from jupyimg.errors import Misuse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BCRYPT = re.compile(r"\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}", re.ASCII)
_BCRYPT_BYTES = 72
"""What bcrypt looks at of a password; htpasswd cuts it there too."""

_HOW = "write the file with: htpasswd -B -c FILE USER"


def read_htpasswd(path: Path) -> dict[str, str]:
    """The users of an htpasswd file and their bcrypt hashes.

    Raises:
        Misuse: it cannot be read, or an entry is of a kind that is not checked here; no hash is repeated.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise Misuse(f"{path} cannot be read: {error.strerror}", hint=_HOW) from None
    except UnicodeDecodeError:
        raise Misuse(f"{path} is not an htpasswd file", hint=_HOW) from None
    users = {}
    for number, line in enumerate(lines, 1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        name, colon, hashed = entry.partition(":")
        if not colon or not name:
            raise Misuse(f"line {number} of {path} is not USER:HASH", hint=_HOW)
        if not _BCRYPT.fullmatch(hashed):
            raise Misuse(f"the entry of {name!r} in {path} is no bcrypt hash, and no other is checked", hint=_HOW)
        users[name] = hashed
    if not users:
        raise Misuse(f"{path} names no user", hint=_HOW)
    return users


class Doorkeeper:
    """Tells right passwords from wrong ones. Safe to use from several threads.

    Args:
        users: names, and for each a plain password or a bcrypt hash.
    """

    def __init__(self, users: Mapping[str, str]) -> None:
        self._key = secrets.token_bytes(32)
        self._hashes = {name: word.encode() for name, word in users.items() if _BCRYPT.fullmatch(word)}
        self._right = {name: self._keyed(word) for name, word in users.items() if name not in self._hashes}
        # whoever is nobody costs the same time, against the hash of a word that nobody knows
        self._nobody = bcrypt.hashpw(secrets.token_bytes(16), bcrypt.gensalt(self._rounds())) if self._hashes else b""
        self._guard = threading.Lock()

    def admits(self, authorization: str | None) -> bool:
        """Whether an Authorization header is right."""
        scheme, _, encoded = (authorization or "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            name, colon, word = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return bool(colon) and self._is_right(name, word)

    def _is_right(self, name: str, word: str) -> bool:
        keyed = self._keyed(word)
        if hmac.compare_digest(self._right.get(name, b""), keyed):
            return True
        if not self._hashes or (name in self._right and name not in self._hashes):
            return False
        with self._guard:
            right = _matches(word, self._hashes.get(name, self._nobody))
            if right:
                self._right[name] = keyed
        return right

    def _keyed(self, word: str) -> bytes:
        return hmac.new(self._key, word.encode(), hashlib.sha256).digest()

    def _rounds(self) -> int:
        return max(4, min(12, max(int(hashed[4:6]) for hashed in self._hashes.values())))


def _matches(word: str, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(word.encode()[:_BCRYPT_BYTES], hashed)
    except ValueError:  # a hash of no possible salt, or a password with a NUL
        return False
