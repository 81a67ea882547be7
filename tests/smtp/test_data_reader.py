"""The reader of DATA: whatever the chunks, the same message; and its end is CR LF dot CR LF alone."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.smtp.data import DataReader

END = b"\r\n.\r\n"
#: Bytes among which every accident of the end can be found.
RISKY = st.binary() | st.lists(st.sampled_from([b"\r", b"\n", b".", b"\0", b"x", b"\r\n", b"\r\n."])).map(b"".join)


def stuffed(content: bytes) -> bytes:
    """Write content as a client does (RFC 5321 §4.5.2), with the end of data."""
    whole = b"\r\n" + content
    whole += b"" if whole.endswith(b"\r\n") else b"\r\n"
    return (whole.replace(b"\r\n.", b"\r\n.."))[2:] + b".\r\n"


def read(chunks: list[bytes], max_bytes: int = 10_000_000) -> tuple[bytes, bytes | None, DataReader]:
    """Feed chunks until the end; return the content and all that is left over."""
    reader = DataReader(max_bytes)
    for number, chunk in enumerate(chunks):
        rest = reader.feed(chunk)
        if rest is not None:
            return reader.content(), rest + b"".join(chunks[number + 1 :]), reader
    return reader.content(), None, reader


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:stop] for start, stop in itertools.pairwise(edges)]


@given(RISKY, RISKY, st.lists(st.integers(0, 10_000), max_size=8))
def test_any_split_gives_the_same_bytes(content: bytes, after: bytes, places: list[int]):
    """Nothing depends on how the network cuts."""
    wire = stuffed(content) + after
    whole, rest, _ = read([wire])
    assert (whole, rest) == read(cut(wire, places))[:2]
    assert rest == after


@given(RISKY)
def test_stuffing_and_unstuffing_is_a_round_trip(content: bytes):
    expected = content if content.endswith(b"\r\n") or not content else content + b"\r\n"
    assert read([stuffed(content)])[0] == expected


@given(RISKY, st.lists(st.integers(0, 10_000), max_size=8))
def test_no_end_is_found_where_there_is_none(content: bytes, places: list[int]):
    wire = (b"x" + content).replace(END, b"")
    while END in wire:
        wire = wire.replace(END, b"")
    assert read(cut(wire, places))[1] is None


@pytest.mark.parametrize(
    "end",
    [
        b"\n.\n",
        b"\n.\r\n",
        b"\r.\r",
        b"\r\n.\n",
        b"\r\n.\r",
        b"\r.\r\n",
        b"\r\n\0.\r\n",
        b"\r\n.\0\r\n",
        b"\r\r\n.\r\r\n",
    ],
)
def test_only_cr_lf_dot_cr_lf_ends_data_however_it_is_split(end: bytes):
    """The forms of SMTP smuggling are content (CVE-2023-51764, -51765, -51766; CVE-2024-27305)."""
    wire = b"one" + end + b"MAIL FROM:<evil@example.org>\r\n"
    expected, rest, _ = read([wire + END + b"QUIT\r\n"])
    assert rest == b"QUIT\r\n"
    assert b"MAIL FROM:<evil@example.org>" in expected
    for place in range(len(wire)):
        assert (expected, rest) == read([wire[:place], wire[place:] + END + b"QUIT\r\n"])[:2]


@pytest.mark.parametrize(
    ("wire", "content"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b".x\r\n.\r\n", b"x\r\n"),
        (b"a\r\n..\r\n...\r\n.\r\n", b"a\r\n.\r\n..\r\n"),
        (b"a\n..b\r\n.\r\n", b"a\n..b\r\n"),
        (b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n"),
        (b"\r\r\n.\r\n", b"\r\r\n"),
    ],
)
def test_dots_are_unstuffed_at_the_beginning_of_lines_only(wire: bytes, content: bytes):
    for place in range(len(wire) + 1):
        assert read([wire[:place], wire[place:]])[:2] == (content, b"")


def test_beyond_the_limit_nothing_is_kept_and_the_end_still_found():
    reader = DataReader(10)
    assert reader.feed(b"x" * 11) is None
    assert reader.too_big
    assert reader.discarding
    assert reader.feed(b"y" * 100 + b"\r\n.\r\nNOOP") == b"NOOP"
    assert reader.content() == b""


def test_the_limit_counts_content_without_stuffing():
    assert not read([b"..345678\r\n.\r\n"], max_bytes=9)[2].too_big
    assert read([b"..345678\r\n.\r\n"], max_bytes=8)[2].too_big


def test_discarded_content_is_gone():
    reader = DataReader(10)
    reader.feed(b"abc")
    reader.discard()
    assert reader.feed(b"def\r\n.\r\n") == b""
    assert reader.content() == b""
