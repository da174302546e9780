"""The terminal's tables are what the real docker client prints of the same images, to the character.

The client is given the records through a server that answers the four questions it asks; so widths, sizes, ages and
spellings are checked against Docker's own code and not against a copy of it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from jupyimg.model.records import DiskImageRecord, DiskRecord
from jupyimg.views import Answer
from jupyimg.views.plain import text
from tests.views.samples import digest, image, step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from jupyimg.model.records import HistoryRecord, ImageRecord

SIZES = (
    0,
    1,
    999,
    1000,
    1005,
    9_995,
    12_345,
    999_499,
    999_999,
    1_000_000,
    72_900_123,
    197_654_321,
    1_234_567_890,
    10**13,
)
AGES = (
    -9_000,
    70,
    125,
    610,
    3_700,
    9_100,
    100_000,
    180_100,
    600_000,
    1_300_000,
    4_000_000,
    9_000_000,
    40_000_000,
    900_000_000,
)
"""Seconds; the words for each stay the same for the next half minute, however long the client takes to start."""


@contextmanager
def engine(answers: dict[str, Any]) -> Iterator[str]:
    """An Engine API that knows these paths."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            found = next((body for tail, body in answers.items() if path.endswith(tail)), None)
            body = b"OK" if path.endswith("/_ping") else json.dumps(found).encode()
            self.send_response(200 if found is not None or body == b"OK" else 404)
            self.send_header("Api-Version", "1.41")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"tcp://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def docker(answers: dict[str, Any], home: Path, *words: str) -> list[str]:
    with engine(answers) as host:
        clean = {"PATH": os.environ["PATH"], "HOME": str(home), "DOCKER_CONFIG": str(home)}
        run = subprocess.run(
            ["docker", "-H", host, *words], env=clean, check=True, capture_output=True, text=True, timeout=120
        )
    return [line.rstrip() for line in run.stdout.splitlines()]


def listed(records: Sequence[ImageRecord]) -> list[dict[str, Any]]:
    return [
        {
            "Id": str(record.image_id),
            "RepoTags": [f"{record.repository or '<none>'}:{record.tag or '<none>'}"],
            "RepoDigests": [f"{record.repository or '<none>'}@{record.digest if record.repository else '<none>'}"],
            "Created": int(record.created.timestamp()) if record.created else 0,
            "Size": record.size,
            "SharedSize": -1,
            "Containers": -1,
            "ParentId": "",
            "Labels": None,
        }
        for record in records
    ]


def stepped(records: Sequence[HistoryRecord]) -> list[dict[str, Any]]:
    return [
        {
            "Id": str(record.image_id or "<missing>"),
            "Created": int(record.created.timestamp()) if record.created else 0,
            "CreatedBy": record.created_by,
            "Size": record.size,
            "Comment": record.comment,
            "Tags": None,
        }
        for record in records
    ]


def ours(answer: Answer, now: datetime) -> list[str]:
    return text(answer, now=now).splitlines()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({}, ()),
        ({"no_trunc": True}, ("--no-trunc",)),
        ({"digests": True}, ("--digests",)),
        ({"quiet": True}, ("-q",)),
        ({"quiet": True, "no_trunc": True}, ("-q", "--no-trunc")),
    ],
)
def test_images(flags: dict[str, bool], words: tuple[str, ...], tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    records = [
        image(repository=f"place/name{at}", tag="1." * at + "0", size=size, created=now - timedelta(seconds=age))
        for at, (size, age) in enumerate(zip(SIZES, AGES, strict=True))
    ]
    records.append(image(repository=None, tag=None, digest=digest("none")))
    flags = dict(flags)
    shown = ours(Answer(kind="images", records=records, **flags), now)
    if flags.get("digests"):
        shown[-1] = shown[-1].replace(
            str(digest("none")), "<none>".ljust(71)
        )  # Docker has no digest of a nameless image
    assert shown == docker({"/images/json": listed(records)}, tmp_path, "images", *words)


def test_no_images_at_all(tmp_path: Path) -> None:
    assert ours(Answer(kind="images", records=[]), datetime.now(UTC)) == docker(
        {"/images/json": []}, tmp_path, "images"
    )


@pytest.mark.parametrize(
    ("flags", "words"), [({}, ()), ({"no_trunc": True}, ("--no-trunc",)), ({"quiet": True}, ("-q",))]
)
def test_history(flags: dict[str, bool], words: tuple[str, ...], tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    records = [
        step(created_by=f"RUN {'x' * at * 4}\tend", size=size, created=now - timedelta(seconds=age))
        for at, (size, age) in enumerate(zip(SIZES, AGES[:-1] + AGES[:1], strict=True))
    ]
    records[0] = step(image_id=digest("config"), created=now - timedelta(days=6), comment="")
    records[1] = step(
        created_by="LABEL 描述=用于教学的镜像用于教学的镜像用于教学",
        created=now - timedelta(days=6),
    )
    shown = ours(Answer(kind="history", records=records, **flags), now)
    theirs = docker({"/images/nginx/history": stepped(records)}, tmp_path, "history", *words, "nginx")
    # Docker pads by characters, which puts the columns behind Chinese text out of line; ours stand in line.
    assert shown[:2] + shown[3:] == theirs[:2] + theirs[3:]
    assert shown[2].split() == theirs[2].split()


def usage(records: Sequence[DiskImageRecord], size: int) -> dict[str, Any]:
    rows = [
        {**row, "SharedSize": record.shared, "Size": record.size, "Containers": record.containers}
        for row, record in zip(listed(records), records, strict=True)
    ]
    return {"/system/df": {"LayersSize": size, "Images": rows, "Containers": [], "Volumes": [], "BuildCache": []}}


def on_disk(**changes: Any) -> DiskImageRecord:
    plain = image(**changes)
    known = {item.name: getattr(plain, item.name) for item in dataclasses.fields(plain)}
    return DiskImageRecord(**known, shared=plain.size // 3, unique=plain.size - plain.size // 3)


@pytest.mark.parametrize("size", SIZES[3:])
def test_df(size: int, tmp_path: Path) -> None:
    images = [on_disk(size=size // 2, containers=1), on_disk(size=size // 2, containers=0)]
    free = size - images[0].unique
    empty = [
        DiskRecord(type=what, total=0, active=0, size=0, reclaimable=0)
        for what in ("Containers", "Local Volumes", "Build Cache")
    ]
    records = [DiskRecord(type="Images", total=2, active=1, size=size, reclaimable=free), *empty]
    shown = ours(Answer(kind="df", records=records), datetime.now(UTC))
    assert shown == docker(usage(images, size), tmp_path, "system", "df")


def test_df_of_each_image(tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    images = [
        on_disk(repository=f"place/name{at}", size=size, created=now - timedelta(seconds=age), containers=at % 2)
        for at, (size, age) in enumerate(zip(SIZES, AGES, strict=True))
    ]
    theirs = docker(usage(images, 10**14), tmp_path, "system", "df", "-v")
    shown = ours(Answer(kind="df -v", records=images), now)
    assert shown == theirs[: len(shown)]
    assert theirs[len(shown) :][:2] == ["", "Containers space usage:"]
