"""Records to show: small, complete, and easy to change in one field."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from jupyimg.model.digest import Digest
from jupyimg.model.platform import Platform
from jupyimg.model.records import HistoryRecord, ImageDetail, ImageRecord, RemovalRecord, Status, TransferRecord

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202eevil\x9b2J\x07\n&\"'"
"""What a registry might put into any text: markup, a colour, a direction override, a C1 control, a bell."""


def digest(word: str) -> Digest:
    return Digest.of(word.encode())


def image(**changes: Any) -> ImageRecord:
    record = ImageRecord(
        repository="nginx",
        tag="latest",
        image_id=digest("config"),
        created=NOW - timedelta(days=6),
        size=72_900_123,
        unpacked=197_654_321,
        platform=str(Platform.host()),
        digest=digest("index"),
        manifest_digest=digest("manifest"),
        reference="nginx:latest",
        containers=0,
        labels={"maintainer": "someone"},
    )
    return dataclasses.replace(record, **changes)


def step(**changes: Any) -> HistoryRecord:
    record = HistoryRecord(
        image_id=None,
        created=NOW - timedelta(days=6),
        created_by='CMD ["nginx" "-g" "daemon off;"]',
        size=0,
        compressed=0,
        comment="buildkit.dockerfile.v0",
        empty=True,
        layer_digest=None,
        diff_id=None,
    )
    return dataclasses.replace(record, **changes)


def transfer(**changes: Any) -> TransferRecord:
    record = TransferRecord(
        reference="nginx:latest",
        digest=digest("index"),
        image_id=digest("config"),
        status=Status.DOWNLOADED,
        size=72_900_123,
        transferred=72_900_123,
        seconds=3.0,
    )
    return dataclasses.replace(record, **changes)


def removal(**changes: Any) -> RemovalRecord:
    record = RemovalRecord(action="untagged", reference="nginx:latest", digest=digest("index"))
    return dataclasses.replace(record, **changes)


def detail(**changes: Any) -> ImageDetail:
    layers = [
        {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest(f"layer {at}"), "size": size}
        for at, size in enumerate((27_676_000, 45_473_000))
    ]
    config = {
        "Env": ["PATH=/usr/bin", "NGINX_VERSION=1.27.5"],
        "Cmd": ["nginx", "-g", "daemon off;"],
        "Labels": {"描述": "用于教学的镜像", "maintainer": "someone"},
        "ExposedPorts": {"80/tcp": {}},
        "WorkingDir": "/srv",
    }
    record = ImageDetail(
        reference="nginx:latest",
        image_id=digest("config"),
        digest=digest("index"),
        manifest_digest=digest("manifest"),
        platform=Platform("amd64", "linux"),
        platforms=("linux/amd64", "linux/arm64"),
        held=("linux/amd64",),
        document={
            "Id": str(digest("config")),
            "RepoTags": ["nginx:latest", "my-nginx:v1"],
            "Created": "2026-02-23T12:00:00.123456789Z",
            "Config": config,
            "Size": 73_149_000,
            "RootFS": {"Type": "layers", "Layers": []},
        },
        manifest={"schemaVersion": 2, "layers": layers},
        config={"architecture": "amd64", "os": "linux", "config": config},
        size=73_149_000,
    )
    return dataclasses.replace(record, **changes)
