"""Keys: bytes from where the policy says and from nowhere else, and signatures by them (verified by `cryptography`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyimg.errors import BadPolicy, Unsupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyimg.trust.policy import Keys

KEY_LIMIT = 4 << 20
"""The most bytes of a file of keys."""


def key_bytes(keys: Keys) -> list[bytes]:
    """The content of each file or text of keys.

    Raises:
        BadPolicy: a file cannot be read, or is too large to be one.
    """
    found = list(keys.data)
    for path in keys.paths:
        try:
            with path.open("rb") as file:
                raw = file.read(KEY_LIMIT + 1)
        except OSError as error:
            raise BadPolicy(
                f"the key file {path} of the trust policy cannot be read: {error.strerror}",
                hint="put the public key there, or name another file in the policy",
            ) from None
        if len(raw) > KEY_LIMIT:
            raise BadPolicy(f"the key file {path} of the trust policy has more than {KEY_LIMIT} bytes")
        found.append(raw)
    return found


def public_keys(keys: Keys) -> list[Any]:
    """The public keys, as sigstore knows them: ECDSA, RSA or Ed25519 in PEM.

    Raises:
        BadPolicy: one of them is none.
        Unsupported: one of them is of another kind.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    found = []
    for raw in key_bytes(keys):
        try:
            key = load_pem_public_key(raw)
        except (ValueError, UnsupportedAlgorithm):
            raise BadPolicy(
                "a sigstore key of the trust policy is no public key in PEM form",
                hint="it begins with -----BEGIN PUBLIC KEY-----; cosign writes such a file as cosign.pub",
            ) from None
        if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
            raise Unsupported(
                "a sigstore key of the trust policy is neither ECDSA, RSA nor Ed25519",
                hint="cosign generate-key-pair makes a key that is",
            )
        found.append(key)
    return found


def is_signed(data: bytes, signature: bytes, keys: Sequence[Any]) -> bool:
    """Whether one of these keys made this signature of these bytes, with SHA-256 where a hash is to be chosen."""
    return any(_made(key, signature, data) for key in keys)


def _made(key: Any, signature: bytes, data: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), SHA256())
        else:
            key.verify(signature, data)
    except InvalidSignature:
        return False
    return True
