"""What an explorer lists: the rows of an answer, as plain data for a page and as what a click on one means.

A row of images is a name and a platform; a row of tags is a tag with all its platforms; a row of a catalog is a
repository. All text is cleaned here and only ever becomes text in the page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from jupyimg.views import tongue, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jupyimg.model.records import ImageRecord, RepositoryRecord, TagRecord
    from jupyimg.views.answer import Answer

_NAME = 400
"""Characters of a name that are shown."""


@dataclass(slots=True, kw_only=True)
class Row:
    """One row.

    Attributes:
        key: tells it from the others, also after the list was read again.
        name: what commands and the port take.
        shown: what is shown of it.
        platforms: what it runs on.
        platform: the one that is meant, or "".
        mark: "", "dangling" or "pinned", or the type of an artefact.
        positions: of its records in the answer.
    """

    key: str
    name: str
    shown: str
    size: int | None = None
    created: datetime | None = None
    platforms: list[str] = field(default_factory=list)
    platform: str = ""
    mark: str = ""
    positions: list[int] = field(default_factory=list)

    def plain(self, now: datetime, lang: str = tongue.ENGLISH) -> list[Any]:
        """For the page: key, text, platforms, bytes, seconds since 1970, both in words, mark."""
        return [
            self.key,
            words.ellipsis(words.clean(self.shown), _NAME),
            [words.clean(each) for each in self.platforms],
            self.size,
            self.created.timestamp() if self.created else None,
            "" if self.size is None else words.size(self.size, 3),
            tongue.age(lang, self.created, now) if self.created and self.created > words.LONG_AGO else "",
            self.mark,
        ]


def rows_of(answer: Answer) -> list[Row]:
    """The rows of an answer of images, tags or repositories."""
    if answer.kind == "images":
        return _images(cast("Sequence[ImageRecord]", answer.records))
    if answer.kind == "tags":
        return _tags(cast("Sequence[TagRecord]", answer.records))
    return list(_repositories(cast("Sequence[RepositoryRecord]", answer.records)))


def plain_rows(rows: Iterable[Row], lang: str) -> list[list[Any]]:
    """All rows as the page takes them."""
    now = datetime.now(UTC)
    return [row.plain(now, lang) for row in rows]


def _images(records: Sequence[ImageRecord]) -> list[Row]:
    rows: dict[str, Row] = {}
    for at, record in enumerate(records):
        platform = record.platform or ""
        key = f"{record.reference} {platform} {record.manifest_digest}"
        if key not in rows:  # what has lost its name twice is one row
            rows[key] = _image(key, record, platform)
        rows[key].positions.append(at)
    return list(rows.values())


def _image(key: str, record: ImageRecord, platform: str) -> Row:
    kind = "" if record.kind == "image" else record.kind
    return Row(
        key=key,
        name=record.reference,
        shown=record.reference if record.tag else _nameless(record),
        size=record.unpacked if record.size is None else record.size,
        created=record.created,
        platforms=[platform] if platform else [],
        platform=platform,
        mark="dangling" if record.dangling else "pinned" if record.pinned else kind,
    )


def _nameless(record: ImageRecord) -> str:
    return f"{record.repository or words.NONE} {words.short(str(record.image_id or record.reference))}"


def _tags(records: Sequence[TagRecord]) -> list[Row]:
    rows: dict[str, Row] = {}
    for at, record in enumerate(records):
        name = f"{record.repository}:{record.tag}"
        row = rows.setdefault(name, Row(key=name, name=name, shown=record.tag))
        row.positions.append(at)
        row.platforms += [record.platform] if record.platform else []
        row.size = record.size if row.size is None else row.size
        row.created = row.created or record.updated or record.created
    return list(rows.values())


def _repositories(records: Sequence[RepositoryRecord]) -> Iterable[Row]:
    for at, record in enumerate(records):
        yield Row(key=record.repository, name=record.repository, shown=record.repository, positions=[at])
