"""The store: images on this disk, as a standard OCI image layout that any number of processes share.

What lives here: everything that reads or writes the layout. What does not: the network, names that a user typed,
settings, anything shown. `Store` is the front door; the rest are its rooms.

==============  ==================================================================================
store           `Store`: a Source, a maker of Sinks, and all that is asked or changed
sink            `StoreSink`: takes content in and names it, under a lease
ingest          bytes on their way in: resumed, proven, made visible
leases          what running operations rely on
names           entries of index.json, and how names come, move and go (pure)
listing         index.json as entries, and entries as index.json
garbage         what may be deleted (pure), and deleting it
usage           what lies here, what needs it, and what removing some of it would give back (pure)
partials        bytes of transfers that have not ended
descriptions    what images in registries are, remembered by digest
pins            roots that are not names
documents       manifests and configs, read once, proven
presence        whether content is here, and all that a root needs
unpacked        bytes of a layer's files, by a walk of its tar (tarstream)
hashing         a digest that is worked out beside other work
archives        images as one file: `Archive` (a Source) and `ArchiveWriter` (a Sink)
layout, lock    folders, files, durable writes; locks that die with their process
==============  ==================================================================================

Why several processes are safe: names change only under the store lock, by replacing index.json whole; content is
deleted only under the same lock, and never what a live lease names; and an operation names content in its lease, under
that lock too, before it looks whether the content is here. No lock but that of one download is held for longer than a
local read or write takes. Reading needs no lock at all.

Other tools may read the layout at any time. One that writes into it (``skopeo copy … oci:STORE:NAME``) takes no lock,
so it should run alone; what it wrote is understood and kept.
"""

from jupyimg.store.descriptions import Description, Descriptions
from jupyimg.store.garbage import Freed, Roots
from jupyimg.store.ingest import FileIngest, is_upload_of
from jupyimg.store.leases import Lease
from jupyimg.store.names import Entries, Entry, find, publish, retarget, untag, without
from jupyimg.store.partials import Partial
from jupyimg.store.pins import by_user, is_users
from jupyimg.store.sink import StoreSink
from jupyimg.store.store import Store
from jupyimg.store.tarstream import Member, members
from jupyimg.store.unpacked import LAYER_TYPES, walk_layer
from jupyimg.store.usage import Usage, Weight

__all__ = [
    "LAYER_TYPES",
    "Description",
    "Descriptions",
    "Entries",
    "Entry",
    "FileIngest",
    "Freed",
    "Lease",
    "Member",
    "Partial",
    "Roots",
    "Store",
    "StoreSink",
    "Usage",
    "Weight",
    "by_user",
    "find",
    "is_upload_of",
    "is_users",
    "members",
    "publish",
    "retarget",
    "untag",
    "walk_layer",
    "without",
]
