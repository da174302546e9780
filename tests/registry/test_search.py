"""Search: Docker Hub's with pulls, its older one behind it, Harbor's, Quay's, else the catalog; nothing odd harms."""

from __future__ import annotations

import pytest

from jupyimg.errors import Denied, ImageError, Misuse, RateLimited, Unreachable
from jupyimg.registry import Wanted, search
from tests.registry.fake import Answer, dead_port, error
from tests.registry.hub import Hub, document, hit, old_hit
from tests.registry.tokens import ADA, TokenServer

HTML = Answer(200, b"<!doctype html><title>Bad gateway</title>", {"Content-Type": "text/html"})


@pytest.fixture
def hub(fake):
    return Hub(fake)


@pytest.fixture
def look(fake, connect):
    """Searches Docker Hub, whose API is the fake."""
    registries = connect(hub_api=fake.url, attempts=2)

    def search_hub(term="nginx", **wanted):
        return search(lambda api: registries.desk("docker.io", api), "docker.io", term, Wanted(**wanted))

    return search_hub


@pytest.fixture
def look_at(connect):
    """Searches the registry of a fake."""
    registries = connect(attempts=2)

    def search_at(fake, term="app", **wanted):
        return search(lambda api: registries.desk(fake.host, api), fake.host, term, Wanted(**wanted))

    return search_at


def names(found):
    return [record.name for record in found.records]


# ---- Docker Hub


def test_hub_says_stars_pulls_and_what_is_official(hub, look):
    hub.hits = [hit("nginx", star_count=20_000, pull_count=12_000_000_000), hit("bitnami/nginx")]
    found = look()
    first, second = found.records
    assert (first.name, first.stars, first.pulls, first.official) == ("nginx", 20_000, 12_000_000_000, True)
    assert (second.name, second.official, second.source) == ("bitnami/nginx", False, "docker.io")
    assert first.description == "what nginx is"
    assert found.notes == ()


def test_the_term_arrives_as_it_was_typed(hub, look, fake):
    look(term="a b&page=9#ü")
    assert fake.seen[-1].query["query"] == ["a b&page=9#ü"]
    assert fake.seen[-1].query["page"] == ["1"]


def test_nothing_found_is_no_error(hub, look):
    assert look().records == []


def test_only_as_many_as_wanted_are_asked_for(hub, look, fake):
    hub.hits = [hit(f"a{n}") for n in range(300)]
    assert len(look(limit=7).records) == 7
    assert fake.seen[-1].query["page_size"] == ["7"]
    assert len(fake.seen) == 1


def test_filters_run_before_the_limit(hub, look, fake):
    hub.hits = [hit(f"u/a{n}", star_count=n) for n in range(250)]
    found = look(limit=5, stars=220)
    assert [record.stars for record in found.records] == [220, 221, 222, 223, 224]
    assert len(fake.seen) == 3


def test_filters_by_flag(hub, look):
    hub.hits = [hit("nginx"), hit("u/nginx"), hit("b/nginx", is_automated=True)]
    assert names(look(official=True)) == ["nginx"]
    assert names(look(official=False)) == ["u/nginx", "b/nginx"]
    assert names(look(automated=True)) == ["b/nginx"]
    assert names(look(automated=False)) == ["nginx", "u/nginx"]


def test_looking_through_results_has_an_end_and_says_so(hub, look, fake):
    hub.hits = [hit(f"u/a{n}") for n in range(5000)]
    found = look(stars=11)
    assert found.records == []
    assert "first 1000 results" in found.notes[0]
    assert len(fake.seen) == 10


def test_the_same_result_twice_is_one(hub, look):
    hub.hits = [hit("u/a"), hit("u/a"), hit("u/b")]
    assert names(look()) == ["u/a", "u/b"]


@pytest.mark.parametrize("odd", [None, "many", -3, 1 << 70, 1.5, [], {}, True])
def test_a_number_that_is_none_is_not_known(hub, look, odd):
    hub.hits = [hit("u/a", star_count=odd, pull_count=odd)]
    assert [(record.stars, record.pulls) for record in look().records] == [(None, None)]


@pytest.mark.parametrize("odd", [None, 7, ["text"], {}])
def test_a_text_that_is_none_is_empty(hub, look, odd):
    hub.hits = [hit("u/a", short_description=odd, is_official=odd)]
    assert [(record.description, record.official) for record in look().records] == [("", None)]


@pytest.mark.parametrize("name", ["", None, 7, "../../etc", "UPPER/case", "a b", "a\x1b[31m", "a:tag", "<b>x</b>"])
def test_a_name_that_could_not_be_pulled_is_left_out(hub, look, name):
    hub.hits = [hit("u/ok"), {**hit("x"), "repo_name": name}, "junk", None]
    assert names(look()) == ["u/ok"]


def test_a_missing_field_is_not_known(hub, look):
    hub.hits = [{"repo_name": "u/a"}]
    assert names(look()) == ["u/a"]


def test_a_description_without_end_is_cut(hub, look):
    hub.hits = [hit("u/a", short_description="x" * 1_000_000)]
    assert len(look().records[0].description) == 10_000


def test_pages_that_go_in_circles_end(fake, look):
    fake.rule("search/repositories", document({"next": "x", "results": [hit(f"u/a{n}") for n in range(10)]}))
    fake.rule("v1/search", Answer(404))
    with pytest.raises(ImageError, match="in circles"):
        look(stars=11)


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(404),
        Answer(403, b"<html>go away</html>", {"Content-Type": "text/html"}),
        Answer(502, b"<html>", {"Content-Type": "text/html"}),
        HTML,
        document([]),
        document({"results": None}),
        document({"results": "none"}),
    ],
    ids=["404", "403", "502", "html", "list", "null", "text"],
)
def test_where_hubs_api_fails_its_older_search_is_asked_and_that_is_said(hub, look, fake, trouble):
    fake.rules.insert(0, lambda seen: trouble if "search/repositories" in seen.path else None)
    hub.old_hits = [old_hit("nginx", is_official=True), old_hit("u/nginx")]
    found = look()
    assert [(record.name, record.stars, record.pulls) for record in found.records] == [
        ("nginx", 3, None),
        ("u/nginx", 3, None),
    ]
    assert "older search" in found.notes[0]
    assert "no pulls" in found.notes[0]


def test_the_older_search_is_paged_for_filters_too(hub, look, fake):
    fake.rules.insert(0, lambda seen: Answer(404) if "search/repositories" in seen.path else None)
    hub.old_hits = [old_hit(f"u/a{n}", star_count=n) for n in range(250)]
    assert [record.stars for record in look(stars=240, limit=3).records] == [240, 241, 242]


def test_where_both_fail_the_first_says_why(fake, look):
    fake.rule("search/repositories", Answer(500))
    fake.rule("v1/search", Answer(404))
    with pytest.raises(ImageError, match="500") as caught:
        look()
    assert caught.value.hint


def test_who_asks_too_often_is_not_sent_elsewhere(hub, fake, look):
    fake.rules.insert(0, lambda seen: Answer(429, b"<html>slow down</html>", {"Retry-After": "3600"}))
    with pytest.raises(RateLimited, match="60 minutes") as caught:
        look()
    assert caught.value.hint
    assert fake.count("v1/search") == 0


def test_hub_that_cannot_be_reached_is_one_sentence(connect):
    registries = connect(hub_api=f"http://127.0.0.1:{dead_port()}", attempts=2)
    with pytest.raises(Unreachable, match="refuses the connection") as caught:
        search(lambda api: registries.desk("docker.io", api), "docker.io", "nginx", Wanted())
    assert caught.value.hint


@pytest.mark.parametrize("text", ["http://hub.example.com", "nonsense", "ftp://127.0.0.1", "https://", "http://[::"])
def test_an_address_of_hubs_api_that_is_none_is_refused(connect, text):
    with pytest.raises(Misuse, match="address of Docker Hub's API") as caught:
        connect(hub_api=text).desk("docker.io", "hub")
    assert "JUPYIMG_HUB_API" in caught.value.hint


# ---- other registries


def harbor(*repositories):
    rows = [
        {"repository_name": name, "project_name": "p", "pull_count": 5, "artifact_count": 1} for name in repositories
    ]
    return document({"project": [], "repository": rows, "chart": []})


def quay(*names, more=False, page=1):
    rows = [
        {
            "kind": "repository",
            "title": "repo",
            "namespace": {"title": "user", "kind": "user", "name": name.partition("/")[0], "score": 1},
            "name": name.partition("/")[2],
            "description": "from quay",
            "is_public": True,
            "stars": 4,
            "popularity": 1.5,
            "href": f"/repository/{name}",
        }
        for name in names
    ]
    return document({"results": rows, "has_additional": more, "page": page, "page_size": 10, "start_index": 0})


def catalog(*names):
    return document({"repositories": list(names)})


def test_harbor_is_asked_by_its_own_search(fake, look_at):
    fake.rule(r"GET /api/v2.0/search\?q=app$", harbor("team/app", "team/app2"))
    found = look_at(fake)
    assert names(found) == [f"{fake.host}/team/app", f"{fake.host}/team/app2"]
    assert [(record.pulls, record.stars, record.source) for record in found.records] == [(5, None, fake.host)] * 2
    assert "Harbor" in found.notes[0]


def test_quay_is_asked_by_its_own_search_page_by_page(fake, look_at):
    fake.rule(r"GET /api/v2.0", HTML)  # as Quay's front page answers anything
    fake.rule(r"GET /api/v1/find/repositories\?.*page=1", quay("team/app", "team/app2", more=True))
    fake.rule(r"GET /api/v1/find/repositories\?.*page=2", quay("team/app3", page=2))
    found = look_at(fake)
    assert names(found) == [f"{fake.host}/team/{name}" for name in ("app", "app2", "app3")]
    assert found.records[0].stars == 4
    assert "Quay" in found.notes[0]


def test_a_registry_without_a_search_has_its_catalog_looked_through_and_that_is_said(fake, look_at):
    fake.rule("_catalog", catalog("team/app", "other", "app", "team/app"))
    found = look_at(fake)
    assert names(found) == [f"{fake.host}/team/app", f"{fake.host}/app"]
    assert "catalog" in found.notes[0]
    assert "'app'" in found.notes[0]


def test_which_search_a_registry_has_is_found_out_once(fake, look_at):
    fake.rule("_catalog", catalog("app"))
    look_at(fake)
    asked = len(fake.seen)
    look_at(fake)
    assert len(fake.seen) == asked + 1


def test_a_servers_own_trouble_is_not_taken_for_having_no_search(fake, look_at):
    fake.rule("/api/v2.0", Answer(500), times=2)
    fake.rule("/api/v2.0", harbor("team/app"))
    fake.rule("_catalog", catalog("app"))
    assert "catalog" in look_at(fake).notes[0]
    assert "Harbor" in look_at(fake).notes[0]


def test_unknown_stars_are_no_stars(fake, look_at):
    fake.rule("_catalog", catalog("app"))
    assert look_at(fake, stars=1).records == []


def test_a_registry_that_shows_no_catalog_says_so(fake, look_at):
    fake.rule("_catalog", error(401, "UNAUTHORIZED", "authentication required"))
    with pytest.raises(Denied, match="does not show you its catalog") as caught:
        look_at(fake)
    assert caught.value.hint


def test_a_registry_that_is_not_there_is_asked_no_further(look_at, fake):
    fake.host = f"127.0.0.1:{dead_port()}"
    with pytest.raises(Unreachable, match="refuses"):
        look_at(fake)


def test_no_login_is_shown_to_an_api_beside_the_registry(fake, connect):
    fake.rule("/api/", Answer(401, b"", {"WWW-Authenticate": 'Basic realm="x"'}))
    fake.rule("_catalog", catalog("app"))
    registries = connect(credentials=lambda _host: ADA)
    search(lambda api: registries.desk(fake.host, api), fake.host, "app", Wanted())
    assert fake.count("/api/") == 2
    assert not [seen for seen in fake.matching("/api/") if "authorization" in seen.headers]


def test_the_catalog_is_asked_for_with_a_token_of_its_scope(fake, connect):
    TokenServer(fake)
    fake.rule("_catalog", catalog("app"))
    registries = connect()
    found = search(lambda api: registries.desk(fake.host, api), fake.host, "app", Wanted())
    assert names(found) == [f"{fake.host}/app"]
    assert fake.matching("/token")[-1].query["scope"][0] == "registry:catalog:*"
