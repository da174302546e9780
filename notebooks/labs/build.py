"""Writes the labs, in English and Chinese, from one source each, so that both have the same code.

    python notebooks/labs/build.py

A source (``*.lab``) is blocks, each opened by a line that says what it is: ``--- en`` and ``--- zh`` are text in one
language; ``--- setup``, ``--- show``, ``--- solution`` and ``--- check`` are code, which becomes the cell's tag. Within
code, ``«English|中文»`` is a comment or a word in the language of the lab. A check ends by saying that it passed.
"""

import json
import re
from pathlib import Path

HERE = Path(__file__).parent
LANGUAGES = ("en", "zh")
TAGS = ("setup", "show", "solution", "check")
_BLOCK = re.compile(rf"^--- ({'|'.join((*LANGUAGES, *TAGS))})\n", re.MULTILINE)
PASSED = 'print("«✓ done|✓ 完成»")'
_TWO = re.compile(r"«([^|»]*)\|([^»]*)»")


def blocks(source: str) -> list[tuple[str, str]]:
    """The blocks of a source: what each is, and its text."""
    parts = _BLOCK.split(source)
    assert not parts[0].strip(), "a source begins with a block"
    return [(kind, text.strip("\n")) for kind, text in zip(parts[1::2], parts[2::2], strict=True)]


def notebook(source: str, lang: str) -> dict:
    """A lab in one language, as a notebook of format 4 without outputs."""
    cells, count = [], {}
    for kind, said in blocks(source):
        if kind in LANGUAGES and kind != lang:
            continue
        name = "text" if kind == lang else kind
        count[name] = count.get(name, 0) + 1
        text = f"{said}\n{PASSED}" if kind == "check" and "print(" not in said else said
        lines = _TWO.sub(rf"\{LANGUAGES.index(lang) + 1}", text).splitlines(keepends=True)
        cell = {"cell_type": "markdown", "id": f"{name}-{count[name]}", "metadata": {}, "source": lines}
        if kind in TAGS:
            cell |= {"cell_type": "code", "execution_count": None, "metadata": {"tags": [kind]}, "outputs": []}
        cells.append(dict(sorted(cell.items())))
    metadata = {
        "jupyimg": {"lang": lang},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def labs() -> dict[Path, str]:
    """Every lab's place and text."""
    return {
        HERE.parent / lang / f"{path.stem}.ipynb": json.dumps(
            notebook(path.read_text(), lang), ensure_ascii=False, indent=1
        )
        + "\n"
        for path in sorted(HERE.glob("*.lab"))
        for lang in LANGUAGES
    }


if __name__ == "__main__":
    for path, text in labs().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
