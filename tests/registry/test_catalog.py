"""The catalog: every page of it, each repository once, and nothing in it that is none."""

from __future__ import annotations

import json

import pytest

from jupyimg.errors import Denied, ProtocolError, RateLimited, RemoteNotFound
from jupyimg.registry import Credentials, catalog, hosts
from tests.registry.fake import Answer, error
from tests.registry.hub import document
from tests.services import synthetic


@pytest.fixture
def read(connect):
    registries = connect(attempts=2)

    def read_catalog(host):
        desk = registries.desk(host)
        return [reference.path for reference in catalog(desk, desk.calls.begin())]

    return read_catalog


def paged(fake, *pages):
    """A catalog in pages that link to each other."""

    def answer(seen):
        at = int(seen.query.get("page", ["0"])[0])
        link = {"Link": f'</v2/_catalog?page={at + 1}>; rel="next"'} if at + 1 < len(pages) else {}
        return Answer(200, json.dumps({"repositories": pages[at]}).encode(), link)

    fake.rule("GET /v2/_catalog", answer)


def test_a_real_registrys_catalog_is_read_page_by_page(registry, read, monkeypatch):
    monkeypatch.setitem(hosts.ROWS, registry.host, hosts.Host(page_size=3))
    image = synthetic.make_image()
    for number in range(8):
        synthetic.push(registry, f"team/app{number}", "1", image)
    assert read(registry.host) == [f"team/app{number}" for number in range(8)]
    assert len(registry.accesses("_catalog")) == 3


def test_a_repository_on_two_pages_is_one_and_an_empty_page_is_not_the_end(fake, read):
    paged(fake, ["a", "b"], [], ["b", "c"])
    assert read(fake.host) == ["a", "b", "c"]


@pytest.mark.parametrize("body", [{"repositories": None}, {"repositories": []}, {}])
def test_no_repositories_are_no_error(fake, read, body):
    fake.rule("_catalog", document(body))
    assert read(fake.host) == []


def test_what_is_no_name_is_left_out(fake, read):
    paged(fake, ["ok", "../up", "UP", "a b", "<b>", "a:tag", "x@y", "", None, 7, ["a"], "a\x1b[2J", "ok/two"])
    assert read(fake.host) == ["ok", "ok/two"]


@pytest.mark.parametrize("body", [document([]), document({"repositories": "all"}), Answer(200, b"<html>")])
def test_what_is_no_catalog_is_an_error(fake, read, body):
    fake.rule("_catalog", body)
    with pytest.raises(ProtocolError, match="no catalog"):
        read(fake.host)


def test_a_catalog_that_goes_in_circles_is_an_error(fake, read):
    fake.rule("_catalog", Answer(200, b'{"repositories": ["a"]}', {"Link": '</v2/_catalog?n=1000>; rel="next"'}))
    with pytest.raises(ProtocolError, match="circles"):
        read(fake.host)


def test_a_catalog_without_end_is_an_error(fake, read, monkeypatch):
    monkeypatch.setattr("jupyimg.registry.catalogs.MOST", 500)

    def more(seen):
        at = int(seen.query.get("page", ["0"])[0])
        names = [f"r{at}-{n}" for n in range(100)]
        link = {"Link": f'</v2/_catalog?page={at + 1}>; rel="next"'}
        return Answer(200, json.dumps({"repositories": names}).encode(), link)

    fake.rule("_catalog", more)
    with pytest.raises(ProtocolError, match="without end"):
        read(fake.host)
    assert len(fake.seen) == 6


def test_a_real_registry_that_wants_a_login_shows_its_catalog_to_who_has_one(htpasswd_registry, read, connect):
    synthetic.push(htpasswd_registry, "team/app", "1", synthetic.make_image())
    with pytest.raises(Denied, match="does not show you its catalog"):
        read(htpasswd_registry.host)
    desk = connect(lambda _host: Credentials(*htpasswd_registry.login)).desk(htpasswd_registry.host)
    assert [reference.path for reference in catalog(desk, desk.calls.begin())] == ["team/app"]


def test_a_link_is_followed_on_the_host_that_was_asked(fake, other, read):
    fake.rule(
        r"_catalog\?n=", Answer(200, b'{"repositories": ["a"]}', {"Link": f"<{other.url}/v2/_catalog?x>; rel=next"})
    )
    fake.rule("_catalog", document({"repositories": ["b"]}))
    assert read(fake.host) == ["a", "b"]
    assert other.seen == []


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (error(401, "UNAUTHORIZED", "log in"), Denied, "does not show you its catalog"),
        (error(403, "DENIED"), Denied, "does not show you its catalog"),
        (error(404, "NAME_UNKNOWN"), RemoteNotFound, "has no catalog"),
        (Answer(405), RemoteNotFound, "has no catalog"),
        (error(429, "TOOMANYREQUESTS", "slow down", Retry_After="7200"), RateLimited, "2 hours"),
    ],
)
def test_what_a_registry_refuses_is_told_of_its_catalog(fake, read, answer, kind, words):
    fake.rule("_catalog", answer)
    with pytest.raises(kind, match=words) as caught:
        read(fake.host)
    assert caught.value.hint
    assert "catalog:" not in caught.value.message
