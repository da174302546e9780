"""What a check says when a task is not done yet: a table of sentences in each language, and the error that carries one.

A sentence has two halves: what is wrong, and what to try. The caller of a check may give the second half (``hint``).
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

from jupyimg.errors import Misuse

Language: TypeAlias = Literal["en", "zh"]

BETWEEN = {"en": ": ", "zh": "："}
TURN = {"en": "your turn", "zh": "轮到你了"}
NOT_RUN = {"en": "it did not run", "zh": "没有运行"}
SENTENCES: dict[str, dict[str, tuple[str, str]]] = {
    "no image": {
        "en": ("there is no image {name} here", "%image pull {name} fetches it, if it is in its registry"),
        "zh": ("本机还没有镜像 {name}", "如果它在仓库里，用 %image pull {name} 拉取"),
    },
    "no platform": {
        "en": ("{name} is not here for {platform}", "%image pull --platform {platform} {name} fetches that platform"),
        "zh": ("本机的 {name} 没有平台 {platform}", "用 %image pull --platform {platform} {name} 拉取该平台"),
    },
    "platforms": {
        "en": ("{name} should be here for {wanted}, and is for {held}", "%image rmi {name} and pull just those"),
        "zh": (
            "本机的 {name} 应当只有平台 {wanted}，现在有 {held}",
            "用 %image rmi {name} 删除后，只拉取这些平台",
        ),
    },
    "missing platforms": {
        "en": ("{name} is here without {missing}", "%image pull --platform all {name} fetches all of them"),
        "zh": ("本机的 {name} 还缺少平台 {missing}", "用 %image pull --platform all {name} 拉取所有平台"),
    },
    "other image": {
        "en": ("{target} is another image than {source}", "%image tag {source} {target} makes it a name of the same"),
        "zh": ("{target} 和 {source} 不是同一个镜像", "用 %image tag {source} {target} 给同一个镜像再起一个名字"),
    },
    "not pushed": {
        "en": ("the registry has no {name}", "%image push {name} sends it there"),
        "zh": ("仓库里还没有 {name}", "用 %image push {name} 推送"),
    },
    "pushed another": {
        "en": (
            "the registry has another image under {name} than {source}",
            "tag the right one, then push the name again",
        ),
        "zh": ("仓库里的 {name} 和 {source} 不是同一个镜像", "先给正确的镜像打上标签，再推送一次"),
    },
    "denied": {
        "en": ("the registry does not let you see {name}", "%image login {host} tells it who you are"),
        "zh": ("仓库不允许访问 {name}", "用 %image login {host} 登录"),
    },
    "no registry": {
        "en": ("nobody answers for {name} ({why})", "run the cell that serves the registry again"),
        "zh": ("{name} 所在的仓库没有应答（{why}）", "再运行一次启动仓库的单元格"),
    },
    "no archive": {
        "en": ("there is no archive {path}", "%image save -o {path} NAME writes one"),
        "zh": ("还没有归档文件 {path}", "用 %image save -o {path} 镜像名 写一个"),
    },
    "bad archive": {
        "en": ("{path} is no archive that can be loaded ({why})", "write it again with %image save -o {path} NAME"),
        "zh": ("{path} 不是能导入的归档文件（{why}）", "用 %image save -o {path} 镜像名 重新写一个"),
    },
    "not saved": {
        "en": ("the archive {path} holds {held}, not {name}", "%image save -o {path} takes several names at once"),
        "zh": ("归档文件 {path} 里有 {held}，没有 {name}", "%image save -o {path} 可以一次写多个名字"),
    },
    "still here": {
        "en": ("{name} is still here", "%image rmi {name} removes it"),
        "zh": ("{name} 还在本机", "用 %image rmi {name} 删除"),
    },
    "not pinned": {
        "en": ("{name} is not pinned", "%image pin {name} keeps it from every pruning"),
        "zh": ("{name} 还没有固定", "用 %image pin {name} 固定，清理时就不会删除它"),
    },
    "not answered": {
        "en": ("{what} has no value yet", "it is your turn in the cell above; run it, then this one"),
        "zh": ("{what} 还没有值", "轮到你了，请完成并运行上面的单元格，再运行这一个"),
    },
    "wrong answer": {
        "en": ("{what} is {value}, and that is not it", "look at the task and its hint once more"),
        "zh": ("{what} 是 {value}，不对", "再看看任务和提示"),
    },
    "no frame": {
        "en": (
            "{what} is a {type}, not a frame of %image {kind}",
            "keep what a line returns: {what} = %image {command} …",
        ),
        "zh": (
            "{what} 的类型是 {type}，不是 %image {kind} 的表格",
            "把一行的结果存下来，例如 {what} = %image {command} …",
        ),
    },
    "no column": {
        "en": ("{what} lacks the column {column}", "a frame of %image {kind} has it; do not select fewer"),
        "zh": ("{what} 缺少列 {column}", "%image {kind} 的表格有这一列，不要只选一部分列"),
    },
    "no row": {
        "en": ("{what} has no row whose {column} is {value}", "look at it, and at what the task asks for"),
        "zh": ("{what} 中没有 {column} 为 {value} 的行", "看看这个表格，再看看任务的要求"),
    },
    "rows": {
        "en": ("{what} has {found} rows, not {rows}", "look at it, and at what the task asks for"),
        "zh": ("{what} 有 {found} 行，应该是 {rows} 行", "看看这个表格，再看看任务的要求"),
    },
}
"""Each sentence by language: what is wrong, and what to try."""

_spoken: list[Language] = ["en"]


class NotYet(AssertionError):
    """A task is not done yet; one sentence says what is wrong and what to try."""

    def _render_traceback_(self) -> list[str]:
        """Let IPython show the sentence instead of a traceback through these checks."""
        return [f"{type(self).__name__}: {self}"]


def speak(lang: Language) -> None:
    """Choose the language of the sentences in this process: "en", as at the beginning, or "zh".

    Raises:
        Misuse: another language.
    """
    if lang not in get_args(Language):
        raise Misuse(f"the checks do not speak {lang!r}", hint=f"choose one of: {', '.join(get_args(Language))}")
    _spoken[0] = lang


def not_yet(sentence: str, hint: str = "", **values: Any) -> NotYet:
    """The error that says one of `SENTENCES`; ``hint`` stands in for its second half."""
    lang = _spoken[0]
    wrong, advice = (half.format_map(values) for half in SENTENCES[sentence][lang])
    return NotYet(f"{wrong}{BETWEEN[lang]}{hint or advice}")
