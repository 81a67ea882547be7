"""The normalising reader: every line end becomes CR LF, and the end of data is still CR LF dot CR LF alone."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.smtp.data import DataReader
from relay.smtp.lineends import LineEnds

END = b"\r\n.\r\n"
RISKY = st.lists(st.sampled_from([b"\r", b"\n", b".", b"\0", b"x", b"\r\n", b"\r\r\n", END])).map(b"".join)
CUTS = st.lists(st.integers(0, 10_000), max_size=8)


def normalised(raw: bytes) -> bytes:
    """Tell by the book what is made of content: line ends from the left, the longest first; then one dot less."""
    text = re.sub(rb"\r\r\n|\r\n|\n|\r", b"\r\n", raw)
    return re.sub(rb"(?m)^\.", b"", text.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")


def fed(reader: DataReader, chunks: list[bytes]) -> bytes | None:
    """Feed chunks; return what is left over behind the end, None where there is none."""
    for number, chunk in enumerate(chunks):
        rest = reader.feed(chunk)
        if rest is not None:
            return rest + b"".join(chunks[number + 1 :])
    return None


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:stop] for start, stop in itertools.pairwise(edges)]


@given(RISKY, CUTS, st.booleans(), st.sampled_from([b"\r\n", b"T\n"]))
def test_the_end_is_where_the_raw_stream_has_it_and_content_is_as_by_the_book(raw, places, normalises, after):
    """In any split; what is behind the end is left untouched; and without normalising nothing but dots is taken."""
    reader = DataReader(10_000, line_ends=LineEnds() if normalises else None, after=after)
    rest = fed(reader, cut(raw, places))
    whole = (b"\r\n" if after == b"\r\n" else b"") + raw
    end = whole.find(END)
    if end < 0:
        assert rest is None
        return
    assert rest == whole[end + len(END) :]
    content = whole[: end + 2].removeprefix(b"\r\n" if after == b"\r\n" else b"")
    if normalises:
        assert normalised(content) == reader.content()
    else:
        assert (b"\r\n" + content if after == b"\r\n" else content).replace(b"\r\n.", b"\r\n").removeprefix(
            b"\r\n" if after == b"\r\n" else b""
        ) == reader.content()


@given(RISKY, CUTS)
def test_normalised_content_has_no_cr_or_lf_alone(raw, places):
    reader = DataReader(100_000, line_ends=LineEnds())
    fed(reader, [*cut(raw, places), END])
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", reader.content())


@given(st.lists(st.sampled_from([b"", b"x", b"a b", b"\xe9"])), CUTS)
def test_content_that_is_right_already_does_not_change(lines, places):
    content = b"".join(line + b"\r\n" for line in lines)
    reader = DataReader(10_000, line_ends=LineEnds())
    assert b"" == fed(reader, cut(content + b".\r\n", places))
    assert content == reader.content()


@pytest.mark.parametrize(
    ("wire", "content"),
    [
        (b"a\nb\r\n.\r\n", b"a\r\nb\r\n"),
        (b"a\rb\r\n.\r\n", b"a\r\nb\r\n"),
        (b"a\r\r\nb\r\n.\r\n", b"a\r\nb\r\n"),
        (b"a\r\r\r\nb\r\n.\r\n", b"a\r\n\r\nb\r\n"),
        (b"a\r\rb\r\n.\r\n", b"a\r\n\r\nb\r\n"),
        (b"a\n\rb\r\n.\r\n", b"a\r\n\r\nb\r\n"),
        (b"a\n..b\r\n.\r\n", b"a\r\n.b\r\n"),
        (b"a\n.\nb\r\n.\r\n", b"a\r\n\r\nb\r\n"),
        (b"a\r\n.\nb\r\n.\r\n", b"a\r\n\r\nb\r\n"),
        (b"a\n\r\n.\r\n", b"a\r\n\r\n"),
        (b".\r\n", b""),
    ],
)
def test_what_becomes_of_what(wire, content):
    for place in range(len(wire) + 1):
        reader = DataReader(1000, line_ends=LineEnds())
        assert b"" == fed(reader, [wire[:place], wire[place:]])
        assert content == reader.content()


def test_the_size_limit_counts_what_is_kept():
    reader = DataReader(9, line_ends=LineEnds())
    reader.feed(b"\n" * 5)
    assert reader.discarding
