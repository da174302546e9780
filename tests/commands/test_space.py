"""prune, pin, unpin and df as they are typed: on a terminal that asks, in a pipe that cannot, and next to Docker's own."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from jupyimg.commands import Session, run
from jupyimg.commands.filters import prune_filter
from jupyimg.engines import PruneFilter, open_engine
from jupyimg.errors import Misuse
from jupyimg.model.reference import Reference
from jupyimg.model.settings import Settings
from jupyimg.store import Entry
from jupyimg.views import to_notebook, to_text
from tests.places.memory import MemoryPlace
from tests.services.process import environment
from tests.store.bring import bring
from tests.store.stores import Filling, du

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DANGLING = "WARNING! This will remove all dangling images."
EVERYTHING = "WARNING! This will remove all images that are not pinned or otherwise in use."
QUESTION = "Are you sure you want to continue? [y/N] "


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A store with a named image and one whose tag has moved on, of 1,000 bytes each and some."""
    folder = tmp_path / "jupyimg"
    store, place = open_engine(Settings(home=folder)).store, MemoryPlace(1 << 20)
    for name, layer in (("app", b"o" * 1000), ("app", b"n" * 1000), ("tool:1", b"t" * 1000)):
        bring(store, place, name, place.image(layers=(layer,)))
    return folder


@pytest.fixture
def session(home: Path) -> Iterator[Session]:
    opened = Session(Settings(home=home))
    yield opened
    opened.close()


def on_a_terminal(command: list[str], typed: bytes, env: dict[str, str], *, asks: bool = True) -> tuple[str, int]:
    """What a terminal shows of a command in which this is typed once it asks, and its exit status."""
    main, side = pty.openpty()
    process = subprocess.Popen(["setsid", "--ctty", *command], stdin=side, stdout=side, stderr=side, env=env)
    os.close(side)
    shown, sent, end = b"", not asks, time.monotonic() + 90
    while time.monotonic() < end:
        if select.select([main], [], [], 0.1)[0]:
            try:
                data = os.read(main, 4096)
            except OSError:  # the other side is closed
                break
            shown += data
        if not sent and shown.endswith(QUESTION.encode()):
            os.write(main, typed)
            sent = True
    try:
        assert sent, shown
        return shown.decode().replace("\r\n", "\n"), process.wait(60)
    finally:
        process.kill()
        os.close(main)


def ours(home: Path, *words: str) -> tuple[list[str], dict[str, str]]:
    return [sys.executable, "-m", "jupyimg", *words], {**os.environ, "JUPYIMG_HOME": str(home)}


def piped(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command, env = ours(home, *words)
    return subprocess.run(
        command, env=env, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )


# ---- a terminal


@pytest.mark.parametrize(("typed", "does"), [(b"y\n", True), (b"n\n", False), (b"\n", False), (b"\x04", False)])
def test_a_terminal_asks_as_docker_does_and_only_yes_is_yes(home, typed, *, does):
    before = du(home / "store")
    shown, status = on_a_terminal(*ours(home, "prune")[:1], typed, ours(home)[1])
    assert status == 0
    assert shown.startswith(f"{DANGLING}\n")
    assert QUESTION in shown
    freed = before - du(home / "store")
    assert (freed > 1000) is does
    assert ("Total reclaimed space: 1." in shown) is does
    assert ("deleted: sha256:" in shown) is does


def test_a_terminal_says_how_many_named_images_go(home):
    shown, _ = on_a_terminal(*ours(home, "prune", "-a")[:1], b"n\n", ours(home)[1])
    assert shown.startswith(f"{EVERYTHING}\n2 names would go (app:latest, tool:1), ")


def test_ctrl_c_at_the_question_removes_nothing(home):
    before = du(home / "store")
    _, status = on_a_terminal(*ours(home, "prune")[:1], b"\x03", ours(home)[1])
    assert status == 130
    assert du(home / "store") == before


def test_a_terminal_does_not_ask_when_there_is_nothing_to_remove(home):
    assert piped(home, "prune", "-af").returncode == 0
    shown, _ = on_a_terminal(*ours(home, "prune")[:1], b"", ours(home)[1], asks=False)
    assert shown == "Total reclaimed space: 0B\n"


def test_the_question_is_dockers(docker, home):
    clean = environment(home / "client")
    for flags in ((), ("-a",)):
        command = ["docker", "-H", docker.host, "image", "prune", *flags]
        theirs, _ = on_a_terminal(command, b"n\n", clean)
        mine, _ = on_a_terminal(*ours(home, "prune", *flags)[:1], b"n\n", ours(home)[1])
        first, *_, last = mine.splitlines()
        warning, question = theirs.splitlines()
        assert [first, last] == [EVERYTHING if flags else warning, question], "pins here, where Docker has containers"


def test_what_was_pruned_is_told_in_dockers_form(docker, home):
    docker.run("import", "-", "app:1", stdin=b"")
    docker.run("import", "--message", "second", "-", "app:1", stdin=b"")
    for flags in ((), ("-a",)):
        theirs = docker.run("image", "prune", "-f", *flags).stdout.splitlines()
        mine = piped(home, "prune", "-f", *flags).stdout.splitlines()
        form = [[line.partition(":")[0] for line in lines] for lines in (theirs, mine)]
        assert [lines[0] for lines in form] == ["Deleted Images"] * 2
        assert [lines[-2:] for lines in form] == [["", "Total reclaimed space"]] * 2
        assert set(form[1][1:-2]) <= {"untagged", "deleted"}
        assert set(form[0][1:-2]) <= {"untagged", "deleted"}


# ---- no one to ask


def test_in_a_pipe_the_plan_is_shown_with_the_line_that_does_it(home):
    before = du(home / "store")
    ended = piped(home, "prune", "-a", "--filter", "label!=keep me")
    assert ended.returncode == 0
    assert "jupyimg prune -a --filter 'label!=keep me' -f" in ended.stderr
    assert "Would be removed:" in ended.stdout
    assert "Deleted" not in ended.stdout
    assert du(home / "store") == before


def test_a_dry_run_changes_nothing_even_with_force(home):
    before = du(home / "store")
    for flags in (("--dry-run",), ("-f", "--dry-run"), ("--dry-run", "--format", "json")):
        assert piped(home, "prune", "-a", *flags).returncode == 0
    assert du(home / "store") == before


def test_json_is_the_rows_alone(home):
    plan = json.loads(piped(home, "prune", "-a", "--format", "json").stdout)
    done = json.loads(piped(home, "image", "prune", "-af", "--format=json").stdout)
    assert plan == done
    assert list(plan[0]) == ["action", "reference", "digest", "freed"]
    assert sum(row["freed"] for row in plan) > 3000
    assert json.loads(piped(home, "prune", "--format", "json").stdout) == []


def test_df_in_a_terminal(home):
    lines = piped(home, "system", "df").stdout.splitlines()
    assert lines[0].split() == ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]
    assert lines[1].split() == ["Images", "3", "0", *lines[1].split()[3:4], lines[1].split()[3], "(100%)"]
    assert [line.split("  ")[0] for line in lines[2:]] == [
        "Containers",
        "Local Volumes",
        "Build Cache",
        "Partial Downloads",
    ]
    rows = json.loads(piped(home, "df", "--format", "json").stdout)
    assert rows[0]["size"] == rows[0]["reclaimable"] == du(home / "store")
    assert rows[0]["reported"] is None
    shown = piped(home, "df", "-v").stdout
    assert shown.startswith("Images space usage:\n\nREPOSITORY")
    assert len(json.loads(piped(home, "df", "-v", "--format", "json").stdout)) == 3


def test_pin_and_unpin_in_a_terminal(home):
    assert piped(home, "pin", "app", "tool:1").stdout == "Pinned: app:latest\nPinned: tool:1\n"
    assert piped(home, "images", "-q", "-f", "pinned=true").stdout.count("\n") == 2
    ended = piped(home, "rmi", "app")
    assert ended.returncode == 1
    assert "hint: jupyimg unpin app lets go of it" in ended.stderr
    assert piped(home, "unpin", "app").stdout == "Unpinned: app:latest\n"
    assert piped(home, "rmi", "app").returncode == 0


# ---- a notebook


def test_in_a_notebook_a_plan_is_a_frame_that_changes_nothing(session, home):
    before = du(home / "store")
    answer = run(session, ["prune", "-a"])
    frame = to_notebook(answer)
    assert frame["freed"].sum() == before == du(home / "store")
    assert list(frame["reference"].dropna())[:2] == ["app:latest", "tool:1"]
    text = frame.attrs["jupyimg"]["notes"]
    assert "2 names would go (app:latest, tool:1)" in text[0]
    assert text[1] == "To remove it: %image prune -a -f"
    done = to_notebook(run(session, ["prune", "-a", "-f"]))
    assert done.equals(frame)
    assert du(home / "store") == 0
    assert run(session, ["prune", "-a"]).notes == ("Nothing to remove",)


def test_only_dangling_images_go_without_a(session):
    assert to_notebook(run(session, ["prune", "-f"]))["reference"].dropna().str.contains("@").all()
    assert len(to_notebook(run(session, ["images", "-a"]))) == 2


def test_the_percentage_and_dockers_words_are_only_in_what_is_shown(session):
    answer = run(session, ["df"])
    assert "(100%)" in to_text(answer)
    frame = to_notebook(answer)
    assert list(frame["type"]) == [row.type for row in answer.records]
    assert frame["reclaimable"].dtype == "Int64"
    assert frame["reported"].isna().all()


@pytest.mark.parametrize(
    "words", [["container", "prune", "-f"], ["docker", "container", "prune"], ["container", "rm", "x"]]
)
def test_an_order_about_containers_touches_no_image(session, words):
    with pytest.raises(Misuse, match="not changed"):
        run(session, words)


@pytest.mark.parametrize(
    "words", [["prune"], ["image", "prune"], ["docker", "image", "prune"], ["system", "df"], ["docker", "system", "df"]]
)
def test_dockers_spellings_are_taken(session, words):
    assert run(session, words).records


# ---- filters


def test_filters_of_prune():
    found = prune_filter(["until=2026-01-31", "label=a", "label=b=c", "label!=d", "label!=e=f"])
    assert found == PruneFilter(
        until=datetime(2026, 1, 31, tzinfo=UTC), labels=("a", "b=c"), without_labels=("d", "e=f")
    )


@pytest.mark.parametrize("text", ["dangling=true", "label", "label=", "label!=", "until=soon", "nope=1", "!label=x"])
def test_other_filters_are_refused(text):
    with pytest.raises(Misuse):
        prune_filter([text])


def test_until_may_be_given_once():
    with pytest.raises(Misuse, match="more than one until"):
        prune_filter(["until=24h", "until=48h"])


def test_filters_choose_what_goes(session, samples_here: list[Any]):
    def named(*flags: str) -> set[str]:
        rows = run(session, ["prune", "-a", *flags]).records
        return {row.reference for row in rows if row.reference and "@" not in row.reference}

    everything = named()
    assert {"sample/web:1.0", "sample/base:1.0"} <= everything
    first = {"sample/web:1.0", "sample/base:1.0"}
    assert named("--filter", "label=version=1.0") == first
    assert named("--filter", "label!=version=1.0") == everything - first
    assert named("--filter", "label=version", "--filter", "label!=version=1.0") == {
        "sample/web:1.1",
        "sample/web:latest",
    }
    assert named("--filter", "until=1999-01-01") == set()
    newest = max(image.created for image in samples_here)
    assert named("--filter", f"until={newest.isoformat()}") < everything - {"app:latest"}


@pytest.fixture
def samples_here(session: Session) -> list[Any]:
    """The teaching images, beside the others."""
    run(session, ["samples"])
    return [image for image in session.engine.images() if image.created is not None]


LABELS = {"plain": {}, "keep": {"keep": "a"}, "other": {"keep": "b"}, "both": {"keep": "a", "stage": "x"}}


@pytest.mark.parametrize("texts", [
    ["label=keep"],
    ["label=keep=a", "label=stage"],
    ["label!=keep"],
    ["label=keep", "label!=stage=x"],
    ["until=24h"],
    ["until=1s"],
])  # fmt: skip
def test_filters_choose_what_docker_chooses(docker, tmp_path, texts):
    filling = Filling(tmp_path / "jupyimg" / "store")
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5))
    for name, labels in LABELS.items():
        changes = [word for key, value in labels.items() for word in ("--change", f"LABEL {key}={value}")]
        docker.run("import", "--message", name, *changes, "-", f"{name}:1", stdin=b"")
        image = filling.image({"name": name, "os": "linux", "created": now, "config": {"Labels": labels}}, [1])
        filling.entries.append(Entry(Reference.parse(f"{name}:1"), None, image))
    filling.write()
    if texts == ["until=1s"]:
        time.sleep(3)  # Docker counts in whole seconds
    flags = [word for text in texts for word in ("--filter", text)]
    docker.run("image", "prune", "-af", *flags)
    session = Session(Settings(home=tmp_path / "jupyimg"))
    run(session, ["prune", "-af", *flags])
    left = [image.reference for image in session.engine.images()]
    assert sorted(left) == sorted(docker.lines("images", "--format", "{{.Repository}}:{{.Tag}}"))
