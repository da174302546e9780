"""df.oci in a notebook: what a frame runs for its user, and the language around what it shows."""

from __future__ import annotations

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from jupyimg.errors import BadReference, ImageNotFound, Misuse
from jupyimg.views import Answer
from jupyimg.views.dispatch import line
from jupyimg.views.frames import frame
from tests.services import synthetic
from tests.views.samples import image, step


def run(shell, code):
    result = shell.run_cell(code)
    if result.error_in_exec:
        raise result.error_in_exec
    return result.result


def html(shell, value):
    return shell.display_formatter.format(value)[0]["text/html"]


def test_layers_of_images_count_a_shared_one_once(shell, samples):
    frame = run(shell, "x = %image images sample/web\nx[x['platform'] == 'linux/amd64'].oci.layers()")
    assert set(frame["reference"]) == {"sample/web:1.0", "sample/web:1.1", "sample/web:latest"}
    assert set(frame["platform"]) == {"linux/amd64"}
    web = frame[frame["reference"] == "sample/web:1.1"]
    assert web["created_by"].iloc[0].startswith("ADD rootfs")  # from the base up
    once = frame.drop_duplicates("layer_digest")["compressed"].sum()
    assert frame.oci.total() == once < frame["compressed"].sum()
    assert "layers" in html(shell, frame)


def test_layers_of_a_history_are_its_rows_that_have_one(shell, samples):
    history = run(shell, "%image history sample/web:1.0")
    layers = history.oci.layers()
    assert list(layers["layer_digest"]) == list(history[~history["empty"]]["layer_digest"][::-1])
    assert list(layers.columns) == [
        "reference",
        "platform",
        "created_by",
        "size",
        "compressed",
        "layer_digest",
        "diff_id",
    ]


def test_layers_of_nothing_are_an_empty_frame(shell, samples):
    frame = run(shell, "x = %image images\nx[x['size'] < 0].oci.layers()")
    assert len(frame) == 0
    assert frame["compressed"].dtype == "Int64"
    assert frame.oci.total() == 0


def test_a_tree_has_repositories_tags_and_platforms(shell, samples):
    tree = run(shell, "x = %image images\nx.oci.tree()")
    lines = repr(tree).splitlines()
    assert lines[:4] == ["sample/base", "└── 1.0", lines[2], lines[3]]
    assert lines[2].startswith("    ├── linux/amd64  ")
    assert "names" in lines[-1]
    shown = tree._repr_html_()
    assert shown.count("<details") == 4
    assert "linux/arm/v7" in shown


def test_pull_takes_what_the_rows_name_each_once(shell, registry):
    for name in ("1.0", "1.1"):
        synthetic.push(registry, "team/app", name, synthetic.make_image(labels={"v": name}))
    pulled = run(shell, f"t = %image tags {registry.reference('team/app')}\nt.oci.pull()")
    assert sorted(pulled["reference"]) == [registry.reference(f"team/app:{tag}") for tag in ("1.0", "1.1")]
    assert set(pulled["status"]) == {"downloaded"}
    assert "2 images" in html(shell, pulled)
    assert len(run(shell, "t.oci.layers()")) == len(run(shell, "x = %image images\nx.oci.layers()"))
    assert len(run(shell, "t[t['tag'] == 'none'].oci.pull()")) == 0


def test_a_pull_that_fails_is_the_lines_own_error(shell):
    frame_ = frame(Answer(kind="images", records=[image(reference="127.0.0.1:9/app:1")]))
    with pytest.raises(Exception, match=r"127\.0\.0\.1:9"):
        frame_.oci.pull()


@pytest.mark.parametrize("name", ["{print('run')}", "$HOME", "--help", "a b", "x'; y", "$(id)"])
def test_a_name_from_outside_is_a_name_or_refused(shell, name, capsys):
    with pytest.raises(BadReference):
        frame(Answer(kind="images", records=[image(reference=name)])).oci.pull()
    assert "run" not in capsys.readouterr().out


def test_an_image_that_has_gone_is_said(shell):
    with pytest.raises(ImageNotFound):
        frame(Answer(kind="images", records=[image()])).oci.layers()


def test_explore_is_the_table(shell, samples):
    table = run(shell, "x = %image images\nx.oci.explore()")
    assert len(table.frame) == 13
    assert hasattr(table, "selection")


def test_where_there_is_no_notebook_it_says_what_to_do():
    InteractiveShell.clear_instance()
    with pytest.raises(Misuse, match="works where %image does") as caught:
        frame(Answer(kind="images", records=[image()])).oci.pull()
    assert "jupyimg.connect()" in caught.value.hint


@pytest.mark.parametrize(
    ("kind", "records", "method", "why"),
    [
        ("history", [step()], "pull", "not for a frame of 'history'"),
        ("df", [], "tree", "not for a frame of 'df'"),
        ("search", [], "layers", "not for a frame of 'search'"),
    ],
)
def test_a_frame_that_has_no_such_thing_says_so(kind, records, method, why):
    with pytest.raises(AttributeError, match=why):
        getattr(frame(Answer(kind=kind, records=records)).oci, method)()


def test_a_frame_that_lacks_columns_names_them():
    made: pd.DataFrame = frame(Answer(kind="images", records=[image()]))[["repository", "size"]]
    with pytest.raises(AttributeError, match="the columns reference are needed"):
        made.oci.pull()


def test_a_line_is_quoted():
    assert line("pull", "nginx") == "pull nginx:latest"
    assert line("history", "sha256:" + "a" * 64) == "history sha256:" + "a" * 64
    assert line("pull", "nginx", platform="all") == "pull --platform all nginx:latest"


def test_lang_changes_heads_and_no_column(shell, samples):
    run(shell, "%config ImageMagics.lang = 'zh'")
    made = run(shell, "x = %image images\nx")
    assert list(made.columns)[:2] == ["repository", "tag"]
    assert ">仓库<" in html(shell, made)
    assert "个镜像" in html(shell, made)
    assert "构建于" in html(shell, run(shell, "%image inspect sample/web:1.0"))
    run(shell, "%config ImageMagics.lang = 'en'")
    assert ">repository<" in html(shell, run(shell, "%image images"))


@pytest.mark.parametrize(
    ("variables", "head"),
    [
        ({}, "repository"),
        ({"LANG": "zh_CN.UTF-8"}, "仓库"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "repository"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_TW.UTF-8"}, "仓库"),
        ({"LANG": "zh_CN.UTF-8", "JUPYIMG_LANG": "en"}, "repository"),
        ({"JUPYIMG_LANG": "zh"}, "仓库"),
    ],
)
def test_the_locale_decides_unless_something_else_does(bare_shell, home, monkeypatch, variables, head):
    for name in ("LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    bare_shell.run_line_magic("load_ext", "jupyimg")
    try:
        assert f">{head}<" in html(bare_shell, run(bare_shell, "%image images"))
    finally:
        bare_shell.run_line_magic("unload_ext", "jupyimg")
