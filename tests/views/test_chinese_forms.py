"""Forms, the explorer, jobs and lines of outcome in Chinese, without a browser; a terminal stays as Docker has it."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import pytest

from jupyimg import views
from jupyimg.commands.jobs import Jobs
from jupyimg.errors import StillRunning
from jupyimg.model.content import Phase, Step
from jupyimg.model.records import RepositoryRecord
from jupyimg.model.running import ServerRecord
from jupyimg.views import Answer, LoginAsk, PruneAsk, tongue
from jupyimg.views import explorer as room
from jupyimg.views.explorer import Explorer
from jupyimg.views.following import KernelLines
from jupyimg.views.outcome import outcome
from jupyimg.views.progress_detached import DetachedProgress
from tests.views import test_forms
from tests.views.samples import digest, image, removal, transfer
from tests.views.test_explorer import Place, Talk, seen

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from jupyimg.model.records import RemovalRecord


def zh(answer: Answer) -> Any:
    return views.to_notebook(answer, lang="zh")


def test_a_login_form_says_in_chinese_what_happened() -> None:
    ask = LoginAsk(server="r.example", login=test_forms.Registry().login, without="%image x")
    form = zh(Answer(kind="login", records=[], form=ask))
    assert form.widget.phrases == tongue.phrases("zh", "login")
    assert repr(form) == "请用表单登录 r.example；无法填写表单时运行：%image x"
    test_forms.typed(form, test_forms.SECRET)
    assert form.widget.lines == ["已以 ada 的身份登录。", "WARNING! kept as it is"]
    assert repr(form) == "登录成功：r.example"


def test_a_prune_preview_says_in_chinese_what_goes_and_what_went() -> None:
    freed = [removal(reference="nginx:latest"), removal(action="deleted", reference=None, freed=5_000_000)]

    def going() -> Generator[Step, None, Sequence[RemovalRecord]]:
        yield Step(Phase.MOVING, "images", 1, 1, "counted")
        return freed[1:]

    ask = PruneAsk(
        images=[image(), image(platform="linux/arm64")],
        plan=lambda only: freed if only else [],
        act=lambda _: going(),
        without="%image prune -f",
        more="%image prune -a --widget",
    )
    form = zh(Answer(kind="prune --dry-run", records=[], form=ask))
    assert form.widget.told["lines"] == ["请勾选要移除的镜像。", "有名称的镜像：%image prune -a --widget"]
    assert form.widget.rows[0]["cells"][0] == "nginx:latest（2 个平台）"
    assert form.widget.rows[0]["titles"][3] == "压缩后 145,800,246 字节"
    form.widget.ticked = [0]
    assert form.widget.told["button"] == "移除 1 个镜像，释放 5MB"
    form.widget._handle_custom_msg({"do": "confirm", "ticked": [0]}, [])
    assert form.widget.told["lines"] == [
        "显示之后情况有变：释放了 5MB，而不是 5MB；未移除：nginx:latest。",
        "释放了 5MB（精确为 5,000,000 字节）。",
    ]
    assert form.result is not None
    assert form.result.attrs["jupyimg"]["lang"] == "zh"


def test_what_was_done_and_what_is_served_is_said_in_chinese() -> None:
    rows = [removal(reference=f"a:{at}") for at in range(9)]
    assert outcome(Answer(kind="rmi", records=rows), "zh").splitlines()[7:] == [
        "已移除标签：a:7",
        "… 另有 1 行",
        "移除 9 个标签，删除 0 项，释放 0B",
    ]
    assert outcome(Answer(kind="pull", records=[transfer()]), "zh").startswith("已下载：nginx:latest\n1 个镜像")
    record = ServerRecord(address="127.0.0.1:5000", store="s", what="the local store", running=True, read_only=True)
    served = zh(Answer(kind="serve", records=[record]))
    assert repr(served).splitlines()[:2] == [
        "正在 127.0.0.1:5000 提供本地存储（只读）",
        "  %image pull 127.0.0.1:5000/NAME",
    ]
    assert "提供本地存储" in served._repr_html_()
    assert "Serving the local store" in views.to_text(Answer(kind="serve", records=[record]))


def test_an_explorer_tells_its_page_in_chinese() -> None:
    port = Place(looking=seen(), doing=Answer(kind="pull", records=[transfer()]))
    notes = ("the newest 10 tags; --limit 0 gives all",)
    talk = Talk(Answer(kind="images", records=[image(dangling=True)], notes=notes, port=port), "zh")
    told = talk.ask("rows")
    assert (told["place"], told["notes"]) == ("本机镜像", ["最新的 10 个标签；--limit 0 列出全部"])
    assert told["rows"][0][6].endswith("前")
    assert told["rows"][0][7] == "dangling"  # by which the page filters; what it shows for it is its own
    looked = talk.ask("look", key=told["rows"][0][0])
    texts = [*looked["summary"][1:], *(line["note"] for line in looked["lines"].values())]
    texts += [key for key, _ in (*looked["facts"], *looked["config"])]
    assert not [text for text in texts if not re.search("[\u4e00-\u9fff]", text)]
    assert talk.ask("look", key="?")["text"] == "此行已不存在"
    assert talk.ask("do", line="%image pull nginx")["text"].startswith("已下载：")


def test_another_language_is_another_explorer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_explorers", {})
    answer = Answer(kind="catalog", records=[RepositoryRecord(repository="a")], port=Place("h"))
    english, chinese = room.explorer(answer), room.explorer(answer, "zh")
    assert english is not chinese
    assert room.explorer(answer, "zh") is chinese
    assert isinstance(chinese, Explorer)
    assert (english.widget.phrases, chinese.widget.phrases) == ({}, tongue.phrases("zh", "explorer"))


def test_a_job_speaks_chinese_and_its_error_english() -> None:
    def steps() -> Generator[Step, None, Answer]:
        for at in range(100_000):
            yield Step(Phase.MOVING, digest("x"), at, 4_000_000, "layer")
        return Answer(kind="pull", records=[transfer()])

    job = Jobs().start("pull nginx", steps(), DetachedProgress("pull", lang="zh"))
    with pytest.raises(StillRunning, match="job 1 is not over yet: 0 of 1 layer, "):
        job.wait(0)
    assert repr(job).startswith("任务 1：pull nginx（运行中）：0/1 层，")
    job.cancel()
    assert repr(job).startswith("任务 1：pull nginx（已中断）：已中断：1 层中已完成 0 层")


def test_the_frame_of_a_job_is_in_the_language_of_its_cell() -> None:
    def steps() -> Generator[Step, None, Answer]:
        yield Step(Phase.IDLE)
        return Answer(kind="pull", records=[transfer()])

    made = Jobs().start("pull nginx", steps(), DetachedProgress("pull", lang="zh")).wait(10)
    assert made.attrs["jupyimg"]["lang"] == "zh"


def test_a_log_that_is_followed_says_in_chinese_how_many_lines_there_are() -> None:
    lines = KernelLines("zh")
    lines.changed(Step(Phase.NOTE, item="stdout", text="Digest: hello"))
    assert lines._text() == "Digest: hello\n目前 1 行；中断内核即可停止"


def test_a_log_and_a_terminal_stay_as_docker_has_them() -> None:
    file = io.StringIO()
    with views.progress("log", "pull", file=file, lang="zh") as show:
        show(Step(Phase.NOTE, text="Using default tag: latest"))
        show(Step(Phase.DONE, digest("x"), 1, 1, "layer"))
    assert file.getvalue().splitlines() == ["Using default tag: latest", f"{digest('x').short}: Pull complete"]
