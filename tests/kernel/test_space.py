"""Disk space in a real kernel: a plan, the act, what stays, and what a failure still tells."""

from __future__ import annotations

from tests.services.kernel import run_cells


def test_prune_pin_and_df_in_a_kernel(tmp_path):
    cells = run_cells(
        tmp_path,
        [
            "%load_ext jupyimg",
            "%image samples;",
            "%image df",
            "%image df -v",
            "%image pin sample/web:1.0",
            "%image prune -a",
            "plan = %image prune -a;",
            "done = %image prune -a -f",
            "print(done.equals(plan), int(done.freed.sum()) > 0)\ndone",
            "left = %image images\nprint(sorted(set(left.reference)))",
            "%image rmi sample/web:1.0",
            "%image unpin sample/web:1.0",
            (
                "import jupyimg\n"
                "try:\n"
                "    %image rmi sample/web:1.0 missing\n"
                "except jupyimg.ImageError as error:\n"
                "    print(error.message)\n"
                "    print(jupyimg.frame(error.done).columns.tolist(), jupyimg.frame(error.done).freed.sum() > 0)"
            ),
            "%image prune -a -f",
        ],
    )
    _, _, df, verbose, pin, plan, _, _, done, left, kept, _, failed, nothing = cells
    assert [cell.error for cell in cells if cell.error and cell is not kept] == []
    html = df.shown("text/html")[0]
    assert "(100%)" in html
    assert "prune -a would really give back" in html  # the definition, over the column
    assert "reported" not in html.partition("more columns")[0]
    assert "Partial Downloads" in df.shown()[0]
    assert "unique" in verbose.shown("text/html")[0]
    assert "pinned" in pin.shown()[0]
    html = plan.shown("text/html")[0]
    assert "Nothing was removed yet: " in html
    assert "To remove it: %image prune -a -f" in html
    assert "would be untagged" in html
    assert done.stream() == "True True\n"
    assert "total reclaimed space: " in done.shown("text/html")[0]
    assert left.stream() == "['sample/web:1.0']\n"
    assert kept.error[0] == "Conflict"
    assert "%image unpin sample/web:1.0" in kept.traceback
    assert failed.stream().startswith("no such image: missing; removed all the same: sample/web:1.0")
    assert failed.stream().endswith("['action', 'reference', 'digest', 'freed'] True\n")
    assert "total reclaimed space: 0B" in nothing.shown("text/html")[0]


def test_what_went_is_shown_over_the_error_that_says_what_did_not(tmp_path):
    _, cell, none = run_cells(
        tmp_path,
        ["%load_ext jupyimg\n%image samples;", "%image rmi sample/web:1.0 missing", "%image rmi missing"],
    )
    assert cell.error[0] == none.error[0] == "ImageNotFound"
    assert "sample/web:1.0" in cell.shown("text/html")[0]
    assert "untagged" in cell.shown()[0]
    assert [output.output_type for output in cell.outputs] == ["display_data", "error"]
    assert none.shown() == []
