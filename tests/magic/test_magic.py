"""%image in a shell: what a line returns, how it fails, how it completes, and that it leaves no trace."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.utils.capture import capture_output

from jupyimg.errors import ImageNotFound, Misuse, UndefinedName


def run(shell, code):
    result = shell.run_cell(code)
    if result.error_in_exec:
        raise result.error_in_exec
    return result.result


def completions(shell, text):
    with provisionalcompleter():
        found = [item for item in shell.Completer.completions(text, len(text)) if item.type == "jupyimg"]
    return [text[: item.start] + item.text for item in found]


# ---- what a line returns


def test_a_line_returns_a_frame_and_an_assignment_keeps_it(shell, samples):
    run(shell, "x = %image images")
    frame = shell.user_ns["x"]
    assert isinstance(frame, pd.DataFrame)
    assert set(frame["reference"]) == set(samples)
    assert len(frame) == 5 * 2 + 3


def test_a_line_works_inside_a_function_with_its_own_names(shell, samples):
    run(shell, "def look(name):\n    found = %image images {name}\n    return found")
    assert set(run(shell, "look('sample/web:1.0')")["tag"]) == {"1.0"}


def test_a_semicolon_silences(shell, samples):
    assert run(shell, "%image images;") is None
    assert run(shell, "%image images; # and a comment") is None
    assert run(shell, "for _ in range(2):\n    %image images;") is None


@pytest.mark.parametrize("code", [
    "x = %image images;",
    "def look():\n    found = %image images;\n    return found\nx = look()",
    "class Kept:\n    value = %image images;\nx = Kept.value",
])  # fmt: skip
def test_a_semicolon_does_not_take_the_value_of_an_assignment(shell, samples, code):
    assert run(shell, code) is None
    assert isinstance(shell.user_ns["x"], pd.DataFrame)


def test_help_is_shown_and_is_no_error(shell):
    for line in ("%image", "%image help", "%image --help"):
        assert "pull" in repr(run(shell, line))
    for line in ("%image pull --help", "%image help pull", "%image ls --help"):
        assert "--" in repr(run(shell, line))
    assert "rmi" in shell.magics_manager.magics["line"]["image"].__doc__


@pytest.mark.parametrize(
    "line",
    [
        "images",
        "ls",
        "list",
        "image ls",
        "docker image ls",
        "image images",
        "images --all=false",
        "images --digests=true",
    ],
)
def test_dockers_spellings_are_taken_as_they_are_copied(shell, samples, line):
    assert len(run(shell, f"%image {line}")) == 13


def test_json_is_text_that_can_be_parsed(shell, samples):
    text = run(shell, "%image images --format json sample/web:1.0")
    assert {row["tag"] for row in json.loads(text)} == {"1.0"}
    document = json.loads(run(shell, "%image inspect --format json sample/web:1.0"))
    assert document[0]["Config"]["StopSignal"] == "SIGQUIT"


def test_images_filters(shell, samples):
    def tags(line):
        return sorted(set(run(shell, f"%image images {line}")["reference"]))

    assert tags("sample/web") == ["sample/web:1.0", "sample/web:1.1", "sample/web:latest"]
    assert tags("sample/*") == sorted(samples)
    assert tags("*") == []
    assert tags("docker.io/sample/web:1.0") == ["sample/web:1.0"]
    assert tags("-f label=version=1.1") == ["sample/web:1.1", "sample/web:latest"]
    assert tags("-f label=version -f reference=sample/b*") == ["sample/base:1.0"]
    assert tags("-f before=sample/web:1.0") == ["sample/base:1.0"]
    assert tags("-f since=sample/web:1.1") == ["sample/hello:latest", "sample/waste:latest"]
    assert tags("-f until=2026-01-15") == ["sample/base:1.0", "sample/web:1.0"]
    assert tags("-f dangling=true") == []


def test_quiet_images_are_ids_that_rmi_takes(shell, samples):
    run(shell, "x = %image images -q sample/hello")
    assert list(shell.user_ns["x"].columns) == ["image_id"]
    assert "deleted" in set(run(shell, "%image rmi {x}")["action"])


def test_inspect_is_a_mapping_with_dockers_keys_and_several_are_a_sequence(shell, samples):
    one = run(shell, "%image inspect sample/web:1.0")
    assert one["Config"]["Env"][-1] == "WEB_PORT=8080"
    assert "<details" in one._repr_html_()
    assert len(run(shell, "%image inspect sample/web:1.0 sample/base:1.0")) == 2
    arm = run(shell, "%image inspect --platform arm64 sample/web:1.0")
    assert arm["Architecture"] == "arm64"


def test_inspect_shows_what_there_is_before_it_says_what_is_missing(shell, samples):
    with capture_output() as shown, pytest.raises(ImageNotFound):
        run(shell, "%image inspect sample/web:1.0 nope")
    (card,) = shown.outputs
    assert "WEB_PORT=8080" in card.data["text/html"]


def test_history_is_newest_first_with_dockers_sizes(shell, samples):
    frame = run(shell, "%image history sample/waste")
    assert frame["created_by"].iloc[0] == "RUN rm /var/log/big.log"
    assert frame["image_id"].notna().tolist() == [True] + [False] * 5
    assert frame["empty"].sum() == 1
    assert frame["size"].tolist()[1] == frame["size"].tolist()[2] == 57000


def test_tag_moves_silently_and_leaves_the_old_image_dangling(shell, samples):
    run(shell, "%image tag sample/base:1.0 mine:1")
    run(shell, "%image tag sample/hello:latest mine:1")
    assert run(shell, "%image inspect mine:1")["Config"]["Cmd"] == ["/hello"]
    run(shell, "%image tag sample/waste:latest sample/hello:latest")
    run(shell, "%image tag sample/waste:latest mine:1")
    dangling = run(shell, "%image images -f dangling=true")
    assert dangling["tag"].isna().all()
    assert set(dangling["platform"]) == {"linux/amd64", "linux/arm64", "linux/arm/v7"}
    assert not set(run(shell, "%image images")["image_id"]) & set(dangling["image_id"])
    assert set(dangling["image_id"]) <= set(run(shell, "%image images -a")["image_id"])


def test_rmi_follows_dockers_table(shell, samples):
    run(shell, "%image tag sample/base:1.0 mine:1")
    only_name = run(shell, "%image rmi mine:1")
    assert only_name["action"].tolist() == ["untagged", "untagged"]
    image = run(shell, "%image images sample/web:1.1")["image_id"].iloc[0]
    with pytest.raises(Exception, match=r"several names: sample/web:1\.1, sample/web:latest") as caught:
        run(shell, f"%image rmi {image[7:19]}")
    assert "-f" in caught.value.hint
    gone = run(shell, f"%image rmi -f {image[7:19]}")
    assert set(gone["action"]) == {"deleted"}
    assert gone["digest"].iloc[0] == image
    assert gone["freed"].sum() > 0
    assert set(run(shell, "%image images sample/web")["tag"]) == {
        "1.0",
        "1.1",
        "latest",
    }  # which mean the other platform yet


def test_rmi_tries_every_name_and_then_says_what_was_not_there(shell, samples):
    with pytest.raises(ImageNotFound, match="nope") as caught:
        run(shell, "%image rmi nope sample/base:1.0")
    assert caught.value.message == "no such image: nope; removed all the same: sample/base:1.0"
    assert "sample/base:1.0" not in set(run(shell, "%image images")["reference"])
    assert len(run(shell, "%image rmi -f nope")) == 0


def test_an_empty_store_shows_an_empty_frame_with_its_columns(shell):
    frame = run(shell, "%image images")
    assert len(frame) == 0
    assert list(frame.columns)[:2] == ["repository", "tag"]


# ---- how it fails


@pytest.mark.parametrize(("line", "error", "why"), [
    ("pul x", Misuse, "no subcommand"),
    ("pull", Misuse, "missing argument"),
    ("pull a b", Misuse, "extra argument"),
    ("pull --nope a", Misuse, "no such option"),
    ("pull --quiet=maybe a", Misuse, "on or off"),
    ("pull Nginx", Misuse, "lowercase"),
    ("pull --platform 'a b' x", Misuse, "not a platform"),
    ("pull -a x:1", Misuse, "--all-tags"),
    ("inspect nope", ImageNotFound, "no such image"),
    ("history nope", ImageNotFound, "no such image"),
    ("tag nope x", ImageNotFound, "no such image"),
    ("push nope", ImageNotFound, "no such image"),
    ("images -f size=3", Misuse, "not understood"),
    ("images --format '{{.ID}}'", Misuse, "Go templates"),
    ("images | head", Misuse, "no |"),
    ("push app:{tga}", UndefinedName, "tga"),
])  # fmt: skip
def test_each_failure_is_one_sentence_with_a_hint(shell, line, error, why, capsys):
    with pytest.raises(error, match=why.replace("|", r"\|")) as caught:
        run(shell, f"%image {line}")
    assert caught.value.hint
    shown = capsys.readouterr().out
    assert "Traceback" not in shown
    assert 1 <= len(shown.strip().splitlines()) <= 2


def test_the_likeliest_subcommand_is_suggested(shell):
    with pytest.raises(Misuse) as caught:
        run(shell, "%image pul x")
    assert "pull" in caught.value.hint


@pytest.mark.parametrize("target", ["x@sha256:" + "a" * 64, "sha256:1", "UPPER"])
def test_a_bad_target_changes_nothing(shell, samples, target):
    before = run(shell, "%image images")
    with pytest.raises(Misuse):
        run(shell, f"%image tag sample/base:1.0 {target}")
    assert run(shell, "%image images").equals(before)


# ---- how it completes


def test_subcommands_flags_and_names_complete(shell, samples):
    assert "%image pull" in completions(shell, "%image pu")
    assert "x = %image images" in completions(shell, "x = %image ima")
    assert "%image pull --platform" in completions(shell, "%image pull --pl")
    assert "%image help push" in completions(shell, "%image help pu")
    assert completions(shell, "%image inspect sample/web:1") == [
        "%image inspect sample/web:1.0",
        "%image inspect sample/web:1.1",
    ]
    assert "%image pull --platform linux/arm64" in completions(shell, "%image pull --platform linux/arm")
    assert completions(shell, "%image image l")[-2:] == ["%image image ls", "%image image list"]


def test_short_ids_complete(shell, samples):
    image = run(shell, "%image images sample/web:1.0")["image_id"].iloc[0][7:19]
    assert completions(shell, f"%image rmi {image[:5]}") == [f"%image rmi {image}"]


@pytest.mark.parametrize("text", ["%image nope x", "%image rmi {x", "x = 'no magic'", "%image pull '", "images"])
def test_completion_never_fails(shell, samples, text):
    assert completions(shell, text) == []


# ---- no trace


def traces(shell):
    return (
        [type(item).__name__ for item in shell.configurables].count("ImageMagics"),
        len([m for m in shell.Completer.custom_matchers if "jupyimg" in getattr(m, "matcher_identifier", "")]),
        "image" in shell.magics_manager.magics["line"],
    )


def test_load_reload_and_unload_leave_no_trace_twice(bare_shell, home):
    before = dict(bare_shell.display_formatter.formatters["text/html"].type_printers)
    bare_shell.run_line_magic("load_ext", "jupyimg")
    assert traces(bare_shell) == (1, 1, True)
    for _ in range(3):
        bare_shell.run_line_magic("reload_ext", "jupyimg")
    assert traces(bare_shell) == (1, 1, True)
    bare_shell.run_line_magic("unload_ext", "jupyimg")
    assert traces(bare_shell) == (0, 0, False)
    assert bare_shell.display_formatter.formatters["text/html"].type_printers == before


def test_display_can_be_a_widget_for_a_whole_notebook(shell, samples):
    run(shell, "%config ImageMagics.display = 'widget'")
    table = run(shell, "%image images")
    assert hasattr(table, "selection")
    assert len(table.selection) == 0


# ---- corners


def test_a_cell_that_cleans_up_can_be_run_again(shell, samples):
    cell = "x = %image images sample/hello\n%image rmi {x}"
    assert len(run(shell, cell)) > 0
    again = run(shell, cell)
    assert (len(again), next(iter(again.columns))) == (0, "action")
    with pytest.raises(Misuse) as caught:
        run(shell, "%image inspect {x}")
    assert "no values" in caught.value.hint


def test_ids_alone_are_no_widget(shell, samples):
    run(shell, "%config ImageMagics.display = 'widget'")
    for line in ("images -q", "images --widget -q"):
        assert isinstance(run(shell, f"%image {line}"), pd.DataFrame)


@pytest.mark.parametrize(
    "line", ["images -f until=99999999999999999999h", "push --platform all x", "inspect -f {{.Id}} x"]
)
def test_more_lines_that_are_refused_in_a_sentence(shell, samples, line):
    with pytest.raises(Misuse) as caught:
        run(shell, f"%image {line}")
    assert caught.value.hint
