"""Which mirror was passed by is said by every command that reads by way of mirrors, each thing once."""

from __future__ import annotations

import json
import sys

import pytest

from jupyimg.commands.browsing import Browsing
from jupyimg.commands.run import run
from jupyimg.commands.session import Session
from jupyimg.engines import asking
from jupyimg.model.content import Phase, drain
from jupyimg.views.explorer import Explorer
from jupyimg.views.progress import Progress
from tests.mirrors.conftest import passed_by, push_image
from tests.registry.fake import dead_port
from tests.services.process import environment
from tests.services.process import run as call


@pytest.fixture
def session(user):
    opened = Session(user.settings())
    yield opened
    opened.close()


@pytest.fixture
def ask(session):
    """Runs a line; gives its answer, and what was said on the way and beside it."""

    class Heard(Progress):
        def __call__(self, step):
            said.extend([step.text] if step.phase is Phase.NOTE else [])

    said = []

    def asked(line):
        said.clear()
        answer = run(session, line.split(), lambda kind, *_: Heard(kind))
        return answer, [*said, *answer.notes]

    return asked


@pytest.fixture
def upstream(registry):
    push_image(registry)
    push_image(registry, tag="2")
    return registry


@pytest.fixture
def gone(user, upstream):
    """A mirror that is not there."""
    host = f"127.0.0.1:{dead_port()}"
    user.mirrors(upstream.host, host)
    return host


@pytest.mark.parametrize(
    "line",
    [
        "tags {}/app",
        "tags {}/app:1",
        "browse {}/app",
        "catalog {} --tags",
        "inspect --remote --platform linux/amd64 {}/app:1",
        "inspect --remote --platform linux/amd64 {0}/app:1 {0}/app:2",
        "history --remote --platform linux/amd64 {}/app:1",
        "compare --remote --platform linux/amd64 {0}/app:1 {0}/app:2",
        "pull --platform linux/amd64 {}/app:1",
        "copy {0}/app:1 {0}/other:1",
    ],
)
def test_what_reads_by_way_of_mirrors_says_which_it_passed_by(ask, upstream, gone, line):
    answer, said = ask(line.format(upstream.host))
    assert answer.records
    assert passed_by(said)[0] == f"{gone} refuses the connection: going on with {upstream.host}"
    assert len(passed_by(said)) == len(set(passed_by(said))) <= 2, "and that it gave no answer a moment ago"


@pytest.mark.parametrize("line", ["pull -a {0}/app", "copy -a {0}/app {0}/other"])
def test_all_tags_of_a_pull_and_of_a_copy_say_it_of_the_list_too(ask, upstream, gone, line):
    """The list of tags is asked for before anything else."""
    answer, said = ask(line.format(upstream.host))
    assert len(answer.records) == 2
    assert passed_by(said)[0] == f"{gone} refuses the connection: going on with {upstream.host}"


@pytest.mark.parametrize("line", ["tags {}/app", "inspect --remote --platform linux/amd64 {}/app:1", "pull {}/app:1"])
def test_nothing_is_said_where_the_mirror_serves(ask, user, upstream, second_registry, line):
    second_registry.stock(upstream.data)
    user.mirrors(upstream.host, second_registry.host)
    _, said = ask(line.format(upstream.host))
    assert not passed_by(said)


def test_the_same_of_many_repositories_is_said_once_and_never_without_end(ask, user, upstream, start, monkeypatch):
    monkeypatch.setattr(asking, "SHOWN", 3)
    for number in range(6):
        push_image(upstream, f"more/app{number}", layers=1)
    empty = start()
    user.mirrors(upstream.host, empty.host)
    answer, said = ask(f"catalog {upstream.host} --tags")
    assert len({record.repository for record in answer.records}) == 7
    told = passed_by(said)
    assert len(told) == len(set(told)) == 3, "each repository lacks there what is another name"
    assert "and more of this kind" in said


def test_an_explorer_keeps_beside_its_list_what_was_said_on_the_way(session, upstream, gone):
    port = Browsing(session, f"{upstream.host}/app")
    explorer = Explorer(drain(port.listing()))
    session.engine.remote.registries._client.down.clear()
    rows = drain(explorer._list("", back=False))
    assert passed_by(rows["notes"])[0] == f"{gone} refuses the connection: going on with {upstream.host}"


def test_a_look_at_an_image_in_an_explorer_says_it(session, upstream, gone):
    steps = list(Browsing(session, f"{upstream.host}/app").looking(f"{upstream.host}/app:1", "linux/amd64"))
    assert passed_by([step.text for step in steps]) == [f"{gone} refuses the connection: going on with {upstream.host}"]


def test_on_a_terminal_the_note_goes_beside_the_document_and_not_into_it(user, upstream, gone, tmp_path):
    env = environment(user.home, JUPYIMG_HOME=str(tmp_path / "home"))
    words = ["inspect", "--remote", "--platform", "linux/amd64", upstream.reference("app:1")]
    done = call([sys.executable, "-m", "jupyimg", *words], env=env)
    assert f"{gone} refuses the connection: going on with {upstream.host}" in done.stderr
    assert json.loads(done.stdout)[0]["Architecture"] == "amd64"
