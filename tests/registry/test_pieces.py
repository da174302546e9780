"""The bytes of an upload, and the address that closes it."""

from __future__ import annotations

import httpx
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.registry.upload import Supply, with_digest
from tests.registry.content import Content, blob_of


@given(
    st.binary(max_size=300),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=6),
    st.integers(1, 50),
)
def test_any_parts_in_any_order_are_the_right_bytes(data, parts, step):
    supply = Supply(blob_of(data), Content(data, step))
    for start, stop in parts:
        first, last = min(start, len(data)), min(stop, len(data))
        assert b"".join(supply.between(first, last)) == data[first:last]


@given(st.text(st.characters(codec="ascii", exclude_characters="#"), max_size=30))
def test_a_digest_is_added_and_nothing_else_changes(query):
    try:
        location = httpx.URL(f"http://localhost/upload?{query}#fragment")
    except httpx.InvalidURL:
        return
    closed = with_digest(location, "sha256:abc").raw_path
    path, _, before = location.raw_path.partition(b"?")
    assert closed == path + b"?" + before + (b"&" if before else b"") + b"digest=sha256:abc"
