"""What inspect returns is Docker's document as a mapping, with a card, JSON and a frame."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from jupyimg.views import Answer, to_notebook
from jupyimg.views.detail import Detail, Details
from tests.views.samples import HOSTILE, detail, digest
from tests.views.test_html import Page


def test_dockers_keys_work() -> None:
    shown = to_notebook(Answer(kind="inspect", records=[detail()]))
    assert isinstance(shown, Detail)
    assert shown["Config"]["Env"] == ["PATH=/usr/bin", "NGINX_VERSION=1.27.5"]
    assert dict(shown) == detail().document
    assert shown.manifest == detail().manifest
    assert shown.config == detail().config
    assert shown.record == detail()
    with pytest.raises(KeyError):
        shown["Nothing"]


def test_its_repr_is_indented_json() -> None:
    assert json.loads(repr(Detail(detail()))) == detail().document
    assert repr(Detail(detail())).startswith('{\n    "Id"')


def test_several_images_are_a_sequence_in_the_order_asked_for() -> None:
    other = detail(reference="other:1")
    shown = to_notebook(Answer(kind="inspect", records=[detail(), other]))
    assert isinstance(shown, Details)
    assert [item.record.reference for item in shown] == ["nginx:latest", "other:1"]
    assert len(shown[:1]) == 1
    assert isinstance(shown[1], Detail)
    assert json.loads(repr(shown)) == [detail().document, other.document]
    assert "other:1" in Page(shown._repr_html_()).text


def test_a_frame_has_a_row_for_each_image_and_dotted_columns() -> None:
    second = detail(document={"Id": "x", "Size": 7, "Variant": "v8"})
    made = Details([Detail(detail()), Detail(second)]).to_frame()
    assert len(made) == 2
    assert made["Config.WorkingDir"][0] == "/srv"
    assert made["Config.Labels"][0] == detail().document["Config"]["Labels"]
    assert made["Created"][0] == pd.Timestamp("2026-02-23T12:00:00.123456Z")
    assert str(made["Size"].dtype) == "Int64"
    assert list(made["Size"]) == [73_149_000, 7]
    assert pd.isna(made["Config.WorkingDir"][1])


def test_the_card_says_what_it_is_and_what_it_runs() -> None:
    page = Page(Detail(detail())._repr_html_())
    for said in (
        "nginx:latest",
        digest("config").short,
        "linux/amd64",
        "73.1MB compressed",
        "2 layers",
        str(digest("index")),
        "my-nginx:v1",
        "nginx -g 'daemon off;'",
        "80/tcp",
        "NGINX_VERSION=1.27.5",
        "描述=用于教学的镜像",
        "/srv",
    ):
        assert said in page.text
    assert "2026-02-23T12:00:00.123456Z" in page.titles


def test_the_rest_folds_away_without_script() -> None:
    page = Page(Detail(detail())._repr_html_())
    assert {"details", "summary"} <= page.elements
    assert not {"script", "style", "a", "img"} & page.elements


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"Config": None},
        {"Config": {"Env": None, "Labels": None, "Cmd": None}},
        {"Config": {"Cmd": "a string", "Env": "x", "Labels": ["a"], "ExposedPorts": ["80"]}, "Size": "big"},
        {"Created": "not a time", "RepoTags": "x", "Config": []},
        {"Created": 7, "Config": {"Env": [None, 7, {"a": []}]}},
    ],
)
def test_a_document_of_any_shape_has_a_card_and_a_frame(document: dict[str, object]) -> None:
    shown = Detail(detail(document=document, platform=None, manifest={"layers": "none"}))
    assert "nginx:latest" in Page(shown._repr_html_()).text
    assert len(shown.to_frame()) == 1
    assert json.loads(repr(shown)) == document


def test_hostile_text_stays_text_everywhere_in_the_card() -> None:
    config = {
        "Env": [HOSTILE, f"A={HOSTILE}"],
        "Cmd": [HOSTILE],
        "Entrypoint": [HOSTILE],
        "Labels": {HOSTILE: HOSTILE},
        "ExposedPorts": {HOSTILE: {}},
        "Volumes": {HOSTILE: {}},
        "WorkingDir": HOSTILE,
        "User": HOSTILE,
        "StopSignal": HOSTILE,
    }
    document = {"RepoTags": [HOSTILE], "Created": HOSTILE, "Config": config, HOSTILE: {HOSTILE: [HOSTILE]}}
    layers = {"layers": [{"digest": HOSTILE, "size": 1}], HOSTILE: HOSTILE}
    record = detail(reference=HOSTILE, document=document, manifest=layers, config=config, platforms=(HOSTILE, "b"))
    page = Page(Detail(record)._repr_html_())
    assert page.elements <= {"div", "b", "span", "table", "tbody", "tr", "th", "td", "details", "summary"}
    assert page.attributes <= {"class", "style", "title", "open", "scope"}
    assert all(char.isprintable() or char == "\xa0" for char in page.text + "".join(page.titles))


def test_an_endless_document_is_cut_and_its_repr_is_an_error_of_ours() -> None:
    nested: dict[str, object] = {}
    for _ in range(500):
        nested = {"x": nested}
    wide = {str(at): {str(there): "x" for there in range(300)} for at in range(300)}
    html = Detail(detail(document=nested, config=wide))._repr_html_()
    assert len(html) < 2_000_000
    assert "more" in Page(html).text
