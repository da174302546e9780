"""Two images side by side: each layer once, each difference named, two frames behind one face, text that stays text."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from jupyimg.model.comparison import ImageComparison, compare
from jupyimg.model.platform import Platform
from jupyimg.views import Answer, to_notebook, to_text
from jupyimg.views.frames import frame
from tests.views.samples import HOSTILE, detail, digest, step
from tests.views.test_html import Page

EVIL = "<script>alert(1)</script>" * 400
BASE, OWN, OTHER = "base", "own", "other"


def layer(word: str, size: int | None = 1000, **changes: Any) -> Any:
    held = {"layer_digest": digest(word), "diff_id": digest(f"{word} unpacked"), "created_by": f"RUN make {word}"}
    return step(empty=False, size=None if size is None else 3 * size, compressed=size, **{**held, **changes})


def changed(**config: Any) -> Any:
    document = copy.deepcopy(detail().document)
    document["Config"].update(config)
    return detail(reference="nginx:next", document=document)


def compared(a: Any = None, b: Any = None, mine: Any = (), others: Any = ()) -> ImageComparison:
    return compare(a or detail(), b or changed(), mine, others)


def differences(found: ImageComparison) -> list[tuple[str, str, str | None, str | None, str]]:
    return [(each.field, each.key, each.a, each.b, each.status) for each in found.differences]


def test_the_same_image_differs_in_nothing() -> None:
    found = compared(b=detail(reference="other-name"), mine=[layer(BASE)], others=[layer(BASE)])
    assert found.differences == ()
    assert [each.status for each in found.layers] == ["shared"]


def test_layers_stand_from_the_base_up_with_who_has_them() -> None:
    found = compared(mine=[step(), layer(OWN), layer(BASE)], others=[layer(OTHER, 5), step(), layer(BASE)])
    assert [(each.digest, each.in_a, each.in_b, each.status, each.size) for each in found.layers] == [
        (digest(BASE), True, True, "shared", 1000),
        (digest(OWN), True, False, "only A", 1000),
        (digest(OTHER), False, True, "only B", 5),
    ]


def test_a_layer_that_an_image_stacks_twice_is_one() -> None:
    found = compared(mine=[layer(BASE), layer(OWN), layer(BASE)], others=[])
    assert [each.digest for each in found.layers] == [digest(BASE), digest(OWN)]


def test_without_stored_digests_what_is_unpacked_decides() -> None:
    daemon = [layer(BASE, layer_digest=None), layer(OTHER, layer_digest=None)]
    found = compared(mine=[layer(BASE)], others=daemon)
    assert [(each.digest, each.status) for each in found.layers] == [
        (digest("base unpacked"), "shared"),
        (digest("other unpacked"), "only B"),
    ]


def test_where_no_step_tells_its_layer_the_images_own_list_does() -> None:
    listed = {"RootFS": {"Type": "layers", "Layers": [str(digest("base unpacked")), str(digest("x unpacked"))]}}
    unsure = [step(empty=None, size=3000, compressed=None)]
    mine = detail(document={**detail().document, **listed})
    found = compared(a=mine, mine=unsure, others=[layer(BASE, layer_digest=None)])
    assert [(each.digest, each.status, each.size) for each in found.layers] == [
        (digest("base unpacked"), "shared", None),
        (digest("x unpacked"), "only A", None),
    ]
    alone = compared(a=mine, b=mine, mine=unsure, others=unsure)
    assert "2 layers shared (N/A)" in repr(to_notebook(Answer(kind="compare", records=[alone])))


def test_each_variable_label_and_port_is_a_row() -> None:
    found = compared(
        b=changed(
            Env=["PATH=/usr/bin", "NGINX_VERSION=1.28.0", "EMPTY="],
            Labels={"maintainer": "someone"},
            ExposedPorts={"80/tcp": {}, "443/tcp": {}},
            Entrypoint=["/run me"],
            Cmd=None,
            User="www",
        )
    )
    assert differences(found) == [
        ("entrypoint", "", None, "'/run me'", "only B"),
        ("cmd", "", "nginx -g 'daemon off;'", None, "only A"),
        ("user", "", None, "www", "only B"),
        ("environment", "NGINX_VERSION", "1.27.5", "1.28.0", "changed"),
        ("environment", "EMPTY", None, "", "only B"),
        ("label", "描述", "用于教学的镜像", None, "only A"),
        ("port", "443/tcp", None, "443/tcp", "only B"),
    ]


def test_platform_and_sizes_are_compared() -> None:
    other = detail(platform=Platform("arm64", "linux"), size=5)
    found = compared(b=other)
    assert differences(found) == [
        ("platform", "", "linux/amd64", "linux/arm64", "changed"),
        ("size", "", "73149000", "5", "changed"),
    ]
    assert (found.a, found.b) == ("nginx:latest (linux/amd64)", "nginx:latest (linux/arm64)")


@pytest.mark.parametrize("config", [None, "text", {"Env": "no list", "Labels": ["x"], "Cmd": 5, "Volumes": None}])
def test_a_config_of_odd_shapes_is_compared_all_the_same(config: Any) -> None:
    assert compared(b=detail(document={"Config": config})).differences


def test_a_notebook_gets_two_frames_behind_one_face() -> None:
    found = compared(b=changed(User="www"), mine=[layer(OWN), layer(BASE)], others=[layer(BASE)])
    shown = to_notebook(Answer(kind="compare", records=[found]))
    assert list(shown.layers["status"]) == ["shared", "only A"]
    assert shown.layers["size"].dtype == "Int64"
    assert list(shown.differences["field"]) == ["user"]
    page = Page(shown._repr_html_())
    assert "A: nginx:latest" in page.text
    assert "1 layer shared (1kB); only A: 1 layer, 1kB; only B: 0 layers, 0B" in page.text
    assert "A: nginx:latest · only here: 1,000 bytes · shared: 1,000 bytes" in page.titles
    assert "www" in page.text
    assert repr(shown) == to_text(Answer(kind="compare", records=[found]))


def test_chinese_stands_around_it() -> None:
    found = compared(b=changed(User="www"), mine=[layer(OWN)], others=[layer(BASE)])
    shown = to_notebook(Answer(kind="compare", records=[found]), lang="zh")
    assert "共享 0 层（0B）；仅 A：1 层，1kB；仅 B：1 层，1kB" in shown._repr_html_()
    assert "用户" in repr(shown)
    assert next(iter(shown.layers.columns)) == "digest"


def test_a_terminal_shows_what_differs_and_the_layers_in_its_width() -> None:
    found = compared(
        b=changed(Cmd=["x" * 500]), mine=[layer(BASE)], others=[layer(BASE, created_by="RUN " + "y" * 500)]
    )
    lines = to_text(Answer(kind="compare", records=[found]), 100).splitlines()
    assert lines[:2] == ["A: nginx:latest", "B: nginx:next"]
    assert max(map(len, lines)) <= 100
    assert "nothing differs" in to_text(Answer(kind="compare", records=[compared(b=detail())]))


def test_json_holds_the_rows_of_both_frames() -> None:
    found = compared(b=changed(User="www"), mine=[layer(BASE)], others=[layer(BASE, None)])
    said = json.loads(to_text(Answer(kind="compare", records=[found], json=True)))[0]
    assert (said["a"], said["b"]) == ("nginx:latest", "nginx:next")
    assert said["layers"][0]["digest"] == str(digest(BASE))
    assert said["differences"] == [{"field": "user", "key": "", "a": None, "b": "www", "status": "only B"}]


@pytest.mark.parametrize("text", [HOSTILE, EVIL, "\u202e" + "\u05d0" * 10_000, "{a.__class__}"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_names_labels_and_commands_stay_text(text: str, lang: str) -> None:
    other = changed(Labels={text: text}, Env=[text, f"{text}={text}"], Cmd=[text], User=text, ExposedPorts={text: {}})
    other = detail(reference=text, document={**other.document, "Created": text})
    found = compared(b=other, mine=[layer(OWN, created_by=text)], others=[layer(BASE, created_by=text)])
    shown = to_notebook(Answer(kind="compare", records=[found]), lang=lang)
    html = shown._repr_html_()
    page = Page(html)
    known = {"div", "b", "table", "caption", "thead", "tbody", "tr", "th", "td", "svg", "rect"}
    assert page.elements <= known
    assert all(char.isprintable() or char == "\n" for char in page.text + "".join(page.titles) + repr(shown))
    assert len(html) < 50_000


def test_a_comparison_of_thousands_is_bounded() -> None:
    env = [f"V{at}={'x' * 1000}" for at in range(3000)]
    found = compared(b=changed(Env=env), mine=[layer(str(at)) for at in range(3000)], others=[])
    shown = to_notebook(Answer(kind="compare", records=[found]))
    assert len(shown._repr_html_()) < 200_000
    assert Page(shown._repr_html_()).rows[63] == ["…"] * 4
    assert len(shown.layers) == 3000
    assert frame(Answer(kind="differences", records=found.differences)).shape == (3002, 5)
