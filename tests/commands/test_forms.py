"""--widget asks for a form where one can be shown, and is the ordinary line everywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jupyimg.commands import Session, run
from jupyimg.errors import Misuse
from jupyimg.model.content import drain
from jupyimg.model.settings import Settings
from jupyimg.views import Answer, LoginAsk, PruneAsk
from tests.commands.test_space import home  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def notebook(home: Path) -> Iterator[Session]:  # noqa: F811
    opened = Session(Settings(home=home), in_kernel=True)
    yield opened
    opened.close()


def asked(session: Session, *words: str) -> Answer:
    answer = run(session, words)
    assert isinstance(answer, Answer)
    return answer


def test_a_prune_preview_acts_on_what_was_chosen_and_knows_the_line_without_it(notebook: Session) -> None:
    form = asked(notebook, "prune", "-a", "--all-partial", "--widget").form
    assert isinstance(form, PruneAsk)
    assert form.without == "%image prune -a --all-partial -f"
    assert form.more == ""
    assert {image.reference for image in form.images if not image.dangling} == {"app:latest", "tool:1"}
    tool = [image for image in form.images if image.reference == "tool:1"]
    plan = form.plan(tool)
    assert drain(form.act(tool)) == plan
    assert [image.reference for image in notebook.engine.images()] == ["app:latest"]
    few = asked(notebook, "prune", "--widget").form
    assert isinstance(few, PruneAsk)
    assert [image.dangling for image in few.images] == [True]
    assert few.more == "%image prune -a --widget"


def test_without_a_notebook_prune_shows_its_plan(home: Path) -> None:  # noqa: F811
    session = Session(Settings(home=home))
    assert asked(session, "prune", "-a", "--widget") == asked(session, "prune", "-a")
    session.close()


def test_json_stays_json(notebook: Session) -> None:
    answer = asked(notebook, "prune", "-a", "--widget", "--format", "json")
    assert (answer.form, answer.json) == (None, True)


def test_a_login_form_takes_no_password_from_the_line(notebook: Session) -> None:
    form = asked(notebook, "login", "localhost:1", "-u", "ada", "--widget").form
    assert isinstance(form, LoginAsk)
    assert (form.server, form.username) == ("localhost:1", "ada")
    for words in (("-p", "env:HOME"), ("--password-stdin",)):
        with pytest.raises(Misuse, match="asks for the password itself"):
            run(notebook, ["login", "localhost:1", "-u", "ada", "--widget", *words])
