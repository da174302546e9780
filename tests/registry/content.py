"""Content to send, and how to name it."""

from __future__ import annotations

from collections.abc import Iterator

from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_LAYER, Descriptor

DATA = bytes(range(256)) * 13_000
"""3.3 MB: a few chunks, as small as they are made here."""


def blob_of(data: bytes) -> Descriptor:
    return Descriptor(media_type=OCI_LAYER, digest=Digest.of(data), size=len(data))


class Content:
    """What a source would give, counting how often it is opened."""

    def __init__(self, data: bytes, step: int = 100_000) -> None:
        self.data, self.step = data, step
        self.opened: list[int] = []

    def __call__(self, offset: int) -> Iterator[bytes]:
        self.opened.append(offset)
        return (self.data[at : at + self.step] for at in range(offset, len(self.data), self.step))
