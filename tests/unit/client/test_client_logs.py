"""Lines of entries that come in pieces."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from penstock.client.logs import LogLine, LogReader

LOG = (
    b"2026-01-01T00:00:00.000000001Z stdout P one \n"
    b"2026-01-01T00:00:00.000000002Z stderr F aside\n"
    b"2026-01-01T00:00:00.000000003Z stdout F line \xc3\xa9\n"
    b"2026-01-01T00:00:00.000000004Z stdout F \n"
)
LINES = [("aside", "stderr"), ("one line é", "stdout"), ("", "stdout")]


@given(st.lists(st.integers(0, len(LOG)), max_size=6))
def test_it_does_not_matter_where_the_pieces_are_cut(cuts: list[int]) -> None:
    reader, places = LogReader(), [0, *sorted(cuts), len(LOG)]
    pieces = [LOG[start:end] for start, end in pairwise(places)]
    lines = [line for piece in pieces for line in reader.push(piece)] + list(reader.end())
    assert [(line.text, line.stream) for line in lines] == LINES


def test_what_is_left_at_the_end_is_a_line() -> None:
    reader = LogReader()
    assert list(reader.push(b"t1 stdout P half\nt2 stdout F of it")) == []
    assert list(reader.end()) == [LogLine("halfof it", "stdout", "t2")]
    assert list(reader.end()) == []


def test_an_entry_without_an_end_does_not_fill_the_memory() -> None:
    reader = LogReader()
    lines = [line for _ in range(40) for line in reader.push(b"t stdout F " + b"x" * (1 << 16))]
    assert lines
