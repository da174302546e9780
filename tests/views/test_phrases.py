"""Every phrase of ours that a notebook shows has its Chinese, wherever it is made: in views, in scripts, below them."""

from __future__ import annotations

import ast
import re
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jupyimg.model.content import FREED, Phase, Step
from jupyimg.views import ledger, tongue, totals, twin
from jupyimg.views.chinese import COUNTED, SENTENCES, WORDS
from jupyimg.views.chinese_live import LIVE
from jupyimg.views.chinese_notes import NOTES
from jupyimg.views.chinese_scripts import SCRIPTED
from jupyimg.views.columns import FRAMES, Meaning
from jupyimg.views.explorer import Page
from jupyimg.views.ledger import Ledger
from jupyimg.views.login_form import Fields
from jupyimg.views.progress_html import to_html, to_text
from jupyimg.views.prune_form import Rows
from jupyimg.views.table import Sheet
from tests.test_house import OURS
from tests.views.samples import digest
from tests.views.test_html import Page as Parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.test_house import Module

CHINESE = re.compile(r"[\u4e00-\u9fff]")
PLACE = re.compile(r"\{\w+\}")
VIEWS = [module for module in OURS if module.floor == "views" and "chinese" not in module.name]
TELLING = [module for module in OURS if module.floor not in {"views", "testing"}]
SCRIPTS = Path(twin.__file__).parent / "scripts"
PAGES = {"login": Fields, "prune": Rows, "table": Sheet, "explorer": Page}
SAID = re.compile(r'\bsay\("((?:[^"\\]|\\.)*)"|\bspeaker\(model\)\("((?:[^"\\]|\\.)*)"')
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')
PROSE = re.compile(r"[A-Z][a-z]+(?:[ .…]|$)|[a-z]{2,} [a-z]{2,}")
NOT_SAID = ("jie", "jupyimg-", "tbody tr")
KEYS = {"ArrowDown", "ArrowUp", "ArrowLeft", "PageDown", "PageUp", "Home", "End", "Enter", "Escape", "Backspace"}


def literals(module: Module, node: ast.expr) -> Iterator[str]:
    """The texts that an argument may be: itself, either side of a choice, or all that its name was set to."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from literals(module, node.body)
        yield from literals(module, node.orelse)
    elif isinstance(node, ast.Name):
        for found in module.nodes():
            names = [target.id for target in getattr(found, "targets", []) if isinstance(target, ast.Name)]
            if isinstance(found, ast.Assign) and node.id in names and not isinstance(found.value, ast.Name):
                yield from literals(module, found.value)


def spoken(*names: str, at: int) -> Iterator[tuple[str, str]]:
    """Modules of views, and what they give to these functions as a phrase; one that is bound takes no language."""
    for module in VIEWS:
        from_markup = "jupyimg.views.markup.say" in {name for node in module.nodes() for name in module.imported(node)}
        for node in module.nodes():
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            bound = called in {"self._say", "told"} or (called == "say" and not from_markup)
            place = 0 if bound else at
            if (called in names or (bound and "tongue.say" in names)) and len(node.args) > place:
                yield from ((module.name, text) for text in literals(module, node.args[place]))


def test_every_sentence_of_views_is_known() -> None:
    said = [*spoken("tongue.say", at=1), *spoken("folded", at=2)]
    assert len(said) > 100
    assert not [each for each in said if each[1] not in SENTENCES | LIVE]


def test_every_thing_that_is_counted_is_known() -> None:
    counted = [*spoken("tongue.count", at=2)]
    assert counted
    assert not [each for each in counted if each[1] not in COUNTED]
    assert {*totals._NOUNS.values(), "repository"} <= COUNTED.keys()


def test_no_sentence_is_kept_that_nobody_says() -> None:
    texts = {
        node.value
        for module in OURS
        if "chinese" not in module.name
        for node in module.nodes()
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not [english for english in LIVE if english not in texts]


@pytest.mark.parametrize("table", [SENTENCES, LIVE, NOTES, *SCRIPTED.values()])
def test_a_phrase_says_nothing_that_is_not_in_its_english(table: dict[str, str]) -> None:
    for english, chinese in table.items():
        assert set(PLACE.findall(chinese)) <= set(PLACE.findall(english)) | {"{count}"}, english


def test_every_state_and_every_kind_is_known() -> None:
    states = {state for table in ledger._WORDS.values() for state in table.values()}
    said = {*states, *(phase.value.capitalize() for phase in (Phase.WAITING, Phase.FAILED)), *ledger._WORDS}
    said |= {*(outcome.value for outcome in ledger.Outcome), "layer", "config", "manifest", "index", "archive"}
    cells = {
        word
        for columns in FRAMES.values()
        for column in columns
        if column.meaning is Meaning.WORD
        for word in column.categories
    } - {"stdout", "stderr"}
    assert not (said | cells | FRAMES.keys()) - WORDS.keys()


@pytest.mark.parametrize("page", PAGES)
def test_what_a_script_says_is_what_it_is_told_in_chinese(page: str) -> None:
    script = re.sub(r"^\s*//.*$|/\*\*.*?\*/|(?<=[;{}(,]) // .*$", "", str(PAGES[page]._esm), flags=re.MULTILINE)
    assert {first or second for first, second in SAID.findall(script)} == SCRIPTED[page].keys()
    rest = SAID.sub("", script)
    texts = [first or second for first, second in LITERAL.findall(rest)]
    assert not [
        text for text in texts if PROSE.search(text) and not text.strip().startswith(NOT_SAID) and text not in KEYS
    ]


def test_english_needs_no_phrases_and_a_script_is_told_all_of_its_page() -> None:
    assert tongue.phrases("en", "explorer") == {}
    assert tongue.phrases("zh", "login")["Log in"] == "登录"


def notes() -> Iterator[tuple[str, str]]:
    """What is told on the way by all floors below, with something in each place."""
    for module in TELLING:
        for node in module.nodes():
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Step" and "Phase.NOTE" in ast.unparse(node):
                (text, *_) = [word.value for word in node.keywords if word.arg == "text"]
                if isinstance(text, ast.Constant):
                    yield module.name, text.value
                elif isinstance(text, ast.JoinedStr) and len(text.values) > 1:
                    yield (
                        module.name,
                        "".join(
                            str(getattr(part, "value", "")) if isinstance(part, ast.Constant) else "x1"
                            for part in text.values
                        ),
                    )


def test_every_note_on_the_way_is_known() -> None:
    made = [each for each in notes() if re.search(r"[a-z]{3}", each[1].replace("x1", ""))]
    unknown = [(module, text) for module, text in made if not CHINESE.search(tongue.note("zh", text))]
    # the places of these hold half of the sentence; what they become is tried below
    halves = {"Status: x1 x1", "x1 to empty string"}
    assert len(made) > 8
    assert not [each for each in unknown if each[1] not in halves]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("latest: Pulling from library/nginx", "latest：从 library/nginx 拉取"),
        ("Status: Downloaded newer image for nginx:1", "状态：已下载较新的镜像 nginx:1"),
        ("Status: Image is up to date for nginx:1", "状态：镜像 nginx:1 已是最新"),
        (
            "The image a:1 already exists, renaming the old one with ID 0123 to empty string",
            "镜像 a:1 已存在，ID 为 0123 的旧镜像不再有名称",
        ),
        ("1: digest: sha256:00 size: 527", "1：摘要：sha256:00 大小：527"),
        ("1 request to h:5000, none of which counts as a pull", "向 h:5000 请求了 1 次，均不计为拉取"),
        (
            "12 requests to h; 98 of 100 pulls in 6 hours are left",
            "向 h 请求了 12 次；6 小时内还可拉取 98 次（共 100 次）",
        ),
        ("the newest 1000 tags; --limit 0 gives all", "最新的 1000 个标签；--limit 0 列出全部"),
        (
            "Nothing was removed yet: 2 names would go (a:1, b:2), 5MB would be freed",
            "尚未移除任何内容：将移除 2 个名称（a:1, b:2），释放 5MB",
        ),
        ("To remove it: %image prune -a -f", "要移除，请运行：%image prune -a -f"),
        ("Serving the teaching images at 127.0.0.1:1, read-only", "正在 127.0.0.1:1 提供教学镜像（只读）"),
        ("Untagged: a:1", "已移除标签：a:1"),
        ("h:5000 answered 503: trying again", "h:5000 answered 503：正在重试"),
        ("a line of somebody else's; and another", "a line of somebody else's; and another"),
        ("{0.__class__}: made", "{0.__class__}：已生成"),
    ],
)
def test_a_note_is_known_by_its_shape_and_what_is_not_ours_stays(line: str, said: str) -> None:
    assert tongue.note("zh", line) == said
    assert tongue.note("en", line) == line


STEPS = [
    Step(Phase.NOTE, text="Using default tag: latest"),
    *(Step(Phase.WAITING, digest(str(at)), 0, 4_000_000, "layer") for at in range(4)),
    Step(Phase.EXISTS, digest("0"), 4_000_000, 4_000_000, "layer"),
    Step(Phase.DONE, digest("1"), 4_000_000, 4_000_000, "layer"),
    Step(Phase.MOVING, digest("2"), 1_000_000, 4_000_000, "layer"),
    Step(Phase.PAUSED, "h:5000", 12, 12),
]


def filled(kind: str, error: BaseException | None = None, *, ended: bool = False) -> Ledger:
    made = Ledger(kind, 0.0, lang="zh")
    for at, step in enumerate(STEPS):
        made.take(step)
        made.mark(at / 4)
    if ended:
        made.end(5.0, error)
    return made


def test_progress_is_said_whole() -> None:
    running = filled("pull")
    assert running.sentence(2.0) == "2/4 层，5MB/12MB (2.5MB/s)，剩余 2.8 s；h:5000 暂不接受更多请求：12 秒后继续"
    assert filled("pull", ended=True).sentence(5.0) == "4 层，其中 1 层已存在，传输 5MB，用时 5.0 s (1MB/s)"
    stopped = filled("push", KeyboardInterrupt(), ended=True)
    assert stopped.sentence(5.0) == "已中断：4 层中已完成 2 层，传输 5MB，用时 5.0 s (1MB/s)"
    counted = Ledger("tags", 0.0, lang="zh")
    counted.take(Step(Phase.MOVING, "repositories", 3, 3, "counted"))
    counted.take(Step(Phase.MOVING, "tags", 8, 15, "counted"))
    assert counted.sentence(1.0) == "3 个仓库，8/15 个标签"
    pruned = Ledger("prune", 0.0, lang="zh")
    pruned.take(Step(Phase.MOVING, "images", 1, 4, "counted"))
    pruned.take(Step(Phase.MOVING, FREED, 1_000_000, 4_000_000, FREED))
    assert pruned.sentence(3.0) == "1/4 个镜像，已释放 1MB/4MB，剩余 9.0 s"


@pytest.mark.parametrize(("kind", "ended"), [*product(["pull", "push", "load", "save", "copy"], [False, True])])
def test_progress_shows_no_word_of_english(kind: str, ended: bool) -> None:  # noqa: FBT001
    made = filled(kind, ended=ended)
    page = Parsed(to_html(made, 2.0))
    for text in (page.text, *page.titles, to_text(made, 2.0)):
        told = re.sub(r"[0-9a-f]{12,}|sha256:|latest|h:5000|[\d.]+ ?[kMG]?B(/s)?|[\d.]+ s\b", "", text)
        assert not re.search(r"[A-Za-z]{2,}", told), told
