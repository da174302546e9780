"""A terminal prints what went before it says what did not, as Docker does."""

from __future__ import annotations

from jupyimg.__main__ import main


def test_the_lines_of_what_went_come_before_the_error(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("JUPYIMG_HOME", str(tmp_path))
    assert main(["samples", "-q"]) == 0
    capsys.readouterr()
    assert main(["rmi", "sample/web:1.0", "missing"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("Untagged: sample/web:1.0\n")
    assert "jupyimg: no such image: missing; removed all the same: sample/web:1.0" in err
    assert main(["rmi", "missing"]) == 1
    assert capsys.readouterr().out == ""
