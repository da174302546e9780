"""Helpers: the programs ``docker-credential-X`` that keep secrets in a keychain (docker-credential-helpers' protocol).

A verb is the only argument; what it is about goes through standard input and comes back on standard output, so no
secret is ever seen in a list of processes. A helper may ask its user for a passphrase, or hang: it has its time and is
ended with all its children, and at once where the call that needs it is cut off (`call`). What it says is limited,
since a program that only talks would fill the memory.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

from jupyimg.credentials.entries import TOKEN_USER
from jupyimg.errors import CredentialError
from jupyimg.registry.answers import clean
from jupyimg.registry.auth import Credentials
from jupyimg.registry.call import current

LIMIT = 1 << 20
"""The most bytes that a helper may say."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_UNKNOWN = "credentials not found"
_GRACE = 1.0
"""Seconds that a helper may take to end after its last word."""


@dataclass(frozen=True, slots=True)
class Helper:
    """One helper.

    Attributes:
        suffix: what stands for X.
        where: the setting that names it, for messages.
        seconds: how long one call may take.
    """

    suffix: str
    where: str
    seconds: float

    @property
    def program(self) -> str:
        """Its file name."""
        return f"docker-credential-{self.suffix}"

    def get(self, server: str) -> Credentials | None:
        """What it keeps for a server, by exactly that name.

        Raises:
            CredentialError: it is missing, failed, took too long, or said nonsense.
        """
        status, said = self._call("get", server.encode())
        if status and _UNKNOWN in said.decode(errors="replace").lower():
            return None
        answer = self._answer(status, said)
        username, secret = answer.get("Username", ""), answer.get("Secret", "")
        if not isinstance(username, str) or not isinstance(secret, str):
            raise self._nonsense()
        if not secret:
            return None  # how the helper for pass says that it knows none
        return Credentials("", identity_token=secret) if username == TOKEN_USER else Credentials(username, secret)

    def store(self, server: str, credentials: Credentials) -> None:
        """Keep a login for a server.

        Raises:
            CredentialError: it is missing, failed, or took too long.
        """
        token = credentials.identity_token
        document = {
            "ServerURL": server,
            "Username": TOKEN_USER if token else credentials.username,
            "Secret": token or credentials.password,
        }
        status, said = self._call("store", json.dumps(document).encode())
        if status:
            raise self._failed(said, document["Secret"])

    def erase(self, server: str) -> None:
        """Forget what is kept for a server, by exactly that name.

        Raises:
            CredentialError: it is missing, failed, or took too long.
        """
        status, said = self._call("erase", server.encode())
        if status and _UNKNOWN not in said.decode(errors="replace").lower():
            raise self._failed(said)

    def servers(self) -> list[str]:
        """All that it keeps something for; no secret is read for it.

        Raises:
            CredentialError: it is missing, failed, took too long, or said nonsense.
        """
        return list(self._answer(*self._call("list", b"")))

    def _answer(self, status: int, said: bytes) -> dict[str, Any]:
        if status:
            raise self._failed(said)
        try:
            answer = json.loads(said)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self._nonsense()
        return answer

    def _call(self, verb: str, said: bytes) -> tuple[int, bytes]:
        path = shutil.which(self.program) if _NAME.fullmatch(self.suffix) else None
        if path is None:
            raise CredentialError(
                f"the credential helper {self.program} is not installed",
                hint=f"install it, or take it out of {self.where}",
            )
        call = current()
        try:
            process = subprocess.Popen(  # noqa: S603 - a program that the user's own file names
                [path, verb],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise CredentialError(f"{self.program} cannot be started: {error.strerror}", hint=self._hint()) from None
        try:
            with call.ending(partial(_kill, process)):
                answer = self._converse(process, said)
        except CredentialError:
            call.check()  # one that was ended says nothing, which is no fault of its own
            raise
        finally:
            if process.returncode is None:
                _kill(process)
                process.wait()
        call.check()
        return answer

    def _converse(self, process: subprocess.Popen[bytes], said: bytes) -> tuple[int, bytes]:
        heard: list[bytes] = []
        assert process.stdin is not None
        assert process.stdout is not None
        # in a thread, since neither pipe can be waited for with a limit on every system
        talk = threading.Thread(target=_exchange, args=(process.stdin, process.stdout, said, heard), daemon=True)
        talk.start()
        talk.join(self.seconds)
        if talk.is_alive():
            raise CredentialError(f"{self.program} did not answer within {self.seconds:g} seconds", hint=self._hint())
        if sum(map(len, heard)) > LIMIT:
            raise self._nonsense()
        try:
            return process.wait(_GRACE), b"".join(heard)
        except subprocess.TimeoutExpired:
            raise CredentialError(f"{self.program} does not end", hint=self._hint()) from None

    def _failed(self, said: bytes, secret: str = "") -> CredentialError:
        text = said.decode(errors="replace")
        told = clean("" if text.lstrip().startswith("{") or (secret and secret in text) else text)
        return CredentialError(f"{self.program} failed{f': {told}' if told else ''}", hint=self._hint())

    def _nonsense(self) -> CredentialError:
        return CredentialError(f"{self.program} gives an answer that is none", hint=self._hint())

    def _hint(self) -> str:
        return f"see that it works by itself, or take it out of {self.where}"


def _exchange(to: IO[bytes], back: IO[bytes], said: bytes, heard: list[bytes]) -> None:
    with suppress(OSError), to:  # it may end without listening
        to.write(said)
    with suppress(OSError), back:
        heard.append(back.read(LIMIT + 1))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it and all that it started, unless it was waited for, after which its number may be another's."""
    if process.returncode is not None:
        return
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
