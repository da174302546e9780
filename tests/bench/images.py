"""Images to measure with, made here and pushed by plain HTTP: layers are random bytes, since speed is of moving them."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.services.registry import Registry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def push(registry: Registry, repository: str, tag: str, *, layers: int, size: int) -> None:
    """Put an image of so many layers of so many bytes into a registry."""
    descriptors = []
    for _ in range(layers):
        body = os.urandom(size)
        descriptors.append({"mediaType": LAYER, "digest": registry.push_blob(repository, body), "size": size})
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": "2026-01-01T00:00:00Z",
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(d["digest"].encode()).hexdigest() for d in descriptors]},
        }
    ).encode()  # fmt: skip
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": registry.push_blob(repository, config), "size": len(config)},
        "layers": descriptors,
    }
    registry.push_manifest(repository, tag, json.dumps(manifest).encode(), MANIFEST)
