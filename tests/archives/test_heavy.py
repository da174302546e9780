"""Archives that would take all memory or time: a process of its own loads each, and what it took is seen from outside."""

from __future__ import annotations

import gzip
import json
import lzma
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from jupyimg.store.archives import outer
from tests.archives import build
from tests.archives.build import as_json, header, pack, pax
from tests.archives.test_hostile import GOOD, SAVED, SAVED_CONFIG, changed

if TYPE_CHECKING:
    from pathlib import Path


def peak(home: Path, path: Path, words: str, seconds: float = 120) -> int:
    """Load it in a process of its own: MiB that it took at most."""
    script = (
        "import sys, jupyimg\n"
        "try:\n    jupyimg.connect(home=sys.argv[1]).load(__import__('pathlib').Path(sys.argv[2]))\n"
        "except jupyimg.ImageError as error:\n    print(error.message)\n"
        "else:\n    print('loaded')\n"
        "print(next(int(line.split()[1]) >> 10 for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, home, path], capture_output=True, text=True, timeout=seconds, check=True
    )
    said, mib = done.stdout.splitlines()
    assert re.search(words, said), said
    return int(mib)


def many_members(path):
    with gzip.open(path, "wb", compresslevel=1) as file:
        block = b"".join(header(b"%07d" % number) for number in range(10_000))
        for _ in range(15):
            file.write(block)


def long_names(path):
    with gzip.open(path, "wb", compresslevel=1) as file:
        for number in range(150):
            file.write(pax(path=b"%d/" % number + b"x" * 1_040_000))
            file.write(header())
        file.write(bytes(1024))


def endless_notes(path):
    with gzip.open(path, "wb", compresslevel=1) as file:
        for number in range(150):
            file.write(pax(**{f"note{number}": b"x" * 1_040_000}))
        file.write(header() + bytes(1024))


def many_names(path):
    with gzip.open(path, "wb", compresslevel=1) as file:
        for number in range(15_000):
            file.write(pax(path=b"%06d" % number + b"y" * 3000) + header())
        file.write(bytes(1024))


def sparse_gigabyte(path):
    with path.open("wb") as file:
        file.write(header(b"manifest.json", size=b"%011o" % (1 << 30)))
        file.truncate((1 << 30) + 512 + 1024)


def big_config(path):
    with path.open("wb") as file:
        files = changed(SAVED, SAVED_CONFIG=None)
        file.write(pack(files, ended=False) + header(SAVED_CONFIG.encode(), size=b"%011o" % (1 << 30)))
        file.truncate(file.tell() + (1 << 30) + 1024)


def list_of(item, head=b"[", tail=b"]", name="manifest.json", files=SAVED, size=19 << 20):
    def make(path):
        body = head + b",".join([item] * (size // (len(item) + 1))) + tail
        build.write(path, {**files, name: body})

    return make


def many_rows(path):
    """The same config and layer again and again."""
    rows = json.loads(SAVED["manifest.json"]) * 9000
    build.write(path, changed(SAVED, LIST=as_json(rows)))


def zstd_window(path):
    option = outer.zstd.CompressionParameter
    path.write_bytes(
        outer.zstd.compress(bytes(150 << 20), options={option.window_log: 30, option.enable_long_distance_matching: 1})
    )


def xz_dictionary(path):
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]
    with lzma.open(path, "wb", filters=filters) as file:
        file.write(bytes(1 << 20))


HEAVY = {
    "150,000 members": (many_members, "more than"),
    "names of 1 MB": (long_names, ""),
    "15,000 names of 3 KB": (many_names, ""),
    "150 MB of PAX records": (endless_notes, ""),
    "manifest.json of 1 GB, sparse": (sparse_gigabyte, "1073741824 bytes"),
    "a config of 1 GB, sparse": (big_config, "1073741824 bytes"),
    "manifest.json of many objects": (list_of(b"{}"), ""),
    "manifest.json of many images": (list_of(b'{"Config":"a"}'), ""),
    "manifest.json of many lists": (list_of(b"[]", b'[{"Config":"a","x":[', b"]}]"), ""),
    "index.json of many objects": (list_of(b"{}", b'{"manifests":[', b"]}", "index.json", GOOD), ""),
    "index.json of many keys": (list_of(b'"a":[]', b'{"manifests":[{', b"}]}", "index.json", GOOD), ""),
    "index.json of many strings": (list_of(b'"ab"', b'{"manifests":[', b"]}", "index.json", GOOD), ""),
    "the same image 9,000 times": (many_rows, ""),
    "zstd with a window of 1 GB": (zstd_window, "cannot be unpacked"),
    "xz with a dictionary of 1 GB": (xz_dictionary, "cannot be unpacked"),
}


@pytest.mark.parametrize("case", HEAVY)
def test_memory_and_time_are_bounded(case, tmp_path):
    make, words = HEAVY[case]
    path = tmp_path / "heavy.tar"
    make(path)
    assert peak(tmp_path / "home", path, words) < 120
