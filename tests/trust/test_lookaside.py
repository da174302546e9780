"""registries.d says where signatures lie; its files are one document, read strictly."""

from __future__ import annotations

import pytest

from jupyimg.errors import BadPolicy
from jupyimg.model.reference import Reference
from jupyimg.trust.lookaside import read_lookaside

APP = Reference.parse("quay.io/ns/app:1")


def write(folder, **files):
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.mark.parametrize(("text", "url"), [
    ("docker:\n  quay.io:\n    lookaside: https://a.test/x/\n", "https://a.test/x"),
    ("docker:\n  quay.io:\n    sigstore: file:///a\n", "file:///a"),
    ("docker:\n  quay.io:\n    sigstore: file:///old\n    lookaside: file:///new\n", "file:///new"),
    ("docker:\n  quay.io:\n    lookaside: file:///host\n  quay.io/ns:\n    lookaside: file:///ns\n", "file:///ns"),
    ("docker:\n  quay.io/ns/app:1:\n    lookaside: file:///tag\n  quay.io/ns/app:\n    lookaside: file:///app\n", "file:///tag"),
    ("docker:\n  quay.io/ns:\n    use-sigstore-attachments: true\n  quay.io:\n    lookaside: file:///host\n", "file:///host"),
    ("docker:\n  docker.io:\n    lookaside: file:///other\n", "file:///var/default"),
    ("default-docker:\n  lookaside: file:///d\ndocker:\n", "file:///d"),
    ("", "file:///var/default"),
])  # fmt: skip
def test_the_most_specific_section_that_names_a_place_counts(tmp_path, text, url):
    lookaside = read_lookaside(write(tmp_path / "d", a=text), tmp_path.__class__("/var/default"))
    assert lookaside.base(APP) == url


def test_files_are_merged_and_others_left_alone(tmp_path):
    folder = write(
        tmp_path / "d",
        a="default-docker:\n  lookaside: file:///d\n",
        b="docker:\n  quay.io:\n    lookaside: file:///q\n",
    )
    (folder / "c.conf").write_text("{")
    assert read_lookaside(folder, None).base(APP) == "file:///q"
    assert read_lookaside(None, None).base(APP) == ""


@pytest.mark.parametrize("text", [
    "a: b: c", "- x", "docker:\n  - x\n", "default-dockr:\n  lookaside: file:///d\n", "docker:\n  quay.io:\n    lokaside: file:///d\n",
    "docker:\n  quay.io:\n    lookaside: ftp://x/\n", "docker:\n  quay.io:\n    lookaside: /folder\n", "docker:\n  quay.io:\n    lookaside: file://host/x\n",
    "docker:\n  quay.io:\n    lookaside: file:///1\n  quay.io:\n    lookaside: file:///2\n", "docker:\n  quay.io:\n    lookaside: {a: b}\n",
    "a: &a [*a]\n", "\x00", "!!python/object/apply:os.system ['true']",
])  # fmt: skip
def test_what_the_format_does_not_allow_is_told(tmp_path, text):
    with pytest.raises(BadPolicy) as caught:
        read_lookaside(write(tmp_path / "d", a=text), None)
    assert "a.yaml" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "text", ["default-docker:\n  lookaside: file:///d\n", "docker:\n  quay.io:\n    lookaside: file:///d\n"]
)
def test_one_section_may_not_stand_in_two_files(tmp_path, text):
    with pytest.raises(BadPolicy, match="two files"):
        read_lookaside(write(tmp_path / "d", a=text, b=text), None)
