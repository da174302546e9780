"""A stand-in for Docker Hub's API on a `Fake`, in the shapes that Hub's documentation and answers have."""

from __future__ import annotations

import json
from typing import Any

from tests.registry.fake import Answer, Fake, Seen

DIGEST = "sha256:" + "ab" * 32


def document(body: Any, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json", **named})


def hit(name: str, **more: Any) -> dict[str, Any]:
    """One result of ``/v2/search/repositories/``."""
    return {
        "repo_name": name,
        "short_description": f"what {name} is",
        "star_count": 10,
        "pull_count": 1000,
        "repo_owner": "",
        "is_automated": False,
        "is_official": "/" not in name,
        **more,
    }


def old_hit(name: str, **more: Any) -> dict[str, Any]:
    """One result of ``/v1/search``."""
    said = {"name": name, "description": "old", "star_count": 3, "is_official": False, "is_automated": False}
    return {**said, **more}


def image(platform: str, size: int = 30_000_000, **more: Any) -> dict[str, Any]:
    system, architecture, *variant = platform.split("/")
    return {
        "architecture": architecture,
        "features": "",
        "variant": variant[0] if variant else None,
        "digest": DIGEST,
        "os": system,
        "os_features": "",
        "os_version": None,
        "size": size,
        "status": "active",
        "last_pulled": "2026-02-03T04:05:06.7Z",
        "last_pushed": "2026-01-02T03:04:05.6Z",
        **more,
    }


def tag(name: str, *images: dict[str, Any], pushed: str = "2026-01-02T03:04:05.6Z", **more: Any) -> dict[str, Any]:
    """One result of ``…/tags``."""
    return {
        "creator": 1,
        "id": 2,
        "images": list(images or (image("linux/amd64"), image("linux/arm64/v8"), image("unknown/unknown"))),
        "last_updated": pushed,
        "last_updater_username": "someone",
        "name": name,
        "repository": 3,
        "full_size": 31_000_000,
        "v2": True,
        "tag_status": "active",
        "tag_last_pulled": None,
        "tag_last_pushed": pushed,
        "media_type": "application/vnd.oci.image.index.v1+json",
        "content_type": "image",
        "digest": DIGEST,
        **more,
    }


class Hub:
    """What Hub holds; `fake.rules` added before it may answer otherwise."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake
        self.hits: list[Any] = []
        self.old_hits: list[Any] = []
        self.tags: dict[str, list[Any]] = {}
        fake.rule(r"GET /v2/search/repositories/", self._search)
        fake.rule(r"GET /v1/search", self._old_search)
        fake.rule(r"GET /v2/namespaces/", self._tags)

    def _search(self, seen: Seen) -> Answer:
        return self._paged(seen, self.hits)

    def _old_search(self, seen: Seen) -> Answer:
        size, page = int(seen.query["n"][0]), int(seen.query["page"][0])
        pages = -(-len(self.old_hits) // size)
        rows = self.old_hits[(page - 1) * size : page * size]
        return document({"num_results": len(rows), "query": "", "num_pages": pages, "page": page, "results": rows})

    def _tags(self, seen: Seen) -> Answer:
        _, _, _, namespace, _, name, _ = seen.route.split("/")
        if f"{namespace}/{name}" not in self.tags:
            return document({"message": "object not found", "errinfo": {}}, 404)
        part = seen.query.get("name", [""])[0]
        return self._paged(seen, [row for row in self.tags[f"{namespace}/{name}"] if part in str(row)])

    def _paged(self, seen: Seen, rows: list[Any]) -> Answer:
        size, page = int(seen.query["page_size"][0]), int(seen.query["page"][0])
        assert 1 <= size <= 100
        more = page * size < len(rows)
        onward = f"https://hub.docker.com{seen.route}?page={page + 1}" if more else None
        body = {"count": len(rows), "next": onward, "previous": None, "results": rows[(page - 1) * size : page * size]}
        return document(body, X_RateLimit_Limit="180", X_RateLimit_Remaining="179", X_RateLimit_Reset="1770000000")
