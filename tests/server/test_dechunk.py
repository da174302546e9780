"""The framing of chunked bodies comes off, wherever the blocks are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.server.dechunk import BadChunk, Dechunker


def framed(chunks: list[bytes], extension: bytes, trailer: bytes) -> bytes:
    body = b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks if chunk)
    return body + b"0" + extension + b"\r\n" + trailer + b"\r\n"


def dechunked(raw: bytes, cuts: list[int]) -> tuple[bytes, bytes, bool]:
    """The payload, what follows the body, and whether the body has ended."""
    dechunker, payload, at = Dechunker(), b"", 0
    for cut in [*sorted(cuts), len(raw)]:
        block = bytearray(raw[at:cut]) + b"left from before"
        filled = max(0, cut - at)
        if filled and not dechunker.done:
            size, used = dechunker.feed(block, filled)
            payload += block[:size]
            at += used
    return payload, raw[at:], dechunker.done


@given(
    st.lists(st.binary(max_size=50), max_size=8),
    st.sampled_from([b"", b";x", b';a="b\xff"', b" "]),
    st.sampled_from([b"", b"A: b\r\n", b"A: b\r\nC: d\r\n"]),
    st.lists(st.integers(0, 500), max_size=30),
    st.sampled_from([b"", b"GET / HTTP/1.1\r\n"]),
)
def test_the_payload_comes_out_and_what_follows_stays(chunks, extension, trailer, cuts, behind):
    raw = framed(chunks, extension, trailer)
    payload, left, done = dechunked(raw + behind, [min(cut, len(raw) + len(behind)) for cut in cuts])
    assert (payload, left, done) == (b"".join(chunks), behind, True)


@given(st.lists(st.binary(max_size=50), max_size=4), st.data())
def test_half_a_body_has_not_ended(chunks, data):
    raw = framed(chunks, b"", b"")
    payload, left, done = dechunked(raw[: data.draw(st.integers(0, len(raw) - 1))], [])
    assert b"".join(chunks).startswith(payload)
    assert (left, done) == (b"", False)


@pytest.mark.parametrize(
    "raw",
    [b"\r\n", b"x\r\n", b"-1\r\n", b"0x5\r\n", b"5\n", b" 5\r\n", b"1\r\nab\r\n", b"1\r\na\n", b"0\r\nA: b\n" + b"x" * 2000,
     b"f" * 16 + b"\r\n", b"1;\x00\r\na\r\n", b"1" + b" " * 2000],
)  # fmt: skip
def test_broken_framing_is_noticed(raw):
    with pytest.raises(BadChunk):
        dechunked(raw, [])
