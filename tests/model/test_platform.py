"""Platforms: spellings, and which of several suits."""

from __future__ import annotations

import pytest

from jupyimg.errors import BadPlatform
from jupyimg.model.digest import Digest
from jupyimg.model.documents import OCI_MANIFEST, Descriptor, choose
from jupyimg.model.platform import Platform


@pytest.mark.parametrize(("typed", "shown"), [
    ("linux/amd64", "linux/amd64"),
    ("amd64", "linux/amd64"),
    ("x86_64", "linux/amd64"),
    ("linux/aarch64", "linux/arm64"),
    ("linux/arm64/v8", "linux/arm64"),
    ("linux/arm/7", "linux/arm/v7"),
    ("armhf", "linux/arm/v7"),
    ("armel", "linux/arm/v6"),
    ("Linux/ARM/V6", "linux/arm/v6"),
    ("macos/arm64", "darwin/arm64"),
    ("linux/amd64/v3", "linux/amd64/v3"),
])  # fmt: skip
def test_spellings(typed, shown):
    assert str(Platform.parse(typed)) == shown


@pytest.mark.parametrize("typed", ["", "a/b/c/d", "linux/", "linux/am d64", "linux/../x"])
def test_what_is_no_platform_is_refused(typed):
    with pytest.raises(BadPlatform):
        Platform.parse(typed)


def offer(*platforms):
    return [
        Descriptor(
            media_type=OCI_MANIFEST,
            digest=Digest.of(str(i).encode()),
            size=1,
            platform=platform and Platform.parse(platform),
        )
        for i, platform in enumerate(platforms)
    ]


@pytest.mark.parametrize(("wanted", "offered", "chosen"), [
    ("linux/amd64", ["linux/arm64", "linux/amd64"], 1),
    ("linux/arm/v7", ["linux/arm/v5", "linux/arm/v6"], 1),
    ("linux/arm/v7", ["linux/arm/v6", "linux/arm/v7"], 1),
    ("linux/arm/v6", ["linux/arm/v7"], None),
    ("linux/arm", ["linux/arm/v6", "linux/arm/v7"], 1),
    ("linux/arm64", ["linux/arm64/v8"], 0),
    ("linux/amd64", ["linux/amd64/v2"], None),
    ("linux/amd64/v3", ["linux/amd64", "linux/amd64/v2"], 1),
    ("linux/amd64", ["linux/amd64", "linux/amd64"], 0),
    ("linux/amd64", ["windows/amd64", None], None),
    ("linux/amd64", ["unknown/unknown"], None),
])  # fmt: skip
def test_choice(wanted, offered, chosen):
    candidates = offer(*offered)
    best = choose(Platform.parse(wanted), candidates)
    assert best is (None if chosen is None else candidates[chosen])


def test_a_windows_version_matches_by_its_beginning():
    wanted = Platform("amd64", "windows", os_version="10.0.17763")
    assert wanted.distance(Platform("amd64", "windows", os_version="10.0.17763.2114")) == 0
    assert wanted.distance(Platform("amd64", "windows", os_version="10.0.20348")) is None


def test_the_host_is_a_linux_platform_that_suits_itself():
    host = Platform.host()
    assert host.os == "linux"
    assert host.distance(host) == 0
