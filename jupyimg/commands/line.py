"""From a line in a notebook to words: splitting and expansion.

The rules, in the order in which they meet a character (see `words`):

- white space parts words; ``'…'`` protects everything in it; ``"…"`` protects spaces but still expands;
- ``{{…}}`` passes as it stands; ``{expr}`` is a Python expression, kept whole with its quotes, brackets and spaces;
  ``$name`` is a variable, ``$$`` a dollar;
- a backslash takes the next character as it is (on Windows it is itself, since paths need it);
- a word that begins with ``#`` begins a comment; ``;`` at the end silences; ``|`` and a ``;`` in the middle belong to a
  shell and are refused.

Expansion comes after splitting, so a value with spaces stays one word. A word that is one expression whose value is a
list, a Series or another series of values becomes as many words.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, SupportsIndex

from jupyimg.errors import Misuse, UndefinedName

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_PAIRS = {"(": ")", "[": "]", "{": "}"}


class Expanded(str):
    """A word that held an expression, so that what it says is not what was typed; nor is a part of it."""

    __slots__ = ()

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        return Expanded(super().__getitem__(key))

    def split(self, sep: str | None = None, maxsplit: SupportsIndex = -1) -> list[str]:
        """As text is split: click parts ``--option={value}`` that way."""
        return [Expanded(part) for part in super().split(sep, maxsplit)]


class Nothing(Expanded):
    """The place of a list that was empty."""

    __slots__ = ()


@dataclass(slots=True)
class Word:
    """One word before expansion: pieces of text, and expressions to be worked out."""

    pieces: list[tuple[str, str]] = field(default_factory=list)  # ("text" | "expr", what)

    def text(self, char: str) -> None:
        if self.pieces and self.pieces[-1][0] == "text":
            char = self.pieces.pop()[1] + char
        self.pieces.append(("text", char))

    def expr(self, source: str) -> None:
        self.pieces.append(("expr", source))


@dataclass(slots=True)
class Line:
    """A line taken apart; ``silent`` where it ended in a semicolon."""

    words: list[Word]
    silent: bool = False


def words(line: str, names: Mapping[str, Any]) -> tuple[list[str], bool]:
    """The words of a line, expanded, and whether it asked for silence.

    Args:
        line: what stands after ``%image``.
        names: variables of the notebook, those of the calling function first.

    Raises:
        Misuse: an open quote or brace, a pipe, a semicolon in the middle, or an expression that fails.
        UndefinedName: a variable that is not there.
    """
    parted = split(line)
    return [text for word in parted.words for text in _expand(word, names)], parted.silent


def split(line: str, *, windows: bool = os.name == "nt") -> Line:
    """Part a line into words without expanding them.

    Raises:
        Misuse: see `words`.
    """
    return _Splitter(line, windows=windows).run()


class _Splitter:
    def __init__(self, line: str, *, windows: bool) -> None:
        self.line = line
        self.windows = windows
        self.at = 0
        self.found: list[Word] = []
        self.word: Word | None = None
        self.silent = False

    def run(self) -> Line:
        while self.at < len(self.line):
            char = self.line[self.at]
            if char.isspace():
                self.word = None
                self.at += 1
            elif char == "#" and self.word is None:
                break
            elif char in "|;":
                self._shell(char)
                break
            else:
                self._take(char, self._current())
        return Line(self.found, self.silent)

    def _current(self) -> Word:
        if self.word is None:
            self.word = Word()
            self.found.append(self.word)
        return self.word

    def _take(self, char: str, word: Word) -> None:
        if char == "'":
            end = self.line.find("'", self.at + 1)
            if end < 0:
                raise Misuse("a ' is not closed", hint="close it, or put the text in double quotes")
            word.text(self.line[self.at + 1 : end])
            self.at = end + 1
        elif char == '"':
            self._quoted(word)
        elif char == "\\" and not self.windows:
            word.text(self.line[self.at + 1 : self.at + 2])
            self.at += 2
        else:
            self._plain(char, word)

    def _quoted(self, word: Word) -> None:
        word.text("")
        self.at += 1
        while self.at < len(self.line):
            char = self.line[self.at]
            if char == '"':
                self.at += 1
                return
            if char == "\\" and self.line[self.at + 1 : self.at + 2] in {'"', "\\", "$"}:
                word.text(self.line[self.at + 1])
                self.at += 2
            else:
                self._plain(char, word)
        raise Misuse('a " is not closed', hint="close it, or put a \\ before it")

    def _plain(self, char: str, word: Word) -> None:
        if char == "{" and self.line.startswith("{{", self.at):
            end = self.line.find("}}", self.at)
            end = len(self.line) if end < 0 else end + 2
            word.text(self.line[self.at : end])
            self.at = end
        elif char == "{":
            end = _closing(self.line, self.at)
            word.expr(self.line[self.at + 1 : end])
            self.at = end + 1
        elif char == "$" and (match := _NAME.match(self.line, self.at + 1)):
            word.expr(match[0])
            self.at = match.end()
        else:
            word.text(char)
            self.at += 2 if char == "$" and self.line.startswith("$$", self.at) else 1

    def _shell(self, char: str) -> None:
        rest = self.line[self.at + 1 :].strip()
        if char == ";" and (not rest or rest.startswith("#")):
            self.silent = True
        elif char == ";":
            raise Misuse("a line holds one command, and ; ends it", hint="write the rest on a line of its own")
        else:
            raise Misuse("there is no | here", hint="the result is data: x = %image …, then go on with x in Python")


def _closing(line: str, start: int) -> int:
    """Where the brace that opens at ``start`` closes: brackets balanced, strings skipped."""
    open_: list[str] = []
    at = start
    while at < len(line):
        char = line[at]
        if char in "'\"":
            end = line.find(char, at + 1)
            while end > 0 and line[end - 1] == "\\":
                end = line.find(char, end + 1)
            if end < 0:
                break
            at = end
        elif char in _PAIRS:
            open_.append(_PAIRS[char])
        elif open_ and char == open_[-1]:
            open_.pop()
            if not open_:
                return at
        at += 1
    raise Misuse("a { is not closed", hint="close it; {{ stands for itself, and so does everything in '…'")


def _expand(word: Word, names: Mapping[str, Any]) -> list[str]:
    if len(word.pieces) == 1 and word.pieces[0][0] == "expr":
        source = word.pieces[0][1]
        return [Expanded(_as_text(item, source)) for item in _series(_value(source, names))] or [Nothing()]
    parts = []
    for kind, what in word.pieces:
        if kind == "text":
            parts.append(what)
        else:
            value = _value(what, names)
            if _is_series(value):
                raise Misuse(f"{{{what}}} is several values in the middle of a word", hint="let it stand alone")
            parts.append(_as_text(value, what))
    text = "".join(parts)
    return [Expanded(text) if any(kind == "expr" for kind, _ in word.pieces) else text]


def _value(source: str, names: Mapping[str, Any]) -> Any:
    if not source.strip():
        raise Misuse("there is nothing between { and }", hint="{{ stands for itself, and so does everything in '…'")
    try:
        # One dictionary, not globals and locals: a comprehension inside the expression sees only globals.
        return eval(source.strip(), dict(names))  # noqa: S307 - the user's own notebook
    except NameError as error:
        missing = getattr(error, "name", None) or source.strip()
        raise UndefinedName(
            f"there is no name {missing!r} in this notebook",
            hint="run the cell that defines it, or put what stands for itself into '…'",
        ) from None
    except Exception as error:  # noqa: BLE001 - whatever the user's expression raises is the user's
        raise Misuse(
            f"{{{source}}} failed: {type(error).__name__}: {error}",
            hint="what stands in {…} is Python, worked out before the line runs; '…' keeps it as it is",
        ) from None


def _is_series(value: Any) -> bool:
    return (isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))) or hasattr(value, "columns")


def _series(value: Any) -> list[Any]:
    """A value as the words it stands for: a frame is its references, or its only column."""
    columns = getattr(value, "columns", None)
    if columns is not None:
        if "reference" in columns:
            value = value["reference"]
        elif len(columns) == 1:
            value = value[columns[0]]
        else:
            raise Misuse("a frame of several columns is no list of names", hint='choose one: {x["reference"]}')
    if hasattr(value, "dropna"):
        value = value.dropna()
    return list(value) if _is_series(value) else [value]


def _as_text(value: Any, source: str) -> str:
    if value is None:
        raise Misuse(f"{{{source}}} is None", hint="it should be text, a number or a list of them")
    return str(value)
