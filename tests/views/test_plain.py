"""The terminal shows Docker's columns and spellings, real values as JSON, and nothing that it would obey."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from jupyimg import views
from jupyimg.errors import Unsupported
from jupyimg.views import Answer, to_text
from jupyimg.views.plain import dump, text
from tests.views.samples import HOSTILE, NOW, detail, digest, image, removal, step, transfer


def lines(answer: Answer, width: int | None = None) -> list[str]:
    return text(answer, width=width, now=NOW).splitlines()


def test_images_are_the_table_of_the_lesson() -> None:
    shown = lines(Answer(kind="images", records=[image(size=198_000_000)]))
    assert shown == [
        "REPOSITORY   TAG       IMAGE ID       CREATED      SIZE",
        f"nginx        latest    {digest('config').short}   6 days ago   198MB",
    ]


def test_no_images_are_the_header_alone() -> None:
    assert lines(Answer(kind="images", records=[])) == ["REPOSITORY   TAG       IMAGE ID   CREATED   SIZE"]


def test_dangling_images_have_no_name() -> None:
    assert "<none>       <none>" in lines(Answer(kind="images", records=[image(repository=None, tag=None)]))[1]


def test_digests_are_asked_for_and_whole() -> None:
    shown = lines(Answer(kind="images", records=[image()], digests=True))
    assert shown[0].split() == ["REPOSITORY", "TAG", "DIGEST", "IMAGE", "ID", "CREATED", "SIZE"]
    assert str(digest("index")) in shown[1]


def test_no_trunc_gives_whole_ids() -> None:
    assert str(digest("config")) in lines(Answer(kind="images", records=[image()], no_trunc=True))[1]


def test_a_platform_that_is_not_this_machines_is_said() -> None:
    both = lines(Answer(kind="images", records=[image(), image(platform="windows/amd64")]))
    assert both[0].endswith("SIZE      PLATFORM")
    assert both[2].endswith("windows/amd64")
    assert "PLATFORM" not in lines(Answer(kind="images", records=[image(), image(platform=None)]))[0]


@pytest.mark.parametrize("kind", ["images", "history"])
def test_quiet_is_one_id_a_line(kind: str) -> None:
    records = {"images": [image()], "history": [step(image_id=digest("config")), step()]}[kind]
    shown = lines(Answer(kind=kind, records=records, quiet=True))
    assert shown[0] == digest("config").short
    assert shown[1:] == ["<missing>"] * (len(records) - 1)
    whole = lines(Answer(kind=kind, records=records, quiet=True, no_trunc=True))
    assert whole[0] == str(digest("config"))


def test_history_is_dockers_table() -> None:
    rows = [step(image_id=digest("config")), step(created_by="RUN " + "x" * 60, size=123_456_789, comment="")]
    assert lines(Answer(kind="history", records=rows)) == [
        "IMAGE          CREATED      CREATED BY                                      SIZE      COMMENT",
        f"{digest('config').short}   6 days ago   {rows[0].created_by}                0B        buildkit.dockerfile.v0",
        f"<missing>      6 days ago   RUN {'x' * 40}…   123MB",
    ]


def test_history_in_numbers() -> None:
    shown = lines(Answer(kind="history", records=[step(size=123_456_789)], human=False))
    assert shown[0].split()[:3] == ["IMAGE", "CREATED", "AT"]
    assert "2026-02-23T12:00:00Z" in shown[1]
    assert " 123456789 " in shown[1]


@pytest.mark.parametrize("created", [None, datetime(1970, 1, 1, tzinfo=UTC), datetime(1980, 1, 1, tzinfo=UTC)])
def test_a_build_time_that_there_is_not_has_no_age(created: datetime | None) -> None:
    assert "N/A" in lines(Answer(kind="history", records=[step(created=created)]))[1]


def test_a_narrow_terminal_cuts_the_command_and_nothing_else() -> None:
    rows = [step(created_by="RUN " + "x" * 60, comment="note")]
    shown = lines(Answer(kind="history", records=rows), width=80)
    assert max(map(len, shown)) == 80
    assert shown[1].endswith("…   0B        note")
    assert lines(Answer(kind="history", records=rows, no_trunc=True), width=80)[1].count("x") == 60


def test_chinese_text_keeps_the_columns_in_line() -> None:
    records = [step(created_by="LABEL 描述=教学", size=1), step(created_by="LABEL plain=text ab", size=1)]
    first, second = lines(Answer(kind="history", records=records))[1:]
    assert first.index("1B") + len("描述教学") == second.index("1B")


@pytest.mark.parametrize(("kind", "said"), [("pull", True), ("copy", True), ("push", False), ("tag", False)])
def test_transfers_end_with_the_full_name_where_docker_says_it(kind: str, *, said: bool) -> None:
    answer = Answer(kind=kind, records=[transfer()])
    assert to_text(answer) == ("docker.io/library/nginx:latest" if said else "")


def test_a_quiet_push_says_the_full_name() -> None:
    assert (
        to_text(Answer(kind="push", records=[transfer(reference="me/app:1.0")], quiet=True)) == "docker.io/me/app:1.0"
    )


def test_load_names_what_it_loaded_and_save_is_silent() -> None:
    assert to_text(Answer(kind="load", records=[transfer()])) == "Loaded image: nginx:latest"
    assert to_text(Answer(kind="save", records=[transfer()])) == ""


def test_removals_are_dockers_lines() -> None:
    records = [removal(), removal(action="deleted", reference=None, freed=5_000_000)]
    assert lines(Answer(kind="rmi", records=records)) == ["Untagged: nginx:latest", f"Deleted: {digest('index')}"]
    assert lines(Answer(kind="prune", records=records)) == [
        "Deleted Images:",
        "untagged: nginx:latest",
        f"deleted: {digest('index')}",
        "",
        "Total reclaimed space: 5MB",
    ]
    assert lines(Answer(kind="prune", records=[])) == ["Total reclaimed space: 0B"]


def test_notes_stand_beside_what_scripts_cut_and_are_all_where_there_is_nothing_else() -> None:
    answer = Answer(kind="load", records=[transfer()], notes=("one layer was damaged\x1b[0m",))
    assert views.notes(answer) == ["one layer was damaged"]
    assert to_text(answer) == "Loaded image: nginx:latest"
    spoken = Answer(kind="login", records=[], notes=("Login Succeeded",))
    assert (to_text(spoken), views.notes(spoken)) == ("Login Succeeded", [])
    assert views.notes(Answer(kind="load", records=[], notes=("note",), json=True)) == []


def test_json_has_the_columns_numbers_and_times() -> None:
    rows = json.loads(to_text(Answer(kind="images", records=[image(unpacked=None), image()], json=True)))
    assert list(rows[0]) == [
        "repository",
        "tag",
        "image_id",
        "created",
        "size",
        "unpacked",
        "platform",
        "digest",
        "manifest_digest",
        "reference",
        "containers",
        "labels",
    ]
    assert rows[0]["size"] == 72_900_123
    assert rows[0]["unpacked"] is None
    assert rows[0]["created"] == "2026-02-23T12:00:00Z"
    assert rows[0]["labels"] == {"maintainer": "someone"}


def test_inspect_is_dockers_array() -> None:
    shown = to_text(Answer(kind="inspect", records=[detail()]))
    assert json.loads(shown) == [detail().document]
    assert shown.startswith('[\n    {\n        "Id"')
    assert "用于教学的镜像" in shown
    assert to_text(Answer(kind="inspect", records=[])) == "[]"


def test_a_document_nested_without_end_is_an_error_of_ours() -> None:
    nested: list[object] = []
    for _ in range(5000):
        nested = [nested]
    with pytest.raises(Unsupported, match="too deeply"):
        dump(nested, indent=4)


@pytest.mark.parametrize("json_form", [False, True])
def test_no_field_can_make_a_terminal_obey(*, json_form: bool) -> None:
    answers = [
        Answer(kind="images", records=[image(repository=HOSTILE, tag=HOSTILE, platform=HOSTILE)]),
        Answer(kind="history", records=[step(created_by=HOSTILE, comment=HOSTILE)]),
        Answer(kind="rmi", records=[removal(reference=HOSTILE)]),
        Answer(kind="load", records=[transfer(reference=HOSTILE)]),
        Answer(kind="inspect", records=[detail(document={HOSTILE: HOSTILE})]),
    ]
    for answer in answers:
        shown = to_text(Answer(kind=answer.kind, records=answer.records, json=json_form))
        assert all(char.isprintable() or char == "\n" for char in shown), answer.kind


def test_ages_are_counted_from_the_present() -> None:
    fresh = image(created=datetime.now(UTC) - timedelta(minutes=3, seconds=2))
    assert "3 minutes ago" in to_text(Answer(kind="images", records=[fresh]))
