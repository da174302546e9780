"""Garbage: what nothing needs. The decision is pure (`closure`, `plan`); finding the facts and deleting is the rest.

Roots are what index.json lists and what pins name. A root leads to all that its manifests list; a manifest whose
``subject`` is kept is kept too (signatures, SBOMs). Of an index that is held in part only the bytes are kept, since the
platforms that are held are roots themselves. What a live lease names, and all that it leads to, counts as needed.
There is no grace period: whoever is about to rely on content says so in a lease first.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from jupyimg.errors import BadDigest, BadManifest, ContentError, Unsupported
from jupyimg.model.codec import decode
from jupyimg.model.digest import Digest
from jupyimg.model.documents import Index, Manifest
from jupyimg.store.layout import disk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from jupyimg.store.documents import Documents
    from jupyimg.store.names import Entries


class Freed(NamedTuple):
    """Something that was deleted: its digest (None for an upload that never got one) and its bytes on disk."""

    digest: Digest | None
    size: int


class Roots(NamedTuple):
    """What is needed: ``whole`` with all that it leads to, ``bare`` only as the bytes that it is."""

    whole: frozenset[Digest]
    bare: frozenset[Digest] = frozenset()


def closure(
    roots: Roots, children: Mapping[Digest, Collection[Digest]], subjects: Mapping[Digest, Digest]
) -> set[Digest]:
    """All that roots lead to, themselves included.

    Args:
        roots: where to begin.
        children: what each manifest and index lists.
        subjects: manifests that are about another one, and which.
    """
    return reach(roots, children, referrers(subjects))


def referrers(subjects: Mapping[Digest, Digest]) -> dict[Digest, list[Digest]]:
    """The manifests about each subject."""
    about: defaultdict[Digest, list[Digest]] = defaultdict(list)
    for referrer, subject in subjects.items():
        about[subject].append(referrer)
    return dict(about)


def reach(
    roots: Roots, children: Mapping[Digest, Collection[Digest]], about: Mapping[Digest, Collection[Digest]]
) -> set[Digest]:
    """`closure`, for those who ask often and have `referrers` already."""
    reached: set[Digest] = set()
    pending = [*roots.whole, *(referrer for digest in roots.bare for referrer in about.get(digest, ()))]
    while pending:
        digest = pending.pop()
        if digest not in reached:
            reached.add(digest)
            pending += children.get(digest, ())
            pending += about.get(digest, ())
    return reached | roots.bare


def plan(
    roots: Roots,
    children: Mapping[Digest, Collection[Digest]],
    blobs: Collection[Digest],
    leased: Collection[Digest] = (),
    subjects: Mapping[Digest, Digest] | None = None,
) -> set[Digest]:
    """Which of the blobs may go: those that neither a root nor a live lease leads to."""
    needed = closure(Roots(roots.whole | set(leased), roots.bare), children, subjects or {})
    return set(blobs) - needed


def roots_of(entries: Entries) -> Roots:
    """What names need."""
    return Roots(
        frozenset(entry.descriptor.digest for entry in entries),
        frozenset(entry.index.digest for entry in entries if entry.index),
    )


class Graph:
    """The facts that a plan is made of, as the documents on disk state them.

    Attributes:
        children: what each manifest and index lists; of a manifest the config comes first.
        subjects: manifests that are about another one, and which.
        images: the manifests among them.
        indexes: the indexes among them; what is neither is a document of a type that we do not know.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.children: dict[Digest, tuple[Digest, ...]] = {}
        self.subjects: dict[Digest, Digest] = {}
        self.images: set[Digest] = set()
        self.indexes: set[Digest] = set()

    def grow(self, manifests: Iterable[Digest]) -> None:
        """Read these manifests, and all that their indexes list."""
        pending = list(manifests)
        while pending:
            digest = pending.pop()
            if digest not in self.children:
                pending += self._learn(digest, self._read(digest))

    def sniff(self, blobs: Iterable[Digest]) -> None:
        """Read those blobs that are manifests, of which nobody says that they are."""
        for digest in blobs:
            found = None if digest in self.children else self._documents.sniff(digest)
            if found is not None:
                self.grow(self._learn(digest, found))

    def _read(self, digest: Digest) -> Manifest | Index | tuple[Digest, ...]:
        try:
            return self._documents.manifest(digest)
        except (ContentError, Unsupported):
            pass
        try:  # a type that we do not know: keep whatever it mentions
            return tuple(mentioned_in(self._documents.raw(digest)))
        except ContentError:  # missing or damaged: it leads nowhere
            return ()

    def _learn(self, digest: Digest, found: Manifest | Index | tuple[Digest, ...]) -> tuple[Digest, ...]:
        """Note what a document lists; what of it is to be read in turn is returned."""
        if isinstance(found, tuple):
            self.children[digest] = found
            return ()
        if found.subject:
            self.subjects[digest] = found.subject.digest
        self.children[digest] = tuple(child.digest for child in found.children)
        if isinstance(found, Manifest):
            self.images.add(digest)
            return ()
        self.indexes.add(digest)
        return self.children[digest]

    def told(self, victims: Collection[Digest], blobs: Mapping[Digest, int]) -> list[Digest]:
        """In the order in which it is best told: each image's config, then its manifest, then its layers.

        Indexes stand after their images, the rest by size.
        """
        told: dict[Digest, None] = {}
        for digest in sorted(self.images.intersection(victims)):
            config, *layers = self.children[digest]
            told |= dict.fromkeys((config, digest, *layers))
        told |= dict.fromkeys(sorted(self.indexes.intersection(victims)))
        told |= dict.fromkeys(sorted(victims, key=lambda digest: (-blobs[digest], digest)))
        gone = set(victims)
        return [digest for digest in told if digest in gone]


def mentioned_in(raw: bytes) -> Iterator[Digest]:
    """Every digest that stands under a key ``digest`` anywhere in a JSON document; none where it is no JSON."""
    try:
        pending = [decode(raw, object, own=True)]
    except BadManifest:
        return
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            pending += item.values()
            try:
                yield Digest(str(item.get("digest")))
            except BadDigest:
                continue


class Collector:
    """Finds garbage and deletes it; under the store lock, except where only a figure for people is wanted.

    Args:
        documents: those of the store.
        leased: what leases name.
    """

    def __init__(self, documents: Documents, leased: Collection[Digest]) -> None:
        self._layout = documents.layout
        self._documents = documents
        self._leased = leased

    def unneeded(self, roots: Roots) -> list[Digest]:
        """All garbage, in the order in which it is best told."""
        blobs = self._layout.blobs()
        graph = self.facts(roots, blobs)
        return graph.told(plan(roots, graph.children, blobs, self._leased, graph.subjects), blobs)

    def orphaned(self, before: Roots, after: Roots) -> list[Digest]:
        """What was needed before and is not after; garbage that lay about already is left for `unneeded`."""
        blobs = self._layout.blobs()
        graph = self.facts(before, blobs)
        was, now = (plan(roots, graph.children, blobs, self._leased, graph.subjects) for roots in (before, after))
        return graph.told(now - was, blobs)

    def delete(self, digests: Iterable[Digest]) -> list[Freed]:
        """Delete blobs; what was really deleted, and its bytes."""
        return list(self.deleting(digests))

    def deleting(self, digests: Iterable[Digest]) -> Iterator[Freed]:
        """`delete`, one after the other: who stops asking keeps the rest."""
        for digest in digests:
            size = self._layout.size(digest)
            if size is not None:
                with disk(f"delete {digest.short}"):
                    self._layout.blob(digest).unlink(missing_ok=True)
                self._documents.forget(digest)
                yield Freed(digest, size)

    def facts(self, roots: Roots, blobs: Collection[Digest]) -> Graph:
        """What the documents say that roots and leases lead to, and those that nothing leads to."""
        graph = Graph(self._documents)
        graph.grow(roots.whole)
        graph.sniff(self._leased)
        graph.sniff(plan(roots, graph.children, blobs, self._leased))
        return graph
