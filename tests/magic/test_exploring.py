"""%image search, tags, catalog and info: what a line returns, how it looks, and that nothing hostile or secret shows."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd
import pytest
from IPython.core.completer import provisionalcompleter

from jupyimg.errors import ImageError, Misuse
from jupyimg.registry import hosts
from tests.registry.fake import Answer, serve_fake
from tests.registry.hub import Hub, hit, tag
from tests.services import synthetic
from tests.views.samples import HOSTILE


def run(shell, code):
    result = shell.run_cell(code)
    if result.error_in_exec:
        raise result.error_in_exec
    return result.result


@pytest.fixture
def hub(monkeypatch):
    with serve_fake() as fake:
        monkeypatch.setenv("JUPYIMG_HUB_API", fake.url)
        row = hosts.Host(
            api=fake.host, hub="hub.docker.com", searches=("hub", "index"), metered=True, has_catalog=False
        )
        monkeypatch.setitem(hosts.ROWS, "docker.io", row)
        made = Hub(fake)
        made.hits = [
            hit("mysql", star_count=15_000),
            hit("u/mysql", star_count=120, short_description=HOSTILE),
            hit("v/mysql", star_count=2),
        ]
        made.tags["library/nginx"] = [tag("1.27"), tag("1.26")]
        yield made


@pytest.fixture
def explorer(hub, shell):
    """A shell that was loaded when Docker Hub's API was the stand-in."""
    return shell


@pytest.fixture
def stocked(registry):
    for name in ("1.0", "1.1"):
        synthetic.push(registry, "team/app", name, synthetic.make_image(labels={"v": name}))
    return registry


def formatted(shell, value):
    return shell.display_formatter.format(value)[0]


def test_search_is_a_frame_in_dockers_columns(explorer):
    frame = run(explorer, "%image search mysql --limit 10 -f stars=100 -f is-official=true --no-trunc")
    assert list(frame.columns) == ["name", "description", "stars", "official", "pulls", "source"]
    assert frame["name"].tolist() == ["mysql"]
    assert frame["stars"].dtype == "Int64"
    assert frame["official"].dtype == "boolean"
    text = formatted(explorer, run(explorer, "%image search mysql"))["text/plain"]
    assert text.splitlines()[0].split() == ["NAME", "DESCRIPTION", "STARS", "OFFICIAL"]
    assert "[OK]" in text.splitlines()[1]


def test_search_shows_pulls_where_there_is_room(explorer):
    html = formatted(explorer, run(explorer, "%image search mysql"))["text/html"]
    assert ">pulls<" in html
    assert "3 results" in html


def test_a_hostile_description_is_harmless_wherever_it_is_shown(explorer):
    frame = run(explorer, "%image search mysql")
    shown = formatted(explorer, frame)
    assert "<script>" not in shown["text/html"]
    assert "&lt;script&gt;" in shown["text/html"]
    for text in (shown["text/plain"], shown["text/html"], str(run(explorer, "%image search mysql --format json"))):
        assert not set(text) & {"\x1b", "\u202e", "\x9b", "\x07"}
    assert json.loads(run(explorer, "%image search mysql --format json"))[1]["description"] == HOSTILE


@pytest.mark.parametrize("line", ["stars=many", "stars", "is-official=perhaps", "color=red", "stars=-1"])
def test_a_filter_that_is_none_is_refused(explorer, line):
    with pytest.raises(Misuse) as caught:
        run(explorer, f"%image search mysql -f {line}")
    assert "is-official" in caught.value.hint


def test_dockers_other_spellings_of_filters_are_taken(explorer):
    assert run(explorer, "%image search mysql --filter=is-official=FALSE")["name"].tolist() == ["u/mysql", "v/mysql"]
    assert run(explorer, "%image search mysql -f is-automated=true").empty
    assert len(run(explorer, "%image search --limit=1 mysql")) == 1


def test_tags_are_a_frame_with_what_they_cost(explorer):
    frame = run(explorer, "x = %image tags nginx\nx")
    assert list(frame.columns) == ["repository", "tag", "digest", "platform", "size", "created", "updated"]
    assert len(frame) == 4
    assert frame["updated"].notna().all()
    shown = formatted(explorer, frame)
    for text in shown.values():
        assert "none of which counts as a pull" in text
    assert "2 tags, 4 images" in shown["text/html"]
    assert len(run(explorer, "%image tags nginx 1.27")) == 2


def test_what_was_found_can_be_browsed(explorer, stocked):
    lines = {"search mysql": 3, "tags nginx": 4, f"catalog {stocked.host}": 1, f"catalog {stocked.host} --tags": 2}
    for line, count in lines.items():
        table = run(explorer, f"%image {line} --widget")
        assert len(table.frame) == count
        assert table.selection.empty
    explorer.run_line_magic("config", 'ImageMagics.display = "widget"')
    assert len(run(explorer, "%image tags nginx").frame) == 4


def test_catalog_and_its_tags_are_frames(explorer, stocked):
    frame = run(explorer, f"%image catalog {stocked.host}")
    assert frame["repository"].tolist() == [f"{stocked.host}/team/app"]
    assert "1 repository" in formatted(explorer, frame)["text/html"]
    tags = run(explorer, f"%image catalog {stocked.host} --tags")
    assert tags["tag"].tolist() == ["1.1", "1.0"]
    assert isinstance(tags, pd.DataFrame)
    assert run(explorer, f"%image catalog {stocked.host} nothing").empty
    assert "0 repositories" in formatted(explorer, run(explorer, f"%image catalog {stocked.host} nothing"))["text/html"]


def test_a_tag_of_a_frame_can_be_pulled(explorer, stocked):
    run(explorer, f"x = %image tags {stocked.host}/team/app")
    run(explorer, '%image pull {x["repository"][0]}:{x["tag"][0]}')
    assert len(run(explorer, "%image images")) == 1


@pytest.mark.parametrize(
    "line",
    ["catalog", "catalog docker.io", "catalog foo", "tags", "search", "search --limit 101 x", "tags nginx --limit -1"],
)
def test_a_wrong_line_is_one_sentence_and_a_hint(explorer, line):
    with pytest.raises(ImageError) as caught:
        run(explorer, f"%image {line}")
    assert caught.value.hint
    assert len(caught.value._render_traceback_()) == 2


def test_names_and_hosts_complete_to_what_is_here(explorer, stocked):
    run(explorer, f"%image pull {stocked.host}/team/app:1.0")

    def completions(text):
        with provisionalcompleter():
            found = explorer.Completer.completions(text, len(text))
            return [text[: item.start] + item.text for item in found if item.type == "jupyimg"]

    assert completions(f"%image tags {stocked.host[:7]}") == [f"%image tags {stocked.host}/team/app"]
    assert completions(f"%image catalog {stocked.host[:7]}") == [f"%image catalog {stocked.host}"]


# ---- info


def facts(frame):
    return dict(zip(frame["field"], frame["value"], strict=True))


def test_info_says_what_this_session_works_with(explorer, stocked):
    run(explorer, f"%image pull {stocked.host}/team/app:1.0")
    said = facts(run(explorer, "%image info"))
    assert said["engine"] == "embedded"
    assert said["images"] == "1"
    assert "linux/" in said["default platform"]
    assert "requests" in said[f"registry {stocked.host}"]
    assert "--quota" in said["Docker Hub quota"]


def test_info_in_a_notebook_does_not_say_where_its_author_lives(explorer, home):
    assert facts(run(explorer, "%image info"))["store"] == "$JUPYIMG_HOME/store"
    assert str(home) not in formatted(explorer, run(explorer, "%image info"))["text/html"]
    said = subprocess.run([sys.executable, "-m", "jupyimg", "info"], capture_output=True, text=True, check=True)
    assert str(home / "store") in said.stdout


def test_info_asks_hub_for_the_quota_when_told_to(explorer, hub, monkeypatch):
    fake = hub.fake
    row = hosts.Host(api=fake.host, probe="docker.io/ratelimitpreview/test:latest")
    monkeypatch.setitem(hosts.ROWS, "docker.io", row)
    root = fake.image("ratelimitpreview/test", "latest")
    left = {
        "ratelimit-limit": "200;w=21600",
        "ratelimit-remaining": "7;w=21600",
        "docker-ratelimit-source": "192.0.2.77",
    }
    about = {"Content-Type": root.media_type, "Docker-Content-Digest": root.digest, "Content-Length": str(root.size)}
    fake.rule("HEAD /v2/ratelimitpreview", Answer(200, b"", {**about, **left}, length=-1))
    said = run(explorer, "%image info --quota")
    assert facts(said)["Docker Hub quota"] == "7 of 200 pulls in 6 hours are left"
    assert fake.count("GET .*manifests") == 0
    assert "192.0.2.77" not in said.to_string()


def test_info_never_shows_a_secret_of_its_settings(hub, monkeypatch, bare_shell, home):
    secret = "s3cret-in-a-url"
    monkeypatch.setenv("JUPYIMG_HUB_API", f"https://ada:{secret}@hub.example.com/x?token={secret}")
    monkeypatch.setenv("HTTPS_PROXY", f"http://ada:{secret}@127.0.0.1:9")
    bare_shell.run_line_magic("load_ext", "jupyimg")
    said = run(bare_shell, "%image info")
    assert facts(said)["Docker Hub API"] == "https://hub.example.com"
    assert secret not in said.to_string()
    with pytest.raises(ImageError) as caught:
        run(bare_shell, "%image search x")
    assert secret not in f"{caught.value!r} {caught.value.hint}"
    bare_shell.run_line_magic("unload_ext", "jupyimg")


def test_nothing_of_search_is_imported_before_it_is_asked(home):
    code = "import jupyimg.magic, sys; print([n for n in sys.modules if n in ('httpx', 'jupyimg.engines.exploring')])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
