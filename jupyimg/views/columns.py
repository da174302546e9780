"""The columns of every frame, in order: a promise that labs and graders rely on, written down as data.

A column is a name, what its values are (which decides the dtype and how it is shown) and a sentence that says what
it means and in which unit. Nothing here needs pandas, so the terminal shares it. `FRAMES` is the table; a kind of
answer that has no row there has no frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from jupyimg.model.records import Status


class Meaning(StrEnum):
    """What the values of a column are."""

    TEXT = "text"
    DIGEST = "digest"
    BYTES = "bytes"
    COUNT = "count"
    SECONDS = "seconds"
    NUMBER = "number"
    TIME = "time"
    WORD = "word"
    FLAG = "flag"
    MAPPING = "mapping"


DTYPES = {
    Meaning.TEXT: "str",
    Meaning.DIGEST: "str",
    Meaning.BYTES: "Int64",
    Meaning.COUNT: "Int64",
    Meaning.SECONDS: "float64",
    Meaning.NUMBER: "float64",
    Meaning.TIME: "datetime64[ns, UTC]",
    Meaning.WORD: "category",
    Meaning.FLAG: "boolean",
    Meaning.MAPPING: "object",
}
"""The dtype of each meaning (`str` is pandas 3's; pandas 2 holds the same text as `object`)."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a frame.

    Attributes:
        says: what it means, with its unit; shown as the tooltip of its header.
        categories: those of a WORD, in their order; others that occur stand behind them.
    """

    name: str
    meaning: Meaning
    says: str = ""
    categories: tuple[str, ...] = ()

    @property
    def dtype(self) -> str:
        """Its dtype in a frame."""
        return DTYPES[self.meaning]


_IMAGE_ID = Column("image_id", Meaning.DIGEST, "digest of the image's config")

IMAGES = (
    Column("repository", Meaning.TEXT, "the name without its tag"),
    Column("tag", Meaning.TEXT, "missing for an image held by digest, or one whose tag has moved on"),
    _IMAGE_ID,
    Column("created", Meaning.TIME, "when the image was built"),
    Column("size", Meaning.BYTES, "compressed: what is stored and what a pull transfers"),
    Column("unpacked", Meaning.BYTES, "its files unpacked, as docker images counts them"),
    Column("platform", Meaning.TEXT, "what it runs on"),
    Column("digest", Meaning.DIGEST, "what a pull by digest names: the index if it came from one, else the manifest"),
    Column("manifest_digest", Meaning.DIGEST, "digest of this platform's manifest"),
    Column("reference", Meaning.TEXT, "what commands take for exactly this image"),
    Column("containers", Meaning.COUNT, "how many containers use it"),
    Column("labels", Meaning.MAPPING, "labels of its config"),
)

HISTORY = (
    Column("image_id", Meaning.DIGEST, "the image's ID, on its newest step only"),
    Column("created", Meaning.TIME, "when the step was built"),
    Column("created_by", Meaning.TEXT, "the instruction"),
    Column("size", Meaning.BYTES, "the layer's files unpacked, as docker history counts them"),
    Column("compressed", Meaning.BYTES, "the layer as it is stored and transferred"),
    Column("comment", Meaning.TEXT, "what the builder noted"),
    Column("empty", Meaning.FLAG, "true for a step that only changed the config"),
    Column("layer_digest", Meaning.DIGEST, "digest of the layer as it is stored"),
    Column("diff_id", Meaning.DIGEST, "digest of the layer unpacked"),
)

SEARCH = (
    Column("name", Meaning.TEXT, "the repository"),
    Column("description", Meaning.TEXT, "what its owner says of it"),
    Column("stars", Meaning.COUNT, "how many users starred it"),
    Column("official", Meaning.FLAG, "true for Docker's own official images"),
    Column("pulls", Meaning.COUNT, "how often it was pulled"),
    Column("source", Meaning.TEXT, "where it was found"),
)

TAGS = (
    Column("repository", Meaning.TEXT, "the name without its tag"),
    Column("tag", Meaning.TEXT, "the tag"),
    Column("digest", Meaning.DIGEST, "what the tag points at: the index, or the manifest"),
    Column("platform", Meaning.TEXT, "what it runs on"),
    Column("size", Meaning.BYTES, "compressed: what a pull transfers"),
    Column("created", Meaning.TIME, "when the image was built"),
    Column("updated", Meaning.TIME, "when the tag was last moved"),
)

TRANSFERS = (
    Column("reference", Meaning.TEXT, "the name that the image now has"),
    Column("digest", Meaning.DIGEST, "what the name points at: the index, or the manifest"),
    _IMAGE_ID,
    Column("status", Meaning.WORD, "how it ended", tuple(Status)),
    Column("size", Meaning.BYTES, "compressed: all content of the image"),
    Column("transferred", Meaning.BYTES, "what really moved; the rest was there already"),
    Column("seconds", Meaning.SECONDS, "how long it took"),
)

REMOVALS = (
    Column("action", Meaning.WORD, "what was done", ("untagged", "deleted")),
    Column("reference", Meaning.TEXT, "the name that was removed; missing for a deletion"),
    Column("digest", Meaning.DIGEST, "what the name pointed at, or what was deleted"),
    Column("freed", Meaning.BYTES, "disk given back"),
)

_TYPES = ("Images", "Containers", "Local Volumes", "Build Cache", "Partial Downloads")

DISK = (
    Column("type", Meaning.WORD, "what is counted", _TYPES),
    Column("total", Meaning.COUNT, "how many there are"),
    Column("active", Meaning.COUNT, "how many are in use: pinned, or relied on by a container or a running operation"),
    Column("size", Meaning.BYTES, "disk that they take, each file once"),
    Column("reclaimable", Meaning.BYTES, "disk that prune -a would really give back: what nothing in use needs"),
    Column("reported", Meaning.BYTES, "what a daemon itself reports as reclaimable; it does not count shared layers"),
)

DISK_IMAGES = (
    *IMAGES,
    Column("shared", Meaning.BYTES, "of its files, manifest and config too: what other images need as well"),
    Column("unique", Meaning.BYTES, "of its files: what only this image needs, so that removing it gives it back"),
)

_STATES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")

CONTAINERS = (
    Column("container_id", Meaning.DIGEST, "the container's ID"),
    Column("name", Meaning.TEXT, "the container's name"),
    Column("image", Meaning.TEXT, "the image that it was made from"),
    Column("state", Meaning.WORD, "what it does", _STATES),
    Column("created", Meaning.TIME, "when it was made"),
    Column("ports", Meaning.TEXT, "published ports"),
    Column("status", Meaning.TEXT, "how it fares, in the daemon's own words when it was asked"),
    Column("command", Meaning.TEXT, "what it runs"),
    Column("exit_code", Meaning.COUNT, "what it ended with last; missing for one that runs or never ran"),
)

LOGS = (
    Column("time", Meaning.TIME, "when the line was written"),
    Column("stream", Meaning.WORD, "where it was written to", ("stdout", "stderr")),
    Column("line", Meaning.TEXT, "what was written"),
)

ENGINES = (
    Column("engine", Meaning.TEXT, "the name that chooses it"),
    Column("current", Meaning.FLAG, "true for the one that this notebook works with"),
    Column("reachable", Meaning.FLAG, "whether it answers"),
    Column("version", Meaning.TEXT, "what it is"),
    Column("api_version", Meaning.TEXT, "of the API that is spoken with it"),
    Column("address", Meaning.TEXT, "where it is; missing for the one in this process"),
)

TRANSFER_KINDS = ("pull", "push", "load", "tag", "save", "copy", "send", "pin", "unpin")
REMOVAL_KINDS = ("rmi", "prune", "prune --dry-run")

CATALOG = (Column("repository", Meaning.TEXT, "what tags and pull take"),)

FACTS = (
    Column("field", Meaning.TEXT, "what it is about"),
    Column("value", Meaning.TEXT, "in words"),
    Column("number", Meaning.COUNT, "what is counted in it, or its bytes; missing where it is no number"),
)
MIRRORS = (
    Column("registry", Meaning.TEXT, "whose images it serves"),
    Column("mirror", Meaning.TEXT, "what is asked first"),
    Column("insecure", Meaning.FLAG, "true where plain http and unproven certificates are taken"),
    Column("pull", Meaning.WORD, "which images it serves, by how they are named", ("all", "digest-only", "tag-only")),
    Column("file", Meaning.TEXT, "where it is set"),
)

MIRROR_TESTS = (
    Column("registry", Meaning.TEXT, "what was asked for"),
    Column("endpoint", Meaning.TEXT, "who was asked"),
    Column("role", Meaning.WORD, "a mirror, or the registry itself", ("mirror", "registry")),
    Column("status", Meaning.WORD, "how it answered", ("ok", "login", "missing", "failed")),
    Column("milliseconds", Meaning.NUMBER, "how long it took"),
    Column("error", Meaning.TEXT, "what went wrong"),
)

COMPARED = (
    Column("digest", Meaning.DIGEST, "digest of the layer as it is stored"),
    Column("size", Meaning.BYTES, "the layer as it is stored and transferred"),
    Column("unpacked", Meaning.BYTES, "the layer's files unpacked"),
    Column("in_a", Meaning.FLAG, "whether A has it"),
    Column("in_b", Meaning.FLAG, "whether B has it"),
    Column("status", Meaning.WORD, "who has it", ("shared", "only A", "only B")),
    Column("created_by", Meaning.TEXT, "the instruction"),
)

DIFFERENCES = (
    Column("field", Meaning.TEXT, "the setting"),
    Column("key", Meaning.TEXT, "which variable, label or port; empty for a setting that is one value"),
    Column("a", Meaning.TEXT, "what A says"),
    Column("b", Meaning.TEXT, "what B says"),
    Column("status", Meaning.WORD, "how the images differ in it", ("changed", "only A", "only B")),
)

LAYERS = (
    Column("reference", Meaning.TEXT, "the image that the layer is of"),
    Column("platform", Meaning.TEXT, "what it runs on"),
    *(column for column in HISTORY if column.name in {"created_by", "size", "compressed", "layer_digest", "diff_id"}),
)

JOBS = (
    Column("job", Meaning.COUNT, "its number"),
    Column("command", Meaning.TEXT, "what was asked for"),
    Column("state", Meaning.WORD, "how far it is", ("running", "done", "interrupted", "failed")),
    Column("bytes", Meaning.BYTES, "what is done of it, in this job or in an earlier attempt"),
    Column("total", Meaning.BYTES, "what there is to do, as far as is known; what was there already is not in it"),
    Column("rate", Meaning.NUMBER, "bytes a second: of late while it runs, of all of it at the end"),
    Column("seconds", Meaning.SECONDS, "how long it has run, or ran"),
    Column("error", Meaning.TEXT, "what went wrong"),
)

FRAMES: dict[str, tuple[Column, ...]] = {
    "images": IMAGES,
    "history": HISTORY,
    "search": SEARCH,
    "tags": TAGS,
    "catalog": CATALOG,
    "info": FACTS,
    **dict.fromkeys(TRANSFER_KINDS, TRANSFERS),
    **dict.fromkeys(REMOVAL_KINDS, REMOVALS),
    "df": DISK,
    "df -v": DISK_IMAGES,
    "ps": CONTAINERS,
    "logs": LOGS,
    "engine": ENGINES,
    "mirror": MIRRORS,
    "mirror test": MIRROR_TESTS,
    "compare": COMPARED,
    "differences": DIFFERENCES,
    "layers": LAYERS,
    "jobs": JOBS,
}

QUIET: dict[str, str] = {"images": "image_id", "history": "image_id", "ps": "container_id"}
"""The one column that ``-q`` leaves; what is not here is not made shorter by it."""


def names_of(kind: str) -> tuple[str, ...]:
    """The names of the columns of an answer's frame, in order.

    Raises:
        KeyError: that kind of answer has no frame.
    """
    return tuple(column.name for column in FRAMES[kind])


def columns_of(kind: str, *, quiet: bool = False) -> tuple[Column, ...]:
    """The columns of an answer's frame, in order.

    Raises:
        KeyError: that kind of answer has no frame.
    """
    columns = FRAMES[kind]
    return tuple(column for column in columns if column.name == QUIET[kind]) if quiet and kind in QUIET else columns
