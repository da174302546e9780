"""Membership: what belongs to a repository, as pure functions over what the store lists and the record keeps.

A repository holds what its names lead to: manifests, what their indexes list, their configs and layers. Beside that it
holds what the record keeps for it: manifests that were pushed without a tag, and for a while blobs that no manifest
needs yet. Content is served from the repositories that it belongs to and from no other, so deleting from one
repository says nothing about the next.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyimg.model.documents import Index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jupyimg.model.digest import Digest
    from jupyimg.model.documents import Descriptor, Manifest
    from jupyimg.store import Entries, Entry

    Read = Callable[[Digest], Manifest | Index | None]
    """Gives a document, or None where it is missing or nothing that we understand."""

FOR_EVER = 0.0
"""The end of a pin that has none; such a pin is a manifest, and one with an end is a blob."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What some manifests lead to.

    Attributes:
        manifests: each manifest and index, with its media type where that is known.
        blobs: configs, layers, and what an index lists besides manifests.
        subjects: manifests that are about another one, and which.
    """

    manifests: dict[Digest, str]
    blobs: set[Digest]
    subjects: dict[Digest, Digest]

    def __contains__(self, digest: Digest) -> bool:
        return digest in self.manifests or digest in self.blobs


@dataclass(frozen=True, slots=True)
class View:
    """A repository at one moment.

    Attributes:
        tags: what each tag is served as.
        reached: what its manifests lead to.
        loose: blobs that no manifest needs yet.
        referrers: for each subject, the manifests about it, sorted.
    """

    tags: dict[str, Descriptor]
    reached: Reached
    loose: frozenset[Digest]
    referrers: dict[Digest, list[Digest]]

    def has_blob(self, digest: Digest) -> bool:
        """Whether a blob belongs here; a manifest may be asked for as one."""
        return digest in self.reached or digest in self.loose


def reach(roots: Mapping[Digest, str], read: Read) -> Reached:
    """All that manifests lead to, themselves included.

    Args:
        roots: manifests, with their media types where known.
        read: see `Read`.
    """
    found = Reached({}, set(), {})
    pending = dict(roots)
    while pending:
        digest, media_type = pending.popitem()
        if digest in found.manifests:
            continue
        document = read(digest)
        found.manifests[digest] = document.media_type if document else media_type
        if document is None:
            continue
        if document.subject:
            found.subjects[digest] = document.subject.digest
        for child in document.children:
            if isinstance(document, Index) and child.is_manifest:
                pending[child.digest] = child.media_type
            else:
                found.blobs.add(child.digest)
    return found


def group(entries: Entries) -> dict[str, list[Entry]]:
    """What is listed, by the canonical name of its repository; what has none is left out."""
    groups: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        repository = entry.name.name if entry.name else entry.repository
        if repository is not None:
            groups[repository].append(entry)
    return dict(groups)


def roots_of(entries: Iterable[Entry], pins: Mapping[Digest, float]) -> dict[Digest, str]:
    """The manifests that a repository holds by themselves, with their media types where known."""
    kept = {digest: "" for digest, end in pins.items() if end == FOR_EVER}
    return kept | {entry.descriptor.digest: entry.descriptor.media_type for entry in entries}


def view(entries: list[Entry], pins: Mapping[Digest, float], read: Read) -> View:
    """A repository.

    Args:
        entries: what is listed for it.
        pins: what the record keeps for it, and until when.
        read: see `Read`.
    """
    reached = reach(roots_of(entries, pins), read)
    for entry in entries:
        if entry.index:  # held in part: its bytes are here, and so is what is listed, but not all that it lists
            reached.manifests.setdefault(entry.index.digest, entry.index.media_type)
    referrers: defaultdict[Digest, list[Digest]] = defaultdict(list)
    for digest, subject in sorted(reached.subjects.items()):
        referrers[subject].append(digest)
    loose = frozenset(digest for digest, end in pins.items() if end != FOR_EVER)
    return View(tags_of(entries), reached, loose, dict(referrers))


def tags_of(entries: Iterable[Entry]) -> dict[str, Descriptor]:
    """What each tag is served as.

    Of an index that is held in part: the manifest, where one platform is held; where several are, the index, in which
    each client finds its own.
    """
    tagged: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.name and entry.name.tag:
            tagged[entry.name.tag].append(entry)
    return {
        tag: (held[0].index or held[0].descriptor) if len(held) > 1 else held[0].descriptor
        for tag, held in sorted(tagged.items())
    }
