"""Images made in Python, of every shape that registries hold, as OCI layouts or pushed over plain HTTP.

Nothing of jupyimg is used, so what is made here judges it. Layers are true tar archives whose diff IDs are right. The
same arguments give the same bytes. A content is bytes, or a file where it is large.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import shutil
import sys
import tarfile
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isal import igzip

from tests.services.cache import making

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.services.registry import Registry

OCI, DOCKER = "application/vnd.oci.image.", "application/vnd.docker."
TYPES = {
    "oci": {
        "index": f"{OCI}index.v1+json",
        "manifest": f"{OCI}manifest.v1+json",
        "config": f"{OCI}config.v1+json",
        "none": f"{OCI}layer.v1.tar",
        "gzip": f"{OCI}layer.v1.tar+gzip",
        "zstd": f"{OCI}layer.v1.tar+zstd",
    },
    "docker": {
        "index": f"{DOCKER}distribution.manifest.list.v2+json",
        "manifest": f"{DOCKER}distribution.manifest.v2+json",
        "config": f"{DOCKER}container.image.v1+json",
        "none": f"{DOCKER}image.rootfs.diff.tar",
        "gzip": f"{DOCKER}image.rootfs.diff.tar.gzip",
        "zstd": f"{DOCKER}image.rootfs.diff.tar.zstd",
    },
}
"""Media types by family."""

SCHEMA1 = f"{DOCKER}distribution.manifest.v1+prettyjws"
EMPTY = "application/vnd.oci.empty.v1+json"
CREATED = "2024-05-06T07:08:09Z"
_COMPRESS = {
    "none": lambda data: data,
    "gzip": lambda data: gzip.compress(data, 6, mtime=0),
    "zstd": zstd.compress,
}


@dataclass(frozen=True)
class Blob:
    """Content and what names it."""

    media_type: str
    content: bytes | Path
    digest: str
    size: int

    @classmethod
    def of(cls, media_type: str, content: bytes) -> Blob:
        return cls(media_type, content, _sha256(content), len(content))

    @classmethod
    def document(cls, media_type: str, document: Any) -> Blob:
        return cls.of(media_type, json.dumps(document, separators=(",", ":")).encode())

    def descriptor(self, **more: Any) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size, **more}

    def read(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


@dataclass(frozen=True)
class Layer:
    """A compressed archive; its media type is given by the image that it is put in."""

    content: bytes | Path
    digest: str
    size: int
    diff_id: str
    unpacked: int
    compression: str = "gzip"


@dataclass(frozen=True)
class Made:
    """An image, an index or an artefact.

    Attributes:
        root: its manifest or index.
        blobs: layers, configs and other blobs below it.
        manifests: manifests and indexes below it, leaves first.
        platform: as a descriptor has it; None for what runs nowhere.
        layers: an image's layers.
        about: the digest of the image that an attestation stands beside.
    """

    root: Blob
    blobs: tuple[Blob, ...] = ()
    manifests: tuple[Blob, ...] = ()
    platform: dict[str, str] | None = None
    layers: tuple[Layer, ...] = ()
    about: str = ""

    @property
    def digest(self) -> str:
        return self.root.digest

    @property
    def document(self) -> Any:
        return json.loads(self.root.read())


def _sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def make_layer(files: Mapping[str, bytes | str], *, compression: str = "gzip") -> Layer:
    """A layer of small files; a value of text is the target of a symbolic link."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    data = archive.getvalue()
    packed = _COMPRESS[compression](data)
    unpacked = sum(len(content) for content in files.values())
    return Layer(packed, _sha256(packed), len(packed), _sha256(data), unpacked, compression)


def make_layers(count: int, size: int = 100) -> list[Layer]:
    """Many small, different layers."""
    return [make_layer({f"file-{number}": random.Random(number).randbytes(size)}) for number in range(count)]


def large_layer(size: int, *, seed: int = 0) -> Layer:
    """A layer with one file of so many random bytes, made once and then found in the cache."""
    with making(f"layer-{size}-{seed}.tar.gz") as path:
        facts = path.with_suffix(".json")  # written last
        if not facts.exists():
            facts.write_text(json.dumps(_write_large(path, size, random.Random(seed))))
    return Layer(path, **json.loads(facts.read_text()))


def _write_large(path: Path, size: int, source: random.Random) -> dict[str, Any]:
    unpacked, packed = hashlib.sha256(), hashlib.sha256()
    info = tarfile.TarInfo("data")
    info.size = size
    chunks = (source.randbytes(min(1 << 20, size - done)) for done in range(0, size, 1 << 20))
    end = bytes(-size % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE)
    with path.open("wb") as raw, igzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as out:
        for chunk in chain([info.tobuf(tarfile.USTAR_FORMAT)], chunks, [end]):
            unpacked.update(chunk)
            out.write(chunk)
    with path.open("rb") as written:
        while chunk := written.read(1 << 20):
            packed.update(chunk)
    digest, diff_id = f"sha256:{packed.hexdigest()}", f"sha256:{unpacked.hexdigest()}"
    return {"digest": digest, "size": path.stat().st_size, "diff_id": diff_id, "unpacked": size}


def _platform(text: str) -> dict[str, str]:
    return dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))


def _history(layers: Sequence[Layer], created: str) -> list[dict[str, Any]]:
    """One step for each layer, and one without a layer after the first."""
    steps = [{"created": created, "created_by": f"RUN step {number}"} for number in range(len(layers))]
    return [*steps[:1], {"created": created, "created_by": "ENV STEP=1", "empty_layer": True}, *steps[1:]]


def make_image(
    layers: Sequence[Layer] | None = None,
    *,
    platform: str = "linux/amd64",
    labels: Mapping[str, str] | None = None,
    media: str = "oci",
    created: str | None = CREATED,
    config: Mapping[str, Any] | None = None,
    **manifest: Any,
) -> Made:
    """An image.

    Args:
        layers: bottom first; one small one by default.
        platform: ``OS/ARCHITECTURE[/VARIANT]``.
        labels: of its config.
        media: the family of media types, ``oci`` or ``docker``.
        created: RFC 3339, or None to leave it out.
        config: members added to the config document, or put in the place of those made here.
        manifest: members added to the manifest, such as ``annotations`` or ``subject``.
    """
    layers = make_layers(1) if layers is None else layers
    types = TYPES[media]
    document: dict[str, Any] = {**({"created": created} if created else {}), **_platform(platform)}
    document["config"] = {"Env": ["PATH=/bin"], "Cmd": ["sh"], **({"Labels": dict(labels)} if labels else {})}
    document["rootfs"] = {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}
    document["history"] = _history(layers, created or CREATED)
    own = Blob.document(types["config"], {**document, **(config or {})})
    blobs = [Blob(types[layer.compression], layer.content, layer.digest, layer.size) for layer in layers]
    root = {"schemaVersion": 2, "mediaType": types["manifest"], "config": own.descriptor()}
    root["layers"] = [blob.descriptor() for blob in blobs]
    return Made(
        Blob.document(types["manifest"], {**root, **manifest}),
        blobs=(*blobs, own),
        platform=_platform(platform),
        layers=tuple(layers),
    )


def make_artifact(kind: str, *contents: Blob, subject: Made | None = None, **manifest: Any) -> Made:
    """An OCI artefact (image-spec 1.1), which may say what it is about."""
    empty = Blob.of(EMPTY, b"{}")
    root: dict[str, Any] = {"schemaVersion": 2, "mediaType": TYPES["oci"]["manifest"], "artifactType": kind}
    root |= {"config": empty.descriptor(), "layers": [blob.descriptor() for blob in contents or (empty,)], **manifest}
    if subject:
        root["subject"] = subject.root.descriptor()
    return Made(Blob.document(TYPES["oci"]["manifest"], root), blobs=(empty, *contents))


def make_attestation(image: Made) -> Made:
    """What BuildKit puts beside an image: a manifest for ``unknown/unknown`` with an in-toto statement."""
    statement = Blob.document("application/vnd.in-toto+json", {"_type": "https://in-toto.io/Statement/v0.1"})
    made = make_image([], platform="unknown/unknown", created=None, config={"history": []})
    root = {**made.document, "layers": [statement.descriptor(annotations={"in-toto.io/predicate-type": "slsa"})]}
    return replace(
        made,
        root=Blob.document(made.root.media_type, root),
        blobs=(statement, *made.blobs),
        about=image.digest,
    )


def make_index(entries: Iterable[Made], *, media: str = "oci", attestations: bool = False, **index: Any) -> Made:
    """An index (or Docker's manifest list) of images, artefacts and further indexes.

    Args:
        entries: in this order.
        media: the family of its own media type.
        attestations: also one for each image, after all of them, as BuildKit does.
        index: members added to it, such as ``annotations``.
    """
    entries = list(entries)
    if attestations:
        entries += [make_attestation(entry) for entry in entries if entry.platform]
    media_type = TYPES[media]["index"]
    root = {"schemaVersion": 2, "mediaType": media_type, "manifests": [_entry(made) for made in entries], **index}
    manifests = [blob for made in entries for blob in (*made.manifests, made.root)]
    blobs = [blob for made in entries for blob in made.blobs]
    return Made(Blob.document(media_type, root), blobs=tuple(blobs), manifests=tuple(manifests))


def _entry(made: Made) -> dict[str, Any]:
    more: dict[str, Any] = {"platform": made.platform} if made.platform else {}
    if made.about:
        marks = {"vnd.docker.reference.digest": made.about, "vnd.docker.reference.type": "attestation-manifest"}
        more["annotations"] = marks
    return made.root.descriptor(**more)


def make_schema1(name: str = "old/app", tag: str = "latest") -> Made:
    """A manifest of 2014 (schema 1), which nobody can run any more; its signature is no real one."""
    layer = make_layer({"file": b"old"})
    document = {
        "schemaVersion": 1,
        "name": name,
        "tag": tag,
        "architecture": "amd64",
        "fsLayers": [{"blobSum": layer.digest}],
        "history": [{"v1Compatibility": json.dumps({"id": layer.digest[7:], "created": CREATED})}],
        "signatures": [{"header": {"alg": "ES256"}, "signature": "AA", "protected": "AA"}],
    }
    blob = Blob("application/octet-stream", layer.content, layer.digest, layer.size)
    return Made(Blob.document(SCHEMA1, document), blobs=(blob,))


def write_layout(folder: Path, named: Mapping[str, Made]) -> Path:
    """An OCI image layout; a name goes into ``org.opencontainers.image.ref.name``, and "" leaves it out."""
    (folder / "blobs" / "sha256").mkdir(parents=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    for blob in [blob for made in named.values() for blob in (*made.blobs, *made.manifests, made.root)]:
        path = folder / "blobs" / blob.digest.replace(":", "/")
        if isinstance(blob.content, Path):
            shutil.copyfile(blob.content, path)
        else:
            path.write_bytes(blob.content)
    roots = []
    for name, made in named.items():
        more: dict[str, Any] = {"platform": made.platform} if made.platform else {}
        if name:
            more["annotations"] = {"org.opencontainers.image.ref.name": name}
        roots.append(made.root.descriptor(**more))
    index = {"schemaVersion": 2, "mediaType": TYPES["oci"]["index"], "manifests": roots}
    (folder / "index.json").write_text(json.dumps(index))
    return folder


def push(registry: Registry, repository: str, tag: str, made: Made) -> str:
    """Push all of it, leaves first; gives the digest that the tag points at."""
    for blob in {blob.digest: blob for blob in made.blobs}.values():
        registry.push_blob(repository, blob.content, blob.digest)
    for manifest in made.manifests:
        registry.push_manifest(repository, manifest.digest, manifest.read(), manifest.media_type)
    return registry.push_manifest(repository, tag, made.root.read(), made.root.media_type)
