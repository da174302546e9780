"""Names in an archive that passes: only the list changes, and whoever reads the tar finds it whole."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from jupyimg.engines.docker.naming import fully_named
from jupyimg.errors import ContentError


def archive(files: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), 1.5  # half a second makes a PAX header
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def unpacked(raw: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def cut(raw: bytes, size: int) -> list[bytes]:
    return [raw[at : at + size] for at in range(0, len(raw), size)]


@pytest.mark.parametrize("size", [7, 512, 700, 1 << 20])
def test_names_become_full_and_all_else_stays(size):
    layer = bytes(range(256)) * 5
    images = [{"Config": "a.json", "RepoTags": ["nginx:9", "me/app:1", "localhost/x:1", "host:5000/x:1"], "Layers": []}]
    given = {"x" * 150 + "/layer.tar": layer, "manifest.json": json.dumps(images).encode(), "repositories": b"{}"}
    found = unpacked(b"".join(fully_named(cut(archive(given), size))))
    (image,) = json.loads(found.pop("manifest.json"))
    tags = ["docker.io/library/nginx:9", "docker.io/me/app:1", "localhost/x:1", "host:5000/x:1"]
    assert image == {"Config": "a.json", "RepoTags": tags, "Layers": []}
    del given["manifest.json"]
    assert found == given


@pytest.mark.parametrize(
    "listed",
    [b"[]", b"no JSON", b'{"schemaVersion": 2}', b'[1, {"RepoTags": [1, "UPPER:x"]}]', b'[{"RepoTags": null }]'],
)
def test_an_archive_with_nothing_to_name_passes_byte_for_byte(listed):
    raw = archive({"a": b"1", "manifest.json": listed, "b": b"2"}, tarfile.GNU_FORMAT)
    assert b"".join(fully_named([raw])) == raw


def test_what_is_no_tar_is_refused():
    with pytest.raises(ContentError):
        list(fully_named([b"no tar at all" * 100]))


def test_an_archive_that_is_cut_off_passes_as_it_is_for_the_daemon_to_refuse():
    raw = archive({"a": b"1" * 2000}, tarfile.GNU_FORMAT)[:700]
    assert b"".join(fully_named([raw])) == raw
