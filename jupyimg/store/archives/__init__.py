"""Archives: images as one file, that other tools write and read (`docker save` and `docker load`).

``reader`` looks into one (a Source), ``writer`` makes one (a Sink). Below them: ``forms`` tells the shapes apart,
``files`` looks names up, ``outer`` unwraps what is compressed or comes through a pipe.
"""

from jupyimg.store.archives.reader import Archive, Packed
from jupyimg.store.archives.writer import ArchiveWriter

__all__ = ["Archive", "ArchiveWriter", "Packed"]
