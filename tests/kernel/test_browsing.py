"""`%image browse` where no page is: a kernel that is run by a program, as nbclient, papermill and nbconvert do."""

from __future__ import annotations

import json

from tests.services.kernel import run_cells


def test_without_a_front_end_the_list_is_there_as_text_and_html(tmp_path):
    cells = run_cells(
        tmp_path,
        [
            "%load_ext jupyimg",
            "%image samples;",
            "%image browse",
            "x = %image browse\nprint(len(x.frame), len(x.selection), x.references)",
            "%image browse 127.0.0.1:1",
        ],
    )
    shown, kept, failed = cells[2:]
    assert shown.shown("text/plain")[0].startswith("REPOSITORY")
    assert "sample/web" in shown.shown("text/html")[0]
    assert len(shown.shown("text/html")) == 1
    assert len(json.dumps(shown.outputs)) < 50_000
    assert kept.stream() == "15 0 []\n"
    assert failed.error is not None
    assert failed.error[0] == "Unreachable"
