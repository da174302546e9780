"""The parts of the flow that are pure: challenges, scopes, tokens, and the generator itself."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.registry.auth import MARGIN, SHORTEST_LIFE, Key, RegistryAuth, Token, Tokens
from jupyimg.registry.challenges import Challenge, choose, join_scopes, parse_challenges


def test_the_flow_touches_no_socket(fake):
    base = httpx.URL("https://r.example/v2/")
    auth = RegistryAuth(base, ("repository:a:pull",), Tokens(), lambda: None, lambda here, there: None)
    flow = auth.auth_flow(httpx.Request("GET", base, extensions={"call": None}))
    first = next(flow)
    assert "authorization" not in first.headers
    challenge = {"WWW-Authenticate": 'bEaReR realm="https://t.example/t",service="s, or so"'}
    asked = flow.send(httpx.Response(401, headers=challenge, request=first))
    assert asked.url.host == "t.example"
    assert asked.url.params["service"] == "s, or so"
    again = flow.send(httpx.Response(200, json={"access_token": "t"}, request=asked))
    assert again.headers["authorization"] == "Bearer t"
    with pytest.raises(StopIteration):
        flow.send(httpx.Response(200, request=again))


def test_a_token_lives_at_least_a_minute_less_a_margin(monkeypatch):
    tokens, key = Tokens(), Key(("https", "r", 443), "t", "s", (), "")
    clock = [1000.0]
    monkeypatch.setattr("jupyimg.registry.auth.time.monotonic", lambda: clock[0])
    tokens.keep(key, Token("t", clock[0] + SHORTEST_LIFE - MARGIN))
    clock[0] += SHORTEST_LIFE - MARGIN - 1
    assert tokens.get(key) is not None
    clock[0] += 2
    assert tokens.get(key) is None


def test_several_challenges_in_one_header_and_in_several():
    found = parse_challenges(
        ['Negotiate, Basic realm="a, b", Bearer realm="https://t/x?a=1,2",service=s ,scope="a b"', "NTLM abc==, basic"]
    )
    assert [item.scheme for item in found] == ["negotiate", "basic", "bearer", "ntlm", "basic"]
    assert found[1].realm == "a, b"
    assert (found[2].realm, found[2].service, found[2].scopes) == ("https://t/x?a=1,2", "s", ("a", "b"))
    assert choose(found) is found[2]
    assert choose([Challenge("bearer"), Challenge("basic")]) == Challenge("basic")
    assert choose([Challenge("negotiate")]) is None


_tokens = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_.", min_size=1, max_size=10)
_values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)


@given(
    st.lists(st.tuples(_tokens, st.dictionaries(_tokens.map(str.lower), _values, max_size=4)), max_size=4),
    st.booleans(),
)
def test_what_is_written_as_challenges_is_read_as_them(challenges, spaced):
    gap = " , " if spaced else ","
    header = gap.join(
        f"{scheme} " + gap.join(f'{name}="{_quoted(value)}"' for name, value in values.items())
        for scheme, values in challenges
    )
    assert parse_challenges([header]) == [Challenge(scheme.lower(), values) for scheme, values in challenges]


@given(st.lists(st.text(max_size=200), max_size=3))
def test_no_header_breaks_the_parser(headers):
    choose(parse_challenges(headers))


def test_scopes_are_ours_first_and_only_what_adds_to_them():
    ours = ("repository:a:pull,push", "repository:b:pull")
    asked = ("repository:a:pull", "repository:b:pull", "repository:a:delete", "registry:catalog:*")
    assert join_scopes(ours, asked) == (*ours, "repository:a:delete", "registry:catalog:*")


def _quoted(value):
    return value.replace("\\", "\\\\").replace('"', '\\"')
