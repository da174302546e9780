"""What `%image info` tells of the user's own settings: where they are, and never a secret."""

from __future__ import annotations

import base64
import json

import pytest

from jupyimg.commands import run
from jupyimg.commands.session import Session
from jupyimg.registry import hosts
from jupyimg.views import to_text

SECRET = "hunter2"


@pytest.fixture
def told(tmp_path):
    """Writes files below the home folder and gives what is then told, by field."""

    def tell(**files):
        for name, text in files.items():
            path = tmp_path / "home" / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        session = Session()
        try:
            answer = run(session, ["info"])
            return {record.field: record.value for record in answer.records}
        finally:
            session.close()

    return tell


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYIMG_HOME", str(tmp_path / "jupyimg"))


def test_a_quota_that_cannot_be_asked_is_one_line_of_the_answer(monkeypatch):
    nowhere = hosts.Host(api="127.0.0.1:1", probe="docker.io/ratelimitpreview/test:latest")
    monkeypatch.setitem(hosts.ROWS, "docker.io", nowhere)
    session = Session()
    told = {record.field: record for record in run(session, ["info", "--quota"]).records}
    session.close()
    assert told["engine"].value == "embedded"
    assert told["Docker Hub quota"].value.startswith("could not be asked: ")
    assert told["Docker Hub quota"].number is None


def test_numbers_are_numbers_in_json():
    session = Session()
    rows = {row["field"]: row for row in json.loads(to_text(run(session, ["info", "--format", "json"])))}
    session.close()
    assert rows["images"] == {"field": "images", "value": "0", "number": 0}
    assert isinstance(rows["store size"]["number"], int)
    assert rows["store size"]["value"] == f"{rows['store size']['number']:,} bytes"
    assert rows["engine"]["number"] is None


def test_it_names_where_logins_lie_and_no_secret(told):
    auth = base64.b64encode(f"me:{SECRET}".encode()).decode()
    found = told(**{".docker__config.json": json.dumps({"auths": {"quay.io": {"auth": auth}}})})
    assert found["login for quay.io"] == "~/.docker/config.json"
    assert SECRET not in str(found)
    assert auth not in str(found)


def test_it_names_mirrors_in_the_order_in_which_they_are_tried(told):
    conf = '[[registry]]\nprefix = "docker.io"\nlocation = "docker.io"\n' + "".join(
        f'[[registry.mirror]]\nlocation = "{name}.example.com"\n' for name in ("first", "second")
    )
    found = told(**{".config__containers__registries.conf": conf})
    assert found["mirrors of docker.io"] == "first.example.com, second.example.com"


def test_damaged_settings_are_told_and_hide_nothing_else(told):
    found = told(**{".config__containers__registries.conf": "[[", ".docker__config.json": "{"})
    assert "registries.conf" in found["mirrors"]
    assert "config.json" in found["logins"]
    assert found["engine"] == "embedded"


def test_it_names_the_policy_that_is_obeyed(told, tmp_path):
    policy = json.dumps({"default": [{"type": "reject"}]})
    found = told(**{".config__containers__policy.json": policy})
    assert found["trust policy"] == "~/.config/containers/policy.json"
