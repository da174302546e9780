"""Pruning a daemon tells how far it is, and what went where it does not come to its end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from jupyimg.errors import EngineError, Interrupted
from jupyimg.model.content import Phase
from tests.engines_contract.fake import fake_daemon, stall
from tests.engines_contract.test_streams import opened

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engines_contract.fake import Line

IDS = [f"sha256:{number:064x}" for number in range(1, 5)]


class Shelf:
    """Four images of 100 bytes; each takes a moment to be removed, and one may not be."""

    def __init__(self, fails: str = "") -> None:
        self.here = dict(zip((f"app:{at}" for at in range(4)), IDS, strict=True))
        self.fails = fails

    def images(self, line: Line) -> None:
        line.document([{"Id": each, "RepoTags": [tag], "RepoDigests": []} for tag, each in self.here.items()])

    def one(self, line: Line) -> None:
        tag = unquote(line.path).partition("/images/")[2].partition("?")[0].removeprefix("docker.io/library/")
        tag = tag.removesuffix("/json").removesuffix("/history")
        if line.method == "DELETE":
            time.sleep(0.15)
            if tag == self.fails:
                return line.document({"message": "the disk is broken"}, "500 Internal Server Error")
            return line.document([{"Untagged": tag}, {"Deleted": self.here.pop(tag)}])
        if "/history" in line.path:
            return line.document([{"Id": tag, "Size": 100, "CreatedBy": "ADD"}])
        return line.document({"Id": tag, "RootFS": {"Type": "layers", "Layers": [tag]}})

    @property
    def answers(self):
        return {
            "/containers/json": lambda line: line.document([]),
            "/images/json": self.images,
            "/images/": self.one,
        }


def test_images_are_counted_as_they_go_one_by_one(tmp_path: Path):
    with fake_daemon(Shelf().answers, engine="Podman Engine") as daemon:
        steps, seen = opened(daemon, tmp_path, "podman").pruning(everything=True), []
        with pytest.raises(StopIteration) as end:
            while True:
                seen.append(next(steps))
    assert [(step.current, step.total) for step in seen if step.item == "images"] == [(at, 4) for at in range(1, 5)]
    assert [step.current for step in seen if step.item == "freed"] == [100, 200, 300, 400]
    assert [row.freed for row in end.value.value if row.action == "deleted"] == [100] * 4


def test_a_daemon_that_fails_half_way_tells_what_went_before(tmp_path: Path):
    with fake_daemon(Shelf(fails="app:2").answers, engine="Podman Engine") as daemon:
        with pytest.raises(EngineError, match="2 of 4 were deleted before that") as caught:
            opened(daemon, tmp_path, "podman").prune(everything=True)
        assert [row.reference for row in caught.value.done if row.reference] == ["app:0", "app:1"]


def test_a_stop_between_two_images_tells_what_went(tmp_path: Path):
    with fake_daemon(Shelf().answers, engine="Podman Engine") as daemon:
        steps = opened(daemon, tmp_path, "podman").pruning(everything=True)
        while next(steps).phase is Phase.IDLE:
            pass
        with pytest.raises(Interrupted) as caught:
            steps.throw(KeyboardInterrupt())
    assert next(row.reference for row in caught.value.done if row.reference) == "app:0"
    assert "again" in caught.value.hint


def test_one_request_for_all_says_what_it_is_about_and_a_stop_hangs_up(tmp_path: Path):
    shelf = Shelf()
    with fake_daemon({}) as daemon:
        daemon.answers = {"/images/prune": stall(daemon.hung_up), **shelf.answers}
        steps = opened(daemon, tmp_path).pruning(everything=True)
        first = [next(steps), next(steps)]
        assert [(step.item, step.current, step.total) for step in first] == [("images", 0, 4), ("freed", 0, 400)]
        while next(steps).phase is not Phase.IDLE:
            pass
        with pytest.raises(Interrupted, match="may have removed some"):
            steps.throw(KeyboardInterrupt())
        assert daemon.hung_up.wait(60)


def test_an_answer_to_a_pruning_that_is_no_json_is_an_error(tmp_path: Path):
    def nonsense(line: Line) -> None:
        line.begin()
        line.piece(b"<html>")
        line.end()

    with (
        fake_daemon({"/images/prune": nonsense, **Shelf().answers}) as daemon,
        pytest.raises(EngineError, match="JSON"),
    ):
        opened(daemon, tmp_path).prune(everything=True)
