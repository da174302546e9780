"""Bytes of a log become the lines that were written, wherever a read ends and whatever was written."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyimg.engines.docker import demultiplex
from jupyimg.engines.docker.demultiplex import Frames, Raw
from jupyimg.errors import EngineError

STAMP = b"2026-11-24T11:50:24.263585122Z "
TIME = datetime(2026, 11, 24, 11, 50, 24, 263585, tzinfo=UTC)


def frame(stream, payload):
    return struct.pack(">BxxxL", stream, len(payload)) + payload


def read(reader, *chunks):
    return [record for chunk in chunks for record in reader.feed(chunk)] + list(reader.end())


def texts(records):
    return [(record.stream, record.line) for record in records]


def cut(data, places):
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[begin:end] for begin, end in pairwise(ends)]


WRITTEN = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),
        st.booleans(),
        st.one_of(st.binary(max_size=40), st.text(max_size=20).map(str.encode), st.just(b"\r"), st.just(STAMP)),
        st.booleans(),
    ),
    max_size=12,
)
"""Messages: of which stream, whether with a time, what, and whether it ends its line."""


@given(WRITTEN, st.lists(st.integers(0, 900)))
def test_any_split_of_frames_gives_the_same_lines(written, places):
    data = b"".join(
        frame(stream, (STAMP if timed else b"") + text + (b"\n" if ends else b""))
        for stream, timed, text, ends in written
    )
    assert read(Frames(), *cut(data, places)) == read(Frames(), data)


@given(
    st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([STAMP, b"\n", b"\r\n", b"\r"])), max_size=20),
    st.lists(st.integers(0, 900)),
)
def test_any_split_of_a_terminals_log_gives_the_same_lines(pieces, places):
    data = b"".join(pieces)
    assert read(Raw(), *cut(data, places)) == read(Raw(), data)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 2]),
            st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=30),
        ),
        max_size=20,
    )
)
def test_every_line_comes_out_as_it_was_written_with_its_time_and_stream(written):
    data = b"".join(frame(stream, STAMP + text.encode() + b"\n") for stream, text in written)
    found = read(Frames(), data)
    assert texts(found) == [("stdout" if stream == 1 else "stderr", text) for stream, text in written]
    assert all((record.time, record.nanosecond) == (TIME, 122) for record in found)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)))
def test_noise_is_lines_or_one_clear_error(data, places):
    for reader in (Frames(), Raw()):
        try:
            read(reader, *cut(data, places))
        except EngineError as error:
            assert "daemon" in error.message


def test_a_long_line_in_several_messages_is_one_line_with_the_first_time():
    later = b"2026-11-24T11:50:25.000000000Z "
    data = frame(1, STAMP + b"a" * 16384) + frame(2, STAMP + b"between\n") + frame(1, later + b"b" * 10 + b"\n")
    assert texts(read(Frames(), data)) == [("stderr", "between"), ("stdout", "a" * 16384 + "b" * 10)]
    assert read(Frames(), data)[1].time == TIME


def test_a_line_of_a_terminal_without_a_time_has_that_of_the_one_before_wherever_a_read_ends():
    data = STAMP + b"one\r\ntwo\r\n"
    assert (
        [one.time for one in read(Raw(), data)] == [one.time for one in read(Raw(), *cut(data, [36]))] == [TIME, TIME]
    )


def test_a_long_line_of_a_terminal_is_one_line_without_the_times_inside():
    data = STAMP + b"a" * 16384 + STAMP + b"a" * 16390 + STAMP + b"b\r\n" + STAMP + b"next\r\n"
    assert texts(read(Raw(16384), data)) == [("stdout", "a" * 32774 + "b"), ("stdout", "next")]


def test_a_message_that_is_neither_ended_nor_cut_is_a_line():
    """What wrote it has ended; a container that is started again goes on with a line of its own."""
    data = frame(1, STAMP + b"end") + frame(1, STAMP + b"again\n")
    assert texts(read(Frames(16384), data)) == [("stdout", "end"), ("stdout", "again")]
    assert texts(read(Frames(0), data)) == [("stdout", "endagain")], "Podman cuts anywhere"


def test_a_character_that_is_cut_by_messages_is_whole_again():
    halves = "中".encode()
    data = frame(1, STAMP + b"a" + halves[:1]) + frame(1, STAMP + halves[1:] + b"\n")
    assert texts(read(Frames(), data)) == [("stdout", "a中")]


def test_what_is_no_utf8_is_replaced_and_nothing_else_is_lost():
    assert texts(read(Frames(), frame(1, STAMP + b"a\xffb\0c\n"))) == [("stdout", "a\N{REPLACEMENT CHARACTER}b\0c")]


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (b"10%\r20%\r100%\n", ["10%", "20%", "100%"]),
        (b"\r10%\r20%\n", ["10%", "20%"]),
        (b"dos\r\n", ["dos"]),
        (b"\r\r\n", [""]),
        (b"\n", [""]),
        (b"end", ["end"]),
    ],
)
def test_a_carriage_return_ends_a_line_too(written, lines):
    assert [line for _, line in texts(read(Frames(), frame(1, STAMP + written)))] == lines
    assert [line for _, line in texts(read(Raw(), STAMP + written))] == lines


def test_a_line_that_looks_as_if_it_began_with_a_time_keeps_it():
    assert texts(read(Frames(), frame(1, STAMP + STAMP + b"x\n"))) == [("stdout", STAMP.decode() + "x")]


@pytest.mark.parametrize(
    ("stamp", "moment", "nanosecond"),
    [
        (b"2026-11-24T11:50:24Z ", TIME.replace(microsecond=0), 0),
        (b"2026-11-24T12:50:24.5+01:00 ", TIME.replace(microsecond=500000), 0),
        (b"2026-13-24T11:50:24Z ", None, 0),
        (b"0001-01-01T00:00:00Z ", None, 0),
        (b"0001-01-01T00:00:00+01:00 ", None, 0),
    ],
)
def test_times_of_other_daemons_are_read_too(stamp, moment, nanosecond):
    (found,) = read(Frames(), frame(1, stamp + b"x\n"))
    assert (found.time, found.nanosecond, found.line) == (moment, nanosecond, "x")


def test_a_line_without_end_is_cut_and_never_kept_whole(monkeypatch):
    monkeypatch.setattr(demultiplex, "LONGEST", 1000)
    reader = Frames()
    for _ in range(100):
        for record in reader.feed(frame(1, STAMP + "中".encode() * 100)):
            assert len(record.line.encode()) <= 1000
            assert "\N{REPLACEMENT CHARACTER}" not in record.line
        assert len(reader._streams["stdout"]._held) <= 1000 + 300


def test_a_frame_that_claims_gigabytes_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(demultiplex, "LONGEST", 1000)
    reader = Frames()
    list(reader.feed(struct.pack(">BxxxL", 1, 0xFFFFFFFF)))
    for _ in range(100):
        list(reader.feed(b"x" * 300))
        assert len(reader._held) + len(reader._streams["stdout"]._held) <= 2300


def test_what_a_daemon_says_of_its_own_trouble_is_an_error():
    with pytest.raises(EngineError, match="could not read on: no such log"):
        read(Frames(), frame(3, b"no such log\n"))


def test_bytes_that_are_no_frames_are_an_error():
    with pytest.raises(EngineError, match="taken apart"):
        read(Frames(), b"plain text, no frames")
