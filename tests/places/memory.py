"""A place made of two dictionaries: the smallest Source and Sink there can be, for tests of what moves between places."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jupyimg.errors import RemoteNotFound
from jupyimg.model.codec import encode
from jupyimg.model.content import verified
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, Descriptor
from jupyimg.model.platform import Platform
from jupyimg.model.reference import Reference


class MemoryPlace:
    """Content by digest, names by reference."""

    def __init__(self, chunk: int = 7) -> None:
        self.blobs: dict[Digest, bytes] = {}
        self.names: dict[str, Descriptor] = {}
        self.held: dict[str, tuple[Descriptor, ...]] = {}
        self.chunk = chunk
        self.interrupted = 0
        self.reads: list[Digest] = []

    def resolve(self, reference: Reference) -> Descriptor:
        for descriptor in self.names.values():
            if reference.digest == descriptor.digest:
                return descriptor
        if str(reference) not in self.names:
            raise RemoteNotFound(f"no {reference.familiar}")
        return self.names[str(reference)]

    def read(self, descriptor: Descriptor, offset: int = 0) -> Iterator[bytes]:
        if descriptor.digest not in self.blobs:
            raise RemoteNotFound(f"no {descriptor.digest}")
        self.reads.append(descriptor.digest)
        data = self.blobs[descriptor.digest]
        for at in range(offset, len(data), self.chunk):
            yield data[at : at + self.chunk]

    def has(self, descriptor: Descriptor) -> bool:
        return descriptor.digest in self.blobs

    def write(self, descriptor: Descriptor, read: Callable[[int], Iterator[bytes]]) -> None:
        data = b"".join(verified(descriptor, read(0)))
        self.blobs[descriptor.digest] = data

    def publish(self, reference: Reference, root: Descriptor, held: tuple[Descriptor, ...]) -> None:
        self.names[str(reference)] = root
        self.held[str(reference)] = held

    def interrupt(self) -> None:
        self.interrupted += 1

    # ---- for tests: put an image in

    def put(self, data: bytes, media_type: str, platform: Platform | None = None, **more: object) -> Descriptor:
        digest = Digest.of(data)
        self.blobs[digest] = data
        return Descriptor(media_type=media_type, digest=digest, size=len(data), platform=platform, **more)

    def image(
        self, name: str = "", *, platform: str = "linux/amd64", layers: tuple[bytes, ...] = (b"one", b"two")
    ) -> Descriptor:
        plat = Platform.parse(platform)
        config = self.put(
            encode(
                {
                    "os": plat.os,
                    "architecture": plat.architecture,
                    "variant": plat.variant,
                    "rootfs": {"type": "layers", "diff_ids": []},
                }
            ),
            OCI_CONFIG,
        )
        body = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": config,
            "layers": [self.put(data, OCI_LAYER) for data in layers],
        }
        manifest = self.put(encode(body), OCI_MANIFEST, plat)
        if name:
            self.names[str(Reference.parse(name))] = manifest
        return manifest

    def index(self, name: str, manifests: list[Descriptor]) -> Descriptor:
        root = self.put(encode({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}), OCI_INDEX)
        if name:
            self.names[str(Reference.parse(name))] = root
        return root
