"""Before a byte is sent: whom to ask, over what, and by which proxy."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.errors import Misuse, Unsupported
from jupyimg.registry.hosts import base_url, is_guarded, is_loopback, origin, proxy_for


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("docker.io", "https://registry-1.docker.io/v2/"),
        ("registry.hub.docker.com", "https://registry-1.docker.io/v2/"),
        ("ghcr.io", "https://ghcr.io/v2/"),
        ("registry.example:8443", "https://registry.example:8443/v2/"),
        ("localhost", "http://localhost/v2/"),
        ("localhost:5000", "http://localhost:5000/v2/"),
        ("127.0.0.1:5000", "http://127.0.0.1:5000/v2/"),
        ("127.9.9.9", "http://127.9.9.9/v2/"),
        ("[::1]:5000", "http://[::1]:5000/v2/"),
        ("localhost.example", "https://localhost.example/v2/"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000/v2/"),
        ("lab:5000", "http://lab:5000/v2/"),
        ("lab:5001", "https://lab:5001/v2/"),
        ("old.example:80", "http://old.example/v2/"),
        ("old.example", "http://old.example/v2/"),
    ],
)
def test_http_is_for_loopback_and_for_what_the_user_listed(host, url):
    assert str(base_url(host, frozenset({"lab:5000", "Old.Example"}))) == url


def test_the_same_server_is_the_same_origin():
    assert origin(httpx.URL("https://h:443/a")) == origin(httpx.URL("https://H/b"))
    assert origin(httpx.URL("https://h/")) != origin(httpx.URL("http://h/"))
    assert origin(httpx.URL("https://h:444/")) != origin(httpx.URL("https://h/"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "LOCALHOST.", "::ffff:127.0.0.1"])
def test_loopback_has_many_names(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["169.254.169.254", "fe80::1", "0.0.0.0", "127.1.2.3"])
def test_nobody_else_may_send_us_to_this_machine_or_its_link(host):
    assert is_guarded(host)
    assert not is_guarded("10.0.0.1")
    assert not is_guarded("cdn.example")


def by_proxy(url, no=""):
    return proxy_for(httpx.URL(url), {"http": "http://p:1", "https": "http://q:2", "no": no})


@pytest.mark.parametrize(
    ("url", "no", "proxy"),
    [
        ("https://r.example/", "", "q"),
        ("http://r.example/", "", "p"),
        ("http://127.0.0.1:5000/", "", None),
        ("http://localhost:5000/", "", None),
        ("http://[::1]/", "", None),
        ("https://r.example/", "*", None),
        ("https://r.example/", "example", None),
        ("https://r.example/", ".example", None),
        ("https://r.example/", "*.example", None),
        ("https://example/", ".example", "q"),
        ("https://rexample/", "example", "q"),
        ("https://r.example/", "other.example, r.example", None),
        ("https://R.EXAMPLE/", "r.Example", None),
        ("https://r.example:8443/", "r.example:443", "q"),
        ("https://r.example:8443/", "r.example:8443", None),
        ("https://r.example/", "r.example:443", None),
        ("https://10.1.2.3/", "10.0.0.0/8", None),
        ("https://11.1.2.3/", "10.0.0.0/8", "q"),
        ("https://10.1.2.3/", "10.1.2.3", None),
        ("https://10.1.2.3/", "1.2.3", "q"),
        ("https://[fd00::1]/", "fd00::/8", None),
        ("https://[fd00::1]:5000/", "[fd00::1]:5000", None),
        ("https://r.example/", "10.0.0.0/8", "q"),
    ],
)
def test_no_proxy_means_what_it_means_to_docker(url, no, proxy):
    found = by_proxy(url, no)
    assert (found.host if found else None) == proxy


def test_a_proxy_may_be_written_without_a_scheme_and_for_all():
    assert str(proxy_for(httpx.URL("https://r.example/"), {"all": "p:3128"})) == "http://p:3128"


@pytest.mark.parametrize(
    ("text", "error"),
    [("socks5://p:1", Unsupported), ("https://p:1", Unsupported), ("://", Misuse), ("http://p:port", Misuse)],
)
def test_a_proxy_that_cannot_be_used_is_an_error_that_hides_its_password(text, error):
    with pytest.raises(error) as raised:
        proxy_for(httpx.URL("https://r.example/"), {"https": text.replace("//p:", "//user:secret@p:")})
    assert "secret" not in raised.value.message + raised.value.hint
    assert "HTTPS_PROXY" in raised.value.hint


@given(st.text(max_size=40), st.sampled_from(["https://r.example/", "https://10.0.0.1:5/", "https://[fd00::1]/"]))
def test_no_proxy_may_hold_anything(no, url):
    by_proxy(url, no)
