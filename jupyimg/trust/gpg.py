"""GPG: verifying inline signatures with gpg itself, which knows the policy's keys and nothing else.

Each keyring is a home of its own that is thrown away: neither the user's keys nor options, agent or key servers take
part. What gpg found is read from its status lines (doc/DETAILS in GnuPG), which are made for programs; what it says in
words is not read. Anything but exactly one good signature over exactly one text is refused.
"""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from jupyimg.errors import BadPolicy, Unsupported
from jupyimg.trust.evidence import SIGNATURE_LIMIT, Unacceptable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

SECONDS = 30
"""How long one run of gpg may take; it takes 10 ms."""
_STATUS = re.compile(rb"^\[GNUPG:\] (\w+)(.*)$", re.MULTILINE)
_REASONS = {
    "REVKEYSIG": "its key was revoked",
    "EXPKEYSIG": "its key has expired",
    "EXPSIG": "the signature has expired",
    "BADSIG": "the signature is not valid",
    "NO_PUBKEY": "it is by a key that the policy does not name",
    "ERRSIG": "it cannot be checked",
}
_BINARY = "00"


class Keyring:
    """The keys of one requirement, ready to verify; use it as a context.

    Args:
        keys: files of keys, binary or armoured.

    Raises:
        Unsupported: there is no gpg here.
        BadPolicy: there is no key in them (on entering).
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        program = shutil.which("gpg")
        if program is None:
            raise Unsupported(
                "the trust policy wants a GPG signature, and there is no gpg here to check it",
                hint="install GnuPG (Debian: apt-get install gpg), or use sigstoreSigned, which needs no program",
            )
        from tempfile import TemporaryDirectory

        self._program = program
        self._keys = keys
        self._folder = TemporaryDirectory(prefix="jupyimg-gpg-", ignore_cleanup_errors=True)
        self._home = Path(self._folder.name)
        self._trusted: set[str] = set()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.enter_context(self._folder)
            for raw in self._keys:
                status = self._run(["--import"], raw)
                self._trusted |= {words[-1] for name, words in status if name == "IMPORT_OK" and words}
            if not self._trusted:
                raise BadPolicy("the key files of the trust policy hold no GPG key", hint="gpg --export KEY makes one")
            undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def verify(self, signature: bytes) -> tuple[bytes, str]:
        """The text that was signed, and the fingerprint of the primary key that did.

        Raises:
            Unacceptable: not one good signature by one of the keys.
        """
        path, text = self._home / "signature", self._home / "text"
        path.write_bytes(signature)
        text.unlink(missing_ok=True)
        # --max-output: a few bytes can be the compressed form of many
        limits = ["--max-output", str(SIGNATURE_LIMIT), "--output", str(text)]
        status = self._run([*limits, "--verify", str(path)])
        fingerprint = self._judge(status)
        if not text.is_file() or text.stat().st_size > SIGNATURE_LIMIT:
            raise Unacceptable("it signs nothing, or too much to be a claim")
        return text.read_bytes(), fingerprint

    def _judge(self, status: list[tuple[str, list[str]]]) -> str:
        names = [name for name, _ in status]
        for name, reason in _REASONS.items():
            if name in names:
                raise Unacceptable(reason)
        valid = [words for name, words in status if name == "VALIDSIG"]
        once = all(names.count(name) == 1 for name in ("NEWSIG", "GOODSIG", "VALIDSIG", "PLAINTEXT"))
        wrong = {"NODATA", "FAILURE", "ERROR", "UNEXPECTED"}.intersection(names)
        if not once or wrong or len(valid[0]) < 10:  # noqa: PLR2004 - the words that DETAILS lists
            raise Unacceptable("it is not one GPG signature over one text")
        if valid[0][8] != _BINARY or valid[0][9] not in self._trusted:
            raise Unacceptable(_REASONS["NO_PUBKEY"])
        return valid[0][9]

    def _run(self, arguments: list[str], data: bytes = b"") -> list[tuple[str, list[str]]]:
        """Run gpg and give its status lines.

        Raises:
            Unacceptable: it did not end in time.
        """
        import subprocess

        quiet = ["--batch", "--no-tty", "--no-options", "--no-autostart", "--no-auto-key-retrieve"]
        fixed = ["--homedir", str(self._home), *quiet, "--trust-model", "always", "--status-fd", "1"]
        try:
            done = subprocess.run(  # noqa: S603 - a program found in PATH, and files of our own
                [self._program, *fixed, *arguments], input=data, capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise Unacceptable(f"gpg did not come to an end within {SECONDS} seconds") from None
        lines = _STATUS.findall(done.stdout)
        return [(name.decode(), words.decode(errors="replace").split()) for name, words in lines]
