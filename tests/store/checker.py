"""verify_store(): whether a folder is a valid store, found out without any of our code, and by skopeo."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

INDEXES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}
MANIFESTS = {
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
}
REF_NAME = "org.opencontainers.image.ref.name"


def verify_store(root: Path, inspect: Callable[..., Any] | None = None) -> list[dict[str, Any]]:
    """Fail unless every blob is what its name says and every root is wholly there; the lines of index.json.

    Args:
        root: the store; one that is not there is valid and empty.
        inspect: `Skopeo.inspect`, to have each named image read by skopeo too. Docker's own manifests are left out:
            skopeo's layout transport knows only OCI's.
    """
    if not root.exists():
        return []
    assert json.loads((root / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    for blob in (root / "blobs").glob("*/*"):
        assert hashlib.new(blob.parent.name, blob.read_bytes()).hexdigest() == blob.name, f"{blob} is not its digest"
    if not (root / "index.json").exists():
        return []
    listed = json.loads((root / "index.json").read_text())["manifests"]
    seen = set()
    for entry in listed:
        _whole(root, entry)
        notes = entry.get("annotations", {})
        if "org.jupyimg.index.digest" in notes:
            _blob(root, notes["org.jupyimg.index.digest"], int(notes["org.jupyimg.index.size"]))
        name = notes.get(REF_NAME)
        assert (name, entry["digest"], notes.get("org.jupyimg.repository")) not in seen, f"{entry} stands twice"
        seen.add((name, entry["digest"], notes.get("org.jupyimg.repository")))
        if inspect and name and "oci" in entry["mediaType"]:
            _read_by_skopeo(root, inspect, name, entry)
    return listed


def _read_by_skopeo(root: Path, inspect: Callable[..., Any], name: str, entry: dict[str, Any]) -> None:
    document = json.loads(_blob(root, entry["digest"], entry["size"]))
    platform = entry.get("platform") or next(
        (child["platform"] for child in document.get("manifests", ()) if "platform" in child), None
    )
    chosen = [f"--override-os={platform['os']}", f"--override-arch={platform['architecture']}"] if platform else []
    assert inspect(f"oci:{root}:{name}", *chosen)["Layers"] is not None


def _whole(root: Path, descriptor: dict[str, Any]) -> None:
    raw = _blob(root, descriptor["digest"], descriptor["size"])
    if descriptor["mediaType"] in INDEXES:
        for child in json.loads(raw)["manifests"]:
            _whole(root, child)
    elif descriptor["mediaType"] in MANIFESTS:
        manifest = json.loads(raw)
        for child in (manifest["config"], *manifest["layers"]):
            if not child.get("urls"):
                _blob(root, child["digest"], child["size"])


def _blob(root: Path, digest: str, size: int) -> bytes:
    path = root / "blobs" / digest.replace(":", "/")
    assert path.is_file(), f"{digest} is missing"
    raw = path.read_bytes()
    assert len(raw) == size, f"{digest} has {len(raw)} bytes, not {size}"
    return raw
