"""rmi, prune and df on a Docker Engine: what we say and do is what the docker command says and does, case by case.

Each case is set up twice on the same daemon, once for the docker command and once for us.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from jupyimg.engines.base import PruneFilter
from jupyimg.errors import Conflict, ImageError
from tests.engines_contract.conftest import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyimg.engines import Engine
    from tests.services.daemons import Daemon
    from tests.services.images import RealImage


@pytest.fixture
def engine(_docker: Daemon, tmp_path: Path) -> Iterator[Engine]:
    found = opened("docker", tmp_path, {"docker": _docker})
    yield found
    found.close()


class Twin:
    """A state of the daemon that can be made again and again."""

    def __init__(self, docker: Daemon, image: RealImage) -> None:
        self.docker = docker
        self.first = image.reference
        self.next = image.reference.replace(":1.35", ":next")
        self.repository = image.reference.partition(":1.35")[0]

    def make(self, *tags: str, container: str = "") -> None:
        """The image under its own name and further ones; with a container that is ``created`` or ``running``."""
        self.docker.run("rm", "-f", "user", check=False)
        self.docker.run("image", "prune", "-af")
        self.docker.run("pull", "-q", self.first)
        for tag in tags:
            self.docker.run("tag", self.first, tag)
        if container == "running":
            self.docker.start("--name=user", self.first, "sleep", "60")
        elif container:
            self.docker.run("create", "--name=user", "--network=none", self.first, "true")

    @property
    def id(self) -> str:
        return self.docker.lines("images", "-q", "--no-trunc", self.first)[0]

    @property
    def digest(self) -> str:
        return self.docker.lines("image", "inspect", "--format={{index .RepoDigests 0}}", self.first)[0]

    def left(self) -> list[str]:
        return sorted(self.docker.lines("images", "-a", "--no-trunc", "--format={{.Repository}}:{{.Tag}} {{.ID}}"))


@pytest.fixture
def twin(_docker: Daemon, busybox_image: RealImage) -> Twin:
    _docker.remove_containers()
    return Twin(_docker, busybox_image)


def lines(rows) -> list[str]:
    return [f"{row.action.capitalize()}: {row.reference or row.digest}" for row in rows]


def _masked(text: str) -> str:
    """Without the ID of a container, which is another each time."""
    return re.sub(r"container [0-9a-f]{12}", "container ID", text)


CASES = {
    "the last name": ((), "", "first", False),
    "a name of several": (("other:1",), "", "first", False),
    "another name": (("other:1",), "", "other:1", False),
    "a digest beside a tag": ((), "", "digest", False),
    "an ID with one name": ((), "", "id", False),
    "an ID with several names": (("other:1",), "", "id", False),
    "an ID with several names, forced": (("other:1",), "", "id", True),
    "two tags of one repository by ID": (("REPOSITORY:2",), "", "id", False),
    "the last name, a container was created": ((), "created", "first", False),
    "the last name, a container was created, forced": ((), "created", "first", True),
    "an ID, a container was created": ((), "created", "id", False),
    "an ID, a container runs": ((), "running", "id", False),
    "an ID, a container runs, forced": ((), "running", "id", True),
    "the last name, a container runs": ((), "running", "first", False),
    "a name of several, a container runs": (("other:1",), "running", "first", False),
    "nothing": ((), "", "nothing:here", False),
    "nothing, forced": ((), "", "nothing:here", True),
}


@pytest.mark.parametrize("case", CASES)
def test_rmi_does_and_says_what_the_docker_command_does_and_says(case: str, twin: Twin, engine: Engine):
    tags, container, what, force = CASES[case]
    tags = tuple(tag.replace("REPOSITORY", twin.repository) for tag in tags)
    twin.make(*tags, container=container)
    word = {"first": twin.first, "id": twin.id, "digest": twin.digest}.get(what, what)
    theirs = twin.docker.run("rmi", *(["-f"] if force else []), word, check=False)
    left = twin.left()
    twin.make(*tags, container=container)
    try:
        said, failed = lines(engine.remove([word], force=force)), None
    except ImageError as error:
        said, failed = [], error
    assert twin.left() == left
    assert said == theirs.stdout.splitlines()
    assert (failed is not None) == (theirs.returncode != 0)
    if failed is not None and what != "nothing:here":
        assert isinstance(failed, Conflict)
        assert _masked(failed.message) in _masked(theirs.stderr)  # what stands in the way, in Docker's words
        forced = "cannot be forced" not in theirs.stderr
        assert (f"%image rmi -f {word}" in failed.hint) is forced


@pytest.mark.parametrize(
    ("everything", "filters", "options"),
    [
        (False, PruneFilter(), ()),
        (True, PruneFilter(), ("-a",)),
        (True, PruneFilter(labels=("build=second",)), ("-a", "--filter=label=build=second")),
        (True, PruneFilter(without_labels=("build=second",)), ("-a", "--filter=label!=build=second")),
        (
            True,
            PruneFilter(without_labels=("build=second", "other")),
            ("-a", "--filter=label!=build=second", "--filter=label!=other"),
        ),
    ],
)
def test_prune_takes_what_the_docker_command_takes(everything, filters, options, twin: Twin, engine: Engine):
    """A dangling image, an image with several names that a container uses, one with a name and one without."""

    def make() -> None:
        twin.make("other:1", "third:1", container="created")
        twin.docker.run("pull", "-q", twin.next)
        twin.docker.run("tag", twin.next, "moved:1")
        twin.docker.run("import", "-", "moved:1", stdin=EMPTY_TAR)

    make()
    theirs = twin.docker.lines("image", "prune", "-f", *options)
    left = [line.rpartition(" ")[0] for line in twin.left()]
    make()
    plan = engine.prune_plan(filters, everything=everything)
    rows = engine.prune(filters, everything=everything)
    assert [line.rpartition(" ")[0] for line in twin.left()] == left
    expected = [line for line in theirs if line.startswith(("untagged:", "deleted:"))]
    ours = [f"{row.action}: {row.reference or row.digest}" for row in rows]
    changing = "deleted: "  # an import is another image each time
    assert sorted(line for line in ours if not line.startswith(changing)) == sorted(
        line for line in expected if not line.startswith(changing)
    )
    assert len(ours) == len(expected)
    key = lambda row: (row.action, row.reference, row.digest, row.freed)  # noqa: E731
    assert sorted(map(str, map(key, plan))) == sorted(map(str, map(key, rows)))
    total = sum(row.freed for row in rows)
    assert theirs[-1] == f"Total reclaimed space: {human(total)}"


BUILT = b"FROM scratch\nLABEL a=1\nLABEL b=2\n"


@pytest.mark.parametrize("everything", [False, True])
def test_images_lists_what_the_docker_command_lists(everything, twin: Twin, engine: Engine):
    """An image of a container that no name is left for, one whose tag has moved on, and the steps of a build."""
    twin.make(container="running")
    twin.docker.run("import", "--change=LABEL a=1", "-", "moved:1", stdin=EMPTY_TAR)
    twin.docker.run("import", "-", "moved:1", stdin=EMPTY_TAR)
    twin.docker.run("rmi", "-f", twin.first)
    twin.docker.run("build", "-q", "-", stdin=BUILT)
    form = "--format={{.Repository}} {{.Tag}} {{.ID}}"
    theirs = twin.docker.lines("images", "--no-trunc", form, *(["-a"] if everything else []))
    rows = engine.images(everything=everything)
    assert sorted(f"{row.repository or '<none>'} {row.tag or '<none>'} {row.image_id}" for row in rows) == sorted(
        theirs
    )
    assert len([line for line in theirs if line.startswith("<none>")]) == (4 if everything else 3)


EMPTY_TAR = bytes(1024)


def human(size: float) -> str:
    """units.HumanSize, written anew."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.4g}{unit}"
        size /= 1000
    raise AssertionError


def test_df_counts_what_the_docker_command_counts(twin: Twin, engine: Engine):
    twin.make("other:1", container="created")
    twin.docker.run("pull", "-q", twin.next)
    theirs = {row["Type"]: row for row in map(json.loads, twin.docker.lines("system", "df", "--format={{json .}}"))}
    for row in engine.disk():
        shown = theirs[row.type]
        assert (str(row.total), str(row.active)) == (shown["TotalCount"], shown["Active"]), row.type
        assert human(row.size) == shown["Size"], row.type
        assert human(row.reported) == shown["Reclaimable"].partition(" (")[0], row.type
    verbose = twin.docker.lines("system", "df", "-v", "--format={{json .Images}}")[0]
    images = {image["Repository"] + ":" + image["Tag"]: image for image in json.loads(verbose)}
    ours = {row.reference: row for row in engine.disk_images()}
    assert set(ours) == set(images)
    for name, row in ours.items():
        shown = images[name]
        assert (human(row.shared), human(row.unique)) == (shown["SharedSize"], shown["UniqueSize"]), name
        assert str(row.containers) == shown["Containers"], name


def test_what_df_calls_reclaimable_is_what_comes_free(twin: Twin, engine: Engine):
    """Two unused images that share their base: by themselves they free little, together all of it."""
    twin.make()
    twin.docker.run("pull", "-q", twin.next)
    images = {row.type: row for row in engine.disk()}["Images"]
    own = sum(row.unique for row in engine.disk_images())
    assert own < images.reclaimable == images.size
    assert sum(row.freed for row in engine.prune(everything=True)) == images.reclaimable
    assert {row.type: row for row in engine.disk()}["Images"].size == 0
