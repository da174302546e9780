"""gpg decides with the policy's keys alone, and only one good signature over one text counts."""

from __future__ import annotations

import os
import random
import stat
import time
from pathlib import Path

import pytest

from jupyimg.errors import BadPolicy
from jupyimg.trust.evidence import SIGNATURE_LIMIT, Unacceptable
from jupyimg.trust.gpg import Keyring
from tests.trust.gnupg import LONG_AGO

TEXT = b'{"critical": {}}'
NOISE = random.Random(4).randbytes(4096)


@pytest.fixture
def ring(gpg, signer):
    with Keyring([gpg.export(signer)]) as ring:
        yield ring


def test_a_good_signature_gives_its_text_and_its_key(gpg, signer, ring):
    assert ring.verify(gpg.sign(signer, TEXT)) == (TEXT, signer)


def test_keys_may_be_armoured_and_several(gpg, signer, stranger):
    with Keyring([gpg.export(stranger), gpg.export(signer, "--armor")]) as ring:
        assert ring.verify(gpg.sign(signer, TEXT))[1] == signer
        assert ring.verify(gpg.sign(stranger, TEXT))[1] == stranger


def test_a_key_that_the_policy_does_not_name_does_not_count(gpg, stranger, ring):
    with pytest.raises(Unacceptable, match="does not name"):
        ring.verify(gpg.sign(stranger, TEXT))


def test_the_users_own_keyring_does_not_count(gpg, stranger, ring, monkeypatch):
    monkeypatch.setenv("GNUPGHOME", str(gpg.folder / ".gnupg"))
    with pytest.raises(Unacceptable, match="does not name"):
        ring.verify(gpg.sign(stranger, TEXT))


def test_a_changed_text_does_not_count(gpg, signer, ring):
    raw = gpg.sign(signer, TEXT, "--compress-algo", "none", "--sign")
    assert TEXT in raw
    with pytest.raises(Unacceptable, match="not valid"):
        ring.verify(raw.replace(TEXT, TEXT.replace(b"critical", b"harmless")))


def test_an_expired_key_or_signature_and_a_revoked_key_do_not_count(gpg):
    short = gpg.key("short", expire="1d", at=LONG_AGO)
    stolen = gpg.key("stolen")
    brief = gpg.key("brief", at=LONG_AGO)
    signed, ended = gpg.sign(stolen, TEXT), gpg.sign(brief, TEXT, "--default-sig-expire", "1d", "--sign", at=LONG_AGO)
    with Keyring([gpg.export(stolen), gpg.export(brief), gpg.export(short)]) as ring:
        assert ring.verify(signed)
        with pytest.raises(Unacceptable, match="key has expired"):
            ring.verify(gpg.sign(short, TEXT, at=LONG_AGO))
        with pytest.raises(Unacceptable, match="signature has expired"):
            ring.verify(ended)
    gpg.revoke(stolen)
    with Keyring([gpg.export(stolen)]) as ring, pytest.raises(Unacceptable, match="revoked"):
        ring.verify(signed)


@pytest.mark.parametrize("how", [("--detach-sign",), ("--clear-sign",), ("--store",)])
def test_what_is_not_one_inline_signature_does_not_count(gpg, signer, ring, how):
    with pytest.raises(Unacceptable):
        ring.verify(gpg.sign(signer, TEXT, *how))


def test_two_signers_do_not_count_and_what_is_added_never_changes_the_text(gpg, signer, stranger):
    both = gpg.sign(signer, TEXT, "--local-user", stranger, "--sign")
    with Keyring([gpg.export(signer), gpg.export(stranger)]) as ring:
        with pytest.raises(Unacceptable):
            ring.verify(both)
        for options in ([], ["--compress-algo", "none"]):
            one, other, bare = (
                gpg.sign(signer, text, *options, how)
                for text, how in ((TEXT, "--sign"), (b"other", "--sign"), (b"bare", "--store"))
            )
            for raw in (one + one, one + other, one + bare, bare + one, one + NOISE[:64]):
                try:
                    assert ring.verify(raw) == (TEXT, signer)  # gpg ends where a packed message ends
                except Unacceptable:
                    continue


@pytest.mark.parametrize(
    "raw", [b"", b"\x00", b"trust me", b"\xa3\x01" * 1000, NOISE, b"[GNUPG:] GOODSIG\n[GNUPG:] VALIDSIG"]
)
def test_noise_does_not_count(ring, raw):
    with pytest.raises(Unacceptable):
        ring.verify(raw)


def test_a_few_bytes_that_unpack_to_many_are_stopped(gpg, signer, ring):
    raw = gpg.sign(signer, bytes(16 << 20))
    assert len(raw) < SIGNATURE_LIMIT
    with pytest.raises(Unacceptable):
        ring.verify(raw)
    (folder,) = [path for path in Path("/tmp").glob("jupyimg-gpg-*") if str(path) == ring._folder.name]
    assert sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) < 4 * SIGNATURE_LIMIT


def test_nothing_is_left_and_nobody_else_may_look(gpg, signer):
    with Keyring([gpg.export(signer)]) as ring:
        folder = Path(ring._folder.name)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()


@pytest.mark.parametrize(
    "raw", [b"", b"no key", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"]
)
def test_files_without_a_key_are_told(raw):
    with pytest.raises(BadPolicy, match="hold no GPG key"), Keyring([raw]):
        pass


def test_a_gpg_that_does_not_end_is_ended(tmp_path, monkeypatch):
    program = tmp_path / "gpg"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("jupyimg.trust.gpg.SECONDS", 0.3)
    began = time.monotonic()
    with pytest.raises(Unacceptable, match="did not come to an end"), Keyring([b"key"]):
        pass
    assert time.monotonic() - began < 30
