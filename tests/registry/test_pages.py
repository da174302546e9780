"""Lists: every page is followed, on the host that was asked, and a list that does not end is no list."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.errors import Denied, ProtocolError, RemoteNotFound
from jupyimg.registry.pages import next_link
from tests.registry.fake import Answer, error

LIST = "/v2/app/tags/list"


@pytest.fixture
def repository(fake, connect):
    return connect().repository(fake.reference("app"))


def serve(fake, pages, link='<{next}>; rel="next"', path=LIST):
    """Give a list in these pages."""

    def page(seen):
        number = int(seen.query.get("p", ["0"])[0])
        headers = {"Content-Type": "application/json"}
        if number + 1 < len(pages):
            headers["Link"] = link.format(next=f"{path}?n=2&p={number + 1}", url=fake.url)
        return Answer(200, json.dumps({"name": "app", "tags": pages[number]}).encode(), headers)

    fake.rule("GET .*tags/list", page)


@pytest.mark.parametrize(
    "link",
    [
        '<{next}>; rel="next"',
        "<{url}{next}>;rel=next",
        '<http://internal.example:5000{next}>; rel="next"',
        '{next}; rel="next"',
        '<{next}>; title="a, b; c"; REL="prev next"',
        '</other>; rel="first", <{next}>; rel="next"',
    ],
)
def test_links_are_followed_however_they_are_written(fake, repository, link):
    serve(fake, [["a", "b"], ["c"], ["d"]], link)
    assert list(repository.tags()) == ["a", "b", "c", "d"]
    assert fake.count(".") == 3


def test_empty_pages_and_repeated_tags_do_no_harm(fake, repository):
    serve(fake, [["a"], [], None, ["a", "b"], []])
    assert list(repository.tags()) == ["a", "b"]


def test_pages_are_fetched_as_they_are_needed(fake, repository):
    serve(fake, [["a"], ["b"], ["c"]])
    assert next(iter(repository.tags())) == "a"
    assert fake.count(".") == 1


def test_a_large_page_is_asked_for(fake, repository):
    fake.tags["app"] = ["1"]
    assert list(repository.tags()) == ["1"]
    assert fake.seen[0].query == {"n": ["1000"]}


def test_a_list_in_circles_is_an_error(fake, repository):
    fake.rule("GET", Answer(200, b'{"tags":["a"]}', {"Link": f'<{LIST}?n=1000>; rel="next"'}))
    tags = repository.tags()
    assert next(tags) == "a"
    with pytest.raises(ProtocolError, match="circles"):
        next(tags)


def test_a_list_that_breaks_off_is_an_error_and_not_a_short_list(fake, repository):
    serve(fake, [["a"], ["b"]])
    fake.rules.insert(0, lambda seen: error(403, "DENIED") if "p=1" in seen.path else None)
    with pytest.raises(Denied):
        list(repository.tags())


def test_a_link_that_leads_nowhere_is_an_error(fake, repository):
    serve(fake, [["a"], ["b"]], '<http://h:port/>; rel="next"')
    with pytest.raises(ProtocolError, match="not a URL"):
        list(repository.tags())


def test_a_list_without_end_is_an_error(fake, repository, monkeypatch):
    monkeypatch.setattr("jupyimg.registry.pages.PAGES", 3)
    serve(fake, [["a"]] * 9)
    with pytest.raises(ProtocolError, match="without end"):
        list(repository.tags())


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"tags":', b"\xff"])
def test_nonsense_is_an_error(fake, repository, body):
    fake.rule("GET", Answer(200, body))
    with pytest.raises(ProtocolError, match="tags"):
        list(repository.tags())


def test_a_missing_repository_is_said_to_be_missing(repository):
    with pytest.raises(RemoteNotFound, match="has no repository"):
        list(repository.tags())


def test_what_is_no_tag_is_not_shown(fake, repository):
    fake.tags["app"] = ["ok", "\x1b[31mred", "<script>", "", "a b", "x" * 129, 5, None]
    assert list(repository.tags()) == ["ok", "5", "None"]


@given(st.lists(st.text(max_size=80), max_size=3))
def test_no_header_breaks_the_parser(headers):
    next_link(headers)


_safe = st.text("abcdefghijklmnopqrstuvwxyz0123456789-._~/?=&%:", min_size=1, max_size=40)


@given(_safe, st.lists(st.tuples(_safe, st.sampled_from(["prev", "first", "last"])), max_size=3), st.booleans())
def test_the_next_link_is_found_among_others(target, others, quoted):
    mark = '"' if quoted else ""
    links = [f"<{url}>; rel={mark}{relation}{mark}" for url, relation in others]
    assert next_link([", ".join([*links, f"<{target}>; rel={mark}next{mark}"])]) == target
    assert next_link([", ".join(links)]) is None
