"""Sigstore signatures for tests: bundles by Sigstore's own libraries (npm), and a writer of cosign's older form.

The libraries are installed once, by ``npm ci`` from the lock file here, into the cache of the tests. No cosign runs on
Debian without leaving its archive, so the older form is written by `tagged`, after cosign's specification of it
(specs/SIGNATURE_SPEC.md): what it makes is our reading of that text and no proof by a second program.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from tests.services.cache import making
from tests.services.process import environment, run

if TYPE_CHECKING:
    from tests.services.registry import Registry

_NETWORK = {
    name: value
    for name, value in os.environ.items()
    if name.lower().endswith("_proxy") or name.lower().startswith("npm_config_") or name == "NODE_EXTRA_CA_CERTS"
}
"""How npm gets out of this machine; read at import, since tests see no proxies."""
if "SSL_CERT_FILE" in os.environ:
    _NETWORK.setdefault("NODE_EXTRA_CA_CERTS", os.environ["SSL_CERT_FILE"])
_SOURCE = Path(__file__).parent / "npm"
_FILES = ("package.json", "package-lock.json", "sign.js")
SIGN = "https://sigstore.dev/cosign/sign/v1"
IN_TOTO = "application/vnd.in-toto+json"
PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"


def libraries() -> Path:
    """The folder that sign.js runs in."""
    recipe = hashlib.sha256(b"".join((_SOURCE / name).read_bytes() for name in _FILES)).hexdigest()[:12]
    with making("sigstore-js") as place:
        held = place.with_name(f"sigstore-js-{recipe}")
        if not held.exists():
            work = place.with_name("sigstore-js.new")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            for name in _FILES:
                shutil.copy(_SOURCE / name, work)
            quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=3", "--prefix", str(work)]
            run(["npm", "ci", *quiet], env=environment(work / "home", **_NETWORK))
            work.rename(held)
    return held


@dataclass(frozen=True)
class SigningKey:
    """A pair of keys in two files."""

    private: Path
    public: Path
    pair: Any

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.pair, ec.EllipticCurvePrivateKey):
            return self.pair.sign(data, ec.ECDSA(hashes.SHA256()))
        if isinstance(self.pair, rsa.RSAPrivateKey):
            return self.pair.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self.pair.sign(data)


def make_key(folder: Path, name: str, kind: str = "ecdsa") -> SigningKey:
    makers = {
        "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
    }
    pair = makers[kind]()
    pem = serialization.Encoding.PEM
    private, public = folder / f"{name}.key", folder / f"{name}.pub"
    plain = serialization.NoEncryption()
    private.write_bytes(pair.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    public.write_bytes(pair.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    return SigningKey(private, public, pair)


def bundled(
    registry: Registry,
    repository: str,
    digest: str,
    key: SigningKey,
    data: bytes,
    *,
    form: str = "dsse",
    kind: str = IN_TOTO,
) -> Any:
    """Sign with Sigstore's libraries and attach the bundle to an image; the descriptor of what was attached."""
    asked = {
        "key": str(key.private),
        "form": form,
        "type": kind,
        "data": base64.b64encode(data).decode(),
        "image": registry.reference(repository),
        "digest": digest,
    }
    folder = libraries()
    done = run(["node", str(folder / "sign.js")], env=environment(folder / "home"), stdin=json.dumps(asked).encode())
    return json.loads(done.stdout)


def statement(digest: str, name: str = "", *, predicate: str = SIGN) -> bytes:
    """What cosign 3 signs (pkg/cosign, ``signDigestBundle``); it leaves the subject's name out."""
    algorithm, _, encoded = digest.partition(":")
    subject = {"digest": {algorithm: encoded}, **({"name": name} if name else {})}
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": predicate,
        "predicate": {},
    }
    return json.dumps(document).encode()


def payload(digest: str, name: str) -> bytes:
    """What cosign signed before version 3."""
    critical = {
        "identity": {"docker-reference": name},
        "image": {"docker-manifest-digest": digest},
        "type": "cosign container image signature",
    }
    return json.dumps({"critical": critical, "optional": None}).encode()


def tagged(registry: Registry, repository: str, digest: str, *layers: tuple[bytes, bytes]) -> None:
    """Tag payloads and their signatures as cosign does: ``sha256-HEX.sig``."""
    config = b'{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[]}}'
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _blob(registry, repository, config, "application/vnd.oci.image.config.v1+json"),
        "layers": [
            {
                **_blob(registry, repository, signed, PAYLOAD),
                "annotations": {"dev.cosignproject.cosign/signature": base64.b64encode(signature).decode()},
            }
            for signed, signature in layers
        ],
    }
    registry.push_manifest(repository, f"{digest.replace(':', '-')}.sig", json.dumps(manifest).encode(), OCI_MANIFEST)


def attach(registry: Registry, repository: str, digest: str, documents: list[bytes], kind: str) -> None:
    """Attach documents to an image by hand, by a registry's fall-back tag; for what no library would make."""
    attached = []
    for document in documents:
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": kind,
            "config": _blob(registry, repository, b"{}", EMPTY),
            "layers": [_blob(registry, repository, document, kind)],
        }
        raw = json.dumps(manifest).encode()
        name = registry.push_manifest(repository, f"sha256:{hashlib.sha256(raw).hexdigest()}", raw, OCI_MANIFEST)
        attached.append({"mediaType": OCI_MANIFEST, "digest": name, "size": len(raw), "artifactType": kind})
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": attached}
    registry.push_manifest(repository, digest.replace(":", "-"), json.dumps(index).encode(), index["mediaType"])


def _blob(registry: Registry, repository: str, data: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": registry.push_blob(repository, data), "size": len(data)}
