"""What stands around the data is English or Chinese; the data and its columns are the same in both."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta

import pytest

from jupyimg.model.records import Status
from jupyimg.views import Answer, tongue
from jupyimg.views.chinese import SENTENCES, WORDS
from jupyimg.views.chinese_columns import HEADINGS, MEANINGS
from jupyimg.views.columns import FRAMES
from jupyimg.views.frames import frame
from jupyimg.views.html import to_html, to_text
from tests.views.samples import HOSTILE, NOW, digest, image, removal, step, transfer
from tests.views.test_html import Page

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"\b(?:image|layer|step|name|row|tag|freed|transferred|columns)s?\b")
ANSWERS = {
    "images": [image(), image(reference="my-nginx:v1", tag="v1")],
    "history": [step(), step(empty=False, size=2_000_000, compressed=1_000_000, layer_digest=digest("l"))],
    "pull": [transfer()],
    "rmi": [removal(), removal(action="deleted", reference=None, freed=5_000_000)],
    "prune": [],
}


@pytest.mark.parametrize("kind", FRAMES)
def test_every_column_has_a_heading_and_a_meaning_in_chinese(kind: str) -> None:
    assert all(column.name in HEADINGS and column.says in MEANINGS for column in FRAMES[kind])
    assert len({HEADINGS[column.name] for column in FRAMES[kind]}) == len(FRAMES[kind])


@pytest.mark.parametrize("kind", ANSWERS)
def test_heads_and_feet_are_chinese_and_columns_are_not(kind: str) -> None:
    made = frame(Answer(kind=kind, records=ANSWERS[kind]), "zh")
    page = Page(to_html(made) or "")
    assert list(made.columns) == [column.name for column in FRAMES[kind]]
    assert all(CHINESE.search(head) for head in page.rows[0])
    foot = page.text.rpartition("数据中的其他列")[0] or page.text
    assert CHINESE.search(foot)
    assert all(CHINESE.search(head) or head in {"A", "B"} for head in page.rows[0])
    assert f"列名 {made.columns[0]}：" in "".join(page.titles) or f"列名 {made.columns[1]}：" in "".join(page.titles)


@pytest.mark.parametrize("kind", FRAMES)
def test_an_empty_result_says_so_in_chinese(kind: str) -> None:
    html = to_html(frame(Answer(kind=kind, records=[]), "zh")) or ""
    foot = re.sub(r"<[^>]*>", " ", html.rpartition("</table>")[2]).partition("数据中的其他列")[0]
    assert not ENGLISH.search(foot)


def test_a_foot_counts_in_chinese() -> None:
    html = to_html(frame(Answer(kind="images", records=ANSWERS["images"]), "zh")) or ""
    assert "2 个名称，1 个镜像，72.9MB" in html
    html = to_html(frame(Answer(kind="pull", records=ANSWERS["pull"]), "zh")) or ""
    assert "1 个镜像，传输 72.9MB，用时 3.0 s (24.3MB/s)" in html
    assert "已下载" in html


def test_text_is_aligned_with_wide_characters() -> None:
    lines = (to_text(frame(Answer(kind="pull", records=ANSWERS["pull"]), "zh")) or "").splitlines()
    # a Chinese character takes two columns: four of them stand before the status
    assert lines[0].startswith("引用" + " " * 11 + "状态")
    assert lines[1].startswith("nginx:latest   已下载")


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(), "不到 1 秒前"),
        (timedelta(seconds=1), "1 秒前"),
        (timedelta(seconds=30), "30 秒前"),
        (timedelta(minutes=1), "约 1 分钟前"),
        (timedelta(minutes=5), "5 分钟前"),
        (timedelta(hours=1), "约 1 小时前"),
        (timedelta(hours=5), "5 小时前"),
        (timedelta(days=6), "6 天前"),
        (timedelta(days=21), "3 周前"),
        (timedelta(days=200), "6 个月前"),
        (timedelta(days=2000), "5 年前"),
    ],
)
def test_an_age_has_dockers_steps(span: timedelta, said: str) -> None:
    assert tongue.age("zh", NOW - span, NOW) == said


def test_every_sentence_keeps_its_names() -> None:
    for english, chinese in SENTENCES.items():
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", chinese)), english


def test_every_status_is_known() -> None:
    assert {str(status) for status in Status} <= WORDS.keys()


def test_outside_text_is_never_a_template() -> None:
    record = dataclasses.replace(transfer(), status="{0.__class__}")
    assert "{0.__class__}" in (to_html(frame(Answer(kind="pull", records=[record]), "zh")) or "")
    assert "<script" not in (to_html(frame(Answer(kind="images", records=[image(tag=HOSTILE)]), "zh")) or "")


def test_a_language_that_is_not_known_is_english() -> None:
    made = frame(Answer(kind="images", records=[image()]))
    made.attrs["jupyimg"]["lang"] = "<b>"
    assert ">repository<" in (to_html(made) or "")
