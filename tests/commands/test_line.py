"""What a line becomes: splitting first, expansion after."""

from __future__ import annotations

import contextlib

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.commands.line import Expanded, split, words
from jupyimg.errors import Misuse, UndefinedName

FRAME = pd.DataFrame({"reference": ["nginx:1", "nginx:2"], "size": [5, 2_000_000_000]})
NAMES = {
    "tag": "1.22",
    "name": "nginx",
    "spaced": "a b",
    "refs": ["x:1", "y:2"],
    "x": FRAME,
    "old": FRAME,
    "n": 3,
    "none": None,
    "wanted": {"y:2"},
}


@pytest.mark.parametrize(("line", "expected"), [
    ("pull nginx", ["pull", "nginx"]),
    ("  pull   nginx  ", ["pull", "nginx"]),
    ("", []),
    ("pull nginx:{tag}", ["pull", "nginx:1.22"]),
    ("pull $name:$tag", ["pull", "nginx:1.22"]),
    ("pull {name}:{tag}", ["pull", "nginx:1.22"]),
    ("x '{tag}' '$name'", ["x", "{tag}", "$name"]),
    ('x "{tag} $name"', ["x", "1.22 nginx"]),
    ("x {spaced}", ["x", "a b"]),
    ('x -f "label=a b"', ["x", "-f", "label=a b"]),
    ("x -f label='a b'", ["x", "-f", "label=a b"]),
    ("x --format '{{.Id}}'", ["x", "--format", "{{.Id}}"]),
    ("x --format {{.Id}}", ["x", "--format", "{{.Id}}"]),
    ("x --format {{.Id}}:{tag}", ["x", "--format", "{{.Id}}:1.22"]),
    ("rmi {refs}", ["rmi", "x:1", "y:2"]),
    ('rmi {old["reference"]}', ["rmi", "nginx:1", "nginx:2"]),
    ('rmi {x[x["size"] > 1e9]["reference"]}', ["rmi", "nginx:2"]),
    ("rmi {x}", ["rmi", "nginx:1", "nginx:2"]),
    ("rmi {[r for r in refs if r in wanted]}", ["rmi", "y:2"]),
    ("x {n}", ["x", "3"]),
    ("x {'}'}", ["x", "}"]),
    ('x {"a b"}', ["x", "a b"]),
    ("x {dict(a={1: 2})['a'][1]}", ["x", "2"]),
    ("x # a comment", ["x"]),
    ("x #a;b|c", ["x"]),
    ("x a#b", ["x", "a#b"]),
    ("x '#' y", ["x", "#", "y"]),
    (r"x a\ b", ["x", "a b"]),
    (r"x \{tag\}", ["x", "{tag}"]),
    ("x $$name", ["x", "$name"]),
    ("x $", ["x", "$"]),
    ("x ''", ["x", ""]),
    ('x ""', ["x", ""]),
    ("x a'b c'd", ["x", "ab cd"]),
    ("x ';' '|'", ["x", ";", "|"]),
])  # fmt: skip
def test_words(line, expected):
    assert words(line, NAMES) == (expected, False)


@pytest.mark.parametrize("line", ["images;", "images ;", "images ; # quietly"])
def test_a_semicolon_at_the_end_silences(line):
    assert words(line, {}) == (["images"], True)


@pytest.mark.parametrize(("line", "why"), [
    ("images | head", "no |"),
    ("images|head", "no |"),
    ("images; y = 1", "one command"),
    ("x 'open", "not closed"),
    ('x "open', "not closed"),
    ("x {open", "not closed"),
    ("x {a['}", "not closed"),
    ("x {}", "nothing"),
    ("x {none}", "None"),
    ("x {1/0}", "ZeroDivisionError"),
    ("x {tag!r}", "SyntaxError"),
    ("x a{refs}", "several values"),
    ('x {x[["size", "size"]]}', "several columns"),
])  # fmt: skip
def test_what_cannot_be_a_line_is_refused_with_a_hint_or_the_cause(line, why):
    with pytest.raises(Misuse, match=why.replace("|", r"\|")):
        words(line, NAMES)


@pytest.mark.parametrize("line", ["push app:{tga}", "push app:$tga", "x {tga + 1}", "x {[tga for _ in refs]}"])
def test_an_undefined_name_is_an_error_and_never_text(line):
    with pytest.raises(UndefinedName, match="tga"):
        words(line, NAMES)


def test_a_backslash_is_itself_on_windows():
    line = split(r"load -i C:\tmp\x.tar", windows=True)
    assert line.words[-1].pieces == [("text", r"C:\tmp\x.tar")]


@given(st.text(st.characters(exclude_characters="'"), max_size=30))
def test_single_quotes_protect_everything(text):
    assert words(f"x '{text}'", {}) == (["x", text], False)


@given(st.lists(st.from_regex(r"[a-z0-9:/@._=-]+", fullmatch=True), max_size=6))
def test_plain_words_come_through_as_they_are(plain):
    assert words(" ".join(plain), {}) == (plain, False)


@given(st.text(max_size=30))
def test_any_line_is_words_or_one_of_our_errors(text):
    with contextlib.suppress(Misuse):
        words(text, {})


def test_what_is_cut_from_a_filled_in_word_was_not_typed_either():
    (word,), _ = words("--password={pw}", {"pw": "a=b"})
    assert isinstance(word, Expanded)
    parts = word.split("=", 1)
    assert parts == ["--password", "a=b"]
    assert all(isinstance(part, Expanded) for part in (*parts, word[2:], word[0]))
    (typed,), _ = words("--password=a", {})
    assert not isinstance(typed, Expanded)
